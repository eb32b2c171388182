/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_host: doctor's checks that are not of BPF: which processes can be seen and looked at from
 * here, and what kind of place this is (namespaces, container, cgroups).
 */
#ifndef GOSPAN_AGENT_DOCTOR_HOST_H
#define GOSPAN_AGENT_DOCTOR_HOST_H

#include "doctor.h"

void check_proc(struct check *c);
void check_processes(struct check *c);
void check_pid_namespace(struct check *c);
void check_user_namespace(struct check *c);
void check_seccomp(struct check *c);
void check_cgroup(struct check *c);
void check_container(struct check *c);

#endif
