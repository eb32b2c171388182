/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the whole door: the input is an executable, which is asked every question. */
#include "../unit/offsets/exercise.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
		exercise(fd);
	close(fd);
	return 0;
}
