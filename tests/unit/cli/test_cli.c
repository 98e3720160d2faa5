/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: what is wrong with it is said, with the exit code that the help promises. Each
 * run is a child, so that its output and its exit are those of the real program. */
#include "cli/commands.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/attest.h"
#include "cli/key.h"
#include "cli/sign.h"
#include "cli/stack.h"
#include "test.h"

enum { ARGS = 16, TEXT = 16384 };

static struct {
	int status;
	char out[TEXT], err[TEXT];
} ran;

static void read_back(char *text, FILE *file)
{
	size_t n;

	rewind(file);
	n = fread(text, 1, TEXT - 1, file);
	text[n] = 0;
	fclose(file);
}

/* Run `adyton ARGS...` (ended by NULL), standard input from input. */
static void run_input(const char *input, const char *const *args)
{
	FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
	char *argv[ARGS + 2] = {strdup("adyton")};
	int argc = 1, wait_status = 0;
	pid_t pid;

	for (; args[argc - 1] && argc < ARGS; argc++)
		argv[argc] = strdup(args[argc - 1]);
	CHECK(in && out && err && fwrite(input, 1, strlen(input), in) == strlen(input));
	rewind(in);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fileno(in), 0);
		dup2(fileno(out), 1);
		dup2(fileno(err), 2);
		exit(ady_cli_main(argc, argv));
	}
	CHECK(waitpid(pid, &wait_status, 0) == pid && WIFEXITED(wait_status));
	ran.status = WEXITSTATUS(wait_status);
	read_back(ran.out, out);
	read_back(ran.err, err);
	fclose(in);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

#define ADYTON(...) run_input("", (const char *const[]){__VA_ARGS__, NULL})
#define ADYTON_INPUT(input, ...) run_input(input, (const char *const[]){__VA_ARGS__, NULL})

#define CHECK_USAGE(words)                     \
	do {                                   \
		CHECK_INT(ran.status, 2);      \
		CHECK(strstr(ran.err, words)); \
		CHECK_STR(ran.out, "");        \
	} while (0)

CASE(overview_help_and_version)
{
	run_input("", (const char *const[]){NULL});
	CHECK_INT(ran.status, 2);
	CHECK(strstr(ran.err, "Usage: adyton COMMAND"));
	ADYTON("--help");
	CHECK_INT(ran.status, 0);
	CHECK(strstr(ran.out, "attestation verify"));
	ADYTON("--version");
	CHECK_INT(ran.status, 0);
	CHECK(strncmp(ran.out, "adyton ", 7) == 0);
	ADYTON("dev");
	CHECK_USAGE("no command 'dev'");
	ADYTON("dev", "down");
	CHECK_USAGE("no command 'dev down'");
}

CASE(every_command_has_help_with_exit_codes_and_examples)
{
	static const char *const commands[][2] = {
	    {"dev", "up"},  {"dev", "env"},     {"dev", "measure"},     {"key", "put"},
	    {"sign", NULL}, {"enclave", "run"}, {"attestation", "get"}, {"attestation", "verify"}};

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (commands[i][1])
			ADYTON(commands[i][0], commands[i][1], "--help");
		else
			ADYTON(commands[i][0], "--help");
		CHECK_INT(ran.status, 0);
		CHECK_STR(ran.err, "");
		CHECK(strstr(ran.out, "Usage: adyton") && strstr(ran.out, "Examples:") &&
		      strstr(ran.out, "Exit: 0") && strstr(ran.out, "--help"));
	}
}

/* Every option in the help of a command is completed. */
CASE(completion_knows_every_option)
{
	static const char *const commands[][2] = {
	    {"dev", "up"},      {"dev", "measure"},     {"key", "put"},
	    {"enclave", "run"}, {"enclave", "console"}, {"enclave", "status"},
	    {"sign", "--help"}, {"attestation", "get"}, {"attestation", "verify"}};
	struct ady_bytes file = test_read_file("completion/adyton.bash");

	CHECK(file.p != NULL);
	for (size_t i = 0; file.p && i < sizeof commands / sizeof *commands; i++) {
		ADYTON(commands[i][0], commands[i][1], "--help");
		for (char *at = ran.out; (at = strstr(at, "\n  ")) != NULL; at++) {
			char *name = strstr(at, "--"),
			     *end = name ? name + strcspn(name, " \n") : NULL;

			if (!name || name - at > 10)
				continue;
			*end = 0;
			test_check(strstr((const char *)file.p, name) != NULL, __FILE__, __LINE__,
			           name);
			*end = ' ';
		}
	}
	free((void *)(uintptr_t)file.p);
}

