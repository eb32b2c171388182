/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buildinfo: what the Go linker wrote about the build: toolchain version, main module, VCS
 * revision, and the build ids in the ELF notes.
 *
 * Layout: Go src/debug/buildinfo/buildinfo.go (func readRawBuildInfo). A 32-byte header at an
 * address that is a multiple of 16 begins with "\xff Go buildinf:"; flag bit 1 at +15 says that two
 * length-prefixed strings follow (Go >= 1.18), else +16 and +24 point to string headers.
 */
#ifndef GOSPAN_OFFSETS_BUILDINFO_H
#define GOSPAN_OFFSETS_BUILDINFO_H

#include "image.h"

/* Owned strings, never NULL after buildinfo__read(). */
struct buildinfo {
	char *go_version;
	char *build_id;
	char *main_path;
	char *module;
	char *module_version;
	char *vcs_revision;
	char *deps; /* paths of the modules that packages were linked from, a newline behind each */
	int go_minor; /* 24 for go1.24.4; 0 unknown, a development version counts as unknown */
};

/* Fills OUT with what is there; missing parts are "". -ENOMEM only. */
int buildinfo__read(const struct image *image, struct buildinfo *out);
void buildinfo__free(struct buildinfo *info);

/* Does the program have packages of module PATH? Not asked of its own module. */
bool buildinfo__has_dep(const struct buildinfo *info, const char *path);

#endif
