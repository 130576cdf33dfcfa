/* SPDX-License-Identifier: MIT */
/** @file Opening whatever holds results: a results file, CSV or JSON lines, told apart by content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "results/columns/import.h"
#include "results/store/lock.h"

static const char sqlite_magic[] = "SQLite format 3";

static psprobe_code read_all(int file, const char *what, psp_buf *out, psprobe_error *error) {
  for (;;) {
    if (!psp_buf_reserve(out, 65536)) return psp_fail_memory(error, what);
    ssize_t got = read(file, out->data + out->len, 65536);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return psp_fail(error, PSPROBE_UNAVAILABLE, "read %s: %s", what, strerror(errno));
    if (got == 0) break;
    out->len += (size_t)got;
  }
  psp_buf_add(out, "", 0);
  out->data[out->len] = '\0';
  return PSPROBE_OK;
}

/* Why a text cannot be read as it is; NULL: it can. */
static const char *encoding_of(const psp_buf *text) {
  const unsigned char *bytes = (const unsigned char *)text->data;
  if (text->len >= sizeof sqlite_magic && memcmp(bytes, sqlite_magic, sizeof sqlite_magic) == 0)
    return "a results file cannot be read from a pipe; name it";
  if (text->len == 0) return "it is empty";
  if (text->len >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) ||
                         (bytes[0] == 0xFE && bytes[1] == 0xFF) || bytes[0] == 0 || bytes[1] == 0))
    return "it is UTF-16: save it as UTF-8";
  return psp_utf8_valid(text->data, text->len)
             ? NULL
             : "it is not UTF-8 (Latin-1, perhaps): save it as UTF-8";
}

static psprobe_code import_text(const char *what, int file, const psprobe_filter *filter,
                                psp_columns *columns, psprobe_error *error) {
  static const char bom[] = "\xEF\xBB\xBF";
  psp_import import = {.columns = columns, .what = what, .filter = filter};
  psp_buf text = {0};
  psprobe_code code = read_all(file, what, &text, error);
  const char *why = code == PSPROBE_OK ? encoding_of(&text) : NULL;
  if (why != NULL) code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: %s", what, why);
  if (code == PSPROBE_OK) {
    size_t skip = text.len >= 3 && memcmp(text.data, bom, 3) == 0 ? 3 : 0;
    const char *from = text.data + skip;
    char first = from[strspn(from, " \t\r\n")];
    code = first == '{' || first == '[' ? psp_import_json(&import, from, text.len - skip, error)
                                        : psp_import_csv(&import, from, text.len - skip, error);
  }
  psp_buf_free(&text);
  return code;
}

static psprobe_code open_store(const psp_columns_source *source, psprobe_store **store,
                               psprobe_error *error) {
  psprobe_store_options how = {.read_only = true, .logger = source->logger};
  return psprobe_store_new(source->path, &how, store, error);
}

static psprobe_code load_store(const psp_columns_source *source, psp_columns *columns,
                               psprobe_error *error) {
  psprobe_store *store = NULL;
  psprobe_code code = open_store(source, &store, error);
  if (code == PSPROBE_OK) code = psp_columns_load(columns, store, &source->filter, error);
  psprobe_store_free(store);
  return code;
}

/* Whether a file is for the store, which says best what is wrong with an absent, empty or binary
 * one. A pipe cannot be looked at twice: it is text, as far as we know. */
static bool is_for_store(int file) {
  char head[64];
  struct stat info;
  if (fstat(file, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return false;
  ssize_t len = pread(file, head, sizeof head, 0);
  if (len <= 0) return true;
  bool utf16 = len >= 2 && (memcmp(head, "\xFF\xFE", 2) == 0 || memcmp(head, "\xFE\xFF", 2) == 0);
  return !utf16 && memchr(head, '\0', (size_t)len) != NULL;
}

/* Opens what is text; -1: it is for the store. What this process writes must not be opened here and
 * closed (results/store/lock.h). */
static int open_text(const char *path) {
  int file = psp_file_lock_is_held(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0 || !is_for_store(file)) return file;
  close(file);
  return -1;
}

psprobe_code psp_columns_open(psp_columns *columns, const psp_columns_source *source,
                              psprobe_error *error) {
  const char *path = source->path;
  if (strcmp(path, "-") == 0)
    return import_text("standard input", STDIN_FILENO, &source->filter, columns, error);
  int file = open_text(path);
  if (file < 0) return load_store(source, columns, error);
  psprobe_code code = import_text(path, file, &source->filter, columns, error);
  close(file);
  return code;
}

static psprobe_code put_text(const psp_columns_source *source, psp_text_put *put, void *arg,
                             psprobe_error *error) {
  psp_columns columns = {0};
  psprobe_code code = psp_columns_open(&columns, source, error);
  char *csv = code == PSPROBE_OK ? psp_columns_csv(&columns) : NULL;
  if (code == PSPROBE_OK && csv == NULL) code = psp_fail_memory(error, "rows");
  if (code == PSPROBE_OK) put(arg, csv, strlen(csv));
  free(csv);
  psp_columns_free(&columns);
  return code;
}

psprobe_code psp_csv_put(const psp_columns_source *source, psp_text_put *put, void *arg,
                         psprobe_error *error) {
  bool text = strcmp(source->path, "-") == 0;
  int file = text ? -1 : open_text(source->path);
  if (file >= 0) close(file);
  if (text || file >= 0) return put_text(source, put, arg, error);
  psprobe_store *store = NULL;
  psprobe_code code = open_store(source, &store, error);
  if (code == PSPROBE_OK) code = psp_store_csv(store, &source->filter, put, arg, error);
  psprobe_store_free(store);
  return code;
}
