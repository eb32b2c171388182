/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts rely on: names, fields, exit status. The verdicts are compared in tests/kernels. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/doctor.h"

static json_t *check_named(json_t *root, const char *name)
{
	json_t *check;
	size_t i;

	json_array_foreach(json_object_get(root, "checks"), i, check)
		if (!strcmp(json_string_value(json_object_get(check, "name")), name))
			return check;
	return NULL;
}

static void test_json(void **state)
{
	static const char *const names[] = {
		"kernel", "capabilities", "btf", "ring_buffer", "attach_cookie", "uprobe_multi",
		"uprobe_multi_pid", "uprobe_perf", "write_regs", "write_user", "exec_tracepoints",
		"ring_memory", "hit_cost", "detach", "lockdown", "user_namespace", "seccomp",
		"pid_namespace", "proc", "processes", "cgroup", "container",
	};
	json_t *root, *check;
	char *text = NULL;
	size_t i, len;
	FILE *out = open_memstream(&text, &len);
	int status = doctor__run(true, out);
	const char *name, *value, *needed_for, *advice;
	int ok;

	fclose(out);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_is_true(json_object_get(root, "works")), status == 0);
	assert_int_equal(*json_string_value(json_object_get(root, "reason")) == '\0', status == 0);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		check = check_named(root, names[i]);
		assert_non_null(check);
		assert_int_equal(json_unpack(check, "{s:s, s:b, s:s, s:s, s:s!}", "name", &name, "ok",
					     &ok, "value", &value, "needed_for", &needed_for,
					     "advice", &advice), 0);
		assert_true(*value && *needed_for);
		assert_int_equal(!*advice, ok);
	}
	assert_int_equal(json_array_size(json_object_get(root, "checks")), i);
	json_decref(root);
	free(text);
}

static void test_table(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int status = doctor__run(false, out);

	fclose(out);
	assert_non_null(strstr(text, status ? "tracing does not work here: " : "tracing works here\n"));
	assert_non_null(strstr(text, "uprobe_multi"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
