// SPDX-License-Identifier: Apache-2.0
/* plan_sdk: life beside an OpenTelemetry SDK; see plan.h. */
#include <stdio.h>
#include <string.h>

#include "plan.h"

static uint64_t bits_of(const struct plan *plan, enum with_sdk how)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < plan->declarations->library_cnt; i++) {
		const struct planned_library *l = &plan->libraries[i];

		if (l->on && (how == WITH_SDK_OFF || (how == WITH_SDK_FILL && l->instrumented)))
			bits |= 1ULL << i;
	}
	return plan->has_sdk ? bits : 0;
}

void plan__beside_sdk(struct plan *plan, enum with_sdk how)
{
	plan->sdk_libraries = bits_of(plan, how);
	for (size_t i = 0; i < plan->declarations->value_cnt; i++)
		if (plan->values[i].declared->what == DECLARED_SDK) {
			plan->values[i].found = true;
			plan->values[i].value = plan->sdk_libraries;
		}
	for (size_t i = 0; i < plan->probe_cnt && !plan->sdk_libraries; i++)
		if (plan->probes[i].on && plan->probes[i].declared->sdk) {
			plan->probes[i].on = false;
			snprintf(plan->probes[i].reason, sizeof(plan->probes[i].reason),
				 "not needed: nothing is left to the SDK");
		}
}

/* Length of the package path that WHAT, a package or a function of it, begins with. */
static size_t package_len(const char *what)
{
	const char *slash = strrchr(what, '/');
	const char *name = slash ? slash + 1 : what;

	return name - what + strcspn(name, ".");
}

/* The last element of WHAT's package path, as it stands in import lines: "otelhttp". */
static void package_name(const char *what, char *buf, size_t buf_sz)
{
	size_t len = package_len(what), start = len;

	while (start && what[start - 1] != '/')
		start--;
	snprintf(buf, buf_sz, "%.*s", (int)(len - start), what + start);
}

void plan__left_to_sdk(const struct plan *plan, char *buf, size_t buf_sz)
{
	size_t len = 0;

	*buf = 0;
	for (size_t i = 0; i < plan->declarations->library_cnt && len < buf_sz; i++) {
		const struct planned_library *l = &plan->libraries[i];
		char by[64] = "";

		if (!(plan->sdk_libraries >> i & 1))
			continue;
		if (l->instrumented)
			package_name(l->instrumented, by, sizeof(by));
		len += snprintf(buf + len, buf_sz - len, "%s%s%s%s%s", len ? ", " : "",
				l->declared->name,
				l->declared->kind == SPAN_SERVER ? " server" :
				l->declared->kind == SPAN_CLIENT ? " client" : "",
				*by ? " to " : "", by);
	}
}

static bool is_same_package(const char *a, const char *b)
{
	return package_len(a) == package_len(b) && !memcmp(a, b, package_len(a));
}

/* False also when it was seen before: its hash is there already. */
static bool makes_no_other_spans(const struct plan *plan, size_t library)
{
	const char *what = plan->libraries[library].instrumented;

	for (size_t i = 0; i < plan->declarations->library_cnt; i++) {
		const struct planned_library *l = &plan->libraries[i];

		if (l->instrumented && is_same_package(l->instrumented, what) && (!l->on || i < library))
			return false;
	}
	return true;
}

size_t plan__known_tracers(const struct plan *plan, uint64_t out[static KNOWN_TRACERS_MAX])
{
	size_t cnt = 0;

	for (size_t i = 0; i < plan->declarations->library_cnt && cnt < KNOWN_TRACERS_MAX; i++) {
		const char *what = plan->libraries[i].instrumented;
		uint64_t hash = NAME_HASH_START;

		if (!what || !makes_no_other_spans(plan, i))
			continue;
		for (size_t n = 0; n < package_len(what); n++)
			hash = name_hash(hash, what[n]);
		out[cnt++] = hash;
	}
	return cnt;
}
