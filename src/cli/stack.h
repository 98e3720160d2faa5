/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of a local stack and what is in it: configurations of enclave and gateway, the KMS
 * key that admits this enclave, stack.json that tells others where everything is. */
#ifndef ADY_CLI_STACK_H
#define ADY_CLI_STACK_H

#include <jansson.h>
#include <limits.h>

#include "aws/client.h"
#include "aws/measure.h"
#include "cli/options.h"

struct ady_stack {
	char dir[PATH_MAX - 64]; /* absolute */
	char run[80];            /* for sockets: DIR/run, or a short folder when that is too long */
	char bin[PATH_MAX - 64]; /* where the programs are */
	int lock;                /* held while the stack runs */
	int port, reserved;      /* of the gateway; the descriptor that keeps it for us */
	char gateway_url[40];    /* https when the gateway's options have tls */
	json_t *cloud;           /* what adyton-devcloud printed */
	char key_arn[256];
	struct ady_measurement pcr;
	bool vm; /* the enclave is a machine under `adyton enclave run` in the folder run */
	char image[PATH_MAX]; /* what boots there */
};

/* Make or open the folder, lock it, find a place for sockets, reserve the gateway's port (0: any).
 * bin NULL: beside this program. Returns ADY_E_IO, ADY_E_CONFIG when another stack runs in it,
 * with the reason in f. */
enum ady_err ady_stack_open(struct ady_stack *s, const char *dir, const char *bin, int port,
                            struct ady_fault *f);

/* Give everything back; the folder stays. */
void ady_stack_close(struct ady_stack *s);

/* Find the key of an earlier run of this folder, or create one that nobody can decrypt with yet.
 * Errors as ady_aws_json. */
enum ady_err ady_stack_key(struct ady_stack *s, struct ady_fault *f);

/* Write enclave.json; each option "NAME=VALUE" sets a member (NAME may have dots,
 * VALUE is JSON or else text). Returns ADY_E_IO or ADY_E_CONFIG with the reason in f. */
enum ady_err ady_stack_configure(struct ady_stack *s, const struct ady_values *enclave,
                                 struct ady_fault *f);

/* Write gateway.json, once the enclave is measured. As ady_stack_configure. */
enum ady_err ady_stack_configure_gateway(struct ady_stack *s, const struct ady_values *gateway,
                                         struct ady_fault *f);

/* Measure the enclave's program and configuration, which run as a process. Errors as
 * ady_measure_files. */
enum ady_err ady_stack_measure(struct ady_stack *s, struct ady_fault *f);

/* Put the image together from the configuration, the program and a kernel (NULL: one that is
 * found), or take one that is given, and measure it as the machine will. Errors as
 * ady_image_build, ADY_E_IO, ADY_E_IMAGE, ADY_E_NOT_FOUND. */
enum ady_err ady_stack_image(struct ady_stack *s, const char *image, const char *kernel,
                             struct ady_fault *f);

/* Make the key's policy admit just what was measured. Errors as ady_aws_json. */
enum ady_err ady_stack_admit(struct ady_stack *s, struct ady_fault *f);

/* The description of the stack, without pids: a new object. */
json_t *ady_stack_json(const struct ady_stack *s);

/* Write stack.json, which holds credentials of the local AWS: mode 0600. Returns ADY_E_IO. */
enum ady_err ady_stack_save(const struct ady_stack *s, const json_t *json, struct ady_fault *f);

/* Read stack.json of dir. Returns ADY_E_NOT_FOUND or ADY_E_JSON with the reason in f. */
enum ady_err ady_stack_load(json_t **out, const char *dir, struct ady_fault *f);

/* Text member of a JSON object, or "". */
const char *ady_stack_text(const json_t *object, const char *name);

/* Set members of object by "NAME=VALUE" texts, as ady_stack_configure. Returns ADY_E_CONFIG with
 * the reason in f. */
enum ady_err ady_stack_set(json_t *object, const struct ady_values *options, struct ady_fault *f);

#endif
