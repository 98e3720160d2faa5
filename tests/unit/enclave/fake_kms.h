/* SPDX-License-Identifier: Apache-2.0
 *
 * The parent and KMS within a test: a relay on a Unix socket, behind which a TLS server of the
 * test's own CA answers Decrypt, well or badly, as told. A thread for each connection. */
#ifndef FAKE_KMS_H
#define FAKE_KMS_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/cms.h"
#include "codec/http1.h"
#include "codec/json.h"
#include "codec/wire.h"
#include "crypto/aes.h"
#include "crypto/rsa.h"

#define FAKE_ARN "arn:aws:kms:us-east-1:111122223333:key/11111111-aaaa"
#define FAKE_OTHER_ARN "arn:aws:kms:us-east-1:111122223333:key/22222222-bbbb"

enum fake_reply {
	FAKE_GOOD,
	FAKE_CHUNKED,      /* the good reply in chunks of seven bytes */
	FAKE_OTHER_KEY_ID, /* KeyId is not the configured key */
	FAKE_FORGED,       /* the CMS is for another RSA key */
	FAKE_FLIPPED,      /* one byte of the CMS's last ciphertext block is changed */
	FAKE_PLAINTEXT,    /* Plaintext next to the CMS */
	FAKE_CUT,          /* the connection ends in the middle of the body */
	FAKE_SLOW,         /* no reply for two seconds */
	FAKE_HUGE,         /* Content-Length: 100000 */
	FAKE_ENDLESS,      /* a head without end */
	FAKE_TRAILING,     /* bytes behind the reply */
	FAKE_NO_LENGTH,    /* neither a length nor chunks */
	FAKE_THROTTLE,     /* ThrottlingException */
	FAKE_INTERNAL,     /* 500 KMSInternalException */
	FAKE_DENIED,       /* AccessDeniedException */
	FAKE_BAD_BLOB,     /* InvalidCiphertextException */
	FAKE_EXPIRED,      /* ExpiredTokenException */
	FAKE_REFUSED,      /* the relay refuses the stream */
	FAKE_DEAF,         /* the relay does not answer */
};

struct fake_kms {
	char path[108];
	int listener;
	pthread_t thread;
	SSL_CTX *tls;
	char ca_pem[4096];
	uint8_t plaintext[64];
	size_t plaintext_n;
	_Atomic(enum fake_reply) first, later; /* the first `n_first` requests, and those after */
	atomic_int n_first;
	atomic_bool close_after; /* say keep-alive, and close behind each reply */
	atomic_int connections, requests, live;
	pthread_mutex_t lock;     /* of what follows */
	char last_request[16384]; /* the head of the last Decrypt */
};

/* A certificate for name, signed by ca (NULL: a self-signed CA). */
static inline X509 *fake_cert(EVP_PKEY *key, const char *name, X509 *ca, EVP_PKEY *ca_key)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	X509_EXTENSION *ext;
	char san[300];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ca ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
	                           0);
	X509_set_issuer_name(x, ca ? X509_get_subject_name(ca) : subject);
	X509_set_pubkey(x, key);
	snprintf(san, sizeof san, "DNS:%s", name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, ca ? NID_subject_alt_name : NID_basic_constraints,
	                          ca ? san : "critical,CA:TRUE");
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x, ca_key ? ca_key : key, EVP_sha256());
	return x;
}

static inline void fake_kms_make_tls(struct fake_kms *k, const char *name)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = fake_cert(ca_key, "test CA", NULL, NULL),
	     *cert = fake_cert(key, name, ca, ca_key);
	BIO *pem = BIO_new(BIO_s_mem());
	int n;

	PEM_write_bio_X509(pem, ca);
	n = BIO_read(pem, k->ca_pem, sizeof k->ca_pem - 1);
	k->ca_pem[n > 0 ? n : 0] = '\0';
	k->tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate(k->tls, cert) != 1 || SSL_CTX_use_PrivateKey(k->tls, key) != 1)
		abort();
	BIO_free(pem);
	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

