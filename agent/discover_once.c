/* SPDX-License-Identifier: Apache-2.0 */
/* discover_once: looks at processes without keeping a table of them; see discover.h. */
#include "discover.h"

#include "go_exe.h"
#include "proc.h"

bool discover__is_go(int pid)
{
	struct buildinfo info;

	if (go_exe__read(pid, &info))
		return false;
	buildinfo__free(&info);
	return true;
}

struct each {
	void (*fn)(void *ctx, const struct process *p);
	void *ctx;
};

static void read_one(void *ctx, int pid)
{
	const struct each *each = ctx;
	struct process p;

	if (process__read(pid, &p))
		return;
	each->fn(each->ctx, &p);
	process__clear(&p);
}

void discover__each_process(void (*fn)(void *ctx, const struct process *p), void *ctx)
{
	struct each each = { fn, ctx };

	proc__each_pid(read_one, &each);
}
