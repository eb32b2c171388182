/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_parse: one function per kind of value. All have the type setting_parse and its contract:
 * nothing is printed here, the caller knows whether the text came from a flag or a variable.
 */
#include "config_table.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pairs.h"

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static size_t trimmed_len(const char *p, size_t len)
{
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	return len;
}

/* Next non-empty element of a comma separated list, without spaces around it; NULL at the end. */
static const char *next_element(const char **at, size_t *len)
{
	const char *p = *at, *start;

	while (*p) {
		start = skip_space(p);
		p += strcspn(p, ",");
		*len = start < p ? trimmed_len(start, p - start) : 0;
		if (*p == ',')
			p++;
		*at = p;
		if (*len)
			return start;
	}
	return NULL;
}

static bool is_word(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(p, word, len);
}

/* LEN bytes of P are not used: their place is in the warning. */
static void leave_out(struct settings *s, const char *p, size_t len)
{
	size_t at = strlen(s->left_out), size = sizeof(s->left_out);

	snprintf(s->left_out + at, size - at, "%s%.*s", at ? ", " : "", (int)len, p);
}

/* Index of the word of WORDS that TEXT is, case and outer spaces ignored; -EINVAL. */
static int find_word(const char *text, const char *const *words, size_t word_cnt)
{
	const char *p = skip_space(text);
	size_t len = trimmed_len(p, strlen(p)), i;

	for (i = 0; i < word_cnt; i++) {
		if (is_word(p, len, words[i]))
			return i;
	}
	return -EINVAL;
}

/* Decimal digits at *AT, which moves behind them. -EINVAL none, -ERANGE too many. */
static int read_digits(const char **at, uint64_t *out)
{
	const char *p = *at;
	uint64_t value = 0;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *p - '0', &value))
			return -ERANGE;
	}
	*at = p;
	*out = value;
	return 0;
}

