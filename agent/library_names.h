/* SPDX-License-Identifier: Apache-2.0 */
/* library_names: Go packages of the libraries that the embedded BPF object declares. */
#ifndef GOSPAN_AGENT_LIBRARY_NAMES_H
#define GOSPAN_AGENT_LIBRARY_NAMES_H

/* NULL-terminated; lives as long as the process. Empty when the object cannot be read. */
const char *const *library_names(void);

#endif
