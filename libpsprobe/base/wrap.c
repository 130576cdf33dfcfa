/* SPDX-License-Identifier: MIT */
#include "base/wrap.h"

#include <string.h>

#include "base/utf8.h"

static unsigned long code_point(const char *text, size_t len) {
  static const unsigned char first[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned long code = (unsigned char)text[0] & first[len];
  for (size_t i = 1; i < len; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3F);
  return code;
}

/* Of Unicode's East_Asian_Width W and F, and its combining marks, what names are likely to hold. */
static int columns_of(unsigned long code) {
  static const struct {
    unsigned long from, to;
    int columns;
  } ranges[] = {{0x0300, 0x036F, 0},   {0x1100, 0x115F, 2},   {0x200B, 0x200F, 0},
                {0x20D0, 0x20FF, 0},   {0x2E80, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},
                {0xF900, 0xFAFF, 2},   {0xFE00, 0xFE0F, 0},   {0xFE30, 0xFE6F, 2},
                {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},   {0x1F300, 0x1F64F, 2},
                {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i].from && code <= ranges[i].to) return ranges[i].columns;
  return 1;
}

static int width_of(const char *text, size_t len) {
  int width = 0;
  while (len > 0) {
    size_t bytes = psp_utf8_char(text, len);
    width += bytes > 0 ? columns_of(code_point(text, bytes)) : 1;
    bytes += bytes == 0;
    text += bytes;
    len -= bytes;
  }
  return width;
}

int psp_text_width(const char *text) {
  return width_of(text, strlen(text));
}

void psp_wrap(psp_buf *out, const char *text, int width) {
  int column = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, " \n");
    int word = width_of(text, len);
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