/* The public key in the "document" of the request's Recipient (see fake_nsm.h). */
static inline struct ady_bytes fake_kms_spki(uint8_t out[static 4096], struct ady_bytes body)
{
	static _Thread_local struct ady_json_tok toks[64];
	char text[6000];
	struct ady_json doc;
	size_t n;
	uint32_t recipient;

	if (ady_json_parse(&doc, toks, 64, body, NULL) != ADY_OK)
		return (struct ady_bytes){0};
	recipient = ady_json_get(&doc, 0, "Recipient");
	if (!recipient ||
	    ady_json_string(&doc, ady_json_get(&doc, recipient, "AttestationDocument"), text,
	                    sizeof text, &n) != ADY_OK ||
	    ady_base64_decode(out, 4096, &n, ady_bytes(text, n)) != ADY_OK || n < 4)
		return (struct ady_bytes){0};
	return ady_bytes(out + 4, n - 4);
}

/* The good body, or one that is wrong in the way that is asked for. */
static inline size_t fake_kms_body(struct fake_kms *k, enum fake_reply how,
                                   struct ady_bytes request, char *out, size_t cap)
{
	uint8_t spki_space[4096], der[6144], ct[ADY_RSA_MODULUS_MAX], content[128];
	uint8_t key[32] = {1, 2, 3}, iv[16] = {4}, ski[32] = {5};
	char text[ADY_BASE64_SIZE(6144)];
	struct ady_bytes spki = fake_kms_spki(spki_space, request);
	struct ady_buf b = ady_buf(der, sizeof der);
	struct ady_rsa *other = NULL;
	size_t ct_n = 0, content_n;

	if (how == FAKE_FORGED && ady_rsa_new(&other, 2048) == ADY_OK)
		spki = ady_rsa_spki(other);
	if (ady_rsa_oaep_seal(ct, &ct_n, spki, ady_bytes(key, 32)) != ADY_OK ||
	    ady_aes_cbc_seal(content, &content_n, key, iv,
	                     ady_bytes(k->plaintext, k->plaintext_n)) != ADY_OK)
		return 0;
	if (how == FAKE_FLIPPED)
		content[content_n - 1] ^= 1;
	ady_cms_put(&b, ski, ady_bytes(ct, ct_n), iv, ady_bytes(content, content_n));
	ady_base64_encode(text, ady_buf_bytes(&b));
	ady_rsa_free(other);
	return (size_t)snprintf(
	    out, cap,
	    "{\"KeyId\":\"%s\",%s\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\","
	    "\"CiphertextForRecipient\":\"%s\",\"NewMember\":[1]}",
	    how == FAKE_OTHER_KEY_ID ? FAKE_OTHER_ARN : FAKE_ARN,
	    how == FAKE_PLAINTEXT ? "\"Plaintext\":\"AAAA\"," : "\"Plaintext\":null,", text);
}

static inline void fake_kms_write(SSL *ssl, const char *p, size_t n)
{
	(void)SSL_write(ssl, p, (int)n);
}

static inline void fake_kms_error(SSL *ssl, int status, const char *name)
{
	char body[256], reply[512];
	int n = snprintf(body, sizeof body, "{\"__type\":\"com.amazonaws.kms#%s\"}", name);

	n = snprintf(reply, sizeof reply, "HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s", status,
	             n, body);
	fake_kms_write(ssl, reply, (size_t)n);
}

static inline void fake_kms_chunks(SSL *ssl, const char *body, size_t n)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	char chunk[32];

	fake_kms_write(ssl, head, sizeof head - 1);
	for (size_t at = 0; at < n; at += 7) {
		size_t part = n - at < 7 ? n - at : 7;
		int len =
		    snprintf(chunk, sizeof chunk, "%zx\r\n%.*s\r\n", part, (int)part, body + at);

		fake_kms_write(ssl, chunk, (size_t)len);
	}
	fake_kms_write(ssl, "0\r\n\r\n", 5);
}

