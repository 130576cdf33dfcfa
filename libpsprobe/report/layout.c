/* SPDX-License-Identifier: MIT */
#include "report/layout.h"

#include "base/wrap.h"

void psp_text_color(const psp_sink *out, const psp_text_style *style, size_t k) {
  /* Orange and blue first, of the 256: told apart by those who do not see red and green. */
  static const unsigned colors[] = {208, 39, 42, 177, 185, 147};
  if (!style->color) return;
  psp_sink_raw(out, "\x1b[38;5;");
  psp_sink_count(out, colors[k % 6]);
  psp_sink_raw(out, "m");
}

void psp_text_bold(const psp_sink *out, const psp_text_style *style) {
  if (style->color) psp_sink_raw(out, "\x1b[1m");
}

void psp_text_plain(const psp_sink *out, const psp_text_style *style) {
  if (style->color) psp_sink_raw(out, "\x1b[0m");
}

void psp_text_wrap(const psp_sink *out, const char *text, int width) {
  psp_buf escaped = {0};
  psp_sink_text(&(psp_sink){&escaped, out->escape}, text);
  if (escaped.failed)
    out->to->failed = true;
  else if (escaped.len > 0)
    psp_wrap(out->to, escaped.data, width);
  psp_buf_free(&escaped);
}
