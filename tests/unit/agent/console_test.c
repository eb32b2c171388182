/* SPDX-License-Identifier: Apache-2.0 */
/* What the console shows: lines, trees, what it leaves out, the table; and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "console_screen.h"

static void a_line_tells_of_a_request(void **state)
{
	struct screen *screen = *state;
	struct otlp_span slow = server_span(1, 1, "POST /order", 0, 18400000);
	struct otlp_span fast = server_span(2, 2, "GET /cart/{id}", 3, 3100000);

	add_request(screen, &slow, "/order", 201);
	add_request(screen, &fast, "/cart/42", 200);
	assert_shown(screen,
		     " 12:04:01.204  POST /order                     201  18.4ms  ▕████████▏  /order"
		     "                shop  8c1f…e2\n"
		     " 12:04:01.207  GET /cart/{id}                  200   3.1ms  ▕███▍    ▏  /cart/42"
		     "              shop  8c1f…e2\n");
}

static void an_error_is_told_with_its_type(void **state)
{
	struct screen *screen = *state;
	struct otlp_span span = server_span(1, 1, "POST /order", 0, 18400000);
	struct otlp_attribute attributes[] = { status_code(500), text_attribute("url.path", "/order"),
					       text_attribute("url.query", "a=1"),
					       text_attribute("error.type", "500") };

	span.status = OTLP_STATUS_ERROR;
	span.attributes = attributes;
	span.attribute_cnt = 4;
	console__span(screen->console, "shop", &span);
	assert_shown(screen, " 12:04:01.204  POST /order                     500  18.4ms  ▕████████▏"
			     "  /order?a=1            shop  8c1f…e2  error.type=500\n");
}

static void a_panic_is_told_with_its_message(void **state)
{
	struct screen *screen = *state;
	struct otlp_span span = server_span(1, 1, "GET /boom", 0, 400000);
	struct otlp_attribute in_event[] = {
		text_attribute("exception.type", "runtime.boundsError"),
		text_attribute("exception.message",
			       "runtime error: index out of range [3] with length 2"),
	};
	struct otlp_event event = { .name = text("exception"), .attributes = in_event,
				    .attribute_cnt = 2, .is_panic = true };
	struct otlp_attribute attributes[] = { text_attribute("error.type", "runtime.boundsError") };

	span.status = OTLP_STATUS_ERROR;
	span.attributes = attributes;
	span.attribute_cnt = 1;
	span.events = &event;
	span.event_cnt = 1;
	console__span(screen->console, "shop", &span);
	assert_shown(screen, " 12:04:01.204  GET /boom                         !   400µs  ▕████████▏"
			     "                        shop  8c1f…e2"
			     "  panic runtime.boundsError: index out of range [3] with length 2\n");
}

/* The program's own, by RecordError; a panic says more. */
static void an_exception_is_no_panic(void **state)
{
	struct screen *screen = *state;
	struct otlp_span span = server_span(1, 1, "GET /boom", 0, 400000);
	struct otlp_attribute in_recorded[] = {
		text_attribute("exception.type", "*errors.errorString"),
		text_attribute("exception.message", "out of stock"),
		text_attribute("exception.stacktrace", "goroutine 1 [running]:\nmain.main()\n"),
	};
	struct otlp_attribute in_panic[] = { text_attribute("exception.type", "string"),
					     text_attribute("exception.message", "boom") };
	struct otlp_event events[] = {
		{ .name = text("exception"), .attributes = in_recorded, .attribute_cnt = 3 },
		{ .name = text("exception"), .attributes = in_panic, .attribute_cnt = 2,
		  .is_panic = true },
	};

	span.events = events;
	span.event_cnt = 1;
	console__span(screen->console, "shop", &span);
	span.event_cnt = 2;
	span.start_unix_ns++; /* so that it is shown behind the other */
	span.end_unix_ns++;
	console__span(screen->console, "shop", &span);
	assert_shown(screen, " 12:04:01.204  GET /boom                             400µs  ▕████████▏"
			     "                        shop  8c1f…e2"
			     "  exception *errors.errorString: out of stock\n"
			     " 12:04:01.204  GET /boom                             400µs  ▕████████▏"
			     "                        shop  8c1f…e2  panic string: boom\n");
}

