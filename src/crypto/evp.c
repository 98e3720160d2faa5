/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/evp.h"

#include <openssl/crypto.h>
#include <pthread.h>

#include "base/err.h"

static struct ady_evp evp;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* openssl.cnf could load engines or providers, and OPENSSL_CONF names it: the environment must not
 * choose what computes with our keys. Nothing is cleaned up at exit, for other threads may still
 * compute then. */
static void fetch_all(void)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		ADY_BUG("OpenSSL does not start");
	evp.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	evp.sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	evp.aes256_cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	evp.aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	evp.aes128_ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	if (!evp.sha256 || !evp.sha384 || !evp.aes256_cbc || !evp.aes256_gcm || !evp.aes128_ctr)
		ADY_BUG("OpenSSL lacks an algorithm");
}

const struct ady_evp *ady_evp(void)
{
	pthread_once(&once, fetch_all);
	return &evp;
}
