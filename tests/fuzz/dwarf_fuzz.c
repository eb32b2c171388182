/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the types in DWARF: the input is an executable, of which the sections matter.
 * libFuzzer: -max_len=1600
 */
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct dwarf *d, const char *type, const char *path)
{
	struct field_fact fact = {.source = FACT_TYPE_DATA};
	int err = dwarf__field(d, type, strlen(type), path, &fact);

	if (err)
		memory_file__expect(err == -ENOENT || err == -ENOTUNIQ || err == -ESRCH);
	else
		memory_file__expect(fact.kind >= GO_KIND_BOOL &&
				    fact.kind <= GO_KIND_UNSAFE_POINTER);
	memory_file__expect(fact.source == (err ? FACT_TYPE_DATA : FACT_DWARF));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image *image = NULL;
	struct dwarf *d = NULL;
	struct why why;

	if (image__open(memory_file(data, size), &image, &why))
		return 0;
	if (!dwarf__open(image, &d)) {
		ask(d, "runtime.g", "goid");
		ask(d, "runtime.g", "m.sp");
		ask(d, "runtime.g", "p");
		ask(d, "runtime.g", "goid.nothing");
		ask(d, "runtime.d", "d");
		ask(d, "run%74ime.g", "nothing");
		ask(d, "", "");
	}
	dwarf__free(d);
	image__free(image);
	return 0;
}
