/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_UTF8_H
#define PSP_BASE_UTF8_H
/** @file UTF-8, character by character (RFC 3629). Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * How many bytes the well-formed UTF-8 character at `text` has (1 to 4), or 0
 * when there is none within `len` bytes (no surrogates, no overlong forms,
 * nothing above U+10FFFF).
 */
size_t psp_utf8_char(const char *text, size_t len);
/** The number of a well-formed character of `n` bytes. */
uint32_t psp_utf8_code(const char *text, size_t n);
/** Writes a character. @return its bytes, 1 to 4 */
size_t psp_utf8_put(uint32_t code, char out[4]);

/** The longest beginning of `len` bytes that does not end inside a character. */
size_t psp_utf8_cut(const char *text, size_t len);
/** All of it well-formed. */
bool psp_utf8_valid(const char *text, size_t len);

#endif
