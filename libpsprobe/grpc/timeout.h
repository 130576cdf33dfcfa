/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_TIMEOUT_H
#define PSP_GRPC_TIMEOUT_H
/** @file The grpc-timeout of a call: at most eight digits and a unit. Pure. */
#include <stdint.h>

#define PSP_TIMEOUT_SIZE 24
/** Never less than `ns`, which is at least 1. @return where in `out` it begins */
char *psp_timeout_write(char out[PSP_TIMEOUT_SIZE], int64_t ns);
/** ns, INT64_MAX where they are more; -1: no timeout. */
int64_t psp_timeout_read(const char *text);

#endif
