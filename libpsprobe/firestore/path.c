/* SPDX-License-Identifier: MIT */
#include "firestore/path.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/name.h"
#include "base/shown.h"
#include "base/text.h"
#include "os/random.h"

#define LEVELS_MAX     100 /* collections on the way to a document */
#define NAME_MAX_BYTES 6144
#define ZERO           "\xC0\x80"

bool psp_name_utf8(const char *text, size_t len) {
  size_t from = 0;
  for (size_t i = 0; i + 1 < len; i++) {
    if (memcmp(text + i, ZERO, 2) != 0) continue;
    if (!psp_utf8_valid(text + from, i - from)) return false;
    from = i + 2;
    i++;
  }
  return psp_utf8_valid(text + from, len - from);
}

/* "__id7__" is a document's id, and no other name of the form __x__ is anyone's. */
static bool is_reserved(const char *id, size_t len, bool document) {
  if (len < 4 || memcmp(id, "__", 2) != 0 || memcmp(id + len - 2, "__", 2) != 0) return false;
  if (!document || len < 7 || memcmp(id, "__id", 4) != 0) return true;
  for (size_t i = 4; i < len - 2; i++)
    if (id[i] < '0' || id[i] > '9') return true;
  return false;
}

static const char *id_rule(const char *id, size_t len, bool document) {
  if (len == 0) return "it has an empty id";
  if (len > PSP_DOCUMENT_ID_MAX) return "an id is longer than 1500 bytes";
  if ((len == 1 && id[0] == '.') || (len == 2 && memcmp(id, "..", 2) == 0))
    return "an id is . or ..";
  if (is_reserved(id, len, document)) return "ids of the form __x__ are Firestore's own";
  return psp_name_utf8(id, len) ? NULL : "an id is not UTF-8";
}

/* The rule that a path breaks, or NULL. `count` receives the number of its ids. */
static const char *path_rule(const char *path, size_t *count) {
  const char *rule = NULL, *at = path;
  *count = 0;
  for (;;) {
    size_t len = strcspn(at, "/");
    rule = id_rule(at, len, *count % 2 == 1);
    ++*count;
    if (rule != NULL || at[len] == '\0') break;
    at += len + 1;
  }
  if (rule == NULL && strlen(path) > NAME_MAX_BYTES) rule = "it is longer than 6 KiB";
  if (rule == NULL && *count > (size_t)LEVELS_MAX * 2)
    rule = "more than 100 collections lie in each other";
  return rule;
}

/* Where the path begins in "projects/P/databases/D/documents/…"; 0: it is no such name. */
static size_t path_start(const char *name, size_t len) {
  static const char *const fixed[] = {"projects", NULL, "databases", NULL, "documents"};
  size_t at = 0;
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    const char *slash = at < len ? memchr(name + at, '/', len - at) : NULL;
    if (slash == NULL) return 0;
    size_t seg = (size_t)(slash - name) - at;
    bool good = fixed[i] != NULL ? seg == strlen(fixed[i]) && memcmp(name + at, fixed[i], seg) == 0
                                 : seg > 0;
    if (!good) return 0;
    at += seg + 1;
  }
  return at;
}

static psprobe_code check_path(const char *path, const char *kind, size_t odd,
                               psprobe_error *error) {
  size_t count = 0;
  if (path == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no path of a %s was given", kind);
  const char *rule = path_rule(path, &count);
  if (rule == NULL && path_start(path, strlen(path)) > 0)
    rule = "it is a full name; leave out projects/…/documents/";
  if (rule == NULL && count % 2 != odd)
    rule = odd ? "a collection has an odd number of ids, as a/b/c"
               : "a document has an even number of ids, as collection/id";
  if (rule == NULL) return PSPROBE_OK;
  char what[24];
  snprintf(what, sizeof what, "%s path", kind);
  return psp_setting_refuse(error, what, path, "%s", rule);
}

psprobe_code psp_document_path_check(const char *path, psprobe_error *error) {
  return check_path(path, "document", 0, error);
}

psprobe_code psp_collection_path_check(const char *path, psprobe_error *error) {
  return check_path(path, "collection", 1, error);
}

psprobe_code psp_collection_setting_check(const char *path, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (const char *at = path; code == PSPROBE_OK && at != NULL;) {
    size_t len = strcspn(at, "/");
    code = psp_name_check("collection", at, len, error);
    at = at[len] == '/' ? at + len + 1 : NULL;
  }
  return code == PSPROBE_OK ? psp_collection_path_check(path, error) : code;
}

psprobe_code psp_document_id_check(const char *id, psprobe_error *error) {
  const char *rule = strchr(id, '/') != NULL ? "it has a slash" : id_rule(id, strlen(id), true);
  if (rule == NULL) return PSPROBE_OK;
  return psp_setting_refuse(error, "document id", id, "%s", rule);
}

void psp_path_name(psp_buf *out, const char *project, const char *database, const char *path) {
  psp_buf_printf(out, "projects/%s/databases/%s/documents", project, database);
  if (path == NULL) return;
  psp_buf_char(out, '/');
  psp_buf_text(out, path);
}

void psp_path_encode_id(psp_buf *out, const char *id) {
  for (const char *zero; (zero = strstr(id, ZERO)) != NULL; id = zero + 2) {
    psp_buf part = {0};
    psp_buf_add(&part, id, (size_t)(zero - id));
    if (part.failed)
      out->failed = true;
    else
      psp_percent_encode(out, part.data);
    psp_buf_text(out, "%00");
    psp_buf_free(&part);
  }
  psp_percent_encode(out, id);
}

void psp_path_url(psp_buf *out, const char *project, const char *database, const char *path) {
  psp_buf_text(out, "/v1/projects/");
  psp_percent_encode(out, project);
  psp_buf_text(out, "/databases/");
  psp_percent_encode(out, database);
  psp_buf_text(out, "/documents");
  for (const char *at = path; at != NULL; at = *at ? at + 1 : NULL) {
    size_t len = strcspn(at, "/");
    psp_buf id = {0};
    psp_buf_add(&id, at, len);
    psp_buf_char(out, '/');
    if (id.failed)
      out->failed = true;
    else
      psp_path_encode_id(out, id.data);
    psp_buf_free(&id);
    at += len;
  }
}

void psp_name_text(psp_buf *out, const char *name) {
  for (const char *zero; (zero = strstr(name, ZERO)) != NULL; name = zero + 2) {
    psp_buf_add(out, name, (size_t)(zero - name));
    psp_buf_char(out, '\0');
  }
  psp_buf_text(out, name);
}

bool psp_name_is_document(const char *name, size_t len) {
  size_t at = path_start(name, len), ids = 0;
  if (at == 0) return false;
  for (;;) {
    const char *slash = at < len ? memchr(name + at, '/', len - at) : NULL;
    size_t seg = (slash != NULL ? (size_t)(slash - name) : len) - at;
    if (seg == 0) return false;
    ids++;
    if (slash == NULL) return ids % 2 == 0;
    at += seg + 1;
  }
}

bool psp_document_id_new(char out[PSP_DOCUMENT_ID_SIZE]) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  size_t have = 0;
  while (have < PSP_DOCUMENT_ID_SIZE - 1) {
    unsigned char bytes[32];
    if (!psp_random(bytes, sizeof bytes)) return false;
    /* 248 is 4 x 62: what is above would make some letters likelier. */
    for (size_t i = 0; i < sizeof bytes && have < PSP_DOCUMENT_ID_SIZE - 1; i++)
      if (bytes[i] < 248) out[have++] = letters[bytes[i] % 62];
  }
  out[have] = '\0';
  return true;
}