static void children_hang_below_their_parent(void **state)
{
	struct screen *screen = *state;
	struct otlp_span root = server_span(1, 1, "GET /", 0, 80 * MS);
	struct otlp_span second = child_of(&root, 3, "second", 40, 40 * MS);
	struct otlp_span first = child_of(&root, 2, "first", 10, 20 * MS);
	struct otlp_span deep = child_of(&first, 4, "deep", 15, 5 * MS);

	/* As they end: the deepest first. */
	console__span(screen->console, "shop", &deep);
	console__span(screen->console, "shop", &first);
	console__span(screen->console, "db", &second);
	console__span(screen->console, "shop", &root);
	assert_shown(
		screen,
		" 12:04:01.204  GET /                                80.0ms  ▕████████▏                        shop  8c1f…e2\n"
		" 12:04:01.214  └ first                              20.0ms  ▕ ██     ▏                        shop  8c1f…e2\n"
		" 12:04:01.219    └ deep                              5.0ms  ▕ █      ▏                        shop  8c1f…e2\n"
		" 12:04:01.244  └ second                             40.0ms  ▕    ████▏                        db    8c1f…e2\n");
}

/* Each the other's parent: no tree, and no endless loop. */
static void spans_in_a_circle_are_shown(void **state)
{
	struct screen *screen = *state;
	struct otlp_span a = server_span(1, 1, "a", 0, MS), b = child_of(&a, 2, "b", 0, MS);
	struct otlp_span self = server_span(1, 3, "self", 0, MS);

	memcpy(a.parent_id, b.span_id, sizeof(a.parent_id));
	memcpy(self.parent_id, self.span_id, sizeof(self.parent_id));
	console__span(screen->console, "s", &a);
	console__span(screen->console, "s", &b);
	console__span(screen->console, "s", &self);
	console__flush(screen->console);
	fflush(screen->out);
	assert_non_null(strstr(screen->text, "  a  "));
	assert_non_null(strstr(screen->text, "  b  "));
	assert_non_null(strstr(screen->text, "  self  "));
}

static void foreign_text_is_escaped(void **state)
{
	struct screen *screen = *state;
	struct otlp_span span = server_span(1, 1, "GET /\033]0;x\a", 0, MS);

	add_request(screen, &span, "/a\nb\xff\xc2\x9b\xe2\x80\xae" "ü", 200);
	assert_shown(screen, " 12:04:01.204  GET /\\x1b]0;x\\x07               200   1.0ms  ▕████████▏"
			     "  /a\\x0ab\\xff\\u{9b}…    shop  8c1f…e2\n");
}

static unsigned count(const char *text, const char *what)
{
	unsigned cnt = 0;

	for (; (text = strstr(text, what)); text++)
		cnt++;
	return cnt;
}

static void above_twenty_a_second_the_rest_is_counted(void **state)
{
	struct screen *screen = *state;

	for (unsigned i = 0; i < 200; i++) {
		struct otlp_span span = server_span(i, 1, i % 50 == 7 ? "bad" : "good", i,
						    (i % 100 + 1) * MS);

		if (i % 50 == 7)
			span.status = OTLP_STATUS_ERROR;
		console__span(screen->console, "shop", &span);
	}
	console__flush(screen->console);
	fflush(screen->out);
	assert_int_equal(count(screen->text, "8c1f…e2"), 20);
	assert_int_equal(count(screen->text, "  bad  "), 4);
	/* The 16 slowest of the others: 93 to 100 ms, twice. */
	assert_int_equal(count(screen->text, " 100ms "), 2);
	assert_int_equal(count(screen->text, "93.0ms "), 2);
	assert_int_equal(count(screen->text, "92.0ms "), 0);
	assert_non_null(strstr(screen->text,
			       " … 180 more traces not shown (--slow, --errors and --route select)\n"));
}

