// SPDX-License-Identifier: Apache-2.0
/* reader: see reader.h. */
#include <poll.h>

#include "reader.h"

enum { PATIENCE_MS = 1000 };

bool reader__takes(int fd, atomic_bool *stalled)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	bool takes = poll(&p, 1, atomic_load(stalled) ? 0 : PATIENCE_MS);

	atomic_store(stalled, !takes);
	return takes;
}
