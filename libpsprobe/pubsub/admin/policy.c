/* SPDX-License-Identifier: MIT */
/** @file Who may do what (https://cloud.google.com/pubsub/docs/reference/rest/Shared.Types/Policy).
 * A policy goes round as the JSON that it is: what we would not know of it must not be lost. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "pubsub/admin/calls.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

#define PERMISSIONS_MOST 100

static psp_pubsub_kind kind_of(psprobe_policy_of of) {
  static const psp_pubsub_kind kinds[] = {PSP_TOPIC, PSP_SUBSCRIPTION, PSP_SNAPSHOT};
  return kinds[of];
}

psprobe_code psprobe_policy_get(psprobe_client *client, psprobe_policy_of of, const char *name,
                                char **policy, psprobe_error *error) {
  psp_buf answer = {0};
  psp_json *json = NULL;
  psp_pubsub_call call = {.action = "get the policy of",
                          .kind = kind_of(of),
                          .name = name,
                          .method = "GET",
                          .verb = ":getIamPolicy?options.requestedPolicyVersion=3",
                          .retry = PSP_RETRY_ADMIN};
  psprobe_code code = psp_pubsub_run(client, &call, &answer, error);
  if (code == PSPROBE_OK) code = psp_answer_parse(answer.data, answer.len, "policy", &json, error);
  if (code == PSPROBE_OK) *policy = psp_buf_take(&answer, NULL);
  psp_json_free(json);
  psp_buf_free(&answer);
  return code;
}

psprobe_code psprobe_policy_set(psprobe_client *client, psprobe_policy_of of, const char *name,
                                const char *policy, psprobe_error *error) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psprobe_code code = policy != NULL
                          ? psp_passed_check("policy", policy, error)
                          : psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no policy is given");
  if (code != PSPROBE_OK) return code;
  psp_json_begin_object(&w);
  psp_put_passed(&w, "policy", policy);
  psp_json_end_object(&w);
  /* Not tried again by itself: a policy without an etag could undo somebody's change in between. */
  psp_pubsub_call call = {.action = "set the policy of",
                          .kind = kind_of(of),
                          .name = name,
                          .verb = ":setIamPolicy",
                          .body = &body};
  code = psp_pubsub_run(client, &call, NULL, error);
  psp_buf_free(&body);
  return code;
}

static psprobe_code read_granted(const psp_buf *answer, const char *const *permissions,
                                 size_t count, bool *granted, psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code = psp_answer_parse(answer->data, answer->len, "permissions", &json, error);
  if (code != PSPROBE_OK) return code;
  const psp_json *list = psp_json_get(json, "permissions");
  for (size_t i = 0; i < count; i++) {
    granted[i] = false;
    for (const psp_json *p = psp_json_first(list); p != NULL; p = psp_json_next(p))
      granted[i] = granted[i] || psp_text_equal(psp_json_string(p), permissions[i]);
  }
  psp_json_free(json);
  return PSPROBE_OK;
}

psprobe_code psprobe_policy_test(psprobe_client *client, psprobe_policy_of of, const char *name,
                                 const char *const *permissions, size_t count, bool *granted,
                                 psprobe_error *error) {
  psp_buf body = {0}, answer = {0};
  psp_json_writer w = {.buf = &body};
  if (count == 0 || count > PERMISSIONS_MOST)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "1 to %d permissions, not %zu",
                    PERMISSIONS_MOST, count);
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "permissions");
  for (size_t i = 0; i < count; i++)
    psp_json_put_string(&w, permissions[i]);
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  psprobe_code code = psp_admin_post(client, kind_of(of), name, ":testIamPermissions",
                                     "test permissions of", &body, &answer, error);
  if (code == PSPROBE_OK) code = read_granted(&answer, permissions, count, granted, error);
  psp_buf_free(&body);
  psp_buf_free(&answer);
  return code;
}
