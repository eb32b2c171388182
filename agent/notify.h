/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: tells the service manager how we are: the protocol of sd_notify(3), one datagram to the
 * socket that $NOTIFY_SOCKET names. Without one there is nobody to tell, and nothing happens.
 */
#ifndef GOSPAN_AGENT_NOTIFY_H
#define GOSPAN_AGENT_NOTIFY_H

#include <stdbool.h>

/*
 * We are up: the first ready or waiting line was written. STATUS, one line, is what `systemctl
 * status` shows; NULL: none. Later calls only change the status.
 */
void notify__ready(const char *status);

/* We are ending, on purpose. */
void notify__stopping(void);

/* True if a service manager started us and wants to hear of it. */
bool notify__is_wanted(void);

#endif