static int read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *p = skip_space(text);
	uint64_t value;

	if (read_digits(&p, &value) || *skip_space(p) || value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

/* OLD with room for one more behind its CNT elements (it grows at powers of two), or NULL. */
static void *make_room(struct settings *s, const void *old, size_t cnt, size_t element_sz)
{
	void *grown;

	if (cnt & (cnt - 1)) /* not a power of two: there is room */
		return (void *)old;
	grown = settings__alloc(s, (cnt ? 2 * cnt : 1) * element_sz);
	if (grown && cnt)
		memcpy(grown, old, cnt * element_sz);
	return grown;
}

int settings__append(struct settings *s, struct strings *list, const char *text, size_t len)
{
	const char **at = make_room(s, list->at, list->cnt, sizeof(*at));
	char *copy = settings__copy(s, text, len);

	if (!at || !copy)
		return -ENOMEM;
	at[list->cnt] = copy;
	list->at = at;
	list->cnt++;
	return 0;
}

/* A flag that is given is true. */
int parse_flag(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	*(bool *)dst = true;
	return 0;
}

/* OpenTelemetry: only "true" is true, anything but "false" deserves a warning. */
int parse_bool(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const words[] = { "false", "true" };
	int i = find_word(text, words, 2);

	if (i < 0)
		return i;
	*(bool *)dst = i;
	return 0;
}

int parse_text(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	char *copy;

	if (!*text)
		return -EINVAL;
	copy = settings__copy(s, text, strlen(text));
	if (!copy)
		return -ENOMEM;
	*(const char **)dst = copy;
	return 0;
}

int parse_file(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	if (access(text, R_OK))
		return -EINVAL;
	return parse_text(s, row, text, dst);
}

/* "k=v,k2=v2": kept as it is when one pair is well formed; whoever reads it skips the others. */
int parse_pair_list(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	const char *at = text, *entry;
	char *key, *value;
	size_t good = 0;
	int more, err;

	for (;;) {
		entry = at + strspn(at, ", \t");
		more = pairs__next(&at, &key, &value);
		if (!more)
			break;
		if (more == -ENOMEM)
			return more;
		if (more < 0) {
			leave_out(s, entry, at - entry);
			continue;
		}
		good++;
		free(key);
		free(value);
	}
	if (!good)
		return -EINVAL;
	err = parse_text(s, row, text, dst);
	return err ? err : *s->left_out != '\0';
}

/* Comma separated; "," is the empty list. */
int parse_list(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	struct strings *out = dst, list = *out;
	const char *at = text, *p;
	size_t len;
	int err;

	while ((p = next_element(&at, &len))) {
		err = settings__append(s, &list, p, len);
		if (err)
			return err;
	}
	*out = list;
	return 0;
}

/* As parse_list, but of one at least: an empty variable in `--require "$LIBRARIES"` is a slip. */
int parse_some(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	int err = parse_list(s, row, text, dst);

	return !err && !((struct strings *)dst)->cnt ? -EINVAL : err;
}

int parse_pid(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	struct config *c = &s->config;
	uint64_t pid;
	int *pids;

	if (read_number(text, 1, INT32_MAX, &pid))
		return -EINVAL;
	pids = make_room(s, c->pids, c->pid_cnt, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	pids[c->pid_cnt++] = pid;
	c->pids = pids;
	return 0;
}

int parse_port(struct settings *s, const char *text)
{
	struct config *c = &s->config;
	unsigned *ports;
	uint64_t port;

	if (text[0] != ':' || read_number(text + 1, 1, UINT16_MAX, &port))
		return -EINVAL;
	ports = make_room(s, c->ports, c->port_cnt, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	ports[c->port_cnt++] = port;
	c->ports = ports;
	return 0;
}

int parse_u64(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	uint64_t value;
	int err = read_number(text, row->min, row->max, &value);

	if (!err)
		*(uint64_t *)dst = value;
	return err;
}

int parse_u32(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	uint64_t value;
	int err = read_number(text, row->min, row->max, &value);

	if (!err)
		*(uint32_t *)dst = value;
	return err;
}

/* A number, or none. */
int parse_limit(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const none[] = { "none" };

	if (find_word(text, none, 1) == 0) {
		*(uint32_t *)dst = UINT32_MAX;
		return 0;
	}
	return parse_u32(s, row, text, dst);
}

/* Bytes, or K, M (binary); rounded up to a power of two. */
int parse_size(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char units[] = "kmg";
	const char *p = skip_space(text), *unit;
	uint64_t value, size;

	if (read_digits(&p, &value) || value > row->max)
		return -EINVAL;
	unit = *p ? strchr(units, tolower((unsigned char)*p)) : NULL;
	if (unit) {
		value <<= 10 * (unit - units + 1);
		p++;
	}
	if (*skip_space(p) || value < row->min || value > row->max)
		return -EINVAL;
	for (size = sysconf(_SC_PAGESIZE); size < value; size *= 2)
		;
	*(uint32_t *)dst = size;
	return 0;
}

struct unit {
	const char *name;
	uint64_t ns;
};

/* The unit at *AT, which moves behind it: two letters come before the one that begins them. */
static uint64_t read_unit(const char **at)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "\u00b5s", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strncmp(*at, units[i].name, strlen(units[i].name))) {
			*at += strlen(units[i].name);
			return units[i].ns;
		}
	}
	return 0;
}

/* Adds one "1.5s" at *AT to *NS. */
static int read_duration_part(const char **at, uint64_t *ns)
{
	uint64_t whole, unit, scale = 1, fraction = 0;
	const char *p = *at;

	if (read_digits(&p, &whole))
		return -EINVAL;
	if (*p == '.') {
		for (p++; isdigit((unsigned char)*p); p++) {
			if (scale >= 1000000000)
				continue; /* finer than any unit can tell */
			fraction = fraction * 10 + (*p - '0');
			scale *= 10;
		}
	}
	unit = read_unit(&p);
	if (!unit || __builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(*ns, whole, ns) ||
	    __builtin_add_overflow(*ns, (uint64_t)((double)fraction / scale * unit), ns))
		return -EINVAL;
	*at = p;
	return 0;
}

