// SPDX-License-Identifier: Apache-2.0
/* session_events: what the kernel side tells a session: spans, processes that come and go, SDKs. */
#include <stdio.h>

#include "proc.h"
#include "semconv.h"
#include "session_state.h"

struct tracee *session__find_tracee(const struct session *s, int pid)
{
	for (struct tracee *t = s->tracees; t; t = t->next)
		if (t->target->process.pid == pid)
			return t;
	return NULL;
}

static void handle_sampled(struct session *s, struct tracee *t, const struct span_record *record,
			   const uint8_t *body)
{
	const struct declared_library *library;
	struct build_span *b = &s->workbench;
	char scope_name[SCOPE_NAME_MAX * 3 + 1]; /* a bad byte becomes three */
	struct batch_scope scope;

	if (!assemble__span(b, s->config, kernel__declarations(s->kernel), t->executable->resolve,
			    record, body, s->clock.offset_ns))
		return;
	library = &kernel__declarations(s->kernel)->libraries[record->library];
	scope = (struct batch_scope){library->scope, GOSPAN_VERSION, SCHEMA_URL, NULL};
	if (b->scope.len) { /* a tracer of the program's own, whatever its conventions are */
		snprintf(scope_name, sizeof(scope_name), "%.*s", (int)b->scope.len, b->scope.at);
		scope = (struct batch_scope){scope_name, NULL, NULL, library->scope};
	}
	s->losses.failures.at[FAIL_TRUNCATED] += record->truncated;
	batch__add(s->batch, t->resource, &scope, &b->span);
	if (s->console)
		console__span(s->console, t->target->service_name, &b->span);
	if (s->config->count && ++s->span_cnt >= s->config->count)
		session__enough(s);
}

static void on_span(void *ctx, const struct span_record *record, const uint8_t *body)
{
	struct session *s = ctx;
	struct build_span *b = &s->workbench;
	struct tracee *t = session__find_tracee(s, record->pid);

	if (!t) { /* a new process of an executable all of whose processes are traced */
		discover__exec(s->discover, record->pid);
		t = session__find_tracee(s, record->pid);
	}
	if (!t) {
		/* of a process that came and went, or one of the same file that is not wanted */
		if (proc__is_gone(record->pid))
			s->losses.failures.at[FAIL_UNATTACHED] += !!(record->flags & SPAN_SAMPLED);
		return;
	}
	if (s->settled || (s->config->count && s->span_cnt >= s->config->count))
		return;
	wall_clock__update(&s->clock, record->end_ns);
	if (record->flags & SPAN_SAMPLED) {
		handle_sampled(s, t, record, body);
		return;
	}
	s->losses.failures.at[FAIL_UNSAMPLED]++;
	if (s->console &&
	    assemble__count(b, s->config, kernel__declarations(s->kernel), t->executable->resolve, record,
			    body))
		console__count(s->console, &b->span);
}

static void on_process_exec(void *ctx, const struct process_record *record)
{
	struct session *s = ctx;

	s->execed = record->process;
	discover__execed(s->discover, record->pid, record->time_ns);
	s->execed = 0;
}

static void on_process_exit(void *ctx, int pid)
{
	struct session *s = ctx;

	discover__exit(s->discover, pid);
}

static void on_sdk(void *ctx, int pid)
{
	struct session *s = ctx;
	struct tracee *t = session__find_tracee(s, pid);

	if (t && !t->gone)
		tracee__leave_to_sdk(t, s->config->with_sdk);
}

int session__open_events(struct session *s)
{
	const struct event_handlers handlers = {s, on_span, on_process_exec, on_process_exit, on_sdk};

	return events__new(s->kernel, s->loop, &handlers, &s->events);
}
