/* SPDX-License-Identifier: Apache-2.0
 *
 * How an enclave ends: one number for each kind of refusal, the exit status of a process and, in a
 * virtual machine, the number on the console's last line. */
#ifndef ADY_ENCLAVE_EXIT_H
#define ADY_ENCLAVE_EXIT_H

/* X(name, number, what it means) */
#define ADY_EXITS(X)                                                                            \
	X(OK, 0, "stopped as asked")                                                            \
	X(USAGE, 2, "the command line cannot be understood")                                    \
	X(CONFIG, 3, "the configuration is missing or refused")                                 \
	X(HARDEN, 4, "a protection could not be put in place")                                  \
	X(NSM, 5, "there is no NSM, or it does not answer")                                     \
	X(MEASUREMENT, 6, "PCR16 to 31 cannot be extended and locked as they must be")          \
	X(LISTEN, 7, "the endpoint cannot be listened on")                                      \
	X(RESOURCES, 8, "memory, threads or keys could not be made")                            \
	X(MOUNT, 9, "the kernel does not give the file systems, devices or calls that it must") \
	X(RNG, 10, "the kernel's hardware random generator is not nsm-hwrng")                   \
	X(ENTROPY, 11, "the kernel's random pool is not ready")                                 \
	X(CLOCK, 12, "the clock source is not kvm-clock, which the machine has")                \
	X(DEBUG, 13, "PCR0 is zero, the enclave runs in debug mode")                            \
	X(LOST, 14, "a thread was lost or an invariant broken")

#define ADY_EXIT_ENUM(name, number, text) ADY_EXIT_##name = (number),
enum ady_enclave_exit { ADY_EXITS(ADY_EXIT_ENUM) };
#undef ADY_EXIT_ENUM

/* What an exit status means, one clause; a number that is none of ours counts as LOST. */
const char *ady_enclave_exit_text(int status);

#endif
