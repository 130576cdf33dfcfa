/* SPDX-License-Identifier: MIT */
/** @file Topics and subscriptions. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "http/url.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

#define PAGE_SIZE "1000"

/* PUT; a second one is answered with ALREADY_EXISTS, which for our caller is as good. */
static psprobe_code create(psprobe_client *client, psp_pubsub_kind kind, const char *name,
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
  bool there = code == PSPROBE_ALREADY_EXISTS;
  if (code == PSPROBE_OK || there) {
    if (existed != NULL) *existed = there;
    return PSPROBE_OK;
  }
  if (error != NULL) *error = failure;
  return code;
}

static psprobe_code get(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                        int64_t timeout_ns, psp_buf *answer, psprobe_error *error) {
  psp_pubsub_call call = {.action = "get",
                          .kind = kind,
                          .name = name,
                          .method = "GET",
                          .timeout_ns = timeout_ns,
                          .retry = PSP_RETRY_ADMIN};
  return psp_pubsub_run(client, &call, answer, error);
}

static psprobe_code remove_resource(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                                    psprobe_error *error) {
  psp_pubsub_call call = {
      .action = "delete", .kind = kind, .name = name, .method = "DELETE", .retry = PSP_RETRY_ADMIN};
  return psp_pubsub_run(client, &call, NULL, error);
}

static psprobe_code list_page(psprobe_client *client, const char *list, const char *project,
                              psprobe_name_each *each, void *arg, psp_buf *token, bool *more,
                              psprobe_error *error) {
  psp_buf path = {0}, answer = {0};
  psp_buf_printf(&path, "/v1/projects/%s/%s?pageSize=" PAGE_SIZE, project, list);
  if (token->len > 0) {
    psp_buf_text(&path, "&pageToken=");
    psp_percent_encode(&path, token->data);
  }
  const char *what = psp_text_equal(list, "topics") ? "list topics" : "list subscriptions";
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "GET",
                   .path = path.data,
                   .retry = PSP_RETRY_ADMIN,
                   .what = what};
  psprobe_code code =
      path.failed ? psp_fail_memory(error, what) : psp_call_run(client, &call, &answer, error);
  psp_buf next = {0};
  if (code == PSPROBE_OK) {
    code = psp_page_decode(answer.data, answer.len, list, each, arg, &next, more, error);
    /* A server that names a page as its own successor would keep us for ever. */
    if (code == PSPROBE_OK && next.len > 0 && psp_text_equal(next.data, token->data))
      code = psp_fail(error, PSPROBE_INTERNAL, "%s: the page token stays the same", what);
  }
  psp_buf_free(token);
  *token = next;
  psp_buf_free(&path);
  psp_buf_free(&answer);
  return code;
}

static psprobe_code list_all(psprobe_client *client, const char *list, psprobe_name_each *each,
                             void *arg, psprobe_error *error) {
  const char *project = NULL;
  psp_buf token = {0};
  bool more = true;
  psprobe_code code = psprobe_client_project(client, &project, error);
  do {
    if (code == PSPROBE_OK)
      code = list_page(client, list, project, each, arg, &token, &more, error);
  } while (code == PSPROBE_OK && more && token.len > 0);
  psp_buf_free(&token);
  return code;
}

psprobe_code psprobe_topic_create(psprobe_client *client, const char *topic, int64_t timeout_ns,
                                  bool *existed, psprobe_error *error) {
  const psp_buf body = {.data = (char[]){"{}"}, .len = 2};
  return create(client, PSP_TOPIC, topic, timeout_ns, &body, existed, error);
}

psprobe_code psprobe_topic_exists(psprobe_client *client, const char *topic, int64_t timeout_ns,
                                  psprobe_error *error) {
  return get(client, PSP_TOPIC, topic, timeout_ns, NULL, error);
}

psprobe_code psprobe_topic_delete(psprobe_client *client, const char *topic, psprobe_error *error) {
  return remove_resource(client, PSP_TOPIC, topic, error);
}

psprobe_code psprobe_topic_list(psprobe_client *client, psprobe_name_each *each, void *arg,
                                psprobe_error *error) {
  return list_all(client, "topics", each, arg, error);
}

static psprobe_code check_push(const char *endpoint, const char *account, const char *audience,
                               psprobe_error *error) {
  const char *why = NULL;
  if (endpoint != NULL && !psp_http_url_check(endpoint, &why))
    return psp_setting_refuse(error, "push endpoint", endpoint, "%s", why);
  if (endpoint == NULL && (account != NULL || audience != NULL))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a push account or audience is given, and no push endpoint");
  if (account == NULL && audience != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a push audience is given, and no push account that would sign for it");
  return PSPROBE_OK;
}

psprobe_code psprobe_subscription_create(psprobe_client *client, const char *subscription,
                                         const psprobe_subscription_config *config, bool *existed,
                                         psprobe_error *error) {
  psp_buf topic = {0}, body = {0};
  psprobe_code code =
      check_push(config->push_endpoint, config->push_account, config->push_audience, error);
  if (code == PSPROBE_OK &&
      !psp_ack_deadline_check(config->ack_deadline_s, psp_client_is_emulator(client, PSP_PUBSUB)))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an ack deadline has %d to %d s, not %d",
                    PSP_DEADLINE_MIN_S, PSP_DEADLINE_MAX_S, config->ack_deadline_s);
  if (code == PSPROBE_OK)
    code = psp_pubsub_resolve(client, PSP_TOPIC, config->topic, &topic, error);
  if (code == PSPROBE_OK) {
    psp_subscription_encode(&body, topic.data, config);
    code = create(client, PSP_SUBSCRIPTION, subscription, 0, &body, existed, error);
  } else {
    psp_fail_in(error, "create subscription %s", subscription != NULL ? subscription : "?");
  }
  psp_buf_free(&topic);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_subscription_get(psprobe_client *client, const char *subscription,
                                      int64_t timeout_ns, psprobe_subscription_info *info,
                                      psprobe_error *error) {
  psp_buf answer = {0};
  psprobe_code code = get(client, PSP_SUBSCRIPTION, subscription, timeout_ns, &answer, error);
  if (code == PSPROBE_OK) code = psp_subscription_decode(answer.data, answer.len, info, error);
  psp_buf_free(&answer);
  return code;
}

psprobe_code psprobe_subscription_delete(psprobe_client *client, const char *subscription,
                                         psprobe_error *error) {
  return remove_resource(client, PSP_SUBSCRIPTION, subscription, error);
}

psprobe_code psprobe_subscription_list(psprobe_client *client, psprobe_name_each *each, void *arg,
                                       psprobe_error *error) {
  return list_all(client, "subscriptions", each, arg, error);
}

psprobe_code psprobe_subscription_set_push(psprobe_client *client, const char *subscription,
                                           const char *endpoint, const char *account,
                                           const char *audience, psprobe_error *error) {
  psp_buf body = {0};
  psp_pubsub_call call = {.action = "set push of",
                          .kind = PSP_SUBSCRIPTION,
                          .name = subscription,
                          .verb = ":modifyPushConfig",
                          .body = &body,
                          .retry = PSP_RETRY_ADMIN};
  psprobe_code code = check_push(endpoint, account, audience, error);
  if (code != PSPROBE_OK) return code;
  psp_push_config_encode(&body, endpoint, account, audience);
  code = psp_pubsub_run(client, &call, NULL, error);
  psp_buf_free(&body);
  return code;
}
