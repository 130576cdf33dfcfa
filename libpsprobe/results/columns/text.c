/* SPDX-License-Identifier: MIT */
#include "results/columns/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"

#define PIECE ((size_t)64 << 10)

static const char mark[] = "\xEF\xBB\xBF";
static const char sqlite_magic[] = "SQLite format 3";

static bool fail(psp_text *text, psprobe_code code, const char *why) {
  psp_fail(&text->error, code, "%s: %s", text->what, why);
  return false;
}

static bool is_open(const psp_text *text) {
  return text->file >= 0 && !text->whole && text->error.code == PSPROBE_OK;
}

bool psp_text_more(psp_text *text) {
  if (!is_open(text)) return false;
  psp_buf *piece = &text->piece;
  memmove(piece->data, piece->data + text->end, text->unchecked);
  piece->len = text->unchecked;
  text->at = text->end = 0;
  ssize_t got;
  do {
    got = read(text->file, piece->data + piece->len, PIECE);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    psp_fail(&text->error, PSPROBE_UNAVAILABLE, "read %s: %s", text->what, strerror(errno));
    return false;
  }
  text->whole = got == 0;
  piece->len += (size_t)got;
  text->end = text->whole ? piece->len : psp_utf8_cut(piece->data, piece->len);
  text->unchecked = piece->len - text->end;
  text->data = piece->data;
  if (!psp_utf8_valid(text->data, text->end)) {
    text->end = 0;
    return fail(text, PSPROBE_INVALID_ARGUMENT,
                "it is not UTF-8 (Latin-1, perhaps): save it as UTF-8");
  }
  return text->end > 0 || psp_text_more(text);
}

bool psp_text_line(psp_text *text, psp_buf *line) {
  psp_buf_reset(line);
  psp_buf_text(line, "");
  bool any = false;
  while (text->at < text->end || psp_text_more(text)) {
    const char *from = text->data + text->at;
    const char *newline = memchr(from, '\n', text->end - text->at);
    size_t len = newline != NULL ? (size_t)(newline - from) : text->end - text->at;
    any = true;
    psp_buf_add(line, from, len);
    text->at += len + (newline != NULL);
    if (line->len > PSP_TEXT_MOST)
      return fail(text, PSPROBE_INVALID_ARGUMENT, "a line of more than 16 MiB");
    if (newline != NULL) break;
  }
  if (line->failed) return fail(text, PSPROBE_RESOURCE_EXHAUSTED, "a line too long for memory");
  return any && text->error.code == PSPROBE_OK;
}

char psp_text_first(psp_text *text) {
  if (text->at == text->end) psp_text_more(text);
  for (size_t i = text->at; i < text->end; i++)
    if (memchr(" \t\r\n", text->data[i], 4) == NULL) return text->data[i];
  return '\0';
}

void psp_text_of(psp_text *text, const char *what, const char *bytes, size_t len) {
  *text = (psp_text){.what = what, .file = -1, .data = bytes, .end = len};
}

/* Why the bytes at the beginning of a text cannot be read as they are; NULL: they can. */
static const char *wrong_kind(const unsigned char *bytes, size_t len) {
  if (len >= sizeof sqlite_magic && memcmp(bytes, sqlite_magic, sizeof sqlite_magic) == 0)
    return "a results file cannot be read from a pipe; name it";
  if (len == 0) return "it is empty";
  if (len >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) ||
                   (bytes[0] == 0xFE && bytes[1] == 0xFF) || bytes[0] == 0 || bytes[1] == 0))
    return "it is UTF-16: save it as UTF-8";
  return NULL;
}

/* The first piece, and what it shows. */
static bool begin(psp_text *text) {
  psp_text_more(text);
  const psp_buf *piece = &text->piece;
  const char *why = wrong_kind((const unsigned char *)piece->data, piece->len);
  if (why != NULL &&
      (text->error.code == PSPROBE_OK || text->error.code == PSPROBE_INVALID_ARGUMENT)) {
    psprobe_error_clear(&text->error);
    return fail(text, PSPROBE_INVALID_ARGUMENT, why);
  }
  if (text->end >= 3 && memcmp(text->data, mark, 3) == 0) text->at = 3;
  return text->error.code == PSPROBE_OK;
}

psprobe_code psp_text_open(psp_text *text, const char *what, int file, psprobe_error *error) {
  *text = (psp_text){.what = what, .file = file, .seeks = lseek(file, 0, SEEK_CUR) >= 0};
  if (!psp_buf_reserve(&text->piece, PIECE + 4)) return psp_fail_memory(error, what);
  if (begin(text)) return PSPROBE_OK;
  return psp_text_failed(text, error);
}

psprobe_code psp_text_failed(const psp_text *text, psprobe_error *error) {
  if (error != NULL && text->error.code != PSPROBE_OK) *error = text->error;
  return text->error.code;
}

void psp_text_close(psp_text *text) {
  if (text->own) close(text->file);
  psp_buf_free(&text->piece);
}

psprobe_code psp_text_rewind(psp_text *text, psprobe_error *error) {
  if (text->file < 0) {
    text->at = 0;
    return PSPROBE_OK;
  }
  text->end = text->unchecked = 0;
  text->whole = false;
  if (lseek(text->file, 0, SEEK_SET) != 0)
    psp_fail(&text->error, PSPROBE_UNAVAILABLE, "read %s again: %s", text->what, strerror(errno));
  else
    begin(text);
  return psp_text_failed(text, error);
}

static bool write_all(int file, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t written = write(file, bytes, len);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    len -= (size_t)written;
  }
  return true;
}

/* What a pipe holds, after the piece that is there. */
static bool spool(psp_text *text, int file) {
  char bytes[8192];
  ssize_t got = 0;
  if (!write_all(file, text->piece.data, text->piece.len)) return false;
  do {
    got = read(text->file, bytes, sizeof bytes);
    if (got > 0 && !write_all(file, bytes, (size_t)got)) return false;
  } while (got > 0 || (got < 0 && errno == EINTR));
  return got == 0;
}

psprobe_code psp_text_keep(psp_text *text, psprobe_error *error) {
  char name[] = "/tmp/psprobe-XXXXXX";
  if (text->file < 0 || text->seeks) return PSPROBE_OK;
  int file = mkstemp(name);
  if (file >= 0) unlink(name); /* it is gone with whoever reads it */
  if (file < 0 || !spool(text, file)) {
    psprobe_code code = psp_fail(error, PSPROBE_UNAVAILABLE, "%s: keep it in /tmp: %s", text->what,
                                 strerror(errno));
    if (file >= 0) close(file);
    return code;
  }
  text->file = file;
  text->seeks = text->own = true;
  return psp_text_rewind(text, error);
}
