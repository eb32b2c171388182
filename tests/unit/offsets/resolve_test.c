/* SPDX-License-Identifier: Apache-2.0 */
/* Every fixture is asked the same questions: answers may not depend on Go version or link mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include "fixtures.h"

struct fixture {
	const char *version;
	const char *mode;
};

static struct fixture fixtures[] = {
	{"1.27.1", "default"},	    {"1.27.1", "stripped-pie"}, {"1.24.9", "default"},
	{"1.24.9", "stripped-pie"}, {"1.19.13", "default"},	{"1.19.13", "stripped-pie"},
};

static bool is_stripped(const struct fixture *f)
{
	return !strcmp(f->mode, "stripped-pie");
}

static void describes_the_build(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	const struct go_info *info = resolve__info(r);

	assert_memory_equal(info->go_version, "go1.", 4);
	assert_memory_equal(info->go_version + 2, f->version, strlen(f->version));
	assert_string_equal(info->main_path, "example.com/fixtures/server");
	assert_string_equal(info->module, "example.com/fixtures");
	assert_string_not_equal(info->build_id, "");
	assert_int_equal(info->pie, is_stripped(f));
	assert_int_equal(info->stripped, is_stripped(f));
	assert_true(info->function_cnt > 3000);
	assert_true(info->type_cnt > 700);
	resolve__free(r);
}

static void finds_functions(void **state)
{
	static const char *const names[] = {
		"net/http.(*conn).serve",
		"net/http.serverHandler.ServeHTTP",
		"net/http.(*conn).serve.func1",
		"runtime.gopanic",
		"runtime.memmove",
		"runtime.newproc1",
		"main.(*Outer).Touch",
		"golang.org/x/net/http2/hpack.(*Encoder).WriteField",
		"vendor/golang.org/x/net/http2/hpack.(*Encoder).WriteField",
	};
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct function_fact fact;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *bare = names[i] + (strncmp(names[i], "vendor/", 7) ? 0 : 7);
		const uint8_t *code;

		assert_int_equal(resolve__function(r, names[i], &fact), 0);
		assert_true(fact.size > 0);
		assert_string_equal(resolve__function_at(r, fact.addr, NULL), bare);
		assert_string_equal(resolve__function_at(r, fact.addr + fact.size - 1, NULL), bare);
		code = resolve__bytes(r, fact.addr, fact.size);
		assert_non_null(code);
		assert_int_not_equal(code[fact.size - 1], 0xcc);
	}
	memset(&fact, 0x5a, sizeof(fact));
	assert_int_equal(resolve__function(r, "net/http.(*conn).nothing", &fact), -ENOENT);
	assert_int_equal(fact.addr, 0x5a5a5a5a5a5a5a5a); /* untouched */
	assert_null(resolve__function_at(r, 1, NULL));
	resolve__free(r);
}

static void knows_lines_frames_and_packages(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct function_fact fact;
	const char *file = NULL;
	uint32_t frame = 1, deepest = 0;
	int line = 0;

	assert_int_equal(resolve__function(r, "main.(*Outer).Touch", &fact), 0);
	assert_int_equal(resolve__line(r, fact.addr, &file, &line), 0);
	assert_non_null(strstr(file, "server/main.go"));
	assert_true(line > 50 && line < 100);
	assert_int_equal(resolve__frame_size(r, fact.addr, &frame), 0);
	assert_int_equal(frame, 0);
	for (uint64_t addr = fact.addr; addr < fact.addr + fact.size; addr++) {
		assert_int_equal(resolve__frame_size(r, addr, &frame), 0);
		deepest = frame > deepest ? frame : deepest;
	}
	assert_true(deepest >= 16 && deepest < 4096 && deepest % 8 == 0);
	assert_true(resolve__has_package(r, "net/http"));
	assert_true(resolve__has_package(r, "main"));
	assert_true(resolve__has_package(r, "golang.org/x/net/http2/hpack"));
	assert_false(resolve__has_package(r, "net/htt"));
	assert_false(resolve__has_package(r, "google.golang.org/grpc"));
	resolve__free(r);
}

struct expected_field {
	const char *path;
	uint32_t offset;
	uint32_t size;
	enum go_kind kind;
};