/* More traces that wait than there is room for, none with its root: bounded, and all counted. */
static void what_waits_is_bounded(void **state)
{
	struct screen *screen = *state;
	struct otlp_span parent = server_span(0, 9, "p", 0, MS), span;

	for (unsigned i = 0; i < 40000; i++) {
		span = child_of(&parent, 1, "c", 0, MS);
		span.trace_id[3] = i;
		span.trace_id[4] = i >> 8;
		console__span(screen->console, "s", &span);
	}
	console__flush(screen->console);
	fflush(screen->out);
	/* Tokens come back while the loop above runs. */
	assert_in_range(count(screen->text, "8c1f…e2"), 20, 200);
	assert_non_null(strstr(screen->text, " more traces not shown"));
}

static void a_huge_trace_is_cut(void **state)
{
	struct screen *screen = *state;
	struct otlp_span root = server_span(0, 9, "root", 0, MS);

	for (unsigned i = 0; i < 1000; i++) {
		struct otlp_span span = child_of(&root, 1, "c", 0, MS);

		span.span_id[4] = i;
		span.span_id[5] = i >> 8;
		console__span(screen->console, "s", &span);
	}
	console__flush(screen->console);
	fflush(screen->out);
	assert_int_equal(count(screen->text, "8c1f…e2"), 256);
	assert_non_null(strstr(screen->text, " … and 744 more spans of this trace\n"));
}

static unsigned shown_of_three(struct screen *screen)
{
	struct otlp_span fast = server_span(1, 1, "GET /cart/{id}", 0, MS);
	struct otlp_span slow = server_span(2, 2, "GET /slow", 0, 200 * MS);
	struct otlp_span bad = server_span(3, 3, "POST /order", 0, MS);

	bad.status = OTLP_STATUS_ERROR;
	console__span(screen->console, "shop", &fast);
	console__span(screen->console, "shop", &slow);
	console__span(screen->console, "shop", &bad);
	console__flush(screen->console);
	fflush(screen->out);
	return (count(screen->text, "GET /cart/") ? 1 : 0) | (count(screen->text, "GET /slow") ? 2 : 0) |
	       (count(screen->text, "POST /order") ? 4 : 0);
}

