/* SPDX-License-Identifier: MIT */
/** @file The route of collections: listCollectionIds. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"

/* A page of collection ids. Its token is its last id, as base64. */
typedef struct id_page {
  psp_json_writer w;
  int size, count; /* size 0: all */
  char *token;
  psp_buf after, last; /* the page begins after the one, and ends with the other */
  bool more;
} id_page;

static void put_collection(void *arg, const char *id) {
  id_page *page = arg;
  if (page->after.data != NULL && strcmp(id, page->after.data) <= 0) return;
  page->more = page->size > 0 && page->count == page->size;
  if (page->more) return;
  if (page->count++ == 0) {
    psp_json_begin_array_member(&page->w, "collectionIds");
  }
  psp_json_put_string(&page->w, id);
  psp_buf_reset(&page->last);
  psp_buf_text(&page->last, id);
}

static psprobe_code read_id_page(const psp_documents_request *request, id_page *page,
                                 psprobe_error *error) {
  static const psp_field fields[] = {{"pageSize", psp_read_int32, offsetof(id_page, size)},
                                     {"pageToken", psp_read_text, offsetof(id_page, token)},
                                     {0}};
  if (request->json != NULL && !psp_fields_read(request->json, fields, page))
    return psp_documents_payload_invalid(error);
  if (page->size < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "page_size must be greater than or equal to zero.");
  if (page->token != NULL && !psp_base64_decode(&page->after, page->token, strlen(page->token)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "invalid page token");
  return psp_documents_parent_check(request->name, error);
}

void psp_documents_list_collections(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_buf out = {0};
  id_page page = {.w = {.buf = &out, .pretty = true}};
  psprobe_code code = read_id_page(request, &page, &error);
  psp_json_begin_object(&page.w);
  if (code == PSPROBE_OK) {
    psp_documents_begin(request->documents);
    code =
        psp_documents_collections(request->documents, request->name, put_collection, &page, &error);
    psp_documents_end(request->documents, true, NULL);
  }
  if (page.count > 0) psp_json_end_array(&page.w);
  if (page.more) {
    psp_json_put_key(&page.w, "nextPageToken");
    psp_json_put_base64(&page.w, page.last.data, page.last.len);
  }
  psp_json_end_object(&page.w);
  if (code != PSPROBE_OK) {
    psp_buf_free(&out);
    psp_documents_refuse(request, &error, NULL);
  } else {
    psp_rest_reply(request->exchange, &out);
  }
  psp_buf_free(&page.after);
  psp_buf_free(&page.last);
  free(page.token);
}
