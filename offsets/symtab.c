/* SPDX-License-Identifier: Apache-2.0 */
#include "symtab.h"

#include <gelf.h>

bool symtab__present(const struct image *image)
{
	Elf_Scn *section = NULL;
	bool present = false;
	Elf *elf;

	elf_version(EV_CURRENT);
	/* libelf only reads here: the file has this machine's byte order */
	elf = elf_memory((char *)image->base, image->size);
	while (elf && !present && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		present = gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB &&
			  header.sh_size > sizeof(Elf64_Sym);
	}
	elf_end(elf);
	return present;
}
