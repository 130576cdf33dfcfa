/* SPDX-License-Identifier: MIT */
#include "pubsub/admin/calls.h"

#include "base/error.h"
#include "pubsub/calls.h"

/* A second one is answered with ALREADY_EXISTS, which for most callers is as good. */
psprobe_code psp_admin_create(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              int64_t timeout_ns, const psp_buf *body, bool *existed,
                              psprobe_error *error) {
  psprobe_error failure = {0};
  psp_pubsub_call call = {.action = "create",
                          .kind = kind,
                          .name = name,
                          .method = "PUT",
                          .body = body,
                          .timeout_ns = timeout_ns,
                          .retry = PSP_RETRY_ADMIN};
  psprobe_code code = psp_pubsub_run(client, &call, NULL, &failure);
  const bool there = code == PSPROBE_ALREADY_EXISTS;
  if (existed != NULL && (code == PSPROBE_OK || there)) {
    *existed = there;
    return PSPROBE_OK;
  }
  if (code != PSPROBE_OK && error != NULL) *error = failure;
  return code;
}

psprobe_code psp_admin_get(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                           int64_t timeout_ns, psp_buf *answer, psprobe_error *error) {
  psp_pubsub_call call = {.action = "get",
                          .kind = kind,
                          .name = name,
                          .method = "GET",
                          .timeout_ns = timeout_ns,
                          .retry = PSP_RETRY_ADMIN};
  return psp_pubsub_run(client, &call, answer, error);
}

psprobe_code psp_admin_delete(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              psprobe_error *error) {
  psp_pubsub_call call = {
      .action = "delete", .kind = kind, .name = name, .method = "DELETE", .retry = PSP_RETRY_ADMIN};
  return psp_pubsub_run(client, &call, NULL, error);
}

psprobe_code psp_admin_post(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                            const char *verb, const char *action, const psp_buf *body,
                            psp_buf *answer, psprobe_error *error) {
  psp_pubsub_call call = {.action = action,
                          .kind = kind,
                          .name = name,
                          .verb = verb,
                          .body = body,
                          .retry = PSP_RETRY_ADMIN};
  return psp_pubsub_run(client, &call, answer, error);
}

/* The service wants the name in the resource, too. */
static void put_update(psp_buf *out, psp_pubsub_kind kind, const char *full,
                       const psp_admin_field *fields, size_t count, unsigned bits,
                       const void *config) {
  psp_json_writer w = {.buf = out};
  psp_buf mask = {0};
  psp_admin_fields_mask(fields, count, bits, &mask);
  psp_json_begin_object(&w);
  psp_json_begin_object_member(&w, psp_pubsub_kind_name(kind));
  psp_json_put_member(&w, "name", full);
  psp_admin_fields_put(fields, count, bits, config, &w);
  psp_json_end_object(&w);
  psp_json_put_member(&w, "updateMask", mask.data);
  psp_json_end_object(&w);
  if (mask.failed) out->failed = true;
  psp_buf_free(&mask);
}

psprobe_code psp_admin_update(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              const psp_admin_field *fields, size_t count, unsigned bits,
                              const void *config, psprobe_error *error) {
  psp_buf full = {0}, body = {0};
  psp_pubsub_call call = {.action = "update",
                          .kind = kind,
                          .name = name,
                          .method = "PATCH",
                          .body = &body,
                          .retry = PSP_RETRY_ADMIN};
  psprobe_code code = psp_admin_fields_check(fields, count, bits, error);
  if (code == PSPROBE_OK) code = psp_pubsub_resolve(client, kind, name, &full, error);
  if (code == PSPROBE_OK) {
    put_update(&body, kind, full.data, fields, count, bits, config);
    code = psp_pubsub_run(client, &call, NULL, error);
  } else {
    psp_fail_in(error, "update %s", psp_pubsub_kind_name(kind));
  }
  psp_buf_free(&full);
  psp_buf_free(&body);
  return code;
}
