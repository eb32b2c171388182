/* SPDX-License-Identifier: Apache-2.0 */
#include "go_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int go_exe__read(int pid, struct buildinfo *out)
{
	struct image *image = NULL;
	struct buildinfo info = {};
	struct why why;
	char path[32];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = image__open(fd, &image, &why);
	if (!err)
		err = buildinfo__read(image, &info);
	if (!err && !*info.go_version) {
		buildinfo__free(&info);
		err = -ENOEXEC;
	}
	if (!err)
		*out = info;
	image__free(image);
	close(fd);
	return err == -EIO ? -ENOEXEC : err;
}

/* PATH is PREFIX or below it. */
static bool is_below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(path, prefix, len) && (path[len] == '\0' || path[len] == '/');
}

/*
 * By the main module or package, or by the module that every collector is started by, those with a
 * name of their own too: builds of ocb (the builder), Alloy and Jaeger 2 have it. Other modules
 * below go.opentelemetry.io/collector say nothing: backends and databases link pdata and receivers.
 */
bool go_exe__is_collector(const struct buildinfo *info)
{
	static const char *const modules[] = {
		"go.opentelemetry.io/collector",
		"go.opentelemetry.io/obi",
		"github.com/open-telemetry/opentelemetry-collector",
		"github.com/open-telemetry/opentelemetry-collector-contrib",
		"github.com/open-telemetry/opentelemetry-collector-releases",
		"github.com/grafana/alloy",
		"github.com/grafana/beyla",
		"github.com/jaegertracing/jaeger",
	};
	size_t i;

	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (is_below(info->module, modules[i]) || is_below(info->main_path, modules[i]))
			return true;
	}
	return buildinfo__has_dep(info, "go.opentelemetry.io/collector/otelcol");
}
