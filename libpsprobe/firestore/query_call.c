/* SPDX-License-Identifier: MIT */
/** @file Running a query, page by page. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "firestore/path.h"
#include "firestore/query.h"
#include "firestore/service.h"

#define PAGE_DEFAULT 300

/* A query under way. */
typedef struct run {
  psprobe_client *client;
  const psprobe_query *query;
  psprobe_document_each *each;
  void *arg;
  char what[PSP_FIRESTORE_WHAT];
  psp_buf url;
  psprobe_document *last; /* the page's last so far, kept to go on after it */
  int64_t left;           /* that the limit still lets; INT64_MAX without one */
  int64_t size;           /* documents a page */
  bool enough;            /* the caller said so */
} run;

/* ":runQuery" of what the collection lies in: the database, or a document. */
static psprobe_code make_url(run *r, psprobe_error *error) {
  psp_firestore_root root;
  psprobe_code code = psp_firestore_root_of(r->client, &root, error);
  if (code != PSPROBE_OK) return code;
  const char *slash = strrchr(r->query->collection, '/');
  psp_buf parent = {0};
  if (slash != NULL)
    psp_buf_add(&parent, r->query->collection, (size_t)(slash - r->query->collection));
  psp_path_url(&r->url, root.project, root.database, parent.data);
  psp_buf_text(&r->url, ":runQuery");
  if (parent.failed) r->url.failed = true;
  psp_buf_free(&parent);
  return PSPROBE_OK;
}

/* Hands the answer's documents on. `count` receives how many came. */
static psprobe_code deliver(run *r, const psp_json *answer, int64_t *count, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_query_first(answer); item != NULL && !r->enough;
       item = psp_json_next(item)) {
    psprobe_document *document = NULL;
    code = psp_firestore_item_error(item, r->what, error);
    if (code != PSPROBE_OK) return code;
    code = psp_query_element(item, &document, error);
    if (code != PSPROBE_OK) return psp_firestore_bad_answer(code, r->what, error);
    if (document == NULL) continue;
    psprobe_document_free(r->last);
    r->last = document;
    ++*count;
    --r->left;
    r->enough = !r->each(r->arg, document) || r->left == 0;
  }
  return code;
}

static psprobe_code fetch_page(run *r, const psp_query_page *page, psp_json **answer,
                               psprobe_error *error) {
  psp_buf body = {0};
  psp_firestore_request request = {.kind = PSP_FIRESTORE_QUERY,
                                   .method = "POST",
                                   .path = &r->url,
                                   .body = &body,
                                   .what = r->what};
  psprobe_code code = psp_query_encode(&body, r->query, page, error);
  if (code == PSPROBE_OK)
    code = psp_firestore_call(r->client, &request, answer, error);
  else
    code = psp_firestore_bad_answer(code, r->what, error);
  psp_buf_free(&body);
  return code;
}

/* One page; of large documents fewer come at a time. `more`: there can be another. */
static psprobe_code run_page(run *r, bool *more, psprobe_error *error) {
  psp_json *answer = NULL;
  int64_t count = 0;
  psp_query_page page = {.limit = r->size < r->left ? r->size : r->left,
                         .offset = r->last != NULL ? 0 : r->query->offset,
                         .after = r->last};
  psprobe_code code = fetch_page(r, &page, &answer, error);
  while (code != PSPROBE_OK && psp_firestore_too_large(error) && page.limit > 1) {
    r->size = page.limit /= 2;
    code = fetch_page(r, &page, &answer, error);
  }
  if (code == PSPROBE_OK) code = deliver(r, answer, &count, error);
  *more = count == page.limit && !r->enough;
  psp_json_free(answer);
  return code;
}

psprobe_code psprobe_query_run(psprobe_client *client, const psprobe_query *query,
                               psprobe_document_each *each, void *arg, psprobe_error *error) {
  psprobe_error own = {0};
  run r = {.client = client, .query = query, .each = each, .arg = arg};
  if (error == NULL) error = &own;
  psprobe_code code = psp_query_check(query, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "query");
    return code;
  }
  snprintf(r.what, sizeof r.what, "query of collection %s", query->collection);
  r.left = query->limit > 0 ? query->limit : INT64_MAX;
  r.size = query->page_size > 0 ? query->page_size : PAGE_DEFAULT;
  code = make_url(&r, error);
  for (bool more = true; code == PSPROBE_OK && more;)
    code = run_page(&r, &more, error);
  psprobe_document_free(r.last);
  psp_buf_free(&r.url);
  return code;
}
