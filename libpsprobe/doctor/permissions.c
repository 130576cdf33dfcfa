/* SPDX-License-Identifier: MIT */
/**
 * @file What we may do, by testIamPermissions. It asks for no permission itself, and names none for
 * a resource that is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "doctor/parts.h"
#include "os/secret.h"
#include "pubsub/names.h"

void psp_permissions_body(const psp_permissions *permissions, psp_buf *body) {
  psp_json_writer w = {.buf = body};
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "permissions");
  for (size_t i = 0; i < permissions->count; i++)
    psp_json_put_string(&w, permissions->names[i]);
  psp_json_end_array(&w);
  psp_json_end_object(&w);
}

psprobe_code psp_permissions_read(psp_permissions *permissions, const char *answer, size_t len,
                                  psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code = psp_json_parse(answer, len, "answer about permissions", &json, error);
  if (code != PSPROBE_OK) return code;
  const psp_json *list = psp_json_get(json, "permissions");
  if (!psp_json_is_object(json) || (list != NULL && !psp_json_is_array(list))) {
    psp_json_free(json);
    return psp_fail(error, PSPROBE_INTERNAL, "answer about permissions: not a list of them");
  }
  for (size_t i = 0; i < permissions->count; i++)
    permissions->granted[i] = false;
  for (const psp_json *item = psp_json_first(list); item != NULL; item = psp_json_next(item))
    for (size_t i = 0; i < permissions->count; i++)
      if (psp_text_equal(psp_json_string(item), permissions->names[i]))
        permissions->granted[i] = true;
  psp_json_free(json);
  return PSPROBE_OK;
}

psprobe_code psp_permissions_ask(psp_doctor *d, const char *full_name, const char *what,
                                 psp_permissions *permissions, psprobe_error *error) {
  psp_buf path = {0}, body = {0}, answer = {0};
  psp_pubsub_path(&path, full_name, ":testIamPermissions");
  psp_permissions_body(permissions, &body);
  psprobe_code code = PSPROBE_OK;
  if (path.failed || body.failed) {
    code = psp_fail_memory(error, what);
  } else {
    psp_call call = {.service = PSP_PUBSUB,
                     .method = "POST",
                     .path = path.data,
                     .body = body.data,
                     .body_len = body.len,
                     .total_ns = psp_doctor_left(d) + 1,
                     .what = what};
    code = psp_call_run(d->client, &call, &answer, error);
  }
  if (code == PSPROBE_OK)
    code = psp_permissions_read(permissions, answer.data != NULL ? answer.data : "", answer.len,
                                error);
  psp_buf_free(&path);
  psp_buf_free(&body);
  psp_buf_free(&answer);
  return code;
}

/* ---- the project's: https://cloud.google.com/resource-manager/reference/rest/v1/projects ---- */

static psprobe_code send_to_project(psp_doctor *d, const char *authorization, const psp_buf *body,
                                    psp_http_result *result, psprobe_error *error) {
  static const char what[] = "test permissions of the project";
  const char *base = d->o->resource_manager;
  psp_buf url = {0};
  if (base != NULL)
    psp_buf_printf(&url, "%.*s", (int)(strlen(base) - (psp_text_ends(base, "/") ? 1 : 0)), base);
  else
    psp_buf_printf(&url, "https://cloudresourcemanager.%s", d->who.universe);
  psp_buf_text(&url, "/v1/projects/");
  psp_percent_encode(&url, d->project);
  psp_buf_text(&url, ":testIamPermissions");
  if (url.failed || body->failed) {
    psp_buf_free(&url);
    return psp_fail_memory(error, what);
  }
  psp_header headers[4] = {{"content-type", "application/json"},
                           {"authorization", authorization},
                           {"x-goog-api-client", PSP_API_CLIENT},
                           {"x-goog-user-project", d->who.quota_project}};
  psp_http_request request = {.method = "POST",
                              .url = url.data,
                              .headers = headers,
                              .header_count = d->who.quota_project != NULL ? 4 : 3,
                              .body = body->data,
                              .body_len = body->len,
                              .timeout_ns = psp_doctor_left(d) + 1,
                              .max_response = 1 << 20};
  psprobe_code code = psp_http_call(d->http, &request, result, error);
  if (code == PSPROBE_OK && (result->status < 200 || result->status > 299))
    code = psp_status_parse(result->status, result->body.data != NULL ? result->body.data : "",
                            result->body.len, 0, what, error);
  else if (code != PSPROBE_OK)
    psp_fail_in(error, "%s", what);
  psp_buf_free(&url);
  return code;
}

psprobe_code psp_permissions_ask_project(psp_doctor *d, psp_permissions *permissions,
                                         psprobe_error *error) {
  psp_token_slot *slot = NULL;
  psprobe_code code = psp_credentials_cloud_slot(d->credentials, &slot, error);
  if (code == PSPROBE_OK && psp_token_slot_life_s(d->credentials, slot) == 0)
    code = psp_token_slot_get(d->credentials, slot, psprobe_clock_monotonic() + psp_doctor_left(d),
                              error);
  psp_secret token = {0};
  psp_buf body = {0};
  psp_http_result result = {0};
  size_t len = 0;
  uint64_t generation;
  while (code == PSPROBE_OK) {
    len = psp_token_slot_authorization(d->credentials, slot, token.data, token.cap, &generation);
    if (len < token.cap) break;
    if (!psp_secret_reserve(&token, len + 64)) code = psp_fail_memory(error, "token");
  }
  if (code == PSPROBE_OK && len == 0)
    code = psp_fail(error, PSPROBE_UNAVAILABLE, "the token that came has expired already");
  psp_permissions_body(permissions, &body);
  if (code == PSPROBE_OK) code = send_to_project(d, token.data, &body, &result, error);
  if (code == PSPROBE_OK)
    code = psp_permissions_read(permissions, result.body.data != NULL ? result.body.data : "",
                                result.body.len, error);
  psp_secret_free(&token);
  psp_buf_free(&body);
  psp_http_result_free(&result);
  return code;
}