CASE(options_are_read_strictly)
{
	ADYTON("dev", "measure", "--colour", "green");
	CHECK_USAGE("there is no option --colour");
	ADYTON("dev", "measure", "--config");
	CHECK_USAGE("--config needs a value");
	ADYTON("dev", "measure", "--config", "a", "--config=b");
	CHECK_USAGE("--config is given twice");
	ADYTON("dev", "measure", "--json=yes");
	CHECK_USAGE("--json takes no value");
	ADYTON("dev", "measure");
	CHECK_USAGE("--enclave and --config are needed");
	ADYTON("attestation", "get", "-x");
	CHECK_USAGE("there is no option -x");
	ADYTON("dev", "up", "now");
	CHECK_USAGE("there is no argument now");
	ADYTON("dev", "up", "--port", "65536");
	CHECK_USAGE("--port must be");
	ADYTON("dev", "up", "--port", "8080x");
	CHECK_USAGE("--port must be");
}

CASE(a_key_never_stands_in_the_arguments)
{
	ADYTON("key", "put", "demo", "0123456789abcdef", "--key-arn", "arn:x");
	CHECK_USAGE("never as an argument");
	ADYTON("key", "put", "--key-arn", "arn:x");
	CHECK_USAGE("an ID is needed");
	ADYTON("key", "put", "white space", "--key-arn", "arn:x");
	CHECK_USAGE("an ID is needed");
	ADYTON("key", "put", "demo", "--file", "/dev/null");
	CHECK_USAGE("--key-arn");
	ADYTON("key", "put", "demo", "--key-arn", "arn:x", "--tenant", "");
	CHECK_USAGE("a tenant is");
}

#define HEX63 "000000000000000000000000000000000000000000000000000000000000000"

CASE(a_bad_key_is_refused_before_any_call)
{
	/* No server listens there: a refusal shows that none was asked. */
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	ADYTON_INPUT("not a key\n", "key", "put", "demo", "--key-arn", "arn:x", "--region",
	             "us-east-1", "--endpoint", "https://127.0.0.1:1");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "key_malformed") && !strstr(ran.err, "not a key"));
	ADYTON_INPUT("0000000000000000000000000000000000000000000000000000000000000000", "key",
	             "put", "demo", "--key-arn", "arn:x", "--region", "us-east-1", "--endpoint",
	             "https://127.0.0.1:1");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "key_out_of_range"));
	ADYTON_INPUT(HEX63 "1", "key", "put", "demo", "--key-arn", "arn:x", "--region", "us-east-1",
	             "--endpoint", "https://127.0.0.1:1");
	CHECK_INT(ran.status, 3);
	CHECK(strstr(ran.err, "store_unavailable"));
	ADYTON("key", "put", "demo", "--file", "/does/not/exist", "--key-arn", "arn:x", "--region",
	       "us-east-1");
	CHECK_INT(ran.status, 3);
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
}

CASE(sign_wants_one_transaction)
{
	ADYTON("sign");
	CHECK_USAGE("one ID is needed");
	ADYTON("sign", "demo");
	CHECK_USAGE("give the transaction");
	ADYTON("sign", "demo", "--json", "x", "--nonce", "1");
	CHECK_USAGE("not both");
	ADYTON("sign", "demo", "--nonce", "0", "--value", "1.5foo");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "--value") && strstr(ran.err, "unknown unit"));
	ADYTON_INPUT("{\"nonce\": 1, \"nonce\": 2}", "sign", "demo", "--json", "-");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "json_duplicate_key"));
	ADYTON_INPUT("[1]", "sign", "demo", "--json", "-");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "must be a JSON object"));
	ADYTON("sign", "demo", "--json", "/does/not/exist");
	CHECK_INT(ran.status, 3);
	ADYTON("sign", "demo", "--nonce", "0", "--gateway", "http://127.0.0.1:1");
	CHECK_INT(ran.status, 3);
	CHECK(strstr(ran.err, "--gateway"));
}

