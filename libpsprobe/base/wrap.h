/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_WRAP_H
#define PSP_BASE_WRAP_H
/** @file The columns of a text on a terminal, and its words broken into lines. Pure. */
#include "base/buf.h"

/** Columns that a text takes up on a terminal: none of what combines with the character before, two
 * of East Asia's wide ones. */
int psp_text_width(const char *text);
/** Adds `text` broken at spaces so that no line is wider than `width` where a word is not. A
 * newline of its own stays; the last line ends with one. */
void psp_wrap(psp_buf *out, const char *text, int width);

#endif
