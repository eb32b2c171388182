/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from /proc that a target has a say in: its environment, its name in stat, its cgroup and
 * mounts, its command line; and the tables of sockets. Input: one byte that chooses the reader,
 * then the text. libFuzzer: -max_len=400
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../agent/attributes.h"
#include "../../agent/container.h"
#include "../../agent/listener.h"
#include "../../agent/pairs.h"
#include "../../agent/proc.h"
#include "../../agent/service_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { READ_NUMBERS, READ_CONTAINER, READ_PAIRS, READ_ENVIRONMENT };

static void check_port(void *ctx, unsigned port, unsigned long inode)
{
	if (!inode)
		abort();
}

static void check_pairs(const char *text)
{
	char *key, *value;
	int more;

	while (text && (more = pairs__next(&text, &key, &value)) != 0) {
		if (more < 0)
			continue;
		if (!*key)
			abort();
		free(key);
		free(value);
	}
}

static void check_container(const char *text)
{
	char id[CONTAINER_ID_LEN + 1];

	if (container__id_of_cgroup(text, id) && strlen(id) != CONTAINER_ID_LEN)
		abort();
	if (container__id_of_mountinfo(text, id) && strlen(id) != CONTAINER_ID_LEN)
		abort();
}

static void check_environment(const char *text, size_t size)
{
	struct name_sources sources = {};
	struct attributes attributes = {};
	char *name;

	check_pairs(environ__get(text, size, "OTEL_RESOURCE_ATTRIBUTES"));
	sources.their_name = environ__get(text, size, "OTEL_SERVICE_NAME");
	sources.exe_path = sources.main_path = text;
	name = service_name__choose(&sources);
	attributes__set_text(&attributes, "service.name", name);
	attributes__set_texts(&attributes, "process.command_args", text, size);
	if (!*name || attributes.err)
		abort();
	attributes__free(&attributes);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proc_stat stat;
	char *text;

	if (!size)
		return 0;
	text = malloc(size); /* without the first byte, with a NUL */
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (*data & 3) {
	case READ_NUMBERS:
		proc__parse_stat(text, &stat);
		listener__parse(text, check_port, NULL);
		break;
	case READ_CONTAINER:
		check_container(text);
		break;
	case READ_PAIRS:
		check_pairs(text);
		break;
	case READ_ENVIRONMENT:
		check_environment(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
