/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands: each reads its own options and returns an exit status of cli/options.h. */
#ifndef ADY_CLI_COMMANDS_H
#define ADY_CLI_COMMANDS_H

#include "cli/options.h"

/* adyton dev up: the whole local stack, until a signal. */
int ady_cmd_dev_up(const struct ady_command *self, int argc, char **argv);

/* adyton dev env: shell lines that point programs at a running stack. */
int ady_cmd_dev_env(const struct ady_command *self, int argc, char **argv);

/* adyton dev measure: PCR0 to PCR2 of an enclave that runs as a process. */
int ady_cmd_dev_measure(const struct ady_command *self, int argc, char **argv);

/* adyton key put: encrypt a private key under KMS and store it as a secret. */
int ady_cmd_key_put(const struct ady_command *self, int argc, char **argv);

/* adyton key create: have the enclave make a key, whose record the gateway stores. */
int ady_cmd_key_create(const struct ady_command *self, int argc, char **argv);

/* adyton key import: seal a private key to the enclave, and have its record stored. */
int ady_cmd_key_import(const struct ady_command *self, int argc, char **argv);

/* adyton key backup: have the enclave seal a key to the backup key of its record. */
int ady_cmd_key_backup(const struct ady_command *self, int argc, char **argv);

/* adyton backup keygen: a key pair that keys are backed up to. */
int ady_cmd_backup_keygen(const struct ady_command *self, int argc, char **argv);

/* adyton backup open: open a backup, without any network. */
int ady_cmd_backup_open(const struct ady_command *self, int argc, char **argv);

/* adyton tenant rotate: a new data key for a tenant. */
int ady_cmd_tenant_rotate(const struct ady_command *self, int argc, char **argv);

/* adyton wallet create: have the enclave make a sentence that keys are derived of. */
int ady_cmd_wallet_create(const struct ady_command *self, int argc, char **argv);

/* adyton wallet import: seal a BIP-39 sentence to the enclave. */
int ady_cmd_wallet_import(const struct ady_command *self, int argc, char **argv);

/* adyton wallet derive: have keys of a wallet made, whose records the gateway stores. */
int ady_cmd_wallet_derive(const struct ady_command *self, int argc, char **argv);

/* adyton wallet addresses: show keys of a wallet, and make none. */
int ady_cmd_wallet_addresses(const struct ady_command *self, int argc, char **argv);

/* adyton tenant lock: have the enclave forget a tenant's opened data keys. */
int ady_cmd_tenant_lock(const struct ady_command *self, int argc, char **argv);

/* adyton slashing import: histories of validators into their states. */
int ady_cmd_slashing_import(const struct ady_command *self, int argc, char **argv);

/* adyton slashing export: the histories, and the keys sign no more. */
int ady_cmd_slashing_export(const struct ady_command *self, int argc, char **argv);

/* adyton slashing show: what each signed last. */
int ady_cmd_slashing_show(const struct ady_command *self, int argc, char **argv);

/* adyton key list: the keys of a gateway that the caller may see. */
int ady_cmd_key_list(const struct ady_command *self, int argc, char **argv);

/* adyton key show: one of them. */
int ady_cmd_key_show(const struct ady_command *self, int argc, char **argv);

/* adyton key label: give a key a label. */
int ady_cmd_key_label(const struct ady_command *self, int argc, char **argv);

/* adyton key disable: a key signs no more. */
int ady_cmd_key_disable(const struct ady_command *self, int argc, char **argv);

/* adyton key enable: it signs again. */
int ady_cmd_key_enable(const struct ady_command *self, int argc, char **argv);

/* adyton key delete: plan the deletion of a key. */
int ady_cmd_key_delete(const struct ady_command *self, int argc, char **argv);

/* adyton key restore: take that back. */
int ady_cmd_key_restore(const struct ady_command *self, int argc, char **argv);

/* adyton key load: give a gateway a key record from a backup. */
int ady_cmd_key_load(const struct ady_command *self, int argc, char **argv);

/* adyton store copy: all records of a store into another, verified. */
int ady_cmd_store_copy(const struct ady_command *self, int argc, char **argv);

/* adyton sign: have a transaction signed by a gateway. */
int ady_cmd_sign(const struct ady_command *self, int argc, char **argv);

/* adyton policy check: explain what a policy decides on a request. */
int ady_cmd_policy_check(const struct ady_command *self, int argc, char **argv);

/* adyton policy change: show what a new policy changes, gather approvals, have it changed. */
int ady_cmd_policy_change(const struct ady_command *self, int argc, char **argv);

/* adyton stamp keygen: make a key that stamps requests. */
int ady_cmd_stamp_keygen(const struct ady_command *self, int argc, char **argv);

/* adyton stamp make: print the stamp on a request. */
int ady_cmd_stamp_make(const struct ady_command *self, int argc, char **argv);

/* adyton attestation get: fetch an attestation document from a gateway. */
int ady_cmd_attestation_get(const struct ady_command *self, int argc, char **argv);

/* adyton attestation verify: verify an attestation document, offline. */
int ady_cmd_attestation_verify(const struct ady_command *self, int argc, char **argv);

/* adyton audit verify: whether an audit log is whole. */
int ady_cmd_audit_verify(const struct ady_command *self, int argc, char **argv);

/* adyton audit head: the heads of its chains, to be kept elsewhere. */
int ady_cmd_audit_head(const struct ady_command *self, int argc, char **argv);

/* adyton audit show: its entries. */
int ady_cmd_audit_show(const struct ady_command *self, int argc, char **argv);

/* adyton audit proof: verify the proof of an answer, or those in its body. */
int ady_cmd_audit_proof(const struct ady_command *self, int argc, char **argv);

/* adyton image build: an enclave image from a kernel, our program and its configuration. */
int ady_cmd_image_build(const struct ady_command *self, int argc, char **argv);

/* adyton image describe: what an enclave image is made of, and what it measures. */
int ady_cmd_image_describe(const struct ady_command *self, int argc, char **argv);

/* adyton image verify: compare an enclave image with what is expected. */
int ady_cmd_image_verify(const struct ady_command *self, int argc, char **argv);

/* adyton image diff: what differs between two enclave images. */
int ady_cmd_image_diff(const struct ady_command *self, int argc, char **argv);

/* adyton enclave run: boot an image and look after it, until a signal. */
int ady_cmd_enclave_run(const struct ady_command *self, int argc, char **argv);

/* adyton enclave stop: end what enclave run started. */
int ady_cmd_enclave_stop(const struct ady_command *self, int argc, char **argv);

/* adyton enclave status: what runs, and its measurements. */
int ady_cmd_enclave_status(const struct ady_command *self, int argc, char **argv);

/* adyton enclave console: what the enclave's kernel and the enclave print. */
int ady_cmd_enclave_console(const struct ady_command *self, int argc, char **argv);

/* The whole program: find the command that argv names and run it. Returns the exit status. */
int ady_cli_main(int argc, char **argv);

#endif
