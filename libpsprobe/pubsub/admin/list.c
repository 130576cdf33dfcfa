/* SPDX-License-Identifier: MIT */
/** @file Listings, page by page. */
#include "base/error.h"
#include "base/text.h"
#include "client/call.h"
#include "pubsub/admin/calls.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

#define PAGE_SIZE "1000"

static psprobe_code list_page(psprobe_client *client, const char *path, const char *list,
                              const char *what, psprobe_name_each *each, void *arg, psp_buf *token,
                              bool *more, psprobe_error *error) {
  psp_buf url = {0}, answer = {0}, next = {0};
  psp_pubsub_path(&url, path, "?pageSize=" PAGE_SIZE);
  if (token->len > 0) {
    psp_buf_text(&url, "&pageToken=");
    psp_percent_encode(&url, token->data);
  }
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "GET",
                   .path = url.data,
                   .retry = PSP_RETRY_ADMIN,
                   .what = what};
  psprobe_code code =
      url.failed ? psp_fail_memory(error, what) : psp_call_run(client, &call, &answer, error);
  if (code == PSPROBE_OK) {
    code = psp_page_decode(answer.data, answer.len, list, each, arg, &next, more, error);
    /* A server that names a page as its own successor would keep us for ever. */
    if (code == PSPROBE_OK && next.len > 0 && psp_text_equal(next.data, token->data))
      code = psp_fail(error, PSPROBE_INTERNAL, "%s: the page token stays the same", what);
  }
  psp_buf_free(token);
  *token = next;
  psp_buf_free(&url);
  psp_buf_free(&answer);
  return code;
}

psprobe_code psp_admin_list(psprobe_client *client, const char *path, const char *list,
                            const char *what, psprobe_name_each *each, void *arg,
                            psprobe_error *error) {
  psp_buf token = {0};
  bool more = true;
  psprobe_code code;
  do {
    code = list_page(client, path, list, what, each, arg, &token, &more, error);
  } while (code == PSPROBE_OK && more && token.len > 0);
  psp_buf_free(&token);
  return code;
}

psprobe_code psp_admin_list_project(psprobe_client *client, const char *list, const char *what,
                                    psprobe_name_each *each, void *arg, psprobe_error *error) {
  const char *project = NULL;
  psp_buf path = {0};
  psprobe_code code = psprobe_client_project(client, &project, error);
  if (code == PSPROBE_OK) psp_buf_printf(&path, "projects/%s/%s", project, list);
  if (code == PSPROBE_OK && path.failed) code = psp_fail_memory(error, what);
  if (code == PSPROBE_OK) code = psp_admin_list(client, path.data, list, what, each, arg, error);
  psp_buf_free(&path);
  return code;
}
