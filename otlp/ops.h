/* SPDX-License-Identifier: Apache-2.0 */
/* ops: what a kind of exporter implements. Private to otlp/. Meanings: exporter.h. */
#ifndef GOSPAN_OTLP_OPS_H
#define GOSPAN_OTLP_OPS_H

#include "exporter.h"

struct exporter_ops {
	int (*submit)(struct exporter *e, struct bytes *payload, uint64_t span_cnt,
		      export_done done, void *ctx);
	size_t (*pending)(const struct exporter *e);
	void (*hurry)(struct exporter *e, uint32_t deadline_ms);
	void (*on_fd)(struct exporter *e, int fd, uint32_t events);
	void (*on_timer)(struct exporter *e);
	void (*free)(struct exporter *e);
};

/* First member of every exporter. */
struct exporter {
	const struct exporter_ops *ops;
};

#endif
