/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's linker puts the DIEs of all types into a compilation unit of package runtime, of which there
 * are several (cmd/link/internal/ld/dwarf.go): only those are read, once, into an index by name.
 */
#include "dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>

#include "names.h"

enum {
	DW_AT_GO_KIND = 0x2900, /* reflect.Kind of the type */
	TYPEDEF_DEPTH_MAX = 16,
	UNPACKED_MAX = 32, /* sizes of the file: a limit for compressed sections */
};

struct dwarf {
	Elf *elf;
	Dwarf *dw;
	Dwarf_Off *structs; /* offsets of their DIEs */
	size_t struct_cnt;
	size_t struct_cap;
	struct name_index by_name;
};

static bool is_needed(const char *name)
{
	return !strcmp(name, ".debug_info") || !strcmp(name, ".debug_abbrev") ||
	       !strcmp(name, ".debug_str");
}

/*
 * libdw unpacks every debug section that it finds, which would be most of the time and memory:
 * hides those that hold no types, in libelf's private copy of the headers. False when the others
 * would grow out of all proportion.
 */
static bool leave_only_types(const struct image *image, Elf *elf)
{
	Elf_Scn *section = NULL;
	uint64_t unpacked = 0;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Chdr compression;
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			return false;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name || !is_needed(name)) {
			header.sh_type = SHT_NOBITS;
			header.sh_flags &= ~(uint64_t)SHF_COMPRESSED;
			if (elf_ndxscn(section) != names && !gelf_update_shdr(section, &header))
				return false;
		} else if (header.sh_flags & SHF_COMPRESSED) {
			if (!gelf_getchdr(section, &compression) ||
			    compression.ch_size / UNPACKED_MAX > image->size)
				return false;
			unpacked += compression.ch_size;
		}
	}
	return unpacked / UNPACKED_MAX <= image->size;
}

static int keep(struct dwarf *d, Dwarf_Off off)
{
	if (d->struct_cnt == d->struct_cap) {
		size_t cap = d->struct_cap ? d->struct_cap * 2 : 1024;
		Dwarf_Off *structs = realloc(d->structs, cap * sizeof(*structs));

		if (!structs)
			return -ENOMEM;
		d->structs = structs;
		d->struct_cap = cap;
	}
	d->structs[d->struct_cnt++] = off;
	return 0;
}

static int collect_structs(struct dwarf *d, Dwarf_Die *unit)
{
	Dwarf_Off last = dwarf_dieoffset(unit);
	Dwarf_Die die;
	int err = 0;

	if (dwarf_child(unit, &die))
		return 0;
	/* forward only: a forged sibling cannot make it turn in circles */
	while (!err && dwarf_dieoffset(&die) > last) {
		last = dwarf_dieoffset(&die);
		if (dwarf_tag(&die) == DW_TAG_structure_type)
			err = keep(d, last);
		if (dwarf_siblingof(&die, &die))
			break;
	}
	return err;
}

static int collect_types(struct dwarf *d)
{
	Dwarf_Off off = 0, next;
	size_t header_sz;
	int err = 0;

	while (!err && !dwarf_nextcu(d->dw, off, &next, &header_sz, NULL, NULL, NULL) &&
	       next > off) {
		Dwarf_Die unit;
		const char *name = NULL;

		if (dwarf_offdie(d->dw, off + header_sz, &unit))
			name = dwarf_diename(&unit);
		if (name && !strcmp(name, "runtime"))
			err = collect_structs(d, &unit);
		off = next;
	}
	return err ? err : d->struct_cnt ? 0 : -ENOENT;
}

static const char *struct_name(const struct dwarf *d, size_t i, Dwarf_Die *die)
{
	return dwarf_offdie(d->dw, d->structs[i], die) ? dwarf_diename(die) : NULL;
}

static int index_structs(struct dwarf *d)
{
	int err = name_index__init(&d->by_name, d->struct_cnt);

	for (size_t i = 0; !err && i < d->struct_cnt; i++) {
		Dwarf_Die die;
		const char *name = struct_name(d, i, &die);

		if (name)
			name_index__add(&d->by_name, name__tail_hash(name, strlen(name), "/"), i);
	}
	return err;
}

