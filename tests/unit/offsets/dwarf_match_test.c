/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two independent descriptions of one program must agree: the type data of the stripped PIE build
 * and the DWARF of the ordinary build (every struct, every field), and pclntab and the ELF symbol
 * table (every Go function).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>

#include "fixtures.h"

enum { DW_AT_GO_KIND = 0x2900, STRUCTS_MIN = 500, FUNCTIONS_MIN = 3000, ITABS_MIN = 150 };

struct tally {
	int structs;
	int fields;
	int differences;
};

static void difference(struct tally *t, const char *type, const char *field, const char *what)
{
	t->differences++;
	print_message("%s.%s: %s differs\n", type, field ? field : "", what);
}

static void compare_member(const struct resolve *r, const char *type, uint64_t addr, size_t i,
			   Dwarf_Die *member, struct tally *t)
{
	const char *expected = dwarf_diename(member), *name;
	Dwarf_Word off, kind;
	Dwarf_Attribute attr;
	struct field_fact f;
	Dwarf_Die field_type;
	size_t len;

	assert_non_null(dwarf_attr(member, DW_AT_data_member_location, &attr));
	assert_int_equal(dwarf_formudata(&attr, &off), 0);
	t->fields++;
	if (resolve__type_field(r, addr, i, &name, &len, &f)) {
		difference(t, type, expected, "number of fields");
		return;
	}
	if (len != strlen(expected) || memcmp(name, expected, len))
		difference(t, type, expected, "name");
	if (f.offset != off)
		difference(t, type, expected, "offset");
	assert_non_null(dwarf_attr(member, DW_AT_type, &attr));
	assert_non_null(dwarf_formref_die(&attr, &field_type));
	if (dwarf_attr(&field_type, DW_AT_GO_KIND, &attr) && !dwarf_formudata(&attr, &kind) &&
	    kind && kind != f.kind) /* Go 1.19 leaves it 0 in some pointers */
		difference(t, type, expected, "kind");
}

static void compare_struct(const struct resolve *r, Dwarf_Die *die, struct tally *t)
{
	const char *name = dwarf_diename(die), *rest;
	struct type_fact type;
	struct field_fact f;
	Dwarf_Attribute attr;
	Dwarf_Word kind = 0;
	Dwarf_Die member;
	size_t i = 0, len;

	/* slices, strings and maps are structs to DWARF, but not of this kind */
	if (!name || !dwarf_attr(die, DW_AT_GO_KIND, &attr) || dwarf_formudata(&attr, &kind) ||
	    kind != GO_KIND_STRUCT || resolve__type(r, name, &type))
		return;
	t->structs++;
	if (type.size != (uint64_t)dwarf_bytesize(die))
		difference(t, name, NULL, "size");
	if (!dwarf_child(die, &member)) {
		do {
			if (dwarf_tag(&member) == DW_TAG_member)
				compare_member(r, name, type.addr, i++, &member, t);
		} while (!dwarf_siblingof(&member, &member));
	}
	if (!resolve__type_field(r, type.addr, i, &rest, &len, &f))
		difference(t, name, NULL, "number of fields");
}

static void compare_structs(const char *version)
{
	struct resolve *r = fixture__open("server", version, "stripped-pie");
	int fd = fixture__open_file("server", version, "default");
	Dwarf_Off off = 0, next;
	struct tally t = {0};
	size_t header_sz;
	Dwarf *dw;

	assert_true(fd >= 0);
	dw = dwarf_begin(fd, DWARF_C_READ);
	assert_non_null(dw);
	for (; !dwarf_nextcu(dw, off, &next, &header_sz, NULL, NULL, NULL); off = next) {
		Dwarf_Die unit, die;

		if (!dwarf_offdie(dw, off + header_sz, &unit) || dwarf_child(&unit, &die))
			continue;
		do {
			if (dwarf_tag(&die) == DW_TAG_structure_type)
				compare_struct(r, &die, &t);
		} while (!dwarf_siblingof(&die, &die));
	}
	print_message("%s: %d structs, %d fields compared\n", version, t.structs, t.fields);
	assert_true(t.structs >= STRUCTS_MIN);
	assert_int_equal(t.differences, 0);
	dwarf_end(dw);
	close(fd);
	resolve__free(r);
}

/* C's functions and the linker's own symbols have no dot or one of the prefixes. */
static bool is_go_function(const char *name, const GElf_Sym *sym)
{
	return GELF_ST_TYPE(sym->st_info) == STT_FUNC && sym->st_size && strchr(name, '.') &&
	       !strstr(name, ".abi0") && strncmp(name, "go:", 3) && strncmp(name, "go.", 3) &&
	       strncmp(name, "type:", 5) && strncmp(name, "type.", 5);
}

struct symbols {
	Elf *elf;
	Elf_Data *data;
	size_t cnt;
	size_t names; /* section */
	int ambiguous_pairs;
	bool short_generics; /* Go <= 1.20 has "F[...]" in pclntab */
};

