/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The books of batch, with the real loop and exporters: against a port where nobody listens, the
 * scripted receiver, and a file.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/batch.h"
#include "../receiver.h"

enum { LIMIT_S = 20, SPANS = 100 };

static const uint64_t NSEC_PER_MSEC = 1000 * 1000;
static const struct batch_scope http = { "gospan/net/http", "0.1.0", "https://s/2", NULL };
static const struct batch_scope sql = { "gospan/database/sql", "0.1.0", "https://s/2", NULL };

struct bench {
	struct config config;
	struct loop *loop;
	struct loop_timer *limit;
	struct batch *batch;
	struct batch_resource *shop, *cart;
	bool flushed;
	unsigned closed_cnt;
	struct batch_counts closed; /* of the last one */
	bool has_receiver;
	struct receiver receiver;
	char path[32];
};

static void on_limit(void *ctx)
{
	loop__stop(ctx, 1);
}

static struct batch_resource *open_resource(struct bench *b, const char *name)
{
	struct otlp_attribute attribute = { "service.name", OTLP_TEXT,
					    .text = { name, strlen(name) } };
	struct batch_resource *resource;
	struct bytes packed = { 0 };

	assert_int_equal(otlp__pack_resource(&packed, &attribute, 1), 0);
	assert_int_equal(batch__open_resource(b->batch, &packed, "https://s/1", &resource), 0);
	bytes__free(&packed);
	return resource;
}

/* ANSWERS: the receiver's script; NULL: nobody listens; without config.otlp_wanted: not asked. */
static void bench__start(struct bench *b, const char *const *answers)
{
	if (answers) {
		receiver__start(&b->receiver, answers);
		b->has_receiver = true;
	}
	b->config.otlp.endpoint = answers ? b->receiver.endpoint : "http://127.0.0.1:1/v1/traces";
	assert_int_equal(loop__new(&b->loop), 0);
	assert_int_equal(loop__add_timer(b->loop, on_limit, b->loop, &b->limit), 0);
	loop__start_timer(b->limit, LIMIT_S * 1000 * NSEC_PER_MSEC, 0);
	assert_int_equal(batch__new(&b->config, b->loop, &b->batch), 0);
	b->shop = open_resource(b, "shop");
	b->cart = open_resource(b, "cart");
}

static void bench__stop(struct bench *b)
{
	batch__free(b->batch);
	loop__free(b->loop);
	if (b->has_receiver)
		receiver__stop(&b->receiver);
	if (b->path[0])
		unlink(b->path);
}

static struct config usual_config(void)
{
	return (struct config){
		.otlp_wanted = true,
		.bsp_schedule_delay_ms = 5000,
		.bsp_export_timeout_ms = 1000,
		.bsp_max_queue_size = 2048,
		.bsp_max_export_batch_size = 512,
	};
}

static void add(struct bench *b, struct batch_resource *r, const struct batch_scope *scope, int cnt)
{
	struct otlp_span span = {
		.trace_id = { 1 }, .span_id = { 2 }, .kind = OTLP_SERVER, .name = { "GET", 3 },
	};

	while (cnt--)
		batch__add(b->batch, r, scope, &span);
}

static void on_flushed(void *ctx)
{
	struct bench *b = ctx;

	b->flushed = true;
	loop__stop(b->loop, 0);
}

static void flush(struct bench *b, uint32_t deadline_ms)
{
	batch__flush(b->batch, deadline_ms, on_flushed, b);
	assert_int_equal(loop__run(b->loop), 0);
	assert_true(b->flushed);
}

static void on_closed(void *ctx, const struct batch_counts *counts)
{
	struct bench *b = ctx;

	b->closed_cnt++;
	b->closed = *counts;
	loop__stop(b->loop, 0);
}

static uint64_t sum(const struct batch_counts *counts)
{
	uint64_t sum = counts->exported;

	for (int i = 0; i < BATCH_DROP_CNT; i++)
		sum += counts->dropped[i];
	return sum;
}

static void assert_counts(struct batch_counts counts, uint64_t produced, uint64_t exported)
{
	assert_int_equal(counts.produced, produced);
	assert_int_equal(counts.exported, exported);
}

/* How many spans of SERVICE the next request holds; *OTHERS: of other services. */
static size_t spans_of_request(struct bench *b, const char *service, size_t *others)
{
	json_t *request = receiver__request(&b->receiver), *span;
	size_t i, cnt = 0;

	*others = 0;
	json_array_foreach(json_object_get(request, "spans"), i, span) {
		json_t *resource = json_object_get(span, "resource");
		const char *name = json_string_value(json_object_get(resource, "service.name"));

		if (!strcmp(name, service))
			cnt++;
		else
			++*others;
	}
	json_decref(request);
	return cnt;
}

/* -- tests -- */