/* A 200; false when the connection must end. */
static inline bool fake_kms_success(struct fake_kms *k, SSL *ssl, enum fake_reply how,
                                    struct ady_bytes request)
{
	char body[12000], reply[13000];
	size_t n = fake_kms_body(k, how, request, body, sizeof body);
	size_t said = how == FAKE_HUGE ? 100000 : n;
	int len;

	if (how == FAKE_CHUNKED) {
		fake_kms_chunks(ssl, body, n);
		return true;
	}
	len = how == FAKE_NO_LENGTH
	          ? snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\n\r\n%s", body)
	          : snprintf(reply, sizeof reply,
	                     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s%s", said, body,
	                     how == FAKE_TRAILING ? "more" : "");
	if (how == FAKE_CUT)
		len -= 40;
	fake_kms_write(ssl, reply, (size_t)len);
	return how != FAKE_CUT && how != FAKE_NO_LENGTH;
}

static inline bool fake_kms_reply(struct fake_kms *k, SSL *ssl, enum fake_reply how,
                                  struct ady_bytes request)
{
	static const struct timespec two_seconds = {.tv_sec = 2};

	switch (how) {
	case FAKE_GOOD:
	case FAKE_CHUNKED:
	case FAKE_OTHER_KEY_ID:
	case FAKE_FORGED:
	case FAKE_FLIPPED:
	case FAKE_PLAINTEXT:
	case FAKE_CUT:
	case FAKE_HUGE:
	case FAKE_TRAILING:
	case FAKE_NO_LENGTH:
		return fake_kms_success(k, ssl, how, request);
	case FAKE_SLOW:
		nanosleep(&two_seconds, NULL);
		return fake_kms_success(k, ssl, FAKE_GOOD, request);
	case FAKE_ENDLESS:
		for (int i = 0; i < 5000; i++)
			fake_kms_write(ssl, i ? "X-Filler: 12345\r\n" : "HTTP/1.1 200 OK\r\n", 17);
		return false;
	case FAKE_THROTTLE:
		fake_kms_error(ssl, 400, "ThrottlingException");
		return true;
	case FAKE_INTERNAL:
		fake_kms_error(ssl, 500, "KMSInternalException");
		return true;
	case FAKE_DENIED:
		fake_kms_error(ssl, 400, "AccessDeniedException");
		return true;
	case FAKE_BAD_BLOB:
		fake_kms_error(ssl, 400, "InvalidCiphertextException");
		return true;
	case FAKE_EXPIRED:
		fake_kms_error(ssl, 400, "ExpiredTokenException");
		return true;
	case FAKE_REFUSED:
	case FAKE_DEAF:
		return false;
	}
	return false;
}

static inline enum fake_reply fake_kms_next(struct fake_kms *k, bool consume)
{
	if (atomic_load(&k->n_first) <= 0)
		return atomic_load(&k->later);
	if (consume)
		atomic_fetch_sub(&k->n_first, 1);
	return atomic_load(&k->first);
}

/* Read one request; its body, or an empty view at the end. */
static inline struct ady_bytes fake_kms_read(SSL *ssl, uint8_t *space, size_t cap)
{
	struct ady_http_head head;
	size_t n = 0;
	int got;

	while (n < cap && (got = SSL_read(ssl, space + n, (int)(cap - n))) > 0) {
		n += (size_t)got;
		if (ady_http_parse_request(&head, ady_bytes(space, n), NULL) == ADY_OK &&
		    n >= head.size + head.length)
			return ady_bytes(space + head.size, (size_t)head.length);
	}
	return (struct ady_bytes){0};
}

struct fake_conn {
	struct fake_kms *kms;
	int fd;
};

