/* SPDX-License-Identifier: Apache-2.0 */
/* Traces through several processes, with calls and queries: one tree, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "console_screen.h"

enum { LOCAL = OTLP_FLAG_HAS_IS_REMOTE, REMOTE = OTLP_FLAG_HAS_IS_REMOTE | OTLP_FLAG_IS_REMOTE };

/* POST /order of a shop, whose call makes a warehouse begin a transaction and insert. */
struct order {
	struct otlp_span root, client, server, begin, insert;
};

static struct order an_order(void)
{
	struct order o = { .root = server_span(1, 1, "POST /order", 0, 80 * MS) };

	o.client = child_of(&o.root, 2, "POST", 10, 60 * MS);
	o.server = child_of(&o.client, 3, "POST /orders", 20, 40 * MS);
	o.begin = child_of(&o.server, 4, "BEGIN", 20, 10 * MS);
	o.insert = child_of(&o.server, 5, "INSERT orders", 30, 20 * MS);
	o.server.kind = OTLP_SERVER;
	o.root.flags = o.client.flags = o.begin.flags = o.insert.flags = LOCAL;
	o.server.flags = REMOTE;
	return o;
}

static const char order_tree[] =
	" 12:04:01.204  POST /order                          80.0ms  ▕████████▏"
	"                        shop  8c1f…e2\n"
	" 12:04:01.214  └ POST                               60.0ms  ▕ ██████ ▏"
	"                        shop  8c1f…e2\n"
	" 12:04:01.224    └ POST /orders                     40.0ms  ▕  ████  ▏"
	"                        warehouse  8c1f…e2\n"
	" 12:04:01.224      └ BEGIN                          10.0ms  ▕  █     ▏"
	"                        warehouse  8c1f…e2\n"
	" 12:04:01.234      └ INSERT orders                  20.0ms  ▕   ██   ▏"
	"                        warehouse  8c1f…e2\n";

static void a_call_across_processes_is_one_tree(void **state)
{
	struct screen *screen = *state;
	struct order o = an_order();

	/* The shop may have its answer before the warehouse is done with the request. */
	console__span(screen->console, "warehouse", &o.insert);
	console__span(screen->console, "warehouse", &o.begin);
	console__span(screen->console, "shop", &o.client);
	console__span(screen->console, "shop", &o.root);
	console__span(screen->console, "warehouse", &o.server);
	assert_shown(screen, order_tree);
}

/* Spans that come at given moments, in a loop that runs; what is on the screen at others. */
struct play {
	struct screen screen;
	struct loop *loop;
	struct {
		uint64_t after_ms;
		const char *service; /* NULL: look */
		const struct otlp_span *span;
	} scenes[8];
	unsigned next;
	struct loop_timer *timer;
	size_t seen[8];
};

static void next_scene(void *ctx)
{
	struct play *p = ctx;
	unsigned i = p->next++;

	if (p->scenes[i].service)
		console__span(p->screen.console, p->scenes[i].service, p->scenes[i].span);
	fflush(p->screen.out);
	p->seen[i] = p->screen.len;
	if (p->scenes[p->next].after_ms)
		loop__start_timer(p->timer, p->scenes[p->next].after_ms * MS, 0);
	else
		loop__stop(p->loop, 0);
}

static void run(struct play *p)
{
	setenv("TZ", "UTC", 1);
	unsetenv("COLUMNS");
	p->screen.out = open_memstream(&p->screen.text, &p->screen.len);
	assert_int_equal(loop__new(&p->loop), 0);
	assert_int_equal(console__new(&p->screen.config, p->loop, p->screen.out, &p->screen.console), 0);
	assert_int_equal(loop__add_timer(p->loop, next_scene, p, &p->timer), 0);
	loop__start_timer(p->timer, p->scenes[0].after_ms * MS, 0);
	assert_int_equal(loop__run(p->loop), 0);
	console__free(p->screen.console);
	loop__remove_timer(p->timer);
	loop__free(p->loop);
	fclose(p->screen.out);
}

static void a_span_waits_for_its_open_parents(void **state)
{
	struct order o = an_order();
	struct play p = { .scenes = {
				  { 1, "warehouse", &o.begin },
				  { 300, "warehouse", &o.insert },
				  { 300, "warehouse", &o.server },
				  { 5, "shop", &o.client },
				  { 300, "shop", &o.root },
				  { 250, NULL, NULL },
			  } };

	(void)state;
	run(&p);
	assert_int_equal(p.seen[4], 0);
	assert_string_equal(p.screen.text, order_tree);
	free(p.screen.text);
}

/* They have ended, but the look for events came between. */
static void spans_that_come_after_the_root_belong_to_its_tree(void **state)
{
	struct order o = an_order();
	struct play p = { .scenes = {
				  { 1, "shop", &o.client },
				  { 1, "shop", &o.root },
				  { 5, "warehouse", &o.begin },
				  { 1, "warehouse", &o.insert },
				  { 1, "warehouse", &o.server },
				  { 200, NULL, NULL },
			  } };

	(void)state;
	run(&p);
	assert_string_equal(p.screen.text, order_tree);
	free(p.screen.text);
}

/* A stream that lasts for hours. */
static void an_open_parent_is_not_waited_for_for_ever(void **state)
{
	struct order o = an_order();
	struct play p = { .scenes = {
				  { 1, "warehouse", &o.insert },
				  { 1500, NULL, NULL },
				  { 700, NULL, NULL },
			  } };

	(void)state;
	run(&p);
	assert_int_equal(p.seen[1], 0);
	assert_non_null(strstr(p.screen.text, "INSERT orders"));
	free(p.screen.text);
}

