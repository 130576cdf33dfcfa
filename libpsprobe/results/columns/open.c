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
#include "results/columns/export.h"
#include "results/columns/import.h"
#include "results/store/lock.h"

psprobe_code psp_import_text(psp_import *import, psp_text *text, bool scanned,
                             psprobe_error *error) {
  char first = psp_text_first(text);
  psprobe_code code = PSPROBE_OK;
  if (first != '{' && first != '[') return psp_import_csv(import, text, error);
  if (!scanned) code = psp_text_keep(text, error);
  if (code == PSPROBE_OK && !scanned) code = psp_import_json_scan(import, text, error);
  return code == PSPROBE_OK ? psp_import_json(import, text, error) : code;
}

static psprobe_code import_file(const psp_columns_source *source, const char *what, int file,
                                psp_columns *columns, psprobe_error *error) {
  psp_import import = {.columns = columns, .what = what, .filter = &source->filter};
  psp_text text;
  psprobe_code code = psp_text_open(&text, what, file, error);
  if (code == PSPROBE_OK) code = psp_import_text(&import, &text, false, error);
  if (code == PSPROBE_OK) code = psp_import_finish(&import, error);
  psp_import_free(&import);
  psp_text_close(&text);
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

/* Standard input too. @return -1: it is for the store */
static int open_source(const psp_columns_source *source, const char **what) {
  bool standard = strcmp(source->path, "-") == 0;
  *what = standard ? "standard input" : source->path;
  return standard ? STDIN_FILENO : open_text(source->path);
}

psprobe_code psp_columns_open(psp_columns *columns, const psp_columns_source *source,
                              psprobe_error *error) {
  const char *what;
  int file = open_source(source, &what);
  if (file < 0) return load_store(source, columns, error);
  psprobe_code code = import_file(source, what, file, columns, error);
  if (file != STDIN_FILENO) close(file);
  return code;
}

/* ---- written out again ---- */

/* Reads all rows of a text once more. */
static psprobe_code read_again(psp_import *import, psp_text *text, psp_row_take *take, void *arg,
                               psprobe_error *error) {
  psprobe_code code = psp_text_rewind(text, error);
  import->take = take;
  import->arg = arg;
  import->chosen = true;
  return code == PSPROBE_OK ? psp_import_text(import, text, true, error) : code;
}

static psprobe_code export_rows(psp_import *import, psp_text *text, psp_export *out,
                                psprobe_error *error) {
  psprobe_code code = psp_text_keep(text, error);
  if (code == PSPROBE_OK) code = psp_import_text(import, text, false, error);
  if (code == PSPROBE_OK) code = psp_import_finish(import, error);
  if (code != PSPROBE_OK) return code;
  if (import->filter->run != NULL) { /* the shape of that run alone */
    out->shape = (psp_csv_shape){.any = false};
    code = read_again(import, text, psp_export_note, &out->shape, error);
  }
  if (code != PSPROBE_OK) return code;
  code = import->whole && import->runs.count > 0 ? psp_export_runs(out, &import->runs, error)
                                                 : psp_export_columns(out, import->columns, error);
  if (code != PSPROBE_OK) return code;
  return read_again(import, text, psp_export_row, out, error);
}

static psprobe_code export_text(const psp_columns_source *source, const char *what, int file,
                                psp_export *out, psprobe_error *error) {
  psp_columns columns = {0};
  psp_import import = {.columns = &columns,
                       .what = what,
                       .filter = &source->filter,
                       .whole = out->form == PSPROBE_REPORT_JSON_LINES && out->chosen.count == 0,
                       .take = psp_export_note,
                       .arg = &out->shape};
  psp_text text;
  psprobe_code code = psp_text_open(&text, what, file, error);
  if (code == PSPROBE_OK) code = export_rows(&import, &text, out, error);
  psp_import_free(&import);
  psp_columns_free(&columns);
  psp_text_close(&text);
  return code;
}

psprobe_code psp_export_file(const psp_columns_source *source, psp_export *out,
                             psprobe_error *error) {
  psprobe_store *store = NULL;
  psprobe_code code;
  const char *what;
  int file = open_source(source, &what);
  if (file >= 0) {
    code = export_text(source, what, file, out, error);
    if (file != STDIN_FILENO) close(file);
  } else {
    code = open_store(source, &store, error);
    if (code == PSPROBE_OK) code = psp_export_store(store, &source->filter, out, error);
    psprobe_store_free(store);
  }
  psprobe_code end = psp_export_end(out, code == PSPROBE_OK ? error : NULL);
  return code == PSPROBE_OK ? end : code;
}
