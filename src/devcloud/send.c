/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending an answer, now or after a delay. */
#include <stdlib.h>

#include "devcloud/serve.h"

struct later {
	struct ady_timer timer;
	struct ady_loop *loop;
	struct ady_http_request *req;
	struct ady_dev_answer answer;
};

static void send_now(struct ady_http_request *req, struct ady_dev_answer *a)
{
	struct ady_bytes body = ady_dyn_bytes(&a->body);

	if (a->cut && a->cut <= body.n)
		ady_http_answer_cut(req, a->status, a->type,
		                    ady_bytes_sub(body, 0, body.n - a->cut), a->cut);
	else
		ady_http_answer(req, a->status, a->type, a->fields, body);
	ady_dyn_free(&a->body);
}

static void finish(struct later *l)
{
	l->req->cancel = NULL;
	send_now(l->req, &l->answer);
	free(l);
}

static void on_time(struct ady_timer *timer)
{
	finish((struct later *)((char *)timer - offsetof(struct later, timer)));
}

/* The client went away; the answer is owed all the same. */
static void on_cancel(struct ady_http_request *req)
{
	struct later *l = (struct later *)req->user;

	ady_timer_cancel(l->loop, &l->timer);
	finish(l);
}

void ady_dev_send(struct ady_loop *loop, struct ady_http_request *req,
                  struct ady_dev_answer *answer)
{
	struct later *l;

	if (answer->delay_ms <= 0 || !(l = (struct later *)calloc(1, sizeof *l))) {
		send_now(req, answer);
		return;
	}
	*l = (struct later){.timer = {.fn = on_time}, .loop = loop, .req = req, .answer = *answer};
	req->user = l;
	req->cancel = on_cancel;
	ady_timer_set(loop, &l->timer, answer->delay_ms);
}