/* The line of one CLIENT span, behind its time. */
static const char *line_of(struct screen *screen, const char *name,
			   const struct otlp_attribute *attributes, size_t cnt, const char *error)
{
	struct otlp_span span = server_span(1, 1, name, 0, 20 * MS);
	const char *bar;

	span.kind = OTLP_CLIENT;
	span.attributes = attributes;
	span.attribute_cnt = cnt;
	if (error) {
		span.status = OTLP_STATUS_ERROR;
		span.status_message = text(error);
	}
	fseeko(screen->out, 0, SEEK_SET);
	console__span(screen->console, "shop", &span);
	console__flush(screen->console);
	fflush(screen->out);
	screen->text[screen->len] = '\0';
	bar = strstr(screen->text, "▏  ");
	assert_non_null(bar);
	return bar + strlen("▏  ");
}

static void the_path_is_what_was_asked_for(void **state)
{
	static const struct {
		const char *key, *value, *shown;
	} cases[] = {
		{ "url.full", "http://warehouse:8080/carts/42", "/carts/42             shop" },
		{ "url.full", "http://warehouse:8080/a?b=c#d", "/a?b=c#d              shop" },
		{ "url.full", "http://warehouse:8080", "                      shop" },
		{ "url.full", "http://warehouse?q=/x", "?q=/x                 shop" },
		{ "url.full", "/relative", "/relative             shop" },
		{ "db.query.text", "DELETE\n\t FROM  a", "DELETE FROM a         shop" },
		{ "server.address", "db", "db:5432               shop" },
		{ "server.address", "::1", "[::1]:5432            shop" },
	};
	struct otlp_attribute attributes[2] = {
		[1] = { .key = "server.port", .type = OTLP_INT, .number = 5432 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *line;
		size_t len = strlen(cases[i].shown);

		attributes[0] = text_attribute(cases[i].key, cases[i].value);
		line = line_of(*state, "x", attributes, i < 6 ? 1 : 2, NULL);
		if (strncmp(line, cases[i].shown, len) != 0)
			fail_msg("'%s' is shown as '%s'", cases[i].value, line);
	}
}

static void assert_line(void **state, const struct otlp_attribute *attributes, size_t cnt,
			const char *error, const char *status, const char *notes)
{
	struct screen *screen = *state;
	const char *line = line_of(screen, "x", attributes, cnt, error);
	const char *id = strstr(line, "8c1f…e2");
	char column[8] = "";

	assert_non_null(id);
	memcpy(column, screen->text + 1 + 12 + 2 + 30 + 2, 3);
	assert_string_equal(column, status);
	assert_string_equal(id + strlen("8c1f…e2"), notes);
}

static void a_status_that_is_a_word_is_told(void **state)
{
	struct otlp_attribute rpc[] = { text_attribute("rpc.response.status_code", "OK"),
					text_attribute("error.type", "NOT_FOUND") };
	struct otlp_attribute db[] = { text_attribute("db.response.status_code", "23505"),
				       text_attribute("error.type", "23505") };

	assert_line(state, rpc, 1, NULL, " OK", "\n");
	rpc[0].text = text("NOT_FOUND"); /* a server's: not its error */
	assert_line(state, rpc, 1, NULL, "   ", "  NOT_FOUND\n");
	assert_line(state, rpc, 2, "no product 99", "  !",
		    "  error.type=NOT_FOUND: no product 99\n");
	assert_line(state, db, 2, "duplicate key", "  !", "  error.type=23505: duplicate key\n");
	assert_line(state, NULL, 0, "said so", "  !", "  error: said so\n");
}

static void a_wait_for_a_connection_is_told(void **state)
{
	struct otlp_attribute attributes[] = {
		{ .key = "gospan.db.pool_wait", .type = OTLP_DOUBLE, .real = 0.018 },
		text_attribute("error.type", "timeout"),
	};

	assert_line(state, attributes, 1, NULL, "   ", "  waited 18.0ms for a connection\n");
	assert_line(state, attributes, 2, "", "  !",
		    "  error.type=timeout, waited 18.0ms for a connection\n");
	attributes[0].real = 0.0001; /* of 20 ms: explains nothing */
	assert_line(state, attributes, 1, NULL, "   ", "\n");
}

/* A span of that NAME begins its line, behind the time, with SHOWN. */
static void assert_named(struct screen *screen, const char *name, const char *shown)
{
	line_of(screen, name, NULL, 0, NULL);
	assert_memory_equal(screen->text + 15, shown, strlen(shown));
}

/* What is cut is what tells least. */
static void a_method_is_shown_rather_than_its_package(void **state)
{
	assert_named(*state, "acme.inventory.v1.Catalogue/Product", "Catalogue/Product   ");
	assert_named(*state, "inventory.Catalogue/Product", "inventory.Catalogue/Product   ");
}

static void a_long_route_is_told_by_its_end(void **state)
{
	assert_named(*state, "GET /api/v1/namespaces/{namespace}/pods/{name}/log",
		     "GET …/pods/{name}/log   ");
	assert_named(*state, "GET /api/v1/namespaces/{a_name_that_is_too_long}",
		     "GET /api/v1/namespaces/{a_nam…");
	assert_named(*state, "DELETE /api/v1/nodes/{name}", "DELETE /api/v1/nodes/{name}   ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_across_processes_is_one_tree, set_up,
						tear_down),
		cmocka_unit_test(a_span_waits_for_its_open_parents),
		cmocka_unit_test(spans_that_come_after_the_root_belong_to_its_tree),
		cmocka_unit_test(an_open_parent_is_not_waited_for_for_ever),
		cmocka_unit_test_setup_teardown(the_path_is_what_was_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_status_that_is_a_word_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wait_for_a_connection_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_method_is_shown_rather_than_its_package, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_long_route_is_told_by_its_end, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
