/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender: the OTLP exporter. Each payload has a slot, which goes
 *
 *     FREE -> submit -> WAITING -> its time has come -> RUNNING -> answer -> FREE (done is called)
 *                          ^                                          |
 *                          +---- retryable: back-off or as told ------+
 *
 * and ends at its deadline in any state. libcurl's multi handle does the transfers on the caller's
 * loop: it names sockets to watch and one time; that time and the slots' times share one timer.
 */
#include "sender.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"
#include "transfer.h"

enum {
	TIMEOUT_MS = 10000, /* the OTLP exporter's default */
	RETRY_MS = 60000,   /* a collector's restart fits in */
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_MAX_MS = 10000,
};

static const uint64_t NEVER = UINT64_MAX;

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_RUNNING };

struct slot {
	enum slot_state state;
	struct transfer transfer;
	struct bytes body;
	uint64_t span_cnt;
	uint64_t start_at_ms;
	uint64_t deadline_ms;
	unsigned attempts;
	bool cut_short; /* the attempt under way has only the rest of the payload's time */
	char reason[REASON_SZ + 256]; /* why the last attempt failed */
	export_done done;
	void *ctx;
};

struct sender {
	struct exporter base;
	const struct protocol *protocol;
	struct otlp_loop loop;
	export_health health;
	void *health_ctx;
	uint32_t timeout_ms, retry_ms;
	bool gzip;
	struct backoff backoff;
	CURLM *multi;
	CURL *template;
	char *url, *shown;
	struct curl_slist *headers;
	struct slot slots[OTLP_MAX_CONCURRENT];
	uint64_t curl_at_ms;	/* when libcurl wants to be called; NEVER */
	uint64_t not_before_ms; /* the receiver asked for a pause */
	uint64_t hurry_until_ms; /* NEVER: no hurry */
	bool down;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* -- time -- */

static uint64_t start_of(const struct sender *s, const struct slot *slot)
{
	return latest(slot->start_at_ms, s->not_before_ms);
}

/* A retry that the final flush cannot wait for. */
static bool is_hopeless(const struct sender *s, const struct slot *slot)
{
	return s->hurry_until_ms != NEVER && start_of(s, slot) >= slot->deadline_ms;
}

static void set_timer(struct sender *s)
{
	uint64_t at = s->curl_at_ms, now = now_ms();

	for (size_t i = 0; i < OTLP_MAX_CONCURRENT; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->state != SLOT_FREE)
			at = earliest(at, slot->deadline_ms);
		if (slot->state == SLOT_WAITING)
			at = is_hopeless(s, slot) ? now : earliest(at, start_of(s, slot));
	}
	s->loop.timer(s->loop.ctx, at == NEVER ? -1 : at > now ? (long)(at - now) : 0);
}

/* Half of the wait is fixed, half by chance, so that agents do not come back all at once. */
static uint64_t backoff_ms(const struct sender *s, unsigned attempts)
{
	uint64_t wait = s->backoff.first_ms;
	uint32_t chance = 0;

	while (--attempts > 0 && wait < s->backoff.max_ms)
		wait *= 2;
	wait = earliest(wait, s->backoff.max_ms);
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = (uint32_t)getpid();
	return wait / 2 + chance % (wait / 2 + 1);
}

/* -- slots -- */

static void finish(struct sender *s, struct slot *slot, enum export_result result,
		   uint64_t rejected, const char *reason)
{
	export_done done = slot->done;
	void *ctx = slot->ctx;
	char copy[sizeof(slot->reason)];

	if (slot->state == SLOT_RUNNING)
		transfer__end(&slot->transfer, s->multi);
	snprintf(copy, sizeof(copy), "%s", reason);
	bytes__free(&slot->body);
	slot->state = SLOT_FREE;
	done(ctx, result, rejected, copy);
}

static void start(struct sender *s, struct slot *slot, uint64_t now)
{
	uint64_t timeout = earliest(s->timeout_ms, slot->deadline_ms - now);

	slot->attempts++;
	slot->cut_short = timeout < s->timeout_ms;
	if (transfer__start(&slot->transfer, s->template, s->multi, &slot->body, (long)timeout, slot)) {
		finish(s, slot, EXPORT_FAILED, 0, "libcurl: failed to start the transfer");
		return;
	}
	slot->state = SLOT_RUNNING;
}

static void tell_health(struct sender *s, bool up, const char *reason)
{
	if (s->down != up)
		return;
	s->down = !up;
	if (s->health)
		s->health(s->health_ctx, up, reason);
}

static void wait_for_retry(struct sender *s, struct slot *slot, const struct verdict *verdict)
{
	uint64_t now = now_ms();

	slot->state = SLOT_WAITING;
	if (verdict->wait_ms >= 0) {
		slot->start_at_ms = now + (uint64_t)verdict->wait_ms;
		s->not_before_ms = latest(s->not_before_ms, slot->start_at_ms);
	} else {
		slot->start_at_ms = now + backoff_ms(s, slot->attempts);
	}
	tell_health(s, false, slot->reason);
}

