/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_TARGET_H
#define PSP_GRPC_TARGET_H
/** @file "host:port" of a server. Pure. */
#include <psprobe/error.h>

/** @return OK, INVALID_ARGUMENT (also for NULL) */
psprobe_code psp_target_check(const char *target, psprobe_error *error);
/** The host, without an address's brackets, to free(); NULL: no memory. */
char *psp_target_host(const char *target);

#endif
