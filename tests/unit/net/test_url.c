/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"
#include "test.h"

CASE(urls_are_read)
{
	static const struct {
		const char *text, *host, *target, *authority, *origin;
		uint16_t port;
		bool tls, ws;
	} rows[] = {
	    {"http://127.0.0.1:8545", "127.0.0.1", "/", "127.0.0.1:8545", "http://127.0.0.1:8545",
	     8545, false, false},
	    {"https://node.example/v3/key", "node.example", "/v3/key", "node.example",
	     "https://node.example", 443, true, false},
	    {"ws://[::1]:8546/?a=b", "::1", "/?a=b", "[::1]:8546", "ws://[::1]:8546", 8546, false,
	     true},
	    {"wss://a_b.example?x", "a_b.example", "/?x", "a_b.example", "wss://a_b.example", 443,
	     true, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_fault f;
		struct ady_url url;
		char text[300];

		CHECK_ERR(ady_url_parse(&url, rows[i].text, &f), ADY_OK);
		CHECK_STR(url.host, rows[i].host);
		CHECK_STR(url.target, rows[i].target);
		CHECK_INT(url.port, rows[i].port);
		CHECK(url.tls == rows[i].tls && url.ws == rows[i].ws);
		ady_url_authority(text, sizeof text, &url);
		CHECK_STR(text, rows[i].authority);
		ady_url_origin(text, sizeof text, &url);
		CHECK_STR(text, rows[i].origin);
	}
}

CASE(what_is_no_url_is_refused_and_not_repeated)
{
	static const struct {
		const char *text, *detail;
	} rows[] = {
	    {"ftp://a", "does not begin with http://, https://, ws:// or wss://"},
	    {"127.0.0.1:8545", "does not begin with http://, https://, ws:// or wss://"},
	    {"http://", "has no host, or one that is no name or address"},
	    {"http://a b/", "has no host, or one that is no name or address"},
	    {"http://[::1", "has no host, or one that is no name or address"},
	    {"http://[host]/", "has no host, or one that is no name or address"},
	    {"https://user:secret@host/", "has user information, which belongs elsewhere"},
	    {"http://a:0/", "has a port that is none"},
	    {"http://a:65536/", "has a port that is none"},
	    {"http://a:/", "has a port that is none"},
	    {"http://a:80x", "has something other than a path behind its host"},
	    {"http://a/#top", "has a character in its path that no URL has"},
	    {"http://a/ x", "has a character in its path that no URL has"},
	    {"http://a/\r\nHost: b", "has a character in its path that no URL has"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_fault f;
		struct ady_url url;

		CHECK_ERR(ady_url_parse(&url, rows[i].text, &f), ADY_E_CONFIG);
		CHECK_STR(f.detail, rows[i].detail);
		CHECK(!strstr(f.detail, "secret"));
	}
}

int main(void)
{
	RUN(urls_are_read);
	RUN(what_is_no_url_is_refused_and_not_repeated);
	return test_end();
}
