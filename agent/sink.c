/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NSEC_PER_MSEC = 1000 * 1000;
static const uint64_t HEALTH_INTERVAL_NS = 60ull * 1000 * 1000 * 1000;

/* A sealed batch. */
struct load {
	struct sink *sink;
	struct load *next;
	struct bytes traces;
	uint64_t span_cnt;
	size_t part_cnt;
	struct sink_part parts[];
};

struct sink {
	const char *name;
	struct loop *loop;
	struct exporter *exporter; /* NULL: canceled */
	struct loop_timer *timer;
	sink_settled settled;
	void *ctx;
	struct load *first, **last; /* not yet submitted */
	bool pumping;
	bool canceling;
	uint64_t down_ns; /* when it was last said that the receiver is gone */
	bool down_told;
	bool remark_told; /* of a receiver that took everything */
	struct drop_warnings warnings;
};

/* -- the exporter's view of the loop -- */

static void on_fd(void *ctx, int fd, uint32_t events)
{
	exporter__on_fd(((struct sink *)ctx)->exporter, fd, events);
}

static void on_timer(void *ctx)
{
	exporter__on_timer(((struct sink *)ctx)->exporter);
}

static int watch(void *ctx, int fd, uint32_t events)
{
	struct sink *s = ctx;

	return loop__watch(s->loop, fd, events, on_fd, s);
}

static int set_timer(void *ctx, long delay_ms)
{
	struct sink *s = ctx;

	if (delay_ms < 0)
		loop__stop_timer(s->timer);
	else
		loop__start_timer(s->timer, (uint64_t)delay_ms * NSEC_PER_MSEC, 0);
	return 0;
}

/* One line when the receiver goes and one when it is back; of one that flaps, once a minute. */
static void on_health(void *ctx, bool up, const char *reason)
{
	struct sink *s = ctx;
	uint64_t now = loop__now_ns();

	if (!up) {
		s->down_told = !s->down_ns || now - s->down_ns > HEALTH_INTERVAL_NS;
		if (s->down_told)
			s->down_ns = now;
	}
	if (!s->down_told)
		log_debug("%s: receiver is %s: %s", s->name, up ? "back" : "not there", reason);
	else if (up)
		log_info("%s: receiver takes spans again: %s", s->name, reason);
	else
		log_warn("%s: receiver takes no spans, trying again: %s", s->name, reason);
}

/* -- loads -- */

static void settle(struct sink *s, const struct load *load, uint64_t exported,
		   enum batch_drop reason, const char *detail)
{
	uint64_t dropped = load->span_cnt - exported;

	if (dropped)
		drop_warnings__note(&s->warnings, reason, dropped, detail);
	for (size_t i = 0; i < load->part_cnt; i++) {
		const struct sink_part *part = &load->parts[i];
		/* the receiver does not say which it refused: the first ones, so that sums hold */
		uint64_t mine = part->cnt < dropped ? part->cnt : dropped;

		dropped -= mine;
		s->settled(s->ctx, part, part->cnt - mine, reason);
	}
}

static void free_load(struct load *load)
{
	bytes__free(&load->traces);
	free(load);
}

static void pump(struct sink *s);

static void on_done(void *ctx, enum export_result result, uint64_t rejected, const char *reason)
{
	static const enum batch_drop reasons[] = {
		[EXPORT_OK] = BATCH_REJECTED,
		[EXPORT_REFUSED] = BATCH_REFUSED,
		[EXPORT_FAILED] = BATCH_FAILED,
		[EXPORT_CANCELED] = BATCH_CANCELED,
	};
	struct load *load = ctx;
	struct sink *s = load->sink;
	uint64_t exported = result == EXPORT_OK ? load->span_cnt - rejected : 0;

	if (result == EXPORT_OK && !rejected && *reason) {
		log__write(s->remark_told ? LOG_DEBUG : LOG_WARN, "%s: spans were taken, but: %s",
			   s->name, reason);
		s->remark_told = true;
	}
	settle(s, load, exported, reasons[result], reason);
	free_load(load);
	pump(s);
}

static struct load *take_first(struct sink *s)
{
	struct load *load = s->first;

	s->first = load->next;
	if (!s->first)
		s->last = &s->first;
	return load;
}

