/* SPDX-License-Identifier: Apache-2.0 */
/* bench: an OTLP exporter on the smallest loop it can have, with short back-off. */
#ifndef GOSPAN_TESTS_OTLP_BENCH_H
#define GOSPAN_TESTS_OTLP_BENCH_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../otlp/exporter.h"
#include "../../../otlp/sender.h"
#include "sample.h"

enum { SPAN_CNT = 2, LIMIT_MS = 5000 };

static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct bench {
	int epoll_fd;
	uint64_t timer_at;
	struct exporter *exporter;
	unsigned done_cnt;
	enum export_result result;
	uint64_t rejected;
	char reason[1024];
	unsigned down_cnt, up_cnt;
};

static inline int watch(void *ctx, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	struct bench *b = ctx;

	if (!events)
		return epoll_ctl(b->epoll_fd, EPOLL_CTL_DEL, fd, NULL) ? -errno : 0;
	if (!epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return 0;
	return epoll_ctl(b->epoll_fd, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

static inline int timer(void *ctx, long delay_ms)
{
	struct bench *b = ctx;

	b->timer_at = delay_ms < 0 ? UINT64_MAX : now_ms() + (uint64_t)delay_ms;
	return 0;
}

static inline void on_done(void *ctx, enum export_result result, uint64_t rejected,
			   const char *reason)
{
	struct bench *b = ctx;

	b->done_cnt++;
	b->result = result;
	b->rejected = rejected;
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
}

static inline void on_health(void *ctx, bool up, const char *reason)
{
	struct bench *b = ctx;

	if (up)
		b->up_cnt++;
	else
		b->down_cnt++;
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
}

static inline void run_until_done(struct bench *b, unsigned done_cnt)
{
	uint64_t limit = now_ms() + LIMIT_MS;
	struct epoll_event event;

	while (b->done_cnt < done_cnt && now_ms() < limit) {
		uint64_t now = now_ms();
		int wait = b->timer_at <= now		   ? 0 :
			   b->timer_at - now < LIMIT_MS ? (int)(b->timer_at - now) :
							     LIMIT_MS;

		if (epoll_wait(b->epoll_fd, &event, 1, wait) == 1)
			exporter__on_fd(b->exporter, event.data.fd, event.events);
		if (b->timer_at <= now_ms()) {
			b->timer_at = UINT64_MAX;
			exporter__on_timer(b->exporter);
		}
	}
	assert_int_equal(b->done_cnt, done_cnt);
}

static inline void bench__start(struct bench *b, const struct otlp_settings *settings)
{
	struct otlp_loop loop = { b, watch, timer };
	char err_text[256] = "";

	*b = (struct bench){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .timer_at = UINT64_MAX };
	if (exporter__new_otlp(settings, &loop, on_health, b, &b->exporter, err_text,
			       sizeof(err_text)))
		fail_msg("%s", err_text);
	sender__set_backoff(b->exporter, (struct backoff){ 20, 40 });
}

static inline void bench__stop(struct bench *b)
{
	exporter__free(b->exporter);
	close(b->epoll_fd);
}

static inline void submit(struct bench *b)
{
	const struct otlp_attribute attribute = { "service.name", OTLP_TEXT, .text = TEXT("shop") };
	struct bytes resource = { 0 }, spans = { 0 }, traces = { 0 };
	struct otlp_scope scope = { "gospan/net/http", "0.1.0", "", &spans };

	assert_int_equal(otlp__pack_resource(&resource, &attribute, 1), 0);
	for (int i = 0; i < SPAN_CNT; i++)
		assert_int_equal(otlp__append_span(&spans, &sample_span), 0);
	assert_int_equal(otlp__append_resource_spans(&traces, &resource, "", &scope, 1), 0);
	assert_int_equal(exporter__submit(b->exporter, &traces, SPAN_CNT, on_done, b), 0);
	bytes__free(&resource);
	bytes__free(&spans);
}

#endif