static void finds_fields(void **state)
{
	static const struct expected_field expected[] = {
		{"net/http.Request.Method", 0, 16, GO_KIND_STRING},
		{"net/http.Request.URL", 16, 8, GO_KIND_POINTER},
		{"main.Outer.ID", 0, 4, GO_KIND_INT32},
		{"main.Outer.Inner", 8, 16, GO_KIND_STRUCT},
		{"main.Outer.Inner.Word", 16, 8, GO_KIND_UINT64},
		{"main.Outer.Embedded", 24, 8, GO_KIND_POINTER},
		{"main.Outer.Tags", 32, 8, GO_KIND_MAP},
		{"main.Outer.err", 40, 16, GO_KIND_INTERFACE},
		{"main.Pair[string,int32].Value", 16, 4, GO_KIND_INT32},
		{"context.cancelCtx.Context", 0, 16, GO_KIND_INTERFACE},
		{"runtime.moduledata.funcnametab", 8, 24, GO_KIND_SLICE},
		{"golang.org/x/net/http2/hpack.HeaderField.Name", 0, 16, GO_KIND_STRING},
	};
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct field_fact fact;
	struct why why;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected_field *e = &expected[i];

		why.text[0] = '\0';
		if (resolve__field(r, e->path, &fact, &why))
			fail_msg("%s: %s", e->path, why.text);
		assert_int_equal(fact.offset, e->offset);
		assert_int_equal(fact.size, e->size);
		assert_int_equal(fact.kind, e->kind);
		assert_int_equal(fact.source, FACT_TYPE_DATA);
		assert_int_not_equal(fact.type_addr, 0);
	}
	/* these moved between versions: dwarf_match_test compares the offsets */
	assert_int_equal(resolve__field(r, "runtime.g.goid", &fact, &why), 0);
	assert_int_equal(resolve__field(r, "runtime._panic.arg", &fact, &why), 0);
	assert_int_equal(fact.kind, GO_KIND_INTERFACE);
	assert_int_equal(resolve__field(r, "net/http.response.cw.wroteHeader", &fact, &why), 0);
	assert_int_equal(fact.kind, GO_KIND_BOOL);
	resolve__free(r);
}

static void says_why_a_field_is_missing(void **state)
{
	static const char *const cases[][2] = {
		{"net/http.Request.Nope", "net/http.Request has no field Nope"},
		{"main.Outer.Inner.Nope", "main.Outer.Inner has no field Nope"},
		{"main.Outer.Embedded.Flag", "main.Outer.Embedded is no struct"},
		{"main.Nope.Field", "no type of main.Nope.Field in the executable"},
		{"a.com/b.C.D", "no type of a.com/b.C.D in the executable"},
		{"nodots", "no type of nodots in the executable"},
	};
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct field_fact fact = {.offset = 77};
	struct why why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(resolve__field(r, cases[i][0], &fact, &why), -ENOENT);
		assert_string_equal(why.text, cases[i][1]);
		assert_int_equal(fact.offset, 77);
	}
	resolve__free(r);
}

static void asks_dwarf_for_the_rest(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct field_fact fact;
	struct why why;
	int err = resolve__stack_field(r, "runtime.iface.data", &fact, &why);

	if (is_stripped(f)) {
		assert_int_equal(err, -ENOENT);
	} else {
		assert_int_equal(err, 0);
		assert_int_equal(fact.source, FACT_DWARF);
		assert_int_equal(fact.offset, 8);
		assert_int_equal(fact.size, 8);
		assert_int_equal(fact.kind, GO_KIND_UNSAFE_POINTER);
		assert_int_equal(resolve__stack_field(r, "runtime.iface.nope", &fact, &why), -ENOENT);
	}
	resolve__free(r);
}

static void check_type(const struct resolve *r, const char *name, enum go_kind kind)
{
	struct type_fact fact, again;
	char buf[128];
	int len;

	if (resolve__type(r, name, &fact))
		fail_msg("no type %s", name);
	assert_int_equal(fact.kind, kind);
	assert_int_equal(resolve__type_at(r, fact.addr, &again), 0);
	assert_int_equal(again.size, fact.size);
	len = resolve__type_name(r, fact.addr, buf, sizeof(buf));
	assert_int_equal(len, strlen(buf));
	assert_true(!strcmp(buf, name) || !strcmp(buf + strlen("vendor/"), name));
	assert_int_equal(resolve__type_name(r, fact.addr, buf, strlen(name)), -E2BIG);
}

static void finds_types(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct type_fact pointer, response;

	check_type(r, "net/http.response", GO_KIND_STRUCT);
	check_type(r, "*net/http.response", GO_KIND_POINTER);
	check_type(r, "main.myErr", GO_KIND_STRUCT);
	check_type(r, "*errors.errorString", GO_KIND_POINTER);
	check_type(r, "runtime.boundsError", GO_KIND_STRUCT);
	check_type(r, "context.Context", GO_KIND_INTERFACE);
	check_type(r, "net/http.Header", GO_KIND_MAP);
	check_type(r, "string", GO_KIND_STRING);
	check_type(r, "golang.org/x/net/http2/hpack.Encoder", GO_KIND_STRUCT);
	assert_int_equal(resolve__type(r, "net/http.response", &response), 0);
	assert_int_equal(resolve__type(r, "*net/http.response", &pointer), 0);
	assert_int_equal(pointer.elem, response.addr);
	assert_int_equal(pointer.size, 8);
	assert_int_equal(resolve__type(r, "net/http.nothing", &pointer), -ENOENT);
	assert_int_equal(resolve__type_at(r, response.addr + 8, &pointer), -ENOENT);
	assert_int_equal(resolve__type_at(r, 0, &pointer), -ENOENT);
	resolve__free(r);
}