/* An attempt that had only the rest of the payload's time says less than the one before it. */
static bool says_less(const struct slot *slot, CURLcode code)
{
	return code == CURLE_OPERATION_TIMEDOUT && slot->cut_short && slot->attempts > 1;
}

/* The transfer of SLOT has ended with CODE. */
static void settle(struct sender *s, struct slot *slot, CURLcode code)
{
	struct answer *answer = &slot->transfer.answer;
	struct verdict verdict;

	answer->code = code;
	curl_easy_getinfo(slot->transfer.easy, CURLINFO_RESPONSE_CODE, &answer->status);
	s->protocol->judge(answer, &verdict);
	transfer__end(&slot->transfer, s->multi);
	slot->state = SLOT_WAITING;
	if (!verdict.reason[0])
		slot->reason[0] = '\0';
	else if (!says_less(slot, code))
		snprintf(slot->reason, sizeof(slot->reason), "%s: %s", s->shown, verdict.reason);

	if (verdict.kind == VERDICT_RETRY) {
		wait_for_retry(s, slot, &verdict);
	} else if (verdict.kind == VERDICT_FINAL) {
		finish(s, slot, EXPORT_REFUSED, 0, slot->reason);
	} else {
		tell_health(s, true, s->shown);
		finish(s, slot, EXPORT_OK, earliest(verdict.rejected, slot->span_cnt),
		       slot->reason);
	}
}

/* Does what is due: answers that came, deadlines that passed, attempts whose time has come. */
static void step(struct sender *s)
{
	struct slot *slot;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(s->multi, &left))) {
		char *owner = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
		settle(s, (struct slot *)owner, message->data.result);
	}
	for (size_t i = 0; i < OTLP_MAX_CONCURRENT; i++) {
		uint64_t now = now_ms();

		slot = &s->slots[i];
		if (slot->state != SLOT_FREE && now >= slot->deadline_ms)
			finish(s, slot, EXPORT_FAILED, 0, *slot->reason ? slot->reason : s->shown);
		else if (slot->state == SLOT_WAITING && is_hopeless(s, slot))
			finish(s, slot, EXPORT_FAILED, 0, slot->reason);
		else if (slot->state == SLOT_WAITING && now >= start_of(s, slot))
			start(s, slot, now);
	}
	set_timer(s);
}

/* -- libcurl asks -- */

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct sender *s = ctx;
	uint32_t events = 0;

	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	return s->loop.watch(s->loop.ctx, fd, events) < 0 && events ? -1 : 0;
}

static int on_curl_timer(CURLM *multi, long delay_ms, void *ctx)
{
	struct sender *s = ctx;

	s->curl_at_ms = delay_ms < 0 ? NEVER : now_ms() + (uint64_t)delay_ms;
	set_timer(s);
	return 0;
}

/* -- the exporter's operations -- */

static struct sender *sender_of(struct exporter *e)
{
	return (struct sender *)e;
}

static size_t sender_pending(const struct exporter *e)
{
	const struct sender *s = (const struct sender *)e;
	size_t cnt = 0;

	for (size_t i = 0; i < OTLP_MAX_CONCURRENT; i++)
		cnt += s->slots[i].state != SLOT_FREE;
	return cnt;
}

static int sender_submit(struct exporter *e, struct bytes *payload, uint64_t span_cnt,
			 export_done done, void *ctx)
{
	struct sender *s = sender_of(e);
	struct slot *slot = s->slots;
	struct bytes body = { 0 };
	uint64_t now = now_ms();
	int err;

	while (slot < s->slots + OTLP_MAX_CONCURRENT && slot->state != SLOT_FREE)
		slot++;
	if (slot == s->slots + OTLP_MAX_CONCURRENT)
		return -EAGAIN;
	err = s->protocol->encode(payload, s->gzip, &body);
	if (err) {
		bytes__free(&body);
		return err;
	}
	bytes__free(payload);
	slot->state = SLOT_WAITING;
	slot->body = body;
	slot->span_cnt = span_cnt;
	slot->start_at_ms = now;
	slot->deadline_ms = earliest(now + s->retry_ms, s->hurry_until_ms);
	slot->attempts = 0;
	snprintf(slot->reason, sizeof(slot->reason), "%s: no answer in time", s->shown);
	slot->done = done;
	slot->ctx = ctx;
	set_timer(s);
	return 0;
}

static void sender_hurry(struct exporter *e, uint32_t deadline_ms)
{
	struct sender *s = sender_of(e);

	s->hurry_until_ms = now_ms() + deadline_ms;
	for (size_t i = 0; i < OTLP_MAX_CONCURRENT; i++) {
		struct slot *slot = &s->slots[i];

		slot->deadline_ms = earliest(slot->deadline_ms, s->hurry_until_ms);
		slot->start_at_ms = earliest(slot->start_at_ms, now_ms());
	}
	set_timer(s);
}

