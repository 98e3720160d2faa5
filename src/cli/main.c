/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/wiping_heap.h"

#define EXIT_CODES "Exit: 0 done, 1 refused, 2 usage, 3 no answer (file, network, process).\n"

static const struct ady_command commands[] = {
    {"dev up", "", "Start a local stack: simulated AWS, enclave, gateway.",
     "Runs until Ctrl-C. The KMS key that it makes can be used by this enclave's measurement "
     "only.\n"
     "What it keeps in --dir (KMS keys, secrets, certificates) is there again the next time.\n\n"
     "Examples:\n"
     "  adyton dev up\n"
     "  adyton dev up --dir /tmp/stack --port 8080 --json\n"
     "  adyton dev up --enclave-option rsa_bits=3072 --gateway-option "
     "store.cache_ms=0\n\n" EXIT_CODES,
     ady_cmd_dev_up},
    {"dev env", "", "Print shell lines that point programs at a running local stack.",
     "Examples:\n"
     "  eval \"$(adyton dev env)\"\n"
     "  aws kms list-keys\n\n" EXIT_CODES,
     ady_cmd_dev_env},
    {"dev measure", "", "Print PCR0 to PCR2 of an enclave that runs as an ordinary process.",
     "Examples:\n"
     "  adyton dev measure --enclave build/release/adyton-enclave --config "
     "enclave.json\n\n" EXIT_CODES,
     ady_cmd_dev_measure},
    {"enclave run", "", "Boot an enclave image and look after it.",
     "Runs until Ctrl-C or `adyton enclave stop`. It waits for the enclave's heartbeat, and starts "
     "it\n"
     "again, with a growing pause, when it ends. QEMU emulates a machine: it shields nothing.\n\n"
     "Examples:\n"
     "  adyton enclave run --image adyton.eif --memory 512 --cpus 2 --cid 16 --dir /run/adyton\n"
     "  adyton enclave run --image adyton.eif --backend qemu --json\n\n" EXIT_CODES,
     ady_cmd_enclave_run},
    {"enclave stop", "", "End the enclave that `adyton enclave run` looks after.", EXIT_CODES,
     ady_cmd_enclave_stop},
    {"enclave status", "", "Print what runs: state, CID, memory, measurements.",
     "Exit: 0 it runs, 1 it does not, 2 usage, 3 none has run.\n", ady_cmd_enclave_status},
    {"enclave console", "", "Print the console of an emulated or debug enclave.", EXIT_CODES,
     ady_cmd_enclave_console},
    {"key put", "ID", "Encrypt a private key under KMS and store it in Secrets Manager.",
     "The key never stands on the command line. Remove the file afterwards, or keep it offline.\n\n"
     "Examples:\n"
     "  adyton key put treasury --file key.hex --key-arn arn:aws:kms:...\n"
     "  openssl rand -hex 32 | adyton key put demo\n"
     "  adyton key put treasury --file - --aws-sample --replace\n\n" EXIT_CODES,
     ady_cmd_key_put},
    {"key create", "ID", "Have the enclave make a key, and store its record.",
     "The key exists in the enclave only; what is stored is sealed for it.\n\n"
     "Examples:\n"
     "  adyton key create hot-1\n"
     "  adyton key create team/hot-1 --tenant team --chain 1 --chain 10\n"
     "  adyton key create deposit- --count 100000     # deposit-0 to deposit-99999; again: goes "
     "on\n\n" EXIT_CODES,
     ady_cmd_key_create},
    {"key import", "[ID]", "Seal a private key to the enclave, and have its record stored.",
     "The enclave's attestation document is verified first; the gateway cannot read the key, nor\n"
     "take it for another id or with other rights.\n\n"
     "Examples:\n"
     "  adyton key import treasury --file key.hex --pcr0 HEX --chain 1\n"
     "  adyton key import old --kms-ciphertext secret.txt\n"
     "  adyton key import hot --keystore UTC--2025-... --password-file pw --pcr0 HEX\n"
     "  adyton key import 'val/{key}' --keystores validator_keys --pcr0 HEX --slashing "
     "history.json\n\n"
     "Keystores are opened inside the enclave. The ID of one is made of its public key or "
     "address\n"
     "(\"{key}\", also when no ID is given). The same command goes on after a "
     "break.\n\n" EXIT_CODES,
     ady_cmd_key_import},
    {"key backup", "ID", "Have the enclave seal a key or wallet to the backup key of its record.",
     "For those that were made with --backup-key only. What comes is a file that nobody but the\n"
     "owner of that key opens. A wallet's is a backup of all its keys.\n\n"
     "Examples:\n"
     "  adyton key create treasury --backup-key $(adyton backup keygen --output backup.key)\n"
     "  adyton key backup treasury --output treasury.backup\n\n" EXIT_CODES,
     ady_cmd_key_backup},
    {"backup keygen", "", "Make a key pair that keys are backed up to; prints the public half.",
     "Keep the private half off line.\n\n" EXIT_CODES, ady_cmd_backup_keygen},
    {"backup open", "FILE", "Open a backup of a key or wallet, off line, and check it.",
     "--output writes a key in hex, of a wallet its words (--seed: the seed).\n\n"
     "Examples:\n"
     "  adyton backup open treasury.backup --key backup.key\n"
     "  adyton backup open treasury.backup --key backup.key --output - |\n"
     "      adyton key import treasury --file - --pcr0 HEX\n\n" EXIT_CODES,
     ady_cmd_backup_open},
    {"tenant rotate", "TENANT", "Re-wrap all records of a tenant under a new data key.",
     "Keys sign meanwhile; a gateway that ends is replaced by another, or goes on later. Direct\n"
     "records become envelopes.\n\n"
     "Examples:\n"
     "  adyton tenant rotate acme\n"
     "  adyton tenant rotate acme --kms-key arn:aws:kms:...   # under another KMS key\n"
     "  adyton tenant rotate acme --show\n\n" EXIT_CODES,
     ady_cmd_tenant_rotate},
    {"wallet create", "ID", "Have the enclave make a BIP-39 sentence that keys are derived of.",
     "The sentence exists in the enclave only; what is stored is sealed for it. A wallet signs\n"
     "nothing itself. Its keys have the rights that are given here.\n\n"
     "Examples:\n"
     "  adyton wallet create deposits --chain 1\n"
     "  adyton wallet create validators --words 12 --tenant staking\n\n" EXIT_CODES,
     ady_cmd_wallet_create},
    {"wallet import", "ID",
     "Seal a BIP-39 sentence to the enclave, and have it stored as a wallet.",
     "The enclave's attestation document is verified first; the gateway cannot read the "
     "sentence.\n"
     "12 to 24 words of the English list; a passphrase is printable ASCII, in a file.\n\n"
     "Examples:\n"
     "  adyton wallet import old --file sentence.txt --pcr0 HEX\n"
     "  adyton wallet import old --passphrase-file secret.txt --pcr0 HEX < sentence.txt\n"
     "  adyton wallet import deposits --from-backup deposits.backup --key backup.key --pcr0 "
     "HEX\n\n" EXIT_CODES,
     ady_cmd_wallet_import},
    {"wallet derive", "ID", "Have the enclave derive keys of a wallet, and store their records.",
     "Each key is a key like any other: listed, disabled, signed with by its own id.\n"
     "Where a path has no *, one key is made, called as --id says.\n\n"
     "Examples:\n"
     "  adyton wallet derive deposits --path \"m/44'/60'/0'/0/*\" --count 1000 --id deposit-\n"
     "  adyton wallet derive validators --curve bls12-381 --path 'm/12381/3600/*/0/0' "
     "--count 100 --id v-\n"
     "  adyton wallet derive deposits --curve ed25519 --path \"m/44'/501'/0'/0'\" --id "
     "solana\n\n" EXIT_CODES,
     ady_cmd_wallet_derive},
    {"wallet addresses", "ID", "Show addresses of a wallet's keys, and make none.",
     "Examples:\n"
     "  adyton wallet addresses deposits --path \"m/44'/60'/0'/0/*\" --count 20\n\n" EXIT_CODES,
     ady_cmd_wallet_addresses},
    {"tenant lock", "[TENANT]", "Have the enclave forget the data keys that it keeps open.",
     "The next signature asks KMS again: to stop a tenant, take the right to Decrypt from the\n"
     "enclave's role at KMS (or disable the KMS key), then lock. Each enclave is locked through\n"
     "a gateway of its own.\n\n" EXIT_CODES,
     ady_cmd_tenant_lock},
    {"slashing import", "FILE", "Import slashing protection histories (EIP-3076).",
     "The file is checked whole before anything is sent. States are made or raised, never "
     "lowered;\n"
     "a key that never signed anywhere is imported with empty lists.\n\n"
     "Examples:\n"
     "  adyton slashing import history.json --check\n"
     "  adyton slashing import history.json\n\n" EXIT_CODES,
     ady_cmd_slashing_import},
    {"slashing export", "", "Export them, and let the keys sign no more.",
     "Histories of two places that sign with one key do not protect it: the keys of the export "
     "are\n"
     "retired here first, for good. With --copy they are not, and must never be used elsewhere.\n\n"
     "Example:\n"
     "  adyton slashing export --out history.json\n\n" EXIT_CODES,
     ady_cmd_slashing_export},
    {"slashing show", "[PUBLIC_KEY]", "Show the highest block and attestation of each validator.",
     EXIT_CODES, ady_cmd_slashing_show},
    {"policy check", "", "Explain what a policy decides on a request, without signing.",
     "The request is the body of /v1/keys/ID/sign, of /v1/keys/ID/derive, of /v1/keys/ID/policy, "
     "a\n"
     "duty as of the remote signing API, of which policies look at the type alone, or the AWS\n"
     "sample's request: its members say which. Limits are taken as not used yet, but for what\n"
     "--spent says.\n\n"
     "Examples:\n"
     "  adyton policy check --policy policy.json --request request.json\n"
     "  adyton policy check --record wallet.json --request derive.json --spent keys=3\n\n"
     "Exit: 0 allowed, 1 denied, 2 usage, 3 a file could not be read.\n",
     ady_cmd_policy_check},
    {"policy change", "ID FILE",
     "Change a key's policy, with the approvals that the old one asks for.",
     "Prints old and new side by side, and who has approved. With too few approvals nothing is "
     "sent;\n"
     "--request writes what the others stamp.\n\n"
     "Examples:\n"
     "  adyton policy change treasury new.json --stamp-key mine.key --request change.json\n"
     "  adyton stamp make treasury --policy --request change.json --stamp-key hers.key > "
     "hers.stamp\n"
     "  adyton policy change treasury new.json --stamp-key mine.key --stamp "
     "hers.stamp\n\n" EXIT_CODES,
     ady_cmd_policy_change},
    {"key list", "", "List the keys of a gateway.",
     "Examples:\n"
     "  adyton key list --label hot --enabled\n"
     "  adyton key list --json | jq -r .address\n\n" EXIT_CODES,
     ady_cmd_key_list},
    {"key show", "ID", "Show one key: all of its record but the ciphertext.", EXIT_CODES,
     ady_cmd_key_show},
    {"key label", "ID LABEL", "Give a key a label; \"\" takes it away.", EXIT_CODES,
     ady_cmd_key_label},
    {"key disable", "ID", "A key signs no more, until it is enabled.", EXIT_CODES,
     ady_cmd_key_disable},
    {"key enable", "ID", "A disabled key signs again.", EXIT_CODES, ady_cmd_key_enable},
    {"key delete", "ID", "Plan the deletion of a key; until then it does not sign.",
     "Examples:\n"
     "  adyton key delete old --days 7\n\n" EXIT_CODES,
     ady_cmd_key_delete},
    {"key restore", "ID", "Take a planned deletion back.", EXIT_CODES, ady_cmd_key_restore},
    {"key load", "FILE", "Give a gateway a key record, of a backup for example.", EXIT_CODES,
     ady_cmd_key_load},
    {"store copy", "FROM TO", "Copy all records from a store to another, and compare.",
     "A store is sqlite:PATH, folder:PATH, postgres:CONNINFO or secrets-manager:[PREFIX].\n"
     "Records are ciphertext: nothing is decrypted. It can be run again; what is there already\n"
     "is compared, and left alone unless --replace is given.\n\n"
     "Examples:\n"
     "  adyton store copy secrets-manager: sqlite:/var/lib/adyton/keys.sqlite\n"
     "  adyton store copy sqlite:keys.sqlite folder:backup\n\n" EXIT_CODES,
     ady_cmd_store_copy},
    {"stamp keygen", "", "Make a key that stamps requests, and print its public key.",
     "Records name it as a caller, policies as an approver.\n\n"
     "Example:\n"
     "  adyton stamp keygen --output alice.key\n\n" EXIT_CODES,
     ady_cmd_stamp_keygen},
    {"stamp make", "ID", "Print the stamp on a request, for the X-Adyton-Stamp header.",
     "It is good for a minute. Several, of several keys, have commas between them.\n\n"
     "Example:\n"
     "  adyton stamp make treasury --request body.json --stamp-key alice.key\n\n" EXIT_CODES,
     ady_cmd_stamp_make},
    {"sign", "ID", "Have an Ethereum transaction signed, or bytes.",
     "Examples:\n"
     "  adyton sign demo --to 0x000000000000000000000000000000000000dEaD --value 0.1ether \\\n"
     "    --nonce 0 --gas 21000 --chain 1 --max-fee 20gwei --max-priority-fee 1gwei\n"
     "  adyton sign demo --json transaction.json --raw\n"
     "  adyton sign solana-1 --bytes 0x0100..    # an ed25519 key, which signs bytes "
     "alone\n\n" EXIT_CODES,
     ady_cmd_sign},
    {"attestation get", "", "Fetch an attestation document from a gateway.",
     "Verify it with `adyton attestation verify`: a nonce of your own makes sure that it is "
     "new.\n\n"
     "Examples:\n"
     "  adyton attestation get --nonce $(openssl rand -hex 32) -o document\n\n" EXIT_CODES,
     ady_cmd_attestation_get},
    {"attestation verify", "FILE", "Verify an attestation document, offline.",
     "FILE is CBOR or its base64; -: standard input. Syntax, certificate chain, signature, and "
     "what\n"
     "you expect are checked; an enclave in debug mode is refused.\n\n"
     "Examples:\n"
     "  adyton attestation verify document --nonce HEX --pcr0 HEX\n"
     "  adyton attestation verify archived --at document\n"
     "  adyton attestation verify document --root \"$ADYTON_NSM_ROOT\"   # a local stack\n\n"
     "Exit: 0 verified, 1 refused, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_attestation_verify},
    {"audit verify", "FILE..", "Verify that an audit log is whole.",
     "FILE: the log's files, or its folder; of several gateways, all of theirs. Every entry must "
     "be\n"
     "signed by an attested key and stand in its place, and none may be missing: each that was\n"
     "removed, changed or moved is named with its place. That the end was cut off shows against a\n"
     "head that was kept elsewhere.\n\n"
     "Examples:\n"
     "  adyton audit verify /var/lib/adyton/audit --pcr0 HEX\n"
     "  adyton audit verify audit --head heads.json\n"
     "  adyton audit verify .adyton-dev/audit --root \"$ADYTON_NSM_ROOT\"   # a local stack\n\n"
     "Exit: 0 it is whole, 1 it is not, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_audit_verify},
    {"audit head", "FILE..", "Print the heads of an audit log, to be kept elsewhere.",
     "The log is verified first. One JSON object a line; `adyton audit verify --head` takes "
     "them.\n\n"
     "Example:\n"
     "  adyton audit head /var/lib/adyton/audit >> heads.json\n\n"
     "Exit: 0 done, 1 the log is not whole, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_audit_head},
    {"audit show", "FILE..", "Show the entries of an audit log, without verifying them.",
     "Examples:\n"
     "  adyton audit show audit --key treasury --since 2026-11-23T00:00:00Z\n"
     "  adyton audit show audit --refused --json\n\n" EXIT_CODES,
     ady_cmd_audit_show},
    {"audit proof", "[FILE]", "Verify the proof of an answer, offline.",
     "FILE: the X-Adyton-Proof header of the answer. Without it: all that the answer's body has\n"
     "(adyton_proofs), each with its result and with what it tells that the enclave was asked.\n\n"
     "Examples:\n"
     "  adyton audit proof header --request body.json --answer answer.json --document key.doc\n"
     "  adyton audit proof --answer batch.json --document key.doc --max-age 60\n\n"
     "Exit: 0 verified, 1 refused, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_audit_proof},
    {"image build", "", "Build an enclave image: the same bytes from the same inputs.",
     "Prints PCR0 to PCR2, and PCR8 of a signed image. The build time in the metadata is\n"
     "SOURCE_DATE_EPOCH, else 1970. A KMS key is called with the credentials and the region of\n"
     "the environment.\n\n"
     "Examples:\n"
     "  adyton image build --kernel bzImage --init adyton-enclave --config enclave.json \\\n"
     "    --ca roots.pem -o adyton.eif\n"
     "  adyton image build ... --sign-key key.pem --sign-cert cert.pem --json\n"
     "  adyton image build ... --append adyton.parent_cid=2    # for the emulator\n\n" EXIT_CODES,
     ady_cmd_image_build},
    {"image describe", "FILE", "Show what an enclave image is made of, and what it measures.",
     "Header, sections, CRC, measurements, content of ramdisks, signature, metadata. An image\n"
     "with a wrong CRC or signature is shown, and refused at the end.\n\n" EXIT_CODES,
     ady_cmd_image_describe},
    {"image verify", "FILE", "Compare an enclave image with what is expected.",
     "The form, the CRC and a signature are verified in any case.\n\n"
     "Examples:\n"
     "  adyton image verify adyton.eif --pcr0 HEX\n"
     "  adyton image verify adyton.eif --pcr0 HEX --cert release.pem\n\n"
     "Exit: 0 verified, 1 refused, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_image_verify},
    {"image diff", "A B", "Show what differs between two enclave images.",
     "Exit: 0 the same bytes, 1 they differ, 2 usage, 3 a file cannot be read.\n",
     ady_cmd_image_diff},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* Whether a command is of the group, the first of its words; "": all are. */
static bool of_group(const struct ady_command *command, const char *group)
{
	const size_t n = strlen(group);

	return n == 0 || (strncmp(command->name, group, n) == 0 && command->name[n] == ' ');
}

static bool is_group(const char *word)
{
	for (size_t i = 0; word[0] && i < COMMANDS; i++)
		if (of_group(&commands[i], word))
			return true;
	return false;
}

/* All commands, or those of a group. */
static int print_overview(FILE *to, const char *group, int status)
{
	const char *word = is_group(group) ? group : "";

	if (!word[0])
		fprintf(to, "adyton: keys in an AWS Nitro Enclave, and what a developer needs "
		            "around them\n\n");
	fprintf(to, "Usage: adyton COMMAND [options]\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		if (of_group(&commands[i], word))
			fprintf(to, "  %-20s %s\n", commands[i].name, commands[i].summary);
	fprintf(to, "\nadyton COMMAND --help shows options and examples; adyton --version.\n");
	return status;
}

/* How many of argv's words name the command: all of its name, or 0. */
static int words(const struct ady_command *command, int argc, char **argv)
{
	const char *name = command->name;
	int n = 0;

	while (n < argc) {
		const size_t len = strcspn(name, " ");

		if (strlen(argv[n]) != len || strncmp(argv[n], name, len) != 0)
			return 0;
		n++;
		name += len;
		if (!*name)
			return n;
		name++;
	}
	return 0;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static int run(int argc, char **argv)
{
	int status;

	if (argc < 2)
		return print_overview(stderr, "", ADY_EXIT_USAGE);
	if (is_help(argv[1]))
		return print_overview(stdout, "", ADY_EXIT_OK);
	if (argc == 3 && is_help(argv[2]) && is_group(argv[1]))
		return print_overview(stdout, argv[1], ADY_EXIT_OK);
	if (strcmp(argv[1], "--version") == 0) {
		puts("adyton " ADY_VERSION);
		return ADY_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		const int n = words(&commands[i], argc - 1, argv + 1);

		if (n == 0)
			continue;
		if (!ady_wiping_heap_init())
			return ADY_EXIT_FAILED;
		status = commands[i].run(&commands[i], argc - 1 - n, argv + 1 + n);
		curl_global_cleanup();
		return status;
	}
	fprintf(stderr, "adyton: there is no command '%s%s%s'\n", argv[1], argc > 2 ? " " : "",
	        argc > 2 ? argv[2] : "");
	return print_overview(stderr, argv[1], ADY_EXIT_USAGE);
}

int ady_cli_main(int argc, char **argv)
{
	const int status = run(argc, argv);

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	ady_cli_say("cannot write the answer: %s", strerror(errno));
	return ADY_EXIT_FAILED;
}