static void walks_struct_fields(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct field_fact field;
	struct type_fact type;
	const char *name;
	size_t len;

	assert_int_equal(resolve__type(r, "main.myErr", &type), 0);
	assert_int_equal(resolve__type_field(r, type.addr, 0, &name, &len, &field), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(name, "code", 4);
	assert_int_equal(field.kind, GO_KIND_INT);
	assert_int_equal(resolve__type_field(r, type.addr, 1, &name, &len, &field), -ENOENT);
	assert_int_equal(resolve__type(r, "*main.myErr", &type), 0);
	assert_int_equal(resolve__type_field(r, type.addr, 0, &name, &len, &field), -EINVAL);
	resolve__free(r);
}

static void reads_the_image(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct function_fact fact;
	uint64_t off, field_ptr;
	struct type_fact type;
	uint8_t byte;

	assert_int_equal(resolve__function(r, "main.main", &fact), 0);
	assert_int_equal(resolve__file_off(r, fact.addr, &off), 0);
	assert_int_equal(off, fact.file_off);
	assert_int_equal(resolve__read(r, fact.addr, &byte, 1), 0);
	assert_int_equal(byte, *(const uint8_t *)resolve__bytes(r, fact.addr, 1));
	/* the fields pointer of a struct descriptor is a word that PIE relocates */
	assert_int_equal(resolve__type(r, "main.myErr", &type), 0);
	assert_int_equal(resolve__read(r, type.addr + 56, &field_ptr, 8), 0);
	assert_true(field_ptr == type.addr + 80 || field_ptr == type.addr + 96);
	assert_int_equal(resolve__read(r, UINT64_MAX - 4, &off, 8), -EFAULT);
	assert_int_equal(resolve__read(r, 0xdead00000000, &off, 8), -EFAULT);
	assert_int_equal(resolve__file_off(r, 0xdead00000000, &off), -EFAULT);
	assert_null(resolve__bytes(r, fact.addr, SIZE_MAX));
	resolve__free(r);
}

static void finds_itabs(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct type_fact interface, type;
	uint64_t itab = 0, words[2];

	assert_int_equal(resolve__type(r, "net/http.ResponseWriter", &interface), 0);
	assert_int_equal(resolve__type(r, "*net/http.response", &type), 0);
	assert_int_equal(resolve__itab(r, "net/http.ResponseWriter", "*net/http.response", &itab),
			 0);
	assert_int_equal(resolve__read(r, itab, words, sizeof(words)), 0);
	assert_int_equal(words[0], interface.addr);
	assert_int_equal(words[1], type.addr);
	assert_int_equal(resolve__itab(r, "error", "*main.myErr", &itab), 0);
	assert_int_equal(resolve__itab(r, "context.Context", "*main.myErr", &itab), -ENOENT);
	assert_int_equal(resolve__itab(r, "main.nothing", "*main.myErr", &itab), -ENOENT);
	resolve__free(r);
}

struct implementers {
	const struct resolve *r;
	char names[2048]; /* " NAME NAME " */
	size_t cnt;
	size_t stop_at;
};

static int note_implementer(void *ctx, const struct type_fact *type)
{
	struct implementers *found = ctx;
	size_t len = strlen(found->names);

	assert_true(resolve__type_name(found->r, type->addr, found->names + len,
				       sizeof(found->names) - len - 1) > 0);
	strcat(found->names, " ");
	return ++found->cnt == found->stop_at ? 42 : 0;
}

static void visits_implementers(void **state)
{
	static const char *const there[] = {" *main.First ", " main.ByValue ", " *main.Scoped ",
					    " *context.valueCtx ", " *context.timerCtx "};
	static const char *const absent[] = {" main.Other ", " *main.Base ", " main.First "};
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(CONTEXTS, f->version, f->mode);
	struct implementers found = {.r = r, .names = " "}, first = {.r = r, .stop_at = 1};

	assert_int_equal(resolve__each_implementer(r, "context.Context", note_implementer, &found),
			 0);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		if (!strstr(found.names, there[i]))
			fail_msg("no%sin%s", there[i], found.names);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(strstr(found.names, absent[i]));
	assert_int_equal(resolve__each_implementer(r, "context.Context", note_implementer, &first),
			 42);
	assert_int_equal(first.cnt, 1);
	assert_int_equal(resolve__each_implementer(r, "main.No", note_implementer, &first), -ENOENT);
	resolve__free(r);
}

static void knows_what_interfaces_include(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(CONTEXTS, f->version, f->mode);
	struct type_fact context, session, error;

	assert_int_equal(resolve__type(r, "context.Context", &context), 0);
	assert_int_equal(resolve__type(r, "main.Session", &session), 0);
	assert_int_equal(resolve__type(r, "error", &error), 0);
	assert_true(resolve__includes(r, context.addr, context.addr));
	assert_true(resolve__includes(r, session.addr, context.addr));
	assert_false(resolve__includes(r, context.addr, session.addr));
	assert_false(resolve__includes(r, error.addr, context.addr));
	assert_false(resolve__includes(r, context.addr, error.addr));
	assert_false(resolve__includes(r, context.addr, 0));
	resolve__free(r);
}

static void knows_embedded_fields(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(CONTEXTS, f->version, f->mode);
	struct field_fact field;
	struct why why;

	assert_int_equal(resolve__field(r, "main.Both.background", &field, &why), 0);
	assert_false(field.embedded);
	assert_int_equal(resolve__field(r, "main.Both.Context", &field, &why), 0);
	assert_true(field.embedded);
	assert_int_equal(resolve__field(r, "main.Framework.own", &field, &why), 0);
	assert_true(field.embedded);
	assert_int_equal(resolve__field(r, "main.Framework.Request", &field, &why), 0);
	assert_false(field.embedded);
	resolve__free(r);
}

/*
 * What lies between the descriptors may look like one, with the name of a package for its name. Seen in
 * a program of Go 1.20: its bool called "net" hid all of net's types.
 */
static void a_wrong_guess_hides_nothing(void **state)
{
	enum { PKG_PATH_OFF = 80 }; /* of a struct that has one: it names its package */
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(SERVER, f->version, f->mode);
	struct type_fact package, victim;
	struct field_fact field;
	struct why why;
	uint64_t at;
	size_t size;
	unsigned char *bytes = fixture__load(SERVER, f->version, f->mode, &size);
	/* size, ptrdata, hash; flags of a named type, alignment; kind bool */
	uint64_t guess[6] = {0x504000000000003, 0, 0x0101010500000000};
	int fd;

	assert_int_equal(resolve__type(r, "net.TCPAddr", &package), 0);
	assert_int_equal(resolve__file_off(r, package.addr, &at), 0);
	memcpy(&guess[5], bytes + at + PKG_PATH_OFF, 4);
	assert_int_equal(resolve__type(r, "main.Outer", &victim), 0);
	assert_int_equal(resolve__file_off(r, victim.addr, &at), 0);
	memcpy(bytes + at, guess, sizeof(guess));
	resolve__free(r);
	fd = memory_file(bytes, size);
	assert_int_equal(resolve__open(fd, "app", &r, &why), 0);
	assert_int_equal(resolve__type(r, "main.Outer", &victim), -ENOENT);
	assert_int_equal(resolve__type(r, "net", &victim), -ENOENT);
	assert_int_equal(resolve__field(r, "net.TCPAddr.IP", &field, &why), 0);
	resolve__free(r);
	close(fd);
	free(bytes);
}

/* The smallest program has all that the bootstrap needs. */
static void opens_hello(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(HELLO, f->version, f->mode);
	struct field_fact fact;
	struct why why;

	assert_int_equal(resolve__field(r, "runtime.g.goid", &fact, &why), 0);
	assert_int_equal(fact.size, 8);
	assert_false(resolve__has_package(r, "net/http"));
	resolve__free(r);
}

int main(void)
{
	static const struct CMUnitTest templates[] = {
		cmocka_unit_test(describes_the_build),
		cmocka_unit_test(finds_functions),
		cmocka_unit_test(knows_lines_frames_and_packages),
		cmocka_unit_test(finds_fields),
		cmocka_unit_test(says_why_a_field_is_missing),
		cmocka_unit_test(asks_dwarf_for_the_rest),
		cmocka_unit_test(finds_types),
		cmocka_unit_test(walks_struct_fields),
		cmocka_unit_test(reads_the_image),
		cmocka_unit_test(finds_itabs),
		cmocka_unit_test(visits_implementers),
		cmocka_unit_test(knows_what_interfaces_include),
		cmocka_unit_test(knows_embedded_fields),
		cmocka_unit_test(a_wrong_guess_hides_nothing),
		cmocka_unit_test(opens_hello),
	};
	enum {
		TEMPLATES = sizeof(templates) / sizeof(templates[0]),
		FIXTURES = sizeof(fixtures) / sizeof(fixtures[0])
	};
	struct CMUnitTest tests[TEMPLATES * FIXTURES];

	for (size_t i = 0; i < TEMPLATES * FIXTURES; i++) {
		tests[i] = templates[i % TEMPLATES];
		tests[i].initial_state = &fixtures[i / TEMPLATES];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
