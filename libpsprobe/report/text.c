/* SPDX-License-Identifier: MIT */
/** @file The report on a terminal: the sentence, the table, the bars, what else to know. */
#include <string.h>

#include "base/buf.h"
#include "report/table.h"

#define WIDTH_LEAST 20

int psp_text_width(const char *text) {
  int width = 0;
  for (; *text != '\0'; text++)
    width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

void psp_text_color(psp_buf *out, const psp_text_style *style, size_t k) {
  /* Orange and blue first, of the 256: told apart by those who do not see red and green. */
  static const int colors[] = {208, 39, 42, 177, 185, 147};
  if (style->color) psp_buf_printf(out, "\x1b[38;5;%dm", colors[k % 6]);
}

void psp_text_plain(psp_buf *out, const psp_text_style *style) {
  if (style->color) psp_buf_text(out, "\x1b[0m");
}

void psp_text_wrap(psp_buf *out, const char *text, int width) {
  int column = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, " \n");
    int word = 0;
    for (size_t i = 0; i < len; i++)
      word += ((unsigned char)text[i] & 0xC0) != 0x80;
    if (column > 0 && column + 1 + word > width) {
      psp_buf_char(out, '\n');
      column = 0;
    } else if (column > 0) {
      psp_buf_char(out, ' ');
      column++;
    }
    psp_buf_add(out, text, len);
    column += word;
    text += len;
    if (*text == '\n') {
      psp_buf_char(out, '\n');
      column = 0;
    }
    text += *text != '\0';
  }
  if (column > 0) psp_buf_char(out, '\n');
}

char *psprobe_report_text(const psprobe_report *report, const psprobe_text_options *options) {
  psp_buf out = {0};
  psp_text_style style = {.width = options != NULL && options->width > 0 ? options->width : 80,
                          .ascii = options != NULL && options->ascii,
                          .color = options != NULL && options->color};
  if (style.width < WIDTH_LEAST) style.width = WIDTH_LEAST;
  if (style.color) psp_buf_text(&out, "\x1b[1m");
  psp_text_wrap(&out, report->sentence, style.width);
  psp_text_plain(&out, &style);
  psp_buf_char(&out, '\n');
  psp_table_put(&out, report, &style);
  if (psprobe_comparison_pair_count(report->comparison) > 0 || report->columns.left_out > 0)
    psp_buf_char(&out, '\n');
  psp_table_put_pairs(&out, report, &style);
  psp_bars_put(&out, report, &style);
  if (report->notes[0] != '\0') {
    psp_buf_char(&out, '\n');
    psp_text_wrap(&out, report->notes, style.width);
  }
  return psp_buf_take(&out, NULL);
}

char *psprobe_report_table(const psprobe_report *report) {
  psp_buf out = {0};
  psp_text_style style = {.width = 1000};
  psp_table_put(&out, report, &style);
  psp_buf_char(&out, '\n');
  psp_table_put_pairs(&out, report, &style);
  return psp_buf_take(&out, NULL);
}
