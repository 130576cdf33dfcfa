/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_TEXT_H
#define PSP_BASE_TEXT_H
/** @file Text: percent-encoding, numbers, durations. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"

/** strdup of a text that may be NULL (gives NULL). */
char *psp_strdup(const char *text);
bool psp_text_equal(const char *a, const char *b); /**< both may be NULL */
bool psp_text_starts(const char *text, const char *prefix);
bool psp_text_ends(const char *text, const char *suffix);

/** All but RFC 3986's unreserved characters as %XX. */
void psp_percent_encode(psp_buf *out, const char *text);
/** False: a broken escape, %00, or no memory; `out` as before. Of no text too comes a text: "". */
bool psp_percent_decode(psp_buf *out, const char *text, size_t len);

/** The value of a hexadecimal digit, or -1. */
int psp_hex_digit(char c);
/** A whole decimal integer in [min, max], nothing else. */
bool psp_parse_int64(const char *text, int64_t min, int64_t max, int64_t *out);
/** "5s", "20ms", "1.5m", "250us", "10ns", "2h", "1m30s": ns, not negative. A bare number is refused
 * but for 0. */
bool psp_parse_duration(const char *text, int64_t *ns);
/** "6.2 ms", "812 ns", "1.50 s", with three significant digits. @return out */
#define PSP_DURATION_SIZE 48
char *psp_format_duration(char out[PSP_DURATION_SIZE], int64_t ns);

#endif
