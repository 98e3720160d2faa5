/* SPDX-License-Identifier: Apache-2.0 */
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

enum { DISCARD_AT_ONCE = 16 * 1024 };

enum ady_err ady_stream_open(struct ady_stream *s, int fd, SSL_CTX *tls)
{
	*s = (struct ady_stream){.fd = fd};
	if (!tls)
		return ADY_OK;
	s->ssl = SSL_new(tls);
	if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
		ady_stream_close(s);
		return ADY_E_MEMORY;
	}
	/* A write that was cut short is repeated from another buffer with the same bytes. */
	SSL_set_mode(s->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                         SSL_MODE_RELEASE_BUFFERS);
	SSL_set_read_ahead(s->ssl, 1);
	SSL_set_accept_state(s->ssl);
	return ADY_OK;
}

/* RFC 9525: a name is compared whole, wildcards for whole labels only; an address as an address. */
static bool demand_host(SSL *ssl, const char *host)
{
	char name[254]; /* OpenSSL's macro has no const */
	struct in6_addr a;

	if (inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return ady_bytes_to_str(name, sizeof name, ady_bytes_str(host)) &&
	       SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

enum ady_err ady_stream_connect(struct ady_stream *s, int fd, SSL_CTX *tls, const char *host)
{
	enum ady_err err = ady_stream_open(s, fd, tls);

	if (err != ADY_OK || !tls)
		return err;
	if (!demand_host(s->ssl, host)) {
		ady_stream_close(s);
		return ADY_E_MEMORY;
	}
	SSL_set_connect_state(s->ssl);
	return ADY_OK;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static ssize_t plain_read(struct ady_stream *s, void *p, size_t n, bool *more)
{
	ssize_t got = read(s->fd, p, n);

	if (got < 0)
		return would_block() ? ADY_STREAM_AGAIN : ADY_STREAM_BROKEN;
	*more = (size_t)got == n;
	return got;
}

static ssize_t tls_failed(struct ady_stream *s)
{
	unsigned long e = ERR_peek_last_error();

	s->broken = true;
	s->why = e ? ERR_reason_error_string(e) : NULL;
	ERR_clear_error();
	return ADY_STREAM_BROKEN;
}

/* Of a certificate that is not accepted, the reason counts, not that it was not. */
static int handshake_failed(struct ady_stream *s)
{
	long verdict = SSL_get_verify_result(s->ssl);

	(void)tls_failed(s);
	if (verdict != X509_V_OK)
		s->why = X509_verify_cert_error_string(verdict);
	return ADY_STREAM_BROKEN;
}

int ady_stream_handshake(struct ady_stream *s)
{
	int n;

	if (!s->ssl)
		return 1;
	ERR_clear_error();
	s->wants_out = false;
	n = SSL_do_handshake(s->ssl);
	if (n == 1)
		return 1;
	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return ADY_STREAM_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->wants_out = true;
		return ADY_STREAM_AGAIN;
	default:
		return handshake_failed(s);
	}
}

static ssize_t tls_read(struct ady_stream *s, void *p, size_t n, bool *more)
{
	size_t got = 0;

	ERR_clear_error();
	s->wants_out = false;
	if (SSL_read_ex(s->ssl, p, n, &got) == 1) {
		*more = SSL_has_pending(s->ssl) == 1;
		return (ssize_t)got;
	}
	switch (SSL_get_error(s->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return ADY_STREAM_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->wants_out = true;
		return ADY_STREAM_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return tls_failed(s);
	}
}

ssize_t ady_stream_read(struct ady_stream *s, void *p, size_t n, bool *more)
{
	*more = false;
	return s->ssl ? tls_read(s, p, n, more) : plain_read(s, p, n, more);
}

static ssize_t plain_write(struct ady_stream *s, struct iovec *iov, int n)
{
	const struct msghdr m = {.msg_iov = iov, .msg_iovlen = (size_t)n};
	ssize_t put = sendmsg(s->fd, &m, MSG_NOSIGNAL);

	if (put < 0)
		return would_block() ? 0 : ADY_STREAM_BROKEN;
	return put;
}

/* One SSL_write is one record of at most 16 KiB. */
static ssize_t tls_write(struct ady_stream *s, struct iovec *iov, int n)
{
	ssize_t sum = 0;
	size_t put;

	ERR_clear_error();
	for (int i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;

		for (size_t left = iov[i].iov_len; left > 0; left -= put, p += put) {
			if (SSL_write_ex(s->ssl, p, left, &put) == 1) {
				sum += (ssize_t)put;
				continue;
			}
			switch (SSL_get_error(s->ssl, 0)) {
			case SSL_ERROR_WANT_READ:
			case SSL_ERROR_WANT_WRITE:
				return sum;
			default:
				return tls_failed(s);
			}
		}
	}
	return sum;
}

ssize_t ady_stream_write(struct ady_stream *s, struct iovec *iov, int n)
{
	return s->ssl ? tls_write(s, iov, n) : plain_write(s, iov, n);
}

void ady_stream_end(struct ady_stream *s)
{
	ERR_clear_error();
	if (s->ssl && !s->broken && SSL_is_init_finished(s->ssl))
		(void)SSL_shutdown(s->ssl); /* close_notify, if it fits */
	(void)shutdown(s->fd, SHUT_WR);
}

bool ady_stream_discard(struct ady_stream *s)
{
	uint8_t sink[DISCARD_AT_ONCE];
	ssize_t got = read(s->fd, sink, sizeof sink);

	return got > 0 || (got < 0 && would_block());
}

void ady_stream_close(struct ady_stream *s)
{
	SSL_free(s->ssl);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct ady_stream){.fd = -1};
}