CASE(flags_become_a_transaction)
{
	const struct ady_sign_flags flags = {.chain = "1",
	                                     .to = "0xdead",
	                                     .value = "0.1ether",
	                                     .max_fee = "20gwei",
	                                     .data = "0x\"quoted\""};
	struct ady_dyn out = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_sign_flags_put(&out, &flags, &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&out),
	          "{\"chainId\":\"1\",\"to\":\"0xdead\",\"value\":\"100000000000000000\","
	          "\"maxFeePerGas\":\"20000000000\",\"data\":\"0x\\\"quoted\\\"\"}");
	ady_dyn_free(&out);
}

static enum ady_err read_key(const char *content, size_t n, uint8_t *last)
{
	struct ady_seckey key = {0};
	struct ady_secp *secp;
	struct ady_fault f = {0};
	enum ady_err err = ady_secp_open(&secp);

	if (err == ADY_OK)
		err = ady_key_read(&key, secp, ady_bytes(content, n), &f);
	ady_secp_close(secp);
	*last = key.b[31];
	return err;
}

CASE(keys_are_read_in_their_forms_only)
{
	char raw[33] = {0};
	uint8_t last;

	CHECK_ERR(read_key(HEX63 "7", 64, &last), ADY_OK);
	CHECK_INT(last, 7);
	CHECK_ERR(read_key("0x" HEX63 "8\r\n", 68, &last), ADY_OK);
	CHECK_INT(last, 8);
	raw[31] = '\n'; /* a raw key that ends in a byte of white space stays whole */
	CHECK_ERR(read_key(raw, 32, &last), ADY_OK);
	CHECK_INT(last, '\n');
	CHECK_ERR(read_key(HEX63, 32, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(HEX63 "\n", 32, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(HEX63 "77", 65, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(&HEX63[1], 62, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(&(HEX63 "7")[1], 63, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(&("0x" HEX63 "7")[1], 65, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key("0x" HEX63, 65, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key("777" HEX63, 66, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key("abc", 3, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(raw, 31, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key("", 0, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key("{\"key\":1}", 9, &last), ADY_E_KEY_FORM);
	CHECK_ERR(read_key(HEX63 "0", 64, &last), ADY_E_KEY_RANGE);
}

CASE(key_ids_are_names_of_secrets)
{
	char long_id[257];

	CHECK(ady_key_id_valid("treasury/eth-1_a+b=c.d@e"));
	CHECK(!ady_key_id_valid("") && !ady_key_id_valid("a b") && !ady_key_id_valid("a%2f") &&
	      !ady_key_id_valid("a\nb") && !ady_key_id_valid("\xc3\xa4"));
	memset(long_id, 'a', sizeof long_id);
	long_id[256] = 0;
	CHECK(!ady_key_id_valid(long_id));
	long_id[255] = 0;
	CHECK(ady_key_id_valid(long_id));
}

CASE(options_are_merged_into_configurations)
{
	struct ady_values options = {.v = {"rsa_bits=3072", "kms.port=1", "kms.host=other",
	                                   "new.deep=[1]", "text=plain words"},
	                             .n = 5};
	json_t *json = json_pack("{s{ss}}", "kms", "host", "localhost");
	struct ady_fault f = {0};
	char *text;

	CHECK_ERR(ady_stack_set(json, &options, &f), ADY_OK);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	CHECK_STR(text, "{\"kms\":{\"host\":\"other\",\"port\":1},\"new\":{\"deep\":[1]},"
	                "\"rsa_bits\":3072,\"text\":\"plain words\"}");
	free(text);
	for (size_t i = 0; i < 4; i++) {
		static const char *const bad[] = {"rsa_bits", "=1", "kms.=1", "rsa_bits.x=1"};

		options = (struct ady_values){.v = {bad[i]}, .n = 1};
		CHECK_ERR(ady_stack_set(json, &options, &f), ADY_E_CONFIG);
	}
	json_decref(json);
}

CASE(dev_env_needs_a_stack)
{
	ADYTON("dev", "env", "--dir", "/does/not/exist");
	CHECK_INT(ran.status, 3);
	CHECK(strstr(ran.err, "adyton dev up"));
	CHECK_STR(ran.out, "");
}

CASE(dev_env_quotes_for_the_shell)
{
	char dir[] = "/tmp/adyton-env-XXXXXX", path[64];
	FILE *file;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/stack.json", dir);
	file = fopen(path, "w");
	fputs("{\"gateway\":\"http://x'; touch /tmp/pwned; '\"}", file);
	fclose(file);
	ADYTON("dev", "env", "--dir", dir);
	CHECK_INT(ran.status, 0);
	CHECK(strstr(ran.out, "export ADYTON_GATEWAY='http://x'\\''; touch /tmp/pwned; '\\'''\n"));
	unlink(path);
	rmdir(dir);
}

static const char *document(const char *name)
{
	static char path[512];
	const char *found = test_vector(name);

	if (found)
		snprintf(path, sizeof path, "%s", found);
	return found ? path : NULL;
}

CASE(a_real_document_verifies_at_its_time)
{
	const char *path = document("nitro/valid-attestation-doc-bytes");

	if (!path) {
		test_skip("../shared/vectors/nitro is not there");
		return;
	}
	ADYTON("attestation", "verify", path, "--at", "document");
	CHECK_INT(ran.status, 0);
	CHECK(strstr(ran.out, "AWS Nitro Enclaves root G1"));
	CHECK(strstr(ran.out, "i-020b6af9246d90e92-enc0183d09086c24190"));
	CHECK(strstr(ran.out, "2022-10-13T08:58:02Z"));
	CHECK(
	    strstr(ran.out, "f4d48b81a460c9916d1e685119074bf24660afd3e34fae9fca0a0d28d9d5599936"));
	ADYTON("attestation", "verify", path, "--at", "2022-10-13T09:00:00Z", "--json");
	CHECK_INT(ran.status, 0);
	CHECK(strstr(ran.out, "\"verified\":true") && strstr(ran.out, "\"debug\":false"));
}

CASE(a_real_document_is_refused_today)
{
	const char *path = document("nitro/valid-attestation-doc-bytes");

	if (!path) {
		test_skip("../shared/vectors/nitro is not there");
		return;
	}
	ADYTON("attestation", "verify", path);
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "has expired") && strstr(ran.err, "--at document"));
	CHECK_STR(ran.out, "");
	ADYTON("attestation", "verify", path, "--json");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.out, "\"verified\":false"));
}

CASE(expectations_are_compared)
{
	const char *path = document("nitro/valid-attestation-doc-bytes");
	static const char pcr0[] =
	    "f4d48b81a460c9916d1e685119074bf24660afd3e34fae9fca0a0d28d9d55999"
	    "36332687e6f66fc890ac8cf150142d8b";
	static const char other[] = "00000000000000000000000000000000000000000000000000000000000000"
	                            "0000000000000000000000000"
	                            "000000001";

	if (!path) {
		test_skip("../shared/vectors/nitro is not there");
		return;
	}
	ADYTON("attestation", "verify", path, "--at=document", "--pcr0", pcr0);
	CHECK_INT(ran.status, 0);
	ADYTON("attestation", "verify", path, "--at=document", "--pcr0", other, "--pcr0", pcr0);
	CHECK_INT(ran.status, 0);
	ADYTON("attestation", "verify", path, "--at=document", "--pcr0", other);
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "PCR0 is not what was expected"));
	ADYTON("attestation", "verify", path, "--at=document", "--nonce", "00");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "replay"));
	ADYTON("attestation", "verify", path, "--at=document", "--pcr0", "00");
	CHECK_USAGE("PCR0 must be 96 hex digits");
	ADYTON("attestation", "verify", path, "--at=document", "--nonce", "zz");
	CHECK_USAGE("--nonce is not hex");
	ADYTON("attestation", "verify", path, "--at", "yesterday");
	CHECK_USAGE("--at must be");
}

CASE(debug_mode_is_refused_unless_allowed)
{
	const char *path = document("nitro/debug-mode-attestation-doc-bytes");

	if (!path) {
		test_skip("../shared/vectors/nitro is not there");
		return;
	}
	ADYTON("attestation", "verify", path, "--at", "document");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "debug"));
	ADYTON("attestation", "verify", path, "--at", "document", "--allow-debug");
	CHECK_INT(ran.status, 0);
	CHECK(strstr(ran.out, "DEBUG MODE"));
}

CASE(base64_is_read_too)
{
	const char *path = document("nitro/valid-attestation-doc-base64");

	if (!path) {
		test_skip("../shared/vectors/nitro is not there");
		return;
	}
	ADYTON("attestation", "verify", path, "--at", "document", "--allow-debug");
	CHECK_INT(ran.status, 0);
}

CASE(other_inputs_are_refused_or_unreadable)
{
	ADYTON_INPUT("", "attestation", "verify", "-");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "empty"));
	ADYTON_INPUT("hello", "attestation", "verify", "-");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "neither CBOR nor base64"));
	ADYTON("attestation", "verify", "/does/not/exist");
	CHECK_INT(ran.status, 3);
	ADYTON_INPUT("AAAA", "attestation", "verify", "-", "--root", "/does/not/exist");
	CHECK_INT(ran.status, 3);
	ADYTON_INPUT("AAAA", "attestation", "verify", "-", "--root", "/dev/null");
	CHECK_INT(ran.status, 3);
	ADYTON("attestation", "verify");
	CHECK_USAGE("one FILE is needed");
	ADYTON("attestation", "get", "--nonce", "xyz");
	CHECK_USAGE("--nonce must be");
}

