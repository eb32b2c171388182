/* SPDX-License-Identifier: Apache-2.0 */
/* url.full of the fields of a url.URL: what Go's String() writes, less what nobody should read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../agent/http_url.h"

static const char *secrets[] = {"sig", "token"};
static const struct strings keys = {.at = secrets, .cnt = 2};

static struct otlp_text t(const char *s)
{
	return text_of(s);
}

static void expect(const struct http_url *url, const char *want)
{
	static struct build_span b;
	struct otlp_text got;
	char text[4096];

	build__begin(&b);
	build__text(&b, "before", text_of("other texts lie on the workbench too"));
	got = http__full_url(&b, url, &keys);
	assert_true(got.len < sizeof(text));
	if (got.len)
		memcpy(text, got.at, got.len);
	text[got.len] = 0;
	assert_string_equal(text, want);
}

static void parts(void **state)
{
	struct http_url url = {.scheme = t("https"), .host = t("shop.example:8443")};

	expect(&url, "https://shop.example:8443");
	url.path = t("/a/b");
	expect(&url, "https://shop.example:8443/a/b");
	url.query = t("x=1&token=abc&y=2&sig=z");
	expect(&url, "https://shop.example:8443/a/b?x=1&token=REDACTED&y=2&sig=REDACTED");
	url.fragment = t("part 1");
	url.query = t("");
	expect(&url, "https://shop.example:8443/a/b#part%201");
	url.has_user = true;
	expect(&url, "https://REDACTED:REDACTED@shop.example:8443/a/b#part%201");
	url.scheme = t("");
	expect(&url, "");
}

static void paths(void **state)
{
	struct http_url url = {.scheme = t("http"), .host = t("a")};

	url.path = t("/a b/%/\xc3\xa9?#;,$&+=:@-_.~!*'()");
	expect(&url, "http://a/a%20b/%25/%C3%A9%3F%23;,$&+=:@-_.~%21%2A%27%28%29");
	url.path = t("relative");
	expect(&url, "http://a/relative");
	url.path = t("*");
	expect(&url, "http://a/*");
}

static void raw_paths(void **state)
{
	struct http_url url = {.scheme = t("http"), .host = t("a"), .path = t("/x/y")};

	url.raw_path = t("/x%2Fy");
	expect(&url, "http://a/x%2Fy");
	url.raw_path = t("/other");
	expect(&url, "http://a/x/y");
	url.raw_path = t("/x y");
	expect(&url, "http://a/x/y");
	url.raw_path = t("/x%2");
	expect(&url, "http://a/x/y");
	url.path = t("/!'()*[]");
	url.raw_path = t("/!'()*[]");
	expect(&url, "http://a/!'()*[]");
}

static void opaque(void **state)
{
	struct http_url url = {.scheme = t("http"), .host = t("not.this"), .path = t("/nor/this")};

	url.opaque = t("//b.example/c%2Fd");
	expect(&url, "http://b.example/c%2Fd");
	url.opaque = t("//joe:pass@b.example/@c");
	expect(&url, "http://REDACTED:REDACTED@b.example/@c");
	url.opaque = t("//");
	expect(&url, "http://");
	url.opaque = t("/");
	url.query = t("token=1");
	expect(&url, "http:/?token=REDACTED");
}

/* Bytes of the target, not all of them text. */
static void hostile(void **state)
{
	struct http_url url = {.scheme = t("http"), .host = {"a\0\xff", 3}};

	url.path = (struct otlp_text){"/\0\xff", 3};
	expect(&url, "http://a\xef\xbf\xbd\xef\xbf\xbd/%00%FF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),  cmocka_unit_test(paths),   cmocka_unit_test(raw_paths),
		cmocka_unit_test(opaque), cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