/* As Go writes them: 250ms, 10s, 1m30s, 1.5h; at least 1 ns. */
int parse_duration(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	const char *p = text;
	uint64_t ns = 0;

	do {
		if (read_duration_part(&p, &ns))
			return -EINVAL;
	} while (*p);
	if (!ns)
		return -EINVAL;
	*(uint64_t *)dst = ns;
	return 0;
}

int parse_ratio(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	char *end;
	double ratio = strtod(text, &end);

	if (end == text || *skip_space(end) || !(ratio >= 0 && ratio <= 1))
		return -EINVAL;
	*(double *)dst = ratio;
	return 0;
}

int parse_level(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const words[] = {
		[LOG_NONE] = "none", [LOG_ERROR] = "error", [LOG_WARN] = "warn",
		[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
	};
	int level = find_word(text, words, sizeof(words) / sizeof(words[0]));

	if (level < 0)
		return level;
	*(enum log_level *)dst = level;
	return 0;
}

int parse_sampler(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	/* the parent based form of each follows it */
	static const char *const words[] = {
		"always_on", "parentbased_always_on", "always_off", "parentbased_always_off",
		"traceidratio", "parentbased_traceidratio",
	};
	static const enum sampler samplers[] = {
		SAMPLER_ALWAYS_ON, SAMPLER_ALWAYS_OFF, SAMPLER_TRACE_ID_RATIO,
	};
	int i = find_word(text, words, sizeof(words) / sizeof(words[0]));

	if (i < 0)
		return i;
	*(enum sampler *)dst = samplers[i / 2];
	s->config.sampler_parent_based = i % 2;
	return 0;
}

/* tracecontext is what we do; baggage is not for a tracer, and no reason to complain. */
int parse_propagators(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	bool trace_context = false, known = false;
	const char *at = text, *p;
	size_t len;

	while ((p = next_element(&at, &len))) {
		if (is_word(p, len, "tracecontext"))
			known = trace_context = true;
		else if (is_word(p, len, "baggage") || is_word(p, len, "none"))
			known = true;
		else
			leave_out(s, p, len);
	}
	if (!known)
		return -EINVAL;
	*(bool *)dst = trace_context;
	return *s->left_out != '\0';
}

int parse_exporters(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	bool known = false;
	const char *at = text, *p;
	unsigned bits = 0;
	size_t len;

	while ((p = next_element(&at, &len))) {
		if (is_word(p, len, "otlp"))
			bits |= EXPORT_TO_OTLP;
		else if (is_word(p, len, "console"))
			bits |= EXPORT_TO_CONSOLE;
		else if (is_word(p, len, "none"))
			known = true;
		else
			leave_out(s, p, len);
	}
	if (!bits && !known)
		return -EINVAL;
	*(unsigned *)dst = bits;
	return *s->left_out != '\0';
}

int parse_with_sdk(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const words[] = { "fill", "off", "all" };
	static const enum with_sdk values[] = { WITH_SDK_FILL, WITH_SDK_OFF, WITH_SDK_ALL };
	int i = find_word(text, words, 3);

	if (i < 0)
		return i;
	*(enum with_sdk *)dst = values[i];
	return 0;
}

int parse_protocol(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const words[] = { "http/protobuf", "grpc" };
	static const enum otlp_protocol protocols[] = { OTLP_HTTP_PROTOBUF, OTLP_GRPC };
	int i = find_word(text, words, 2);

	if (i < 0)
		return i;
	*(enum otlp_protocol *)dst = protocols[i];
	return 0;
}

int parse_compression(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	static const char *const words[] = { "none", "gzip" };
	int i = find_word(text, words, 2);

	if (i < 0)
		return i;
	*(bool *)dst = i;
	return 0;
}
