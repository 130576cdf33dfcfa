/* SPDX-License-Identifier: MIT */
#include "results/upload/collections.h"

#include <stdlib.h>
#include <string.h>

#include <psprobe/answer.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"

static char *runs_beside(const char *results) {
  static const char suffix[] = "_results";
  psp_buf out = {0};
  size_t len = strlen(results);
  if (len > sizeof suffix - 1 && psp_text_ends(results, suffix)) len -= sizeof suffix - 1;
  psp_buf_add(&out, results, len);
  psp_buf_text(&out, "_runs");
  return psp_buf_take(&out, NULL);
}

psprobe_code psp_collections_name(psp_collections *c, const char *results, const char *runs,
                                  psprobe_error *error) {
  if (results == NULL) results = PSPROBE_COLLECTION;
  psprobe_code code = psp_collection_setting_check(results, error);
  if (code == PSPROBE_OK && runs != NULL) code = psp_collection_setting_check(runs, error);
  if (code != PSPROBE_OK) return code;
  psp_collections made = {psp_strdup(results),
                          runs != NULL ? psp_strdup(runs) : runs_beside(results)};
  if (made.results == NULL || made.runs == NULL) {
    psp_collections_free(&made);
    return psp_fail_memory(error, "collections");
  }
  *c = made;
  return PSPROBE_OK;
}

void psp_collections_free(psp_collections *c) {
  free(c->results);
  free(c->runs);
  *c = (psp_collections){0};
}
