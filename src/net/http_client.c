/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchanges and whose turn it is; what happens on a connection is in http_client_conn.c. */
#include "net/http_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/http_client_conn.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void on_turn(struct ady_timer *timer);

struct ady_http_client *ady_http_client_open(const struct ady_http_client_config *config)
{
	struct ady_http_client *client = calloc(1, sizeof *client);
	char host[ADY_URL_HOST_MAX + 16];

	if (!client)
		ADY_BUG("out of memory");
	client->config = *config;
	client->turn.fn = on_turn;
	if (config->tls)
		SSL_CTX_up_ref(config->tls);
	ady_url_authority(host, sizeof host, config->url);
	ady_dyn_printf(&client->head,
	               "Host: %s\r\nUser-Agent: adyton/" ADY_VERSION "\r\n"
	               "Accept: application/json\r\n%s",
	               host, config->fields ? config->fields : "");
	return client;
}

void ady_http_client_close(struct ady_http_client *client)
{
	if (!client)
		return;
	while (client->conns)
		ady_http_client_conn_end(client->conns);
	ady_timer_cancel(client->config.loop, &client->turn);
	SSL_CTX_free(client->config.tls);
	ady_dyn_free(&client->head);
	free(client);
}

/* --- those that wait --- */

static void unlist(struct ady_http_exchange *x)
{
	struct ady_http_client *client = x->client;

	*(x->next ? &x->next->prev : &client->last) = x->prev;
	*(x->prev ? &x->prev->next : &client->first) = x->next;
	x->next = x->prev = NULL;
	client->waiting--;
}

static void list_last(struct ady_http_exchange *x)
{
	struct ady_http_client *client = x->client;

	x->prev = client->last;
	x->next = NULL;
	*(x->prev ? &x->prev->next : &client->first) = x;
	client->last = x;
	client->waiting++;
}

/* A kept connection that its server has not ended meanwhile, as far as can be known. */
static struct ady_http_client_conn *fresh_one(struct ady_http_client *client)
{
	while (client->idle && !ady_http_client_conn_fresh(client->idle))
		ady_http_client_conn_end(client->idle);
	return client->idle;
}

/* A connection is kept for whoever comes next; a new one is made when all are at work. */
static void on_turn(struct ady_timer *timer)
{
	struct ady_http_client *client = OWNER(timer, struct ady_http_client, turn);

	while (client->first) {
		struct ady_http_client_conn *conn = fresh_one(client);
		struct ady_http_exchange *x = client->first;

		if (!conn && client->conns_n >= client->config.connections_max)
			return;
		if (!conn)
			conn = ady_http_client_conn_open(client);
		unlist(x);
		x->conn = conn;
		ady_http_client_conn_take(conn, x);
	}
}

void ady_http_client_turn(struct ady_http_client *client)
{
	if (client->first)
		ady_timer_set(client->config.loop, &client->turn, 0);
}

/* --- exchanges --- */

static void leave(struct ady_http_exchange *x)
{
	ady_timer_cancel(x->client->config.loop, &x->deadline);
	if (!x->conn)
		unlist(x);
	x->conn = NULL;
	x->client = NULL;
	ady_dyn_free(&x->request);
}

void ady_http_exchange_reply(struct ady_http_exchange *x, const struct ady_http_head *head,
                             struct ady_bytes body)
{
	leave(x);
	x->done(x, head, body, NULL);
}

void ady_http_exchange_fail(struct ady_http_exchange *x, enum ady_err err, const char *detail)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", detail);
	leave(x);
	x->done(x, NULL, (struct ady_bytes){0}, &f);
}

static void on_deadline(struct ady_timer *timer)
{
	struct ady_http_exchange *x = OWNER(timer, struct ady_http_exchange, deadline);

	if (x->conn) {
		x->conn->exchange = NULL;
		ady_http_client_conn_end(x->conn);
	}
	ady_http_exchange_fail(x, ADY_E_DEADLINE, "no reply in time");
}

/* Begin with the request's line and the fields that all requests have. */
static enum ady_err begin(struct ady_http_client *client, struct ady_http_exchange *x,
                          const char *method, const char *target)
{
	if (client->waiting >= client->config.waiting_max)
		return ADY_E_BUSY;
	x->client = client;
	x->conn = NULL;
	x->sent = false;
	x->deadline = (struct ady_timer){.fn = on_deadline};
	x->request = (struct ady_dyn){0};
	ady_dyn_printf(&x->request, "%s %s HTTP/1.1\r\n", method, target);
	ady_dyn_put(&x->request, client->head.p, client->head.n);
	return ADY_OK;
}

static void send_off(struct ady_http_client *client, struct ady_http_exchange *x, int64_t due_ms)
{
	list_last(x);
	ady_timer_set(client->config.loop, &x->deadline, due_ms - ady_mono_ms());
	ady_http_client_turn(client);
}

enum ady_err ady_http_post(struct ady_http_client *client, struct ady_http_exchange *x,
                           struct ady_bytes body, int64_t due_ms)
{
	enum ady_err err = begin(client, x, "POST", client->config.url->target);

	if (err != ADY_OK)
		return err;
	ady_dyn_printf(&x->request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	               body.n);
	ady_dyn_put(&x->request, body.p, body.n);
	send_off(client, x, due_ms);
	return ADY_OK;
}

enum ady_err ady_http_get(struct ady_http_client *client, struct ady_http_exchange *x,
                          const char *target, int64_t due_ms)
{
	enum ady_err err = begin(client, x, "GET", target);

	if (err != ADY_OK)
		return err;
	ady_dyn_str(&x->request, "\r\n");
	send_off(client, x, due_ms);
	return ADY_OK;
}

void ady_http_forget(struct ady_http_exchange *x)
{
	struct ady_http_client_conn *conn = x->conn;

	if (!x->client)
		return;
	if (conn)
		conn->exchange = NULL;
	leave(x);
	if (conn)
		ady_http_client_conn_end(conn);
}
