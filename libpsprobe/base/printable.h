/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_PRINTABLE_H
#define PSP_BASE_PRINTABLE_H
/**
 * @file
 * Text from outside, made safe for a terminal, a log and an error message. What is not shown as it
 * is becomes visible, byte by byte, as \xNN: what is no UTF-8, control characters (C0, DEL, C1),
 * and what has no width or turns the direction of writing (and so can make a text look like
 * another). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Bytes of the character at `text` that may be shown as it is; 0: its first byte is escaped. */
size_t psp_printable_char(const char *text, size_t len);
/** Nothing in it is escaped. */
bool psp_printable(const char *text, size_t len);

#define PSP_ESCAPED_SIZE 5
/** "\xNN". @return out */
char *psp_escaped_byte(char out[PSP_ESCAPED_SIZE], char byte);

/**
 * Writes `text` as it may be shown, cut before a character or escape that does not fit.
 * @return its length; `out` is zero-terminated
 */
size_t psp_printable_text(char *out, size_t size, const char *text);
/** As psp_printable_text, with line feeds as they are. */
size_t psp_printable_lines(char *out, size_t size, const char *text);
/** Appends all of `text` likewise, line feeds as they are. */
void psp_printable_put(psp_buf *out, const char *text);

#endif
