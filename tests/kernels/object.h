/* SPDX-License-Identifier: Apache-2.0 */
/* object: one program of the BPF object, loaded with all of it alive, for the tests in a kernel. */
#ifndef GOSPAN_TESTS_KERNELS_OBJECT_H
#define GOSPAN_TESTS_KERNELS_OBJECT_H

#include <bpf/libbpf.h>

#include "../../agent/features.h"

/*
 * Opens the object in PATH and loads its program NAME, as for an executable that has every field,
 * type and function that is asked for. The caller closes *OUT. On failure the verifier's words are
 * in object__log().
 */
int object__load(const char *path, const char *name, const struct features *f,
		 struct bpf_object **out);

char *object__log(void);

#endif
