/* SPDX-License-Identifier: Apache-2.0 */
#include "drop_warnings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t NSEC_PER_SEC = 1000 * 1000 * 1000;
static const uint64_t GATHER_NS = 500 * 1000 * 1000; /* so that the first line says more than "1" */
static const uint64_t INTERVAL_NS = 60 * NSEC_PER_SEC;

static void write_advice(const struct drop_warnings *w, enum batch_drop reason, char *to, size_t sz)
{
	*to = '\0';
	switch (reason) {
	case BATCH_QUEUE_FULL:
		snprintf(to, sz, "more came than could be sent; raise OTEL_BSP_MAX_QUEUE_SIZE (%u)",
			 w->config->bsp_max_queue_size);
		break;
	case BATCH_FAILED:
		if (!strcmp(w->where, "file")) /* is not tried again */
			break;
		if (w->ending) {
			snprintf(to, sz, "the agent ended before they could be sent");
			break;
		}
		snprintf(to, sz, "given up after OTEL_BSP_EXPORT_TIMEOUT (%u ms)",
			 w->config->bsp_export_timeout_ms);
		break;
	case BATCH_CANCELED:
		snprintf(to, sz, "the agent ended before they could be sent");
		break;
	case BATCH_ENCODE:
		snprintf(to, sz, "out of memory");
		break;
	default: /* the receiver's own words say what to change */
		break;
	}
}

static void warn(struct drop_warnings *w, enum batch_drop reason)
{
	const char *detail = w->by_reason[reason].detail;
	char advice[128];

	write_advice(w, reason, advice, sizeof(advice));
	log_warn("%s: dropped %" PRIu64 " spans (%s)%s%s%s%s", w->where, w->by_reason[reason].cnt,
		 batch_drop__name(reason), *detail ? ": " : "", detail, *advice ? ": " : "", advice);
	w->by_reason[reason].cnt = 0;
	w->by_reason[reason].detail[0] = '\0';
}

static void warn_all(void *ctx)
{
	struct drop_warnings *w = ctx;

	w->waiting = false;
	w->last_ns = loop__now_ns();
	for (enum batch_drop reason = 0; reason < BATCH_DROP_CNT; reason++) {
		if (w->by_reason[reason].cnt)
			warn(w, reason);
	}
}

int drop_warnings__init(struct drop_warnings *w, const struct config *config, struct loop *loop,
			const char *where)
{
	*w = (struct drop_warnings){ .config = config, .where = where };
	return loop__add_timer(loop, warn_all, w, &w->timer);
}

void drop_warnings__note(struct drop_warnings *w, enum batch_drop reason, uint64_t cnt,
			 const char *detail)
{
	uint64_t now = loop__now_ns(), wait_ns = GATHER_NS;

	w->by_reason[reason].cnt += cnt;
	if (*detail)
		snprintf(w->by_reason[reason].detail, sizeof(w->by_reason[reason].detail), "%s",
			 detail);
	if (w->waiting)
		return;
	if (w->last_ns && w->last_ns + INTERVAL_NS > now + wait_ns)
		wait_ns = w->last_ns + INTERVAL_NS - now;
	w->waiting = true;
	loop__start_timer(w->timer, wait_ns, 0);
}

void drop_warnings__tell(struct drop_warnings *w)
{
	warn_all(w);
}

void drop_warnings__clear(struct drop_warnings *w)
{
	if (!w->timer)
		return;
	warn_all(w);
	loop__remove_timer(w->timer);
	w->timer = NULL;
}
