/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client's certificate says. Its chain was verified in the handshake. */
#include <openssl/x509.h>

#include "net/http_conn.h"

static bool subject_of(X509 *cert, char *out, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = -1;

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_read(bio, out, (int)cap);
	BIO_free(bio);
	if (n < 0 || (size_t)n >= cap) /* one that was cut would be another's */
		n = 0;
	out[n] = '\0';
	return n > 0;
}

bool ady_http_certificate(const struct ady_http_request *req, uint8_t sha256[static 32],
                          char *subject, size_t cap)
{
	SSL *ssl = req->conn ? req->conn->stream.ssl : NULL;
	X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
	unsigned n = 32;
	bool ok;

	*subject = '\0';
	if (!cert)
		return false;
	ok = SSL_get_verify_result(ssl) == X509_V_OK &&
	     X509_digest(cert, EVP_sha256(), sha256, &n) == 1;
	(void)subject_of(cert, subject, cap);
	X509_free(cert);
	return ok;
}