CASE(an_enclave_is_asked_for_in_full)
{
	ADYTON("enclave", "run");
	CHECK_USAGE("--image is needed");
	ADYTON("enclave", "run", "--image", "x", "--backend", "xen");
	CHECK_USAGE("--backend is nitro, nitro-cli or qemu");
	ADYTON("enclave", "run", "--image", "x", "--memory", "0x200");
	CHECK_USAGE("--memory is a number of MiB");
	ADYTON("enclave", "run", "--image", "x", "--cid", "3");
	CHECK_USAGE("--cid is a number from 4");
	ADYTON("enclave", "run", "--image", "x", "--cpus", "0");
	CHECK_USAGE("--cpus is a number from 1");
	ADYTON("enclave", "run", "--image", "x", "--accel", "hvf");
	CHECK_USAGE("--accel is auto, kvm or tcg");
	ADYTON("enclave", "stop", "now");
	CHECK_USAGE("there is no argument now");
	ADYTON("dev", "up", "--kernel", "x");
	CHECK_USAGE("go with --vm");
	ADYTON("dev", "up", "--vm", "--kernel", "x", "--image", "y");
	CHECK_USAGE("give --image or --kernel");
}

CASE(an_enclave_that_is_not_there_is_said_to_be_missing)
{
	ADYTON("enclave", "run", "--image", "/nonexistent", "--dir", "/nonexistent");
	CHECK_INT(ran.status, 3);
	CHECK(strstr(ran.err, "/nonexistent: No such file"));
	ADYTON("enclave", "run", "--image", "/proc/self/exe", "--dir", "/nonexistent");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "run the enclave"));
	ADYTON("enclave", "status", "--dir", "/nonexistent");
	CHECK_INT(ran.status, 3);
	CHECK(strstr(ran.err, "no enclave has run in"));
	ADYTON("enclave", "stop", "--dir", "/nonexistent");
	CHECK_INT(ran.status, 1);
	CHECK(strstr(ran.err, "no enclave runs in"));
	ADYTON("enclave", "console", "--dir", "/nonexistent");
	CHECK_INT(ran.status, 3);
}

