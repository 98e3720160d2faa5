/* SPDX-License-Identifier: Apache-2.0
 *
 * Error values and faults. An error is a small enum returned by value; a fault adds where the
 * input was wrong and why, in words that may be shown to the caller. Neither ever holds a secret.
 * Thread rule: no state; a fault belongs to one request. */
#ifndef ADY_BASE_ERR_H
#define ADY_BASE_ERR_H

/* X(name, stable code shown to clients, HTTP status, what it means) */
#define ADY_ERRS(X)                                                                              \
	X(OK, "ok", 200, "no error")                                                             \
	X(E_AGAIN, "again", 500, "more bytes are needed")                                        \
	X(E_JSON, "json_malformed", 400, "the body is not strict JSON")                          \
	X(E_JSON_DUPLICATE, "json_duplicate_key", 400, "an object has the same key twice")       \
	X(E_CBOR, "cbor_malformed", 400, "the message is not deterministic CBOR")                \
	X(E_RLP, "rlp_malformed", 400, "the bytes are not canonical RLP")                        \
	X(E_FIELD_UNKNOWN, "field_unknown", 400, "a field is not known")                         \
	X(E_FIELD_MISSING, "field_missing", 400, "a field is missing")                           \
	X(E_FIELD_INVALID, "field_invalid", 400, "a field has the wrong form")                   \
	X(E_FIELD_RANGE, "field_out_of_range", 400, "a number does not fit its field")           \
	X(E_CHECKSUM, "address_checksum", 400, "an address fails its EIP-55 checksum")           \
	X(E_CHAIN_ID, "chain_id_zero", 400, "chain id 0 would allow replay on any chain")        \
	X(E_FEES, "fee_inversion", 400, "the priority fee exceeds the fee cap")                  \
	X(E_FROM, "from_mismatch", 409, "the key does not belong to the address in from")        \
	X(E_SIGNING_ROOT, "signing_root_mismatch", 400, "the given signing root is another")     \
	X(E_SLASHING, "slashing_refused", 412, "the slashing protection refuses to sign this")   \
	X(E_COUNTERS, "counters_refused", 409, "the policy's counters are not usable")           \
	X(E_TOO_LARGE, "too_large", 413, "the request exceeds a limit")                          \
	X(E_HTTP, "http_malformed", 400, "the request is not valid HTTP/1.1")                    \
	X(E_NOT_FOUND, "not_found", 404, "there is nothing of that name")                        \
	X(E_EXISTS, "already_exists", 409, "there is something of that name already")            \
	X(E_CONFLICT, "conflict", 409, "it has changed meanwhile")                               \
	X(E_METHOD, "method_not_allowed", 405, "the method is not supported here")               \
	X(E_MEDIA_TYPE, "media_type_unsupported", 415, "the body is not application/json")       \
	X(E_UNAUTHORIZED, "unauthorized", 401, "the caller is not known")                        \
	X(E_DENIED, "denied", 403, "the caller may not do this")                                 \
	X(E_RATE, "rate_limited", 429, "the tenant's rate is used up")                           \
	X(E_RECORD, "record_malformed", 422, "the stored key record cannot be read")             \
	X(E_RECORD_MISMATCH, "record_mismatch", 422, "the stored key record is of another key")  \
	X(E_KEY_FORM, "key_malformed", 422, "the decrypted key has no accepted form")            \
	X(E_KEY_RANGE, "key_out_of_range", 422, "the private key is not in [1, n-1]")            \
	X(E_KEYSTORE, "keystore_malformed", 422, "the keystore cannot be read")                  \
	X(E_KEYSTORE_OTHER, "keystore_mismatch", 422, "the keystore's key is not the one named") \
	X(E_PASSWORD, "password_wrong", 422, "the password does not open the keystore")          \
	X(E_KMS, "kms_refused", 502, "KMS refused the request")                                  \
	X(E_KMS_REPLY, "kms_reply_invalid", 502, "the reply of KMS is not acceptable")           \
	X(E_KMS_UNAVAILABLE, "kms_unavailable", 503, "KMS could not be reached")                 \
	X(E_TLS, "tls_failed", 502, "the TLS peer could not be verified")                        \
	X(E_CREDENTIALS, "credentials_unavailable", 503, "there are no valid AWS credentials")   \
	X(E_CLOCK, "clock_wrong", 503, "the enclave's clock is wrong")                           \
	X(E_ATTESTATION, "attestation_invalid", 422, "the attestation document is not valid")    \
	X(E_NSM, "nsm_failed", 503, "the Nitro Secure Module did not answer")                    \
	X(E_STORE, "store_unavailable", 503, "the key store could not be reached")               \
	X(E_ENCLAVE, "enclave_unavailable", 503, "the enclave could not be reached")             \
	X(E_AUDIT, "audit_unavailable", 503, "the audit log cannot be written")                  \
	X(E_BUSY, "overloaded", 503, "too many requests are waiting")                            \
	X(E_DEADLINE, "deadline_exceeded", 504, "the time allowed has passed")                   \
	X(E_PROTOCOL, "protocol_violation", 502, "the peer broke the protocol")                  \
	X(E_IMAGE, "image_malformed", 422, "the enclave image is not acceptable")                \
	X(E_CONFIG, "config_invalid", 500, "the configuration is not acceptable")                \
	X(E_CRYPTO, "crypto_failed", 500, "a cryptographic operation failed")                    \
	X(E_IO, "io_failed", 500, "an input or output operation failed")                         \
	X(E_MEMORY, "out_of_memory", 500, "memory is exhausted")                                 \
	X(E_INTERNAL, "internal", 500, "an internal check failed")

#define ADY_ERR_ENUM(name, code, status, text) ADY_##name,
enum [[nodiscard]] ady_err{ADY_ERRS(ADY_ERR_ENUM) ADY_ERR_COUNT};
#undef ADY_ERR_ENUM

/* Why a request failed. where is a path like "transaction.maxFeePerGas", empty when the whole
 * request is meant. detail is one sentence. cause is the error name of AWS, when AWS refused. */
struct ady_fault {
	enum ady_err err;
	char where[64];
	char detail[160];
	char cause[48];
};

/* The stable code of err, such as "field_missing". Never NULL. */
const char *ady_err_code(enum ady_err err);

/* The HTTP status that fits err (200 for ADY_OK). */
int ady_err_status(enum ady_err err);

/* What err means, one clause without a full stop. Never NULL. */
const char *ady_err_text(enum ady_err err);

/* The error whose stable code is code; ADY_E_INTERNAL for an unknown one. */
enum ady_err ady_err_from_code(const char *code);

/* Fill f (NULL is allowed: nothing is kept) and return err, so that a refusal is one statement:
 *     return ady_fail(f, ADY_E_FIELD_MISSING, "transaction.to", "is required");
 * where: NULL or a path. Non-printable bytes of the result become '?'. Long texts are cut. */
enum ady_err ady_fail(struct ady_fault *f, enum ady_err err, const char *where, const char *fmt,
                      ...) __attribute__((format(printf, 4, 5)));

/* A broken invariant: log file and line and abort. Never reachable from bytes a peer sends. */
void ady_bug_at(const char *file, int line, const char *what) __attribute__((noreturn));
#define ADY_BUG(what) ady_bug_at(__FILE__, __LINE__, what)

#endif
