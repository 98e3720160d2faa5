/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/config.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "test.h"

#define ARN "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

static const char good[] =
    "{\"adyton\":1,\"deployment\":\"dev\",\"development\":true,"
    "\"listen\":\"unix:/run/x/enclave.sock\",\"relay\":\"unix:/run/x/relay.sock\","
    "\"nsm\":\"dev-socket:/run/x/nsm.sock\","
    "\"kms\":{\"host\":\"kms.us-east-1.amazonaws.com\",\"port\":443,\"region\":\"us-east-1\","
    "\"account\":\"111122223333\",\"keys\":[\"" ARN "\"],"
    "\"roots_pem\":\"-----BEGIN CERTIFICATE-----\\n\"},"
    "\"rsa_bits\":2048,\"lanes\":0,\"verify_signatures\":true}";

static const char production[] =
    "{\"adyton\":1,\"deployment\":\"prod\",\"development\":false,"
    "\"listen\":\"vsock:any:5000\",\"relay\":\"vsock:3:8000\",\"nsm\":\"device:/dev/nsm\","
    "\"kms\":{\"host\":\"kms.eu-west-1.amazonaws.com\",\"port\":443,\"region\":\"eu-west-1\","
    "\"account\":\"111122223333\","
    "\"keys\":[\"arn:aws:kms:eu-west-1:111122223333:key/mrk-1\"],"
    "\"roots_pem\":\"-----BEGIN CERTIFICATE-----\"}}";

static struct ady_enclave_config config;

static enum ady_err read_text(const char *text, struct ady_fault *f)
{
	*f = (struct ady_fault){0};
	return ady_enclave_config_read(&config, ady_bytes_str(text), f);
}

/* text with the first `from` replaced by `to`. */
static enum ady_err read_changed(const char *text, const char *from, const char *to,
                                 struct ady_fault *f)
{
	const char *at = strstr(text, from);
	size_t size = strlen(text) + strlen(to) + 1;
	char *changed = malloc(size);
	enum ady_err err;

	if (!at || !changed)
		abort();
	snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	err = read_text(changed, f);
	free(changed);
	return err;
}

CASE(a_good_one_is_read)
{
	struct ady_fault f;
	struct ady_bytes bytes = ady_bytes_str(good);
	uint8_t hash[48];

	CHECK_ERR(read_text(good, &f), ADY_OK);
	CHECK_STR(f.detail, "");
	CHECK_STR(config.deployment, "dev");
	CHECK(config.development && config.verify_signatures && !config.nsm_device);
	CHECK_STR(config.nsm_path, "/run/x/nsm.sock");
	CHECK_INT(config.listen.kind, ADY_UNIX);
	CHECK_STR(config.kms.host, "kms.us-east-1.amazonaws.com");
	CHECK_INT(config.kms.keys_n, 1);
	CHECK_STR(config.kms.keys[0], ARN);
	CHECK_STR(config.kms.roots_pem, "-----BEGIN CERTIFICATE-----\n");
	ady_sha384(hash, &bytes, 1);
	CHECK(memcmp(hash, config.hash48, sizeof hash) == 0);
}

CASE(what_is_left_out_has_its_default)
{
	struct ady_fault f;

	CHECK_ERR(read_text(production, &f), ADY_OK);
	CHECK(config.nsm_device && !config.development);
	CHECK_INT(config.listen.kind, ADY_VSOCK);
	CHECK_INT(config.relay.cid, 3);
	CHECK_INT(config.rsa_bits, 2048);
	CHECK_INT(config.rsa_max_age_s, 3600);
	CHECK_INT(config.attestation_max_age_s, 60);
	CHECK_INT(config.clock_check_s, 600);
	CHECK_INT(config.kms_connections, 16);
	CHECK_INT(config.kms_timeout_ms, 5000);
	CHECK_INT(config.depth, 1024);
	CHECK_INT(config.memory_mib, 0);
	CHECK_INT(config.data_keys, 1024);
	CHECK_INT(config.data_key_idle_s, 300);
	CHECK_INT(config.data_key_max_s, 3600);
	CHECK_INT(config.data_key_uses, 0);
	CHECK_INT(config.counters_keys, 65536);
	CHECK_INT(config.counters_after_start, ADY_COUNTERS_WAIT); /* the safer */
	CHECK_INT(config.keystore_threads, 0);
	CHECK_INT(config.keystore_mib, 1024);
	CHECK(config.verify_signatures);
}

/* A change of the good one, and what it must be refused with. */
struct change {
	const char *from, *to;
	enum ady_err err;
	const char *where, *detail;
};

