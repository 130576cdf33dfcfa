/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_LISTENER_H
#define PSP_OS_LISTENER_H
/** @file Who listens on a port of this machine. */
#include <stdbool.h>
#include <sys/types.h>

/** Whether a process of this process group listens on a TCP port, at whatever address. */
bool psp_listener_is_of(int port, pid_t group);

#endif