static const char *read_symbol(const struct symbols *s, size_t i, GElf_Sym *sym)
{
	assert_non_null(gelf_getsym(s->data, i, sym));
	return elf_strptr(s->elf, s->names, sym->st_name);
}

/* Symbols of this name; with SUFFIX ".abi0" only one at ADDR counts. */
static int count_symbols(const struct symbols *s, const char *name, const char *suffix,
			 uint64_t addr)
{
	size_t len = strlen(name);
	int cnt = 0;

	for (size_t i = 0; i < s->cnt; i++) {
		GElf_Sym sym;
		const char *other = read_symbol(s, i, &sym);

		cnt += !strncmp(other, name, len) && !strcmp(other + len, suffix) &&
		       (!*suffix || sym.st_value == addr);
	}
	return cnt;
}

/*
 * Two names mean two functions only where the symbol table has it so: duplicates of closures in
 * generic code, and assembly, whose body is ABI0 while the plain symbol is the ABIInternal wrapper.
 */
static void compare_function(const struct resolve *r, struct symbols *s, const char *name,
			     const GElf_Sym *sym)
{
	struct function_fact f;
	int err = resolve__function(r, name, &f);

	if (err == -ENOTUNIQ && count_symbols(s, name, "", 0) > 1)
		return;
	if (err == -ENOTUNIQ && !strncmp(name, "reflect.call", 12)) {
		s->ambiguous_pairs++; /* wrappers themselves, so nothing tells the body */
		return;
	}
	if (err == -ENOENT && strchr(name, '[') && s->short_generics)
		return;
	if (err)
		fail_msg("%s: %s", name, strerror(-err));
	if (f.addr != sym->st_value && count_symbols(s, name, ".abi0", f.addr) != 1)
		fail_msg("%s: 0x%jx, not 0x%jx", name, (uintmax_t)f.addr, (uintmax_t)sym->st_value);
	if (f.addr == sym->st_value)
		assert_true(f.size <= sym->st_size + 64);
}

/* "go:itab.TYPE,INTERFACE"; Go 1.27 writes no such symbols. */
static int compare_itab(const struct resolve *r, const char *name, const GElf_Sym *sym)
{
	static const size_t prefix = sizeof("go:itab.") - 1;
	const char *comma = strrchr(name, ',');
	char type[512];
	uint64_t addr;

	if (strncmp(name, "go", 2) || strncmp(name + 3, "itab.", 5) || !comma ||
	    strchr(name, '[') || (size_t)(comma - name) - prefix >= sizeof(type))
		return 0;
	memcpy(type, name + prefix, comma - name - prefix);
	type[comma - name - prefix] = '\0';
	if (resolve__itab(r, comma + 1, type, &addr))
		return 0;
	assert_int_equal(addr, sym->st_value);
	return 1;
}

static int compare_functions(const struct resolve *r, Elf *elf, Elf_Scn *symtab, GElf_Shdr *header)
{
	struct symbols s = {
		.elf = elf,
		.data = elf_getdata(symtab, NULL),
		.cnt = header->sh_size / header->sh_entsize,
		.names = header->sh_link,
		.short_generics = strstr(resolve__info(r)->go_version, "go1.19"),
	};
	int compared = 0, itabs = 0;

	for (size_t i = 0; i < s.cnt; i++) {
		GElf_Sym sym;
		const char *name = read_symbol(&s, i, &sym);

		itabs += compare_itab(r, name, &sym);
		if (!is_go_function(name, &sym))
			continue;
		compare_function(r, &s, name, &sym);
		compared++;
	}
	assert_true(s.ambiguous_pairs <= 2); /* callMethod, callReflect */
	if (!strstr(resolve__info(r)->go_version, "go1.27"))
		assert_true(itabs >= ITABS_MIN);
	return compared;
}

static void compare_symbols(const char *version)
{
	struct resolve *r = fixture__open("server", version, "default");
	int fd = fixture__open_file("server", version, "default");
	int compared = 0;
	Elf_Scn *section = NULL;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		assert_non_null(gelf_getshdr(section, &header));
		if (header.sh_type == SHT_SYMTAB)
			compared = compare_functions(r, elf, section, &header);
	}
	print_message("%s: %d functions compared\n", version, compared);
	assert_true(compared >= FUNCTIONS_MIN);
	elf_end(elf);
	close(fd);
	resolve__free(r);
}

static void structs_match(void **state)
{
	compare_structs(*state);
}

static void functions_match(void **state)
{
	compare_symbols(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(structs_match, "1.27.1"),
		cmocka_unit_test_prestate(structs_match, "1.24.9"),
		cmocka_unit_test_prestate(structs_match, "1.19.13"),
		cmocka_unit_test_prestate(functions_match, "1.27.1"),
		cmocka_unit_test_prestate(functions_match, "1.24.9"),
		cmocka_unit_test_prestate(functions_match, "1.19.13"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
