/* SPDX-License-Identifier: MIT */
/** @file Opening whatever holds results: a results file, CSV or JSON lines, told apart by content.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "report/report.h"
#include "results/columns/import.h"

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

/** The first bytes of a file; 0 of one that is not there (the store says so better). */
static size_t peek(const char *path, char *bytes, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = file >= 0 ? read(file, bytes, size) : 0;
  if (file >= 0) close(file);
  return got > 0 ? (size_t)got : 0;
}

static psprobe_code import_text(const char *what, int file, const psprobe_filter *filter,
                                psp_columns *columns, psprobe_error *error) {
  psp_buf text = {0};
  psprobe_code code = read_all(file, what, &text, error);
  if (code == PSPROBE_OK && text.len >= sizeof sqlite_magic &&
      memcmp(text.data, sqlite_magic, sizeof sqlite_magic) == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s: a results file cannot be read from a pipe; name it", what);
  if (code == PSPROBE_OK && text.len == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: it is empty", what);
  if (code == PSPROBE_OK) {
    size_t blank = strspn(text.data, " \t\r\n");
    psprobe_run run = {.project = NULL};
    psp_columns_add_run(columns, &run);
    code = text.data[blank] == '{'
               ? psp_import_json_lines(text.data, text.len, what, filter, columns, error)
               : psp_import_csv(text.data, text.len, what, filter, columns, error);
  }
  psp_buf_free(&text);
  return code;
}

static psprobe_code load_store(const char *path, const psprobe_report_options *options,
                               psp_columns *columns, psprobe_error *error) {
  psprobe_store *store = NULL;
  psprobe_store_options how = {.read_only = true, .logger = options->logger};
  psprobe_code code = psprobe_store_open(path, &how, &store, error);
  if (code == PSPROBE_OK) code = psp_columns_load(columns, store, &options->filter, error);
  psprobe_store_free(store);
  return code;
}

static psprobe_code load(const char *path, const psprobe_report_options *options,
                         psp_columns *columns, psprobe_error *error) {
  char head[64];
  if (strcmp(path, "-") == 0)
    return import_text("standard input", STDIN_FILENO, &options->filter, columns, error);
  size_t len = peek(path, head, sizeof head);
  /* What is text and no SQLite header is for the importer; binary junk and an absent or empty file
   * are for the store, which says what is wrong with them. */
  bool binary = len == 0 || memchr(head, '\0', len) != NULL ||
                (len >= 15 && memcmp(head, sqlite_magic, 15) == 0);
  if (binary) return load_store(path, options, columns, error);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return psp_fail(error, PSPROBE_NOT_FOUND, "open %s: %s", path, strerror(errno));
  psprobe_code code = import_text(path, file, &options->filter, columns, error);
  close(file);
  return code;
}

psprobe_code psprobe_report_read(const char *path, const psprobe_report_options *options,
                                 psprobe_report **report, psprobe_error *error) {
  static const psprobe_report_options none = {0};
  if (options == NULL) options = &none;
  psp_columns columns = {0};
  psprobe_code code = load(path, options, &columns, error);
  if (code == PSPROBE_OK && options->source_count > 0)
    code = psp_columns_select(&columns, options->sources, options->source_count, error);
  if (code == PSPROBE_OK) code = psp_report_new(&columns, report, error);
  psp_columns_free(&columns);
  return code;
}
