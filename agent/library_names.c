// SPDX-License-Identifier: Apache-2.0
/* library_names: see library_names.h. */
#include <stdlib.h>
#include <string.h>

#include "declarations.h"
#include "gospan.skel.h"
#include "library_names.h"

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

const char *const *library_names(void)
{
	static const char **names; /* read once: the object never changes */
	struct declarations *d;
	struct gospan_bpf *bpf;
	size_t cnt = 0;

	if (names)
		return names;
	bpf = gospan_bpf__open();
	if (!bpf || declarations__read(bpf->obj, &d)) {
		names = calloc(1, sizeof(*names));
		return names;
	}
	names = calloc(d->library_cnt + 1, sizeof(*names));
	for (size_t i = 0; names && i < d->library_cnt; i++)
		if (!is_among(names, d->libraries[i].name))
			names[cnt++] = strdup(d->libraries[i].name);
	declarations__free(d);
	gospan_bpf__destroy(bpf);
	return names;
}
