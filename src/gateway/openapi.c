/* SPDX-License-Identifier: Apache-2.0
 *
 * The description of the HTTP interface, src/gateway/openapi.json, as part of the program. */
#include "gateway/answer.h"
#include "gateway/op.h"

__asm__(".pushsection .rodata\n"
        ".global ady_openapi_start\n"
        "ady_openapi_start:\n"
        ".incbin \"src/gateway/openapi.json\"\n"
        "1:\n"
        ".balign 8\n"
        ".global ady_openapi_size\n"
        "ady_openapi_size:\n"
        ".quad 1b - ady_openapi_start\n"
        ".popsection\n");

extern const uint8_t ady_openapi_start[];
extern const uint64_t ady_openapi_size;

void ady_page_openapi(struct ady_shard *shard, struct ady_http_request *req)
{
	char id[ADY_REQUEST_ID_MAX + 1];

	ady_request_id(shard, req, id);
	shard->out.n = 0;
	ady_dyn_put(&shard->out, ady_openapi_start, ady_openapi_size);
	ady_answer_now(shard, req, ADY_ROUTE_OPENAPI, 200, ADY_JSON_TYPE, NULL, id);
}