static const struct change changes[] = {
    {"\"adyton\":1,", "", ADY_E_FIELD_MISSING, "adyton", "is required"},
    {"\"adyton\":1", "\"adyton\":2", ADY_E_FIELD_RANGE, "adyton", "is out of range"},
    {"\"adyton\":1", "\"adyton\":1.0", ADY_E_FIELD_INVALID, "adyton", "must be a whole number"},
    {"\"adyton\":1", "\"adyton\":1,\"rsa_bitz\":1", ADY_E_FIELD_UNKNOWN, "rsa_bitz",
     "is not known"},
    {"\"region\":", "\"Region\":\"x\",\"region\":", ADY_E_FIELD_UNKNOWN, "kms.Region",
     "is not known"},
    {"\"dev\"", "\"\"", ADY_E_FIELD_INVALID, "deployment", "is empty or holds a NUL"},
    {"\"dev\"", "\"de\\u0000v\"", ADY_E_FIELD_INVALID, "deployment", "is empty or holds a NUL"},
    {"\"dev\"", "\"d v\"", ADY_E_FIELD_INVALID, "deployment",
     "has a character that is not allowed"},
    {"\"dev\"", "7", ADY_E_FIELD_INVALID, "deployment", "must be a string"},
    {"\"development\":true,", "", ADY_E_FIELD_MISSING, "development", "is required"},
    {"\"development\":true", "\"development\":1", ADY_E_FIELD_INVALID, "development",
     "must be true or false"},
    {"unix:/run/x/enclave.sock", "tcp:127.0.0.1:1", ADY_E_FIELD_INVALID, "listen",
     "must be vsock: or unix:"},
    {"unix:/run/x/enclave.sock", "unix:relative", ADY_E_FIELD_INVALID, "listen",
     "must be an absolute path"},
    {"unix:/run/x/enclave.sock", "nonsense", ADY_E_FIELD_INVALID, "listen", "is no endpoint"},
    {"unix:/run/x/relay.sock", "hybrid:/x:1", ADY_E_FIELD_INVALID, "relay",
     "must be vsock: or unix:"},
    {"dev-socket:/run/x/nsm.sock", "/dev/nsm", ADY_E_FIELD_INVALID, "nsm",
     "must be device:PATH or dev-socket:PATH"},
    {"dev-socket:/run/x/nsm.sock", "device:nsm", ADY_E_FIELD_INVALID, "nsm",
     "must name an absolute path below 108 bytes"},
    {"\"kms\":{", "\"x\":{", ADY_E_FIELD_UNKNOWN, "x", "is not known"},
    {"kms.us-east-1.amazonaws.com", "KMS", ADY_E_FIELD_INVALID, "kms.host",
     "has a character that is not allowed"},
    {"\"port\":443", "\"port\":0", ADY_E_FIELD_RANGE, "kms.port", "is out of range"},
    {"\"port\":443", "\"port\":65536", ADY_E_FIELD_RANGE, "kms.port", "is out of range"},
    {"\"port\":443", "\"port\":-1", ADY_E_FIELD_INVALID, "kms.port", "must be a whole number"},
    {"\"port\":443", "\"port\":\"443\"", ADY_E_FIELD_INVALID, "kms.port", "must be a whole number"},
    {"\"account\":\"111122223333\"", "\"account\":\"11112222333\"", ADY_E_FIELD_INVALID,
     "kms.account", "must be 12 digits"},
    {"[\"" ARN "\"]", "[]", ADY_E_FIELD_RANGE, "kms.keys", "is empty"},
    {"[\"" ARN "\"]", "\"" ARN "\"", ADY_E_FIELD_INVALID, "kms.keys", "must be an array"},
    {"[\"" ARN "\"]", "[\"" ARN "\",\"" ARN "\"]", ADY_E_FIELD_INVALID, "kms.keys",
     "names a key twice"},
    {"kms:us-east-1:1111", "kms:us-east-2:1111", ADY_E_FIELD_INVALID, "kms.keys",
     "must be key ARNs of the configured region and account"},
    {":111122223333:key", ":111122223334:key", ADY_E_FIELD_INVALID, "kms.keys",
     "must be key ARNs of the configured region and account"},
    {":key/1234abcd", ":alias/1234abcd", ADY_E_FIELD_INVALID, "kms.keys",
     "must be key ARNs of the configured region and account"},
    {"-----BEGIN CERTIFICATE-----", "-----BEGIN KEY-----", ADY_E_FIELD_INVALID, "kms.roots_pem",
     "holds no PEM certificate"},
    {"\"rsa_bits\":2048", "\"rsa_bits\":2049", ADY_E_FIELD_RANGE, "rsa_bits",
     "must be 2048 or 3072"},
    {"\"rsa_bits\":2048", "\"rsa_bits\":1024", ADY_E_FIELD_RANGE, "rsa_bits", "is out of range"},
    {"\"lanes\":0", "\"lanes\":65", ADY_E_FIELD_RANGE, "lanes", "is out of range"},
    {"\"lanes\":0", "\"data_keys\":0", ADY_E_FIELD_RANGE, "data_keys", "is out of range"},
    {"\"lanes\":0", "\"data_key_idle_s\":86401", ADY_E_FIELD_RANGE, "data_key_idle_s",
     "is out of range"},
    {"\"lanes\":0", "\"data_key_max_s\":-1", ADY_E_FIELD_INVALID, "data_key_max_s",
     "must be a whole number"},
    {"\"lanes\":0", "\"data_key_uses\":4294967296", ADY_E_FIELD_RANGE, "data_key_uses",
     "is out of range"},
    {"\"lanes\":0", "\"keystore_threads\":65", ADY_E_FIELD_RANGE, "keystore_threads",
     "is out of range"},
    {"\"lanes\":0", "\"counters_keys\":0", ADY_E_FIELD_RANGE, "counters_keys", "is out of range"},
    {"\"lanes\":0", "\"counters_after_start\":\"never\"", ADY_E_FIELD_INVALID,
     "counters_after_start", "must be \"wait\" or \"store\""},
    {"\"lanes\":0", "\"counters_after_start\":true", ADY_E_FIELD_INVALID, "counters_after_start",
     "must be \"wait\" or \"store\""},
    {"\"lanes\":0", "\"keystore_mib\":65537", ADY_E_FIELD_RANGE, "keystore_mib", "is out of range"},
    {"\"lanes\":0", "\"backup_keys\":7", ADY_E_FIELD_INVALID, "backup_keys", "must be an array"},
    {"\"lanes\":0", "\"backup_keys\":[\"00\"]", ADY_E_FIELD_INVALID, "backup_keys",
     "must be X25519 public keys, 64 hex digits each"},
    {"\"lanes\":0", "\"backup_keys\":[7]", ADY_E_FIELD_INVALID, "backup_keys",
     "must be X25519 public keys, 64 hex digits each"},
    {"\"lanes\":0", "\"memory_mib\":1048577", ADY_E_FIELD_RANGE, "memory_mib", "is out of range"},
    {"\"lanes\":0", "\"depth\":0", ADY_E_FIELD_RANGE, "depth", "is out of range"},
    {"\"lanes\":0", "\"kms_connections\":129", ADY_E_FIELD_RANGE, "kms_connections",
     "is out of range"},
    {"\"lanes\":0", "\"kms_timeout_ms\":99", ADY_E_FIELD_RANGE, "kms_timeout_ms",
     "is out of range"},
    {"\"lanes\":0", "\"attestation_max_age_s\":3601", ADY_E_FIELD_RANGE, "attestation_max_age_s",
     "is out of range"},
    {"\"lanes\":0", "\"clock_check_s\":601", ADY_E_FIELD_RANGE, "clock_check_s", "is out of range"},
    {"\"verify_signatures\":true", "\"verify_signatures\":null", ADY_E_FIELD_INVALID,
     "verify_signatures", "must be true or false"},
};