int main(void)
{
	/* What the operator has set must not decide the outcome. */
	static const char *const unset[] = {"ADYTON_KEY_ARN", "ADYTON_GATEWAY", "AWS_REGION",
	                                    "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"};

	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		unsetenv(unset[i]);
	RUN(overview_help_and_version);
	RUN(every_command_has_help_with_exit_codes_and_examples);
	RUN(completion_knows_every_option);
	RUN(options_are_read_strictly);
	RUN(a_key_never_stands_in_the_arguments);
	RUN(a_bad_key_is_refused_before_any_call);
	RUN(sign_wants_one_transaction);
	RUN(flags_become_a_transaction);
	RUN(keys_are_read_in_their_forms_only);
	RUN(key_ids_are_names_of_secrets);
	RUN(options_are_merged_into_configurations);
	RUN(dev_env_needs_a_stack);
	RUN(dev_env_quotes_for_the_shell);
	RUN(a_real_document_verifies_at_its_time);
	RUN(a_real_document_is_refused_today);
	RUN(expectations_are_compared);
	RUN(debug_mode_is_refused_unless_allowed);
	RUN(base64_is_read_too);
	RUN(other_inputs_are_refused_or_unreadable);
	RUN(an_enclave_is_asked_for_in_full);
	RUN(an_enclave_that_is_not_there_is_said_to_be_missing);
	return test_end();
}
