/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_LAYOUT_H
#define PSP_REPORT_LAYOUT_H
/** @file How text is laid out: colours, words broken into lines. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/wrap.h"
#include "report/sink.h"

typedef struct psp_text_style {
  int width; /**< columns of the terminal */
  bool ascii, color;
} psp_text_style;

/** Begins the colour of source `k`; the text after it ends it with psp_text_plain. */
void psp_text_color(const psp_sink *out, const psp_text_style *style, size_t k);
void psp_text_bold(const psp_sink *out, const psp_text_style *style);
void psp_text_plain(const psp_sink *out, const psp_text_style *style);
/** A text from outside, escaped, broken at spaces so that no line is longer than the width. */
void psp_text_wrap(const psp_sink *out, const char *text, int width);

#endif
