/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_UTF8_H
#define PSP_BASE_UTF8_H
/** @file UTF-8, character by character. Pure. */
#include <stddef.h>

/**
 * How many bytes the well-formed UTF-8 character at `text` has (1 to 4), or 0
 * when there is none within `len` bytes (RFC 3629: no surrogates, no overlong
 * forms, nothing above U+10FFFF).
 */
size_t psp_utf8_char(const char *text, size_t len);

/** The longest beginning of `len` bytes that does not end inside a character. */
size_t psp_utf8_cut(const char *text, size_t len);

#endif