static void filters_choose(void **state)
{
	static const struct {
		uint64_t slow_ns;
		bool errors_only;
		const char *glob;
		unsigned shown;
	} cases[] = {
		{ 0, false, NULL, 7 },	      { 100 * MS, false, NULL, 2 },
		{ 0, true, NULL, 4 },	      { 0, false, "GET *", 3 },
		{ 0, false, "/order", 4 },    { 0, true, "GET *", 0 },
		{ 0, false, "/cart/*", 1 },   { 201 * MS, false, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *inner;
		struct screen *screen;

		set_up(&inner);
		screen = inner;
		screen->config.slow_ns = cases[i].slow_ns;
		screen->config.errors_only = cases[i].errors_only;
		screen->config.route_glob = cases[i].glob;
		assert_int_equal(shown_of_three(screen), cases[i].shown);
		tear_down(&inner);
	}
}

static void the_table_counts_all_requests(void **state)
{
	struct screen *screen = *state;
	struct otlp_span span = server_span(1, 1, "GET /cart/{id}", 0, 0);
	struct otlp_span call = child_of(&span, 2, "SELECT", 0, MS);
	struct otlp_span order = server_span(1, 1, "POST /order", 0, 250 * MS);

	order.status = OTLP_STATUS_ERROR;
	screen->config.errors_only = true; /* filters the tree, not the table */
	for (unsigned i = 1; i <= 100; i++) {
		span.end_unix_ns = span.start_unix_ns + i * MS;
		span.trace_id[0] = i;
		console__span(screen->console, "shop", &span);
	}
	console__span(screen->console, "shop", &call); /* no request: not counted */
	console__count(screen->console, &order);
	console__count(screen->console, &call);
	console__flush(screen->console);
	console__table(screen->console);
	fflush(screen->out);
	assert_string_equal(
		screen->text,
		"\n"
		" route            count  errors     p50     p95     p99     max  slowest trace\n"
		" GET /cart/{id}     100       0  50.1ms  94.9ms  99.1ms   100ms  641f00000000000100000000000000e2\n"
		" POST /order          1       1   250ms   250ms   250ms   250ms\n");
}

/* What a timer finds on the screen, in a loop that runs. */
struct look {
	struct screen *screen;
	struct loop *loop;
	size_t len;
	uint64_t at_ns;
};

static void look(void *ctx)
{
	struct look *l = ctx;

	l->at_ns = loop__now_ns();
	fflush(l->screen->out);
	l->len = l->screen->len;
	loop__stop(l->loop, 0);
}

/* Without its root, which may come still, and with it. */
static void a_span_is_shown_in_time(void **state)
{
	static const struct {
		uint8_t parent;
		uint64_t after_ms;
		bool shown;
	} cases[] = { { 9, 60, false }, { 9, 1000, true }, { 0, 1000, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct screen screen = { 0 };
		struct look l = { .screen = &screen };
		struct loop_timer *timer;
		struct otlp_span span = server_span(1, 1, "GET /", 0, MS);
		uint64_t start_ns = loop__now_ns();

		span.parent_id[0] = cases[i].parent;
		screen.out = open_memstream(&screen.text, &screen.len);
		assert_int_equal(loop__new(&l.loop), 0);
		assert_int_equal(console__new(&screen.config, l.loop, screen.out, &screen.console), 0);
		assert_int_equal(loop__add_timer(l.loop, look, &l, &timer), 0);
		console__span(screen.console, "shop", &span);
		loop__start_timer(timer, cases[i].after_ms * MS, 0);
		assert_int_equal(loop__run(l.loop), 0);
		/* on a busy machine we may look too late for what is not there yet */
		if (cases[i].shown || l.at_ns - start_ns < 150 * MS)
			assert_int_equal(l.len > 0, cases[i].shown);
		console__free(screen.console);
		loop__remove_timer(timer);
		loop__free(l.loop);
		fclose(screen.out);
		free(screen.text);
	}
}

static void lost_lines_are_counted(void **state)
{
	struct config config = { 0 };
	struct console *console;
	FILE *full = fopen("/dev/full", "w");
	struct otlp_span span = server_span(1, 1, "GET /", 0, MS);
	int err;

	(void)state;
	assert_int_equal(console__new(&config, NULL, full, &console), 0);
	assert_int_equal(console__lost(console, &err), 0);
	assert_int_equal(err, 0);
	for (uint8_t i = 0; i < 3; i++) {
		span.trace_id[7] = i;
		console__span(console, "shop", &span);
	}
	console__flush(console);
	assert_int_equal(console__lost(console, &err), 3);
	assert_int_equal(err, -ENOSPC);
	console__flush(console);
	assert_int_equal(console__lost(console, &err), 3); /* nothing is tried again */
	console__free(console);
	fclose(full);
}

/* What the pipe took is not lost. */
static void a_pipe_that_is_closed_loses_the_rest(void **state)
{
	struct config config = { 0 };
	struct console *console;
	struct otlp_span span = server_span(1, 1, "GET /", 0, MS);
	char line[256];
	int err, fds[2];
	FILE *out;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	signal(SIGPIPE, SIG_IGN);
	out = fdopen(fds[1], "w");
	assert_int_equal(console__new(&config, NULL, out, &console), 0);
	console__span(console, "shop", &span);
	console__flush(console);
	assert_int_equal(console__lost(console, &err), 0);
	assert_true(read(fds[0], line, sizeof(line)) > 10);
	close(fds[0]);
	console__span(console, "shop", &span);
	console__flush(console);
	assert_int_equal(console__lost(console, &err), 1);
	assert_int_equal(err, -EPIPE);
	console__free(console);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_tells_of_a_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_error_is_told_with_its_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_panic_is_told_with_its_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_exception_is_no_panic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(children_hang_below_their_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spans_in_a_circle_are_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(foreign_text_is_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(above_twenty_a_second_the_rest_is_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_waits_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_huge_trace_is_cut, set_up, tear_down),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test_setup_teardown(the_table_counts_all_requests, set_up, tear_down),
		cmocka_unit_test(a_span_is_shown_in_time),
		cmocka_unit_test(lost_lines_are_counted),
		cmocka_unit_test(a_pipe_that_is_closed_loses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
