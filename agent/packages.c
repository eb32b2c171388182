// SPDX-License-Identifier: Apache-2.0
/* packages: see packages.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_path.h"
#include "packages.h"

/* Bytes of the import path that FUNCTION begins with: to the first dot behind the last slash. */
static size_t path_len(const char *function)
{
	size_t end = strcspn(function, "(>"), start = 0;

	for (size_t i = 0; i < end; i++)
		if (function[i] == '/')
			start = i;
	return start + strcspn(function + start, ".>");
}

/* The one at PATH or nearest above it: net/http has net/http/internal/http2. */
static struct package *find_above(struct package *all, size_t cnt, const char *path, size_t len)
{
	for (size_t i = 0; i < cnt; i++) {
		size_t name_len = strlen(all[i].name);

		if (name_len <= len && !strncmp(all[i].name, path, name_len) &&
		    (name_len == len || path[name_len] == '/'))
			return &all[i];
	}
	return NULL;
}

static size_t take_libraries(const struct plan *plan, struct package *out)
{
	size_t cnt = 0;

	for (size_t i = 0; i < plan->declarations->library_cnt; i++) {
		struct package *p = &out[cnt];
		struct planned_library l;

		if (!plan__package(plan, i, &l))
			continue;
		snprintf(p->name, sizeof(p->name), "%s", l.declared->name);
		snprintf(p->reason, sizeof(p->reason), "%s", l.reason);
		p->linked = l.linked;
		p->on = l.on;
		cnt++;
	}
	return cnt;
}

static bool is_linked(const struct planned_probe *probe, const struct resolve *r)
{
	struct function_fact fact;
	char function[512]; /* the caller */

	if (probe->on)
		return true;
	snprintf(function, sizeof(function), "%.*s", (int)strcspn(probe->function, ">"), probe->function);
	return resolve__function(r, function, &fact) != -ENOENT;
}

/* One of its probes: what is off says why, until one is on. */
static void add_probe(struct package *p, const struct planned_probe *probe, const struct resolve *r)
{
	if (!is_linked(probe, r))
		return;
	p->linked = true;
	p->on |= probe->on;
	snprintf(p->reason, sizeof(p->reason), "%s", p->on ? "" : probe->reason);
}

struct package *packages__of(const struct plan *plan, const struct resolve *r, size_t *cnt)
{
	struct package *all = calloc(plan->declarations->library_cnt + plan->probe_cnt, sizeof(*all));
	size_t libraries;

	if (!all)
		return NULL;
	*cnt = libraries = take_libraries(plan, all);
	for (size_t i = 0; i < plan->probe_cnt; i++) {
		const struct planned_probe *probe = &plan->probes[i];
		size_t len = path_len(probe->function);
		struct package *p = find_above(all, *cnt, probe->function, len);

		if (probe->declared->library < 0 || (p && p < all + libraries))
			continue;
		if (!p) {
			p = &all[(*cnt)++];
			snprintf(p->name, sizeof(p->name), "%.*s", (int)len, probe->function);
			snprintf(p->reason, sizeof(p->reason), "not linked into the executable");
		}
		add_probe(p, probe, r);
	}
	return all;
}

/* Length of NAME without its major version ("/v5"). */
static size_t versionless(const char *name)
{
	const char *last = strrchr(name, '/');

	if (last && import_path__is_version(last + 1, strlen(last + 1)))
		return last - name;
	return strlen(name);
}

static bool ends_with(const char *name, size_t len, const char *wanted)
{
	size_t wanted_len = strlen(wanted);

	return *wanted && wanted_len <= len && !strncmp(name + len - wanted_len, wanted, wanted_len) &&
	       (wanted_len == len || name[len - wanted_len - 1] == '/');
}

const struct package *packages__find(const struct package *all, size_t cnt, const char *wanted)
{
	const struct package *found = NULL;

	for (size_t i = 0; i < cnt; i++) {
		const char *name = all[i].name;

		if (!strcmp(name, wanted))
			return &all[i];
		/* of several (echo's v4 and v5) the one that is there */
		if ((ends_with(name, strlen(name), wanted) || ends_with(name, versionless(name), wanted)) &&
		    (!found || (all[i].linked && !found->linked)))
			found = &all[i];
	}
	return found;
}

const struct package *packages__of_function(const struct package *all, size_t cnt,
					    const char *function)
{
	return find_above((struct package *)all, cnt, function, path_len(function));
}
