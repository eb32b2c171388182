/* SPDX-License-Identifier: Apache-2.0 */
/* wanted: does a process match what was asked for? Inside of discover. */
#ifndef GOSPAN_AGENT_WANTED_H
#define GOSPAN_AGENT_WANTED_H

#include "target.h"

enum exe_match {
	EXE_NO_MATCH,
	EXE_BY_GLOB,	  /* wanted if it is a Go program */
	EXE_BY_NAME,	  /* the base name as it is */
	EXE_BY_PATH,	  /* the whole path as it is: wanted whatever it is */
};

/*
 * PATTERN against PATH, the executable as the target sees it. With a slash the pattern is for the
 * whole path, else for the base name; a * matches slashes too.
 */
enum exe_match wanted__match_exe(const char *pattern, const char *path);

/* The best match of any of PATTERNS for P; a changed root directory is looked through. */
enum exe_match wanted__by_exe(const struct strings *patterns, const struct process *p);

/*
 * For a process whose executable we may not see: does its command line start with what PATTERN
 * says?
 */
bool wanted__by_command_line(const struct strings *patterns, int pid);

#endif