#define SIX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

CASE(backup_keys_are_read)
{
	struct ady_fault f;

	CHECK_ERR(read_text(good, &f), ADY_OK);
	CHECK_INT(config.backup_keys_n, 0);
	CHECK_ERR(read_changed(good, "\"lanes\":0", "\"backup_keys\":[\"" SIX "\"]", &f), ADY_OK);
	CHECK_INT(config.backup_keys_n, 1);
	CHECK_HEX(config.backup_keys[0], 32, SIX);
}

CASE(each_deviation_is_refused_with_its_reason)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		const struct change *c = &changes[i];
		struct ady_fault f;

		if (!CHECK_ERR(read_changed(good, c->from, c->to, &f), c->err))
			printf("    %s -> %s\n", c->from, c->to);
		CHECK_STR(f.where, c->where);
		CHECK_STR(f.detail, c->detail);
	}
}

CASE(development_means_are_refused_in_production)
{
	struct ady_fault f;

	CHECK_ERR(read_changed(production, "vsock:any:5000", "unix:/x", &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "listen");
	CHECK_STR(f.detail, "a Unix socket is for development only");
	CHECK_ERR(read_changed(production, "vsock:3:8000", "unix:/x", &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "relay");
	CHECK_ERR(read_changed(production, "device:/dev/nsm", "dev-socket:/x", &f), ADY_E_CONFIG);
	CHECK_STR(f.detail, "a simulated NSM is for development only");
}

CASE(the_file_is_strict_json)
{
	struct ady_fault f;

	CHECK_ERR(read_text("", &f), ADY_E_JSON);
	CHECK_ERR(read_text("[]", &f), ADY_E_FIELD_INVALID);
	CHECK_ERR(read_changed(good, "}", "}x", &f), ADY_E_JSON);
	CHECK_ERR(read_changed(good, "\"adyton\":1", "\"adyton\":1,\"adyton\":1", &f),
	          ADY_E_JSON_DUPLICATE);
}

CASE(a_file_that_is_too_large_is_refused)
{
	static uint8_t large[ADY_CONFIG_FILE_MAX + 1];
	struct ady_fault f;

	memset(large, ' ', sizeof large);
	CHECK_ERR(ady_enclave_config_read(&config, ady_bytes(large, sizeof large), &f),
	          ADY_E_TOO_LARGE);
}

int main(void)
{
	RUN(a_good_one_is_read);
	RUN(what_is_left_out_has_its_default);
	RUN(backup_keys_are_read);
	RUN(each_deviation_is_refused_with_its_reason);
	RUN(development_means_are_refused_in_production);
	RUN(the_file_is_strict_json);
	RUN(a_file_that_is_too_large_is_refused);
	return test_end();
}
