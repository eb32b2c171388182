/* SPDX-License-Identifier: Apache-2.0 */
/* exporter: leads each call to the kind of exporter it is for: sender.c (OTLP) or file.c. */
#include "exporter.h"
#include "ops.h"

int exporter__submit(struct exporter *e, struct bytes *payload, uint64_t span_cnt,
		     export_done done, void *ctx)
{
	return e->ops->submit(e, payload, span_cnt, done, ctx);
}

size_t exporter__pending(const struct exporter *e)
{
	return e->ops->pending(e);
}

void exporter__hurry(struct exporter *e, uint32_t deadline_ms)
{
	e->ops->hurry(e, deadline_ms);
}

void exporter__on_fd(struct exporter *e, int fd, uint32_t events)
{
	e->ops->on_fd(e, fd, events);
}

void exporter__on_timer(struct exporter *e)
{
	e->ops->on_timer(e);
}

void exporter__free(struct exporter *e)
{
	if (e)
		e->ops->free(e);
}
