/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_TIMESTAMP_H
#define PSP_BASE_TIMESTAMP_H
/** @file RFC 3339 times, as google.protobuf.Timestamp has them in JSON. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_TIMESTAMP_SIZE 40

/** Years 0001 to 9999, Z or an offset, 0 to 9 decimals, capital T and Z (as Google takes them);
 * second 60 is the next minute. */
bool psp_timestamp_parse(const char *text, size_t len, int64_t *seconds, int32_t *nanos);
/** UTC with Z; 0, 3, 6 or 9 decimals, as many as needed (proto3 JSON). @return out */
char *psp_timestamp_format(char out[PSP_TIMESTAMP_SIZE], int64_t seconds, int32_t nanos);
/** The same for ns since 1970, which reach from 1678 to 2262. */
char *psp_timestamp_format_ns(char out[PSP_TIMESTAMP_SIZE], int64_t ns);

#endif