/* The relay's part: hear which stream is wanted and answer. */
static inline bool fake_kms_relay(struct fake_kms *k, int fd)
{
	uint8_t raw[ADY_WIRE_HEAD], body[300];
	struct ady_wire_head head, back;
	struct ady_buf b = ady_buf(body, sizeof body);
	struct ady_fault f;
	enum fake_reply how = fake_kms_next(k, false);

	if (recv(fd, raw, sizeof raw, MSG_WAITALL) != (ssize_t)sizeof raw ||
	    ady_wire_read_head(&head, raw) != ADY_OK || head.length > sizeof body ||
	    recv(fd, body, head.length, MSG_WAITALL) != (ssize_t)head.length)
		return false;
	if (how == FAKE_DEAF) {
		(void)recv(fd, body, 1, 0);
		return false;
	}
	back = (struct ady_wire_head){.type = ADY_WIRE_RELAY | ADY_WIRE_ANSWER, .id = head.id};
	if (how == FAKE_REFUSED) {
		(void)fake_kms_next(k, true);
		back.type = ADY_WIRE_ERROR;
		(void)ady_fail(&f, ADY_E_DENIED, "", "that host is not allowed");
		ady_wire_put_fault(&b, &f);
	} else {
		ady_wire_put_empty(&b);
	}
	back.length = (uint32_t)b.n;
	ady_wire_put_head(raw, &back);
	return send(fd, raw, sizeof raw, MSG_NOSIGNAL) == (ssize_t)sizeof raw &&
	       send(fd, body, b.n, MSG_NOSIGNAL) == (ssize_t)b.n && back.type != ADY_WIRE_ERROR;
}

static inline void *fake_conn_main(void *arg)
{
	struct fake_conn *c = arg;
	struct fake_kms *k = c->kms;
	static _Thread_local uint8_t space[64 * 1024];
	SSL *ssl = SSL_new(k->tls);
	struct ady_bytes body;

	SSL_set_fd(ssl, c->fd);
	atomic_fetch_add(&k->connections, 1);
	if (fake_kms_relay(k, c->fd) && SSL_accept(ssl) == 1)
		while ((body = fake_kms_read(ssl, space, sizeof space)).n > 0) {
			pthread_mutex_lock(&k->lock);
			snprintf(k->last_request, sizeof k->last_request, "%.*s",
			         (int)(body.p - space), (const char *)space);
			pthread_mutex_unlock(&k->lock);
			atomic_fetch_add(&k->requests, 1);
			if (!fake_kms_reply(k, ssl, fake_kms_next(k, true), body) ||
			    atomic_load(&k->close_after))
				break;
		}
	SSL_free(ssl);
	close(c->fd);
	free(c);
	atomic_fetch_sub(&k->live, 1);
	return NULL;
}

static inline void *fake_kms_main(void *arg)
{
	struct fake_kms *k = arg;
	pthread_attr_t detached;
	int fd;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	while ((fd = accept(k->listener, NULL, NULL)) >= 0) {
		struct fake_conn *c = malloc(sizeof *c);
		pthread_t t;

		*c = (struct fake_conn){.kms = k, .fd = fd};
		atomic_fetch_add(&k->live, 1);
		if (pthread_create(&t, &detached, fake_conn_main, c) != 0)
			abort();
	}
	pthread_attr_destroy(&detached);
	return NULL;
}

/* Listen below dir; the certificate is for name. */
static inline void fake_kms_start(struct fake_kms *k, const char *dir, const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	pthread_mutex_init(&k->lock, NULL);
	snprintf(k->path, sizeof k->path, "%.80s/relay.sock", dir);
	(void)unlink(k->path);
	memcpy(at.sun_path, k->path, sizeof k->path);
	fake_kms_make_tls(k, name);
	k->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(k->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(k->listener, 64) != 0 || pthread_create(&k->thread, NULL, fake_kms_main, k) != 0)
		abort();
}

/* End; all clients have closed their connections. */
static inline void fake_kms_end(struct fake_kms *k)
{
	static const struct timespec pause = {.tv_nsec = 5000000};

	shutdown(k->listener, SHUT_RDWR);
	pthread_join(k->thread, NULL);
	close(k->listener);
	unlink(k->path);
	while (atomic_load(&k->live) > 0)
		nanosleep(&pause, NULL);
	SSL_CTX_free(k->tls);
	pthread_mutex_destroy(&k->lock);
}

#endif