static void sends_what_is_flushed(void **state)
{
	struct bench b = { .config = usual_config() };
	const char *answers[] = { "200", NULL };
	size_t others;

	bench__start(&b, answers);
	add(&b, b.shop, &http, 3);
	add(&b, b.cart, &sql, 2);
	add(&b, b.shop, &sql, 1);
	assert_counts(batch__counts(b.batch), 6, 0);
	flush(&b, 5000);
	assert_counts(batch__counts(b.batch), 6, 6);
	assert_counts(batch_resource__counts(b.shop), 4, 4);
	assert_counts(batch_resource__counts(b.cart), 2, 2);
	assert_int_equal(spans_of_request(&b, "shop", &others), 4); /* one envelope for both */
	assert_int_equal(others, 2);

	add(&b, b.shop, &http, 1); /* too late, but not forgotten */
	assert_int_equal(batch__counts(b.batch).dropped[BATCH_CANCELED], 1);
	bench__stop(&b);
}

static void sends_at_its_size_and_age(void **state)
{
	struct bench b = { .config = usual_config() };
	const char *answers[] = { "200", NULL };
	size_t others;

	b.config.bsp_max_export_batch_size = 4;
	b.config.bsp_schedule_delay_ms = 50;
	bench__start(&b, answers);
	add(&b, b.shop, &http, 9);
	loop__start_timer(b.limit, 1000 * NSEC_PER_MSEC, 0);
	assert_int_equal(loop__run(b.loop), 1); /* nothing but the age of the last one */
	assert_counts(batch__counts(b.batch), 9, 9);
	assert_int_equal(spans_of_request(&b, "shop", &others), 4);
	assert_int_equal(spans_of_request(&b, "shop", &others), 4);
	assert_int_equal(spans_of_request(&b, "shop", &others), 1);
	bench__stop(&b);
}

static void counts_by_reason(void **state)
{
	static const struct {
		const char *answer;
		uint64_t exported;
		enum batch_drop reason;
	} cases[] = {
		{ "400", 0, BATCH_REFUSED },
		{ "503", 0, BATCH_FAILED },
		{ "partial:30:no", SPANS - 30, BATCH_REJECTED },
		{ NULL, 0, BATCH_FAILED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b = { .config = usual_config() };
		const char *answers[] = { cases[i].answer, NULL };
		struct batch_counts counts;

		bench__start(&b, cases[i].answer ? answers : NULL);
		add(&b, b.shop, &http, SPANS / 2);
		add(&b, b.cart, &http, SPANS / 2);
		flush(&b, 500);
		counts = batch__counts(b.batch);
		assert_counts(counts, SPANS, cases[i].exported);
		assert_int_equal(counts.dropped[cases[i].reason], SPANS - cases[i].exported);
		counts = batch_resource__counts(b.shop);
		assert_int_equal(sum(&counts), SPANS / 2);
		counts = batch_resource__counts(b.cart);
		assert_int_equal(sum(&counts), SPANS / 2);
		bench__stop(&b);
	}
}

/* However many tracers a program has: none is lost, nor is there no room left for a library. */
static void files_many_scopes_under_another_name(void **state)
{
	struct bench b = { .config = usual_config() };
	const char *answers[] = { "200", NULL };
	char name[24];

	bench__start(&b, answers);
	for (int i = 0; i < 300; i++) {
		struct batch_scope scope = { name, NULL, NULL, "gospan/otherwise" };

		snprintf(name, sizeof(name), "tracer %d", i);
		add(&b, b.shop, &scope, 1);
	}
	add(&b, b.shop, &http, 1);
	add(&b, b.shop, &sql, 1);
	flush(&b, 500);
	assert_counts(batch__counts(b.batch), 302, 302);
	bench__stop(&b);
}

static void holds_no_more_than_the_queue(void **state)
{
	struct bench b = { .config = usual_config() };
	struct batch_counts counts;

	b.config.bsp_max_queue_size = 64;
	b.config.bsp_max_export_batch_size = 16;
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS);
	counts = batch__counts(b.batch);
	assert_int_equal(counts.dropped[BATCH_QUEUE_FULL], SPANS - 64);
	assert_int_equal(sum(&counts), SPANS - 64);
	flush(&b, 200);
	counts = batch__counts(b.batch);
	assert_int_equal(sum(&counts), SPANS);
	bench__stop(&b);
}

/* A receiver that comes back in time loses nothing. */
static void survives_a_receiver_that_is_away(void **state)
{
	struct bench b = { .config = usual_config() };
	const char *answers[] = { "503", "close", "200", NULL };

	b.config.bsp_export_timeout_ms = 10000;
	bench__start(&b, answers);
	add(&b, b.shop, &http, SPANS);
	batch__close_resource(b.batch, b.shop, on_closed, &b);
	assert_int_equal(loop__run(b.loop), 0);
	assert_counts(b.closed, SPANS, SPANS);
	bench__stop(&b);
}

