/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container: the id of the container a process runs in, from what the kernel says of its cgroup.
 * Runtimes name the cgroup after the id: .../docker/<id>, .../docker-<id>.scope (systemd driver),
 * /kubepods/.../<id>, cri-containerd-<id>.scope, crio-<id>.scope, libpod-<id>.scope; the id is 64
 * hexadecimal digits. Where the cgroup is hidden (a private cgroup namespace with cgroup v2), the
 * mounts of resolv.conf and its like still lead to .../containers/<id>/.
 */
#ifndef GOSPAN_AGENT_CONTAINER_H
#define GOSPAN_AGENT_CONTAINER_H

#include <stdbool.h>

enum { CONTAINER_ID_LEN = 64 };

/* From the text of /proc/PID/cgroup (v1, v2) and /proc/PID/mountinfo. False: none. */
bool container__id_of_cgroup(const char *text, char id[static CONTAINER_ID_LEN + 1]);
bool container__id_of_mountinfo(const char *text, char id[static CONTAINER_ID_LEN + 1]);

/* "" when PID is in no container that can be told. */
void container__id(int pid, char id[static CONTAINER_ID_LEN + 1]);

#endif
