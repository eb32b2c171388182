// SPDX-License-Identifier: Apache-2.0
/* tracee: see tracee.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "loop.h"
#include "notify.h"
#include "semconv.h"
#include "tracee.h"

#define FAILURE_IS_LOSS(key, name, text, setting) [FAIL_##key] = true,
#define FAILURE_IS_NOTE(key, name, text, setting) [FAIL_##key] = false,
#define FAILURE_NAME(key, name, text, setting) [FAIL_##key] = name,
#define FAILURE_TEXT(key, name, text, setting) [FAIL_##key] = text,
#define FAILURE_SETTING(key, name, text, setting) [FAIL_##key] = setting,

static const bool is_loss[FAIL_MAX] = {FAILURES(FAILURE_IS_LOSS, FAILURE_IS_NOTE)};
static const char *const names[FAIL_MAX] = {FAILURES(FAILURE_NAME, FAILURE_NAME)};
static const char *const texts[FAIL_MAX] = {FAILURES(FAILURE_TEXT, FAILURE_TEXT)};
static const char *const settings[FAIL_MAX] = {FAILURES(FAILURE_SETTING, FAILURE_SETTING)};

void losses__add(struct losses *into, const struct losses *from)
{
	for (int i = 0; i < FAIL_MAX; i++)
		into->failures.at[i] += from->failures.at[i];
	into->unfinished += from->unfinished;
}

/* Client and server of a package are libraries of one name. */
static bool is_listed(const struct plan *plan, size_t library)
{
	const struct planned_library *all = plan->libraries;

	for (size_t i = 0; i < library; i++)
		if (all[i].on && !strcmp(all[i].declared->name, all[library].declared->name))
			return true;
	return false;
}

/* Names of the libraries that are on, comma separated. */
static void list_libraries(const struct plan *plan, char *buf, size_t buf_sz)
{
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; i < plan->declarations->library_cnt && len < buf_sz; i++)
		if (plan->libraries[i].on && !is_listed(plan, i))
			len += snprintf(buf + len, buf_sz - len, "%s%s", len ? ", " : "",
					plan->libraries[i].declared->name);
}

static void log_ready(const struct tracee *t, uint64_t elapsed_ns)
{
	const struct executable *e = t->executable;
	char libraries[256], status[512];

	list_libraries(e->plan, libraries, sizeof(libraries));
	snprintf(status, sizeof(status), "pid %d service \"%s\": %zu probes in %s (%s), %llu ms",
		 t->target->process.pid, t->target->service_name, plan__site_cnt(e->plan), libraries,
		 resolve__info(e->resolve)->go_version, (unsigned long long)elapsed_ns / 1000000);
	log_info("ready: %s", status);
	notify__ready(status);
	/* else it is said when the SDK is found in use, which it may never be */
	if (e->plan->has_sdk && !e->plan->sdk_libraries)
		log_info("pid %d has an OpenTelemetry SDK inside: where that makes spans, gospan's are below them",
			 t->target->process.pid);
}

void tracee__leave_to_sdk(struct tracee *t, enum with_sdk how)
{
	int pid = t->target->process.pid;
	char libraries[256];

	if (how == WITH_SDK_OFF) {
		executable__detach(t->executable, pid);
		log_info("pid %d makes spans with an OpenTelemetry SDK: left alone (--with-sdk=off)", pid);
		return;
	}
	plan__left_to_sdk(t->executable->plan, libraries, sizeof(libraries));
	log_info("pid %d makes spans with an OpenTelemetry SDK: leaving %s (--with-sdk)", pid, libraries);
}

int tracee__new(const struct kernel *kernel, struct executable *e, struct target *target,
		struct batch *batch, struct tracee **out, struct why *why)
{
	uint64_t start_ns = loop__now_ns();
	struct tracee *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		target__free(target);
		return -ENOMEM;
	}
	t->executable = e;
	t->target = target;
	err = batch__open_resource(batch, &target->resource, SCHEMA_URL, &t->resource);
	if (err) {
		snprintf(why->text, sizeof(why->text), "%s", strerror(-err));
		goto cleanup;
	}
	err = executable__attach(e, kernel, target->process.pid, why);
	if (err)
		goto cleanup;
	log_ready(t, loop__now_ns() - start_ns + e->prepare_ns);
	e->prepare_ns = 0; /* paid by the first */
	*out = t;
	return 0;
cleanup:
	if (t->resource)
		batch__close_resource(batch, t->resource, NULL, NULL);
	tracee__free(t);
	return err;
}

void tracee__free(struct tracee *t)
{
	if (!t)
		return;
	target__free(t->target);
	free(t);
}

void tracee__forget(struct tracee *t, const struct kernel *kernel, struct losses *out)
{
	int pid = t->target->process.pid;

	executable__detach(t->executable, pid);
	kernel__remove_target(kernel, pid);
	kernel__failures(kernel, pid, &out->failures);
	out->unfinished = kernel__forget(kernel, pid, t->execed_to);
}

static size_t append(char *line, size_t size, size_t len, const char *reason, uint64_t cnt,
		     bool *first)
{
	if (!cnt || len >= size)
		return len;
	len += snprintf(line + len, size - len, "%s%s %llu", *first ? " (" : ", ", reason,
			(unsigned long long)cnt);
	*first = false;
	return len;
}

void log_done(const char *who, const struct batch_counts *counts, const struct losses *losses)
{
	uint64_t produced = counts->produced, dropped = 0;
	char reasons[512] = "", notes[512] = "";
	size_t reasons_len = 0, notes_len = 0;
	bool first_reason = true, first_note = true;

	for (int i = 0; i < BATCH_DROP_CNT; i++) {
		dropped += counts->dropped[i];
		reasons_len = append(reasons, sizeof(reasons), reasons_len, batch_drop__name(i),
				     counts->dropped[i], &first_reason);
	}
	for (int i = 0; i < FAIL_MAX; i++) {
		uint64_t cnt = losses->failures.at[i];

		if (is_loss[i]) {
			produced += cnt;
			dropped += cnt;
			reasons_len = append(reasons, sizeof(reasons), reasons_len, names[i], cnt,
					     &first_reason);
		} else {
			notes_len = append(notes, sizeof(notes), notes_len, names[i], cnt, &first_note);
		}
	}
	log_info("done: %s%llu spans produced, %llu exported, %llu dropped%s%s, %llu unfinished%s%s%s",
		 who, (unsigned long long)produced, (unsigned long long)counts->exported,
		 (unsigned long long)dropped, reasons, first_reason ? "" : ")",
		 (unsigned long long)losses->unfinished, first_note ? "" : "; noted", notes,
		 first_note ? "" : ")");
}

bool warn_of_losses(const struct failure_counts *now, struct failure_counts *before)
{
	bool any = false;

	for (int i = 0; i < FAIL_MAX; i++) {
		if (is_loss[i] && now->at[i] > before->at[i]) {
			log_warn("%llu spans dropped: %s%s%s%s",
				 (unsigned long long)(now->at[i] - before->at[i]), texts[i],
				 *settings[i] ? " (raise " : "", settings[i],
				 *settings[i] ? ")" : "");
			any = true;
		}
		before->at[i] = now->at[i];
	}
	return any;
}