static void closes_a_resource_when_its_spans_are_settled(void **state)
{
	struct bench b = { .config = usual_config() };
	const char *answers[] = { "200", NULL };

	bench__start(&b, answers);
	add(&b, b.shop, &http, 5);
	add(&b, b.cart, &http, 1);
	batch__close_resource(b.batch, b.shop, on_closed, &b);
	assert_int_equal(b.closed_cnt, 0);
	assert_int_equal(loop__run(b.loop), 0);
	assert_int_equal(b.closed_cnt, 1);
	assert_counts(b.closed, 5, 5);
	batch__close_resource(b.batch, b.cart, on_closed, &b); /* has gone with the others */
	assert_int_equal(b.closed_cnt, 2);
	assert_counts(b.closed, 1, 1);
	assert_counts(batch__counts(b.batch), 6, 6);
	bench__stop(&b);
}

static size_t count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0, cnt = 0;
	json_t *root;

	assert_non_null(file);
	while (getline(&line, &cap, file) > 0) {
		root = json_loads(line, 0, NULL);
		assert_int_equal(json_array_size(json_object_get(root, "resourceSpans")), 1);
		json_decref(root);
		cnt++;
	}
	free(line);
	fclose(file);
	return cnt;
}

static void set_file(struct bench *b)
{
	int fd;

	snprintf(b->path, sizeof(b->path), "/tmp/gospan-batch-XXXXXX");
	fd = mkstemp(b->path);
	assert_true(fd >= 0);
	close(fd);
	b->config.otlp_file = b->path;
}

static void writes_a_line_a_batch(void **state)
{
	struct bench b = { .config = usual_config() };

	b.config.otlp_wanted = false;
	b.config.bsp_max_export_batch_size = 40;
	set_file(&b);
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS);
	assert_counts(batch__counts(b.batch), SPANS, 80);
	flush(&b, 1000);
	assert_counts(batch__counts(b.batch), SPANS, SPANS);
	assert_int_equal(count_lines(b.path), 3);
	bench__stop(&b);
}

/* The file has everything, whatever becomes of the receiver, whose books count. */
static void keeps_sinks_apart(void **state)
{
	struct bench b = { .config = usual_config() };

	b.config.bsp_max_queue_size = 64;
	b.config.bsp_max_export_batch_size = 10;
	set_file(&b);
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS);
	flush(&b, 200);
	assert_counts(batch__counts(b.batch), SPANS, 0);
	assert_int_equal(count_lines(b.path), SPANS / 10);
	bench__stop(&b);
}

static void counts_a_full_disk(void **state)
{
	struct bench b = { .config = usual_config() };

	b.config.otlp_wanted = false;
	b.config.otlp_file = "/dev/full";
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS);
	flush(&b, 200);
	assert_int_equal(batch__counts(b.batch).dropped[BATCH_FAILED], SPANS);
	bench__stop(&b);
}

static void exports_to_the_console_alone(void **state)
{
	struct bench b = { .config = usual_config() };

	b.config.otlp_wanted = false;
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS);
	batch__close_resource(b.batch, b.shop, on_closed, &b);
	assert_counts(b.closed, SPANS, SPANS);
	bench__stop(&b);
}

static void frees_what_is_held(void **state)
{
	struct bench b = { .config = usual_config() };

	b.config.bsp_max_export_batch_size = 10;
	bench__start(&b, NULL);
	add(&b, b.shop, &http, SPANS + 5);
	batch__close_resource(b.batch, b.cart, NULL, NULL);
	bench__stop(&b);
	assert_int_equal(b.closed_cnt, 0);
}

static void refuses_unusable_settings(void **state)
{
	struct config config = usual_config();
	struct batch *batch = NULL;
	struct loop *loop;

	assert_int_equal(loop__new(&loop), 0);
	config.otlp.endpoint = "nonsense";
	assert_int_equal(batch__new(&config, loop, &batch), -EINVAL);
	config.otlp_wanted = false;
	config.otlp_file = "/nonexistent/file";
	assert_int_equal(batch__new(&config, loop, &batch), -EINVAL);
	assert_null(batch);
	loop__free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_is_flushed),
		cmocka_unit_test(sends_at_its_size_and_age),
		cmocka_unit_test(counts_by_reason),
		cmocka_unit_test(files_many_scopes_under_another_name),
		cmocka_unit_test(holds_no_more_than_the_queue),
		cmocka_unit_test(survives_a_receiver_that_is_away),
		cmocka_unit_test(closes_a_resource_when_its_spans_are_settled),
		cmocka_unit_test(writes_a_line_a_batch),
		cmocka_unit_test(keeps_sinks_apart),
		cmocka_unit_test(counts_a_full_disk),
		cmocka_unit_test(exports_to_the_console_alone),
		cmocka_unit_test(frees_what_is_held),
		cmocka_unit_test(refuses_unusable_settings),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