int dwarf__open(const struct image *image, struct dwarf **out)
{
	struct dwarf *d = calloc(1, sizeof(*d));
	int err = -ENOENT;

	if (!d)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	d->elf = elf_begin(image->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!d->elf || !leave_only_types(image, d->elf))
		goto cleanup;
	d->dw = dwarf_begin_elf(d->elf, DWARF_C_READ, NULL);
	if (!d->dw)
		goto cleanup;
	err = collect_types(d);
	if (!err)
		err = index_structs(d);
cleanup:
	if (err)
		dwarf__free(d);
	else
		*out = d;
	return err;
}

void dwarf__free(struct dwarf *d)
{
	if (!d)
		return;
	name_index__free(&d->by_name);
	free(d->structs);
	dwarf_end(d->dw);
	elf_end(d->elf);
	free(d);
}

/* -- looking up -- */

static int find_struct(const struct dwarf *d, const char *name, size_t len, Dwarf_Die *out)
{
	uint32_t hash = name__tail_hash(name, len, "/");
	size_t exact = 0, normalised = 0;
	Dwarf_Die exact_die, normalised_die;

	for (uint32_t e = name_index__first(&d->by_name, hash); e;
	     e = name_index__next(&d->by_name, e)) {
		Dwarf_Die die;
		const char *found = struct_name(d, e - 1, &die);
		size_t found_len = found ? strlen(found) : 0;

		if (!found || !name__equal(found, found_len, name, len))
			continue;
		if (found_len == len && !memcmp(found, name, len)) {
			exact_die = die;
			exact++;
		} else {
			normalised_die = die;
			normalised++;
		}
	}
	if (exact > 1 || (!exact && normalised > 1))
		return -ENOTUNIQ;
	if (!exact && !normalised)
		return -ENOENT;
	*out = exact ? exact_die : normalised_die;
	return 0;
}

static bool number_of(Dwarf_Die *die, unsigned int name, Dwarf_Word *out)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) && !dwarf_formudata(&attr, out);
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, out);
}

/* Kind and size of a field's type; named types are typedefs of what they are made of. */
static bool read_type(Dwarf_Die *type, struct field_fact *fact)
{
	Dwarf_Word kind = 0, size = 0;

	for (int depth = 0; depth < TYPEDEF_DEPTH_MAX; depth++) {
		if (!kind)
			number_of(type, DW_AT_GO_KIND, &kind);
		if (number_of(type, DW_AT_byte_size, &size) || dwarf_tag(type) != DW_TAG_typedef ||
		    !type_of(type, type))
			break;
	}
	/* unsafe.Pointer has neither kind nor element; Go 1.19 leaves out the kind of others too */
	if (!kind && dwarf_tag(type) == DW_TAG_pointer_type)
		kind = type_of(type, type) ? GO_KIND_POINTER : GO_KIND_UNSAFE_POINTER;
	if (kind == GO_KIND_POINTER || kind == GO_KIND_FUNC || kind == GO_KIND_MAP ||
	    kind == GO_KIND_CHAN || kind == GO_KIND_UNSAFE_POINTER)
		size = 8;
	if (kind < GO_KIND_BOOL || kind > GO_KIND_UNSAFE_POINTER || size > UINT32_MAX)
		return false;
	fact->kind = kind;
	fact->size = size;
	return true;
}

static bool find_member(Dwarf_Die *type, const char *name, size_t len, Dwarf_Die *out)
{
	Dwarf_Die die;

	if (dwarf_child(type, &die))
		return false;
	do {
		const char *found = dwarf_diename(&die);

		if (dwarf_tag(&die) == DW_TAG_member && found && strlen(found) == len &&
		    !memcmp(found, name, len)) {
			*out = die;
			return true;
		}
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

int dwarf__field(struct dwarf *d, const char *type, size_t type_len, const char *path,
		 struct field_fact *out)
{
	struct field_fact fact = {.source = FACT_DWARF};
	Dwarf_Word base = 0;
	Dwarf_Die die;
	int err = find_struct(d, type, type_len, &die);

	if (err)
		return err;
	for (;;) {
		size_t len = strcspn(path, ".");
		Dwarf_Die member, member_type;
		Dwarf_Word off;

		if (!find_member(&die, path, len, &member) || !type_of(&member, &member_type) ||
		    !number_of(&member, DW_AT_data_member_location, &off))
			return -ESRCH;
		die = member_type;
		base += off;
		if (!read_type(&member_type, &fact) || base > UINT32_MAX)
			return -ESRCH;
		if (!path[len])
			break;
		if (fact.kind != GO_KIND_STRUCT)
			return -ESRCH;
		path += len + 1;
	}
	fact.offset = base;
	*out = fact;
	return 0;
}