/* Submits until the exporter has enough. A file's done comes from inside: it must not nest. */
static void pump(struct sink *s)
{
	if (s->pumping || s->canceling)
		return;
	s->pumping = true;
	while (s->first) {
		struct load *load = s->first;
		int err;

		/* a done that comes at once frees the load: it is out of the queue before */
		if (exporter__pending(s->exporter) >= OTLP_MAX_CONCURRENT)
			break;
		take_first(s);
		err = exporter__submit(s->exporter, &load->traces, load->span_cnt, on_done, load);
		if (err) {
			settle(s, load, 0, BATCH_ENCODE, strerror(-err));
			free_load(load);
		}
	}
	s->pumping = false;
}

int sink__send(struct sink *s, struct bytes *traces, const struct sink_part *parts, size_t part_cnt)
{
	struct load *load = malloc(sizeof(*load) + part_cnt * sizeof(parts[0]));

	if (!load)
		return -ENOMEM;
	*load = (struct load){ .sink = s, .traces = *traces, .part_cnt = part_cnt };
	memcpy(load->parts, parts, part_cnt * sizeof(parts[0]));
	for (size_t i = 0; i < part_cnt; i++)
		load->span_cnt += parts[i].cnt;
	*traces = (struct bytes){ 0 };
	*s->last = load;
	s->last = &load->next;
	pump(s);
	return 0;
}

void sink__note_drop(struct sink *s, enum batch_drop reason, uint64_t cnt)
{
	drop_warnings__note(&s->warnings, reason, cnt, "");
}

/* -- end -- */

bool sink__is_idle(const struct sink *s)
{
	return !s->first && (!s->exporter || !exporter__pending(s->exporter));
}

void sink__tell_drops(struct sink *s)
{
	drop_warnings__tell(&s->warnings);
}

void sink__hurry(struct sink *s, uint32_t deadline_ms)
{
	s->warnings.ending = true;
	if (s->exporter)
		exporter__hurry(s->exporter, deadline_ms);
}

void sink__cancel(struct sink *s)
{
	struct exporter *exporter = s->exporter;

	s->canceling = true;
	exporter__free(exporter);
	s->exporter = NULL;
	while (s->first) {
		struct load *load = take_first(s);

		settle(s, load, 0, BATCH_CANCELED, "");
		free_load(load);
	}
}

void sink__free(struct sink *s)
{
	if (!s)
		return;
	sink__cancel(s);
	drop_warnings__clear(&s->warnings);
	loop__remove_timer(s->timer);
	free(s);
}

/* -- making one -- */

static int new_sink(const char *name, const struct config *config, struct loop *loop,
		    sink_settled settled, void *ctx, struct sink **out)
{
	struct sink *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->name = name;
	s->loop = loop;
	s->settled = settled;
	s->ctx = ctx;
	s->last = &s->first;
	err = loop__add_timer(loop, on_timer, s, &s->timer);
	if (!err)
		err = drop_warnings__init(&s->warnings, config, loop, name);
	if (err)
		sink__free(s);
	else
		*out = s;
	return err;
}

/* Hands S out if its exporter could be made, else says why not. */
static int finish_sink(struct sink *s, int err, const char *err_text, struct sink **out)
{
	if (!err) {
		*out = s;
		return 0;
	}
	if (*err_text)
		log_error("%s: %s", s->name, err_text);
	sink__free(s);
	return err;
}

int sink__new_otlp(const struct config *config, struct loop *loop, sink_settled settled, void *ctx,
		   struct sink **out)
{
	struct otlp_settings settings = config->otlp;
	struct otlp_loop otlp_loop = { NULL, watch, set_timer };
	char err_text[512] = "";
	struct sink *s = NULL;
	int err;

	/* to the specification 0 is no limit, to the exporter its own default */
	if (!settings.timeout_ms)
		settings.timeout_ms = UINT32_MAX;
	settings.retry_ms = config->bsp_export_timeout_ms ? config->bsp_export_timeout_ms : UINT32_MAX;
	err = new_sink("otlp", config, loop, settled, ctx, &s);
	if (err)
		return err;
	otlp_loop.ctx = s;
	err = exporter__new_otlp(&settings, &otlp_loop, on_health, s, &s->exporter, err_text,
				 sizeof(err_text));
	return finish_sink(s, err, err_text, out);
}

int sink__new_file(const struct config *config, struct loop *loop, sink_settled settled, void *ctx,
		   struct sink **out)
{
	char err_text[512] = "";
	struct sink *s = NULL;
	int err;

	err = new_sink("file", config, loop, settled, ctx, &s);
	if (err)
		return err;
	err = exporter__new_file(config->otlp_file, &s->exporter, err_text, sizeof(err_text));
	return finish_sink(s, err, err_text, out);
}