static void sender_on_fd(struct exporter *e, int fd, uint32_t events)
{
	struct sender *s = sender_of(e);
	int mask = 0, running;

	if (events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(s->multi, fd, mask, &running);
	step(s);
}

static void sender_on_timer(struct exporter *e)
{
	struct sender *s = sender_of(e);
	int running;

	if (now_ms() >= s->curl_at_ms) {
		s->curl_at_ms = NEVER;
		curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	step(s);
}

static void sender_free(struct exporter *e)
{
	struct sender *s = sender_of(e);

	for (size_t i = 0; i < OTLP_MAX_CONCURRENT; i++) {
		if (s->slots[i].state != SLOT_FREE)
			finish(s, &s->slots[i], EXPORT_CANCELED, 0, s->slots[i].reason);
		transfer__clear(&s->slots[i].transfer);
	}
	curl_multi_cleanup(s->multi);
	curl_easy_cleanup(s->template);
	s->loop.timer(s->loop.ctx, -1);
	curl_slist_free_all(s->headers);
	curl_free(s->url);
	curl_free(s->shown);
	free(s);
	curl_global_cleanup();
}

static const struct exporter_ops sender_ops = {
	.submit = sender_submit,
	.pending = sender_pending,
	.hurry = sender_hurry,
	.on_fd = sender_on_fd,
	.on_timer = sender_on_timer,
	.free = sender_free,
};

/* -- making one -- */

static int check_readable(const char *what, const char *path, char *err_text, size_t err_sz)
{
	if (!path || !access(path, R_OK))
		return 0;
	snprintf(err_text, err_sz, "failed to read %s '%s': %s", what, path, strerror(errno));
	return -EINVAL;
}

static int check_settings(const struct otlp_settings *settings, char *err_text, size_t err_sz)
{
	int err;

	err = check_readable("certificate", settings->certificate, err_text, err_sz);
	if (!err)
		err = check_readable("client certificate", settings->client_certificate, err_text,
				     err_sz);
	if (!err)
		err = check_readable("client key", settings->client_key, err_text, err_sz);
	return err;
}

static const struct protocol *protocol_of(const struct otlp_settings *settings)
{
	switch (settings->protocol) {
	case OTLP_GRPC:
		return &protocol_grpc;
	case OTLP_HTTP_JSON:
		return &protocol_http_json;
	default:
		return &protocol_http;
	}
}

static int set_multi(struct sender *s)
{
	s->multi = curl_multi_init();
	if (!s->multi)
		return -ENOMEM;
	if (curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) ||
	    curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s) ||
	    curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) ||
	    curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s))
		return -ENOMEM;
	return 0;
}

static int set_up(struct sender *s, const struct otlp_settings *settings, char *err_text,
		  size_t err_sz)
{
	int err;

	err = request__url(settings->endpoint, s->protocol->path, &s->url, &s->shown);
	if (err == -EINVAL)
		snprintf(err_text, err_sz, "unusable endpoint '%s': not an http:// or https:// URL",
			 settings->endpoint ? settings->endpoint : "");
	if (!err)
		err = check_settings(settings, err_text, err_sz);
	if (!err)
		err = request__headers(settings, s->protocol, &s->headers);
	if (!err)
		err = set_multi(s);
	if (!err)
		err = transfer__new_template(settings, s->protocol, s->url, s->headers,
					     &s->template);
	return err;
}

int exporter__new_otlp(const struct otlp_settings *settings, const struct otlp_loop *loop,
		       export_health health, void *health_ctx, struct exporter **out,
		       char *err_text, size_t err_sz)
{
	struct sender *s;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->base.ops = &sender_ops;
	s->protocol = protocol_of(settings);
	s->loop = *loop;
	s->health = health;
	s->health_ctx = health_ctx;
	s->timeout_ms = settings->timeout_ms ? settings->timeout_ms : TIMEOUT_MS;
	s->retry_ms = settings->retry_ms ? settings->retry_ms : RETRY_MS;
	s->gzip = settings->gzip;
	s->backoff = (struct backoff){ BACKOFF_FIRST_MS, BACKOFF_MAX_MS };
	s->curl_at_ms = NEVER;
	s->hurry_until_ms = NEVER;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(s);
		return -ENOMEM;
	}
	err = set_up(s, settings, err_text, err_sz);
	if (err) {
		sender_free(&s->base);
		return err;
	}
	*out = &s->base;
	return 0;
}

void sender__set_backoff(struct exporter *e, struct backoff backoff)
{
	assert(e->ops == &sender_ops);
	sender_of(e)->backoff = backoff;
}
