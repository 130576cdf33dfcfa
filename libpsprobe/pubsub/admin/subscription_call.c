/* SPDX-License-Identifier: MIT */
/** @file Subscriptions: the calls. */
#include "base/error.h"
#include "client/call.h"
#include "pubsub/admin/calls.h"
#include "pubsub/admin/subscription.h"
#include "pubsub/calls.h"

/* The dead letter topic in full; nothing: there is none. */
static psprobe_code resolve_dead_letter(psprobe_client *client,
                                        const psprobe_subscription_config *config, psp_buf *full,
                                        psprobe_error *error) {
  if (config->dead_letter_topic == NULL) return PSPROBE_OK;
  return psp_pubsub_resolve(client, PSP_TOPIC, config->dead_letter_topic, full, error);
}

psprobe_code psprobe_subscription_create(psprobe_client *client, const char *subscription,
                                         const psprobe_subscription_config *config, bool *existed,
                                         psprobe_error *error) {
  psp_buf topic = {0}, dead = {0}, body = {0};
  bool there;
  psprobe_code code =
      psp_subscription_check(config, psp_client_is_emulator(client, PSP_PUBSUB), error);
  if (code == PSPROBE_OK)
    code = psp_pubsub_resolve(client, PSP_TOPIC, config->topic, &topic, error);
  if (code == PSPROBE_OK) code = resolve_dead_letter(client, config, &dead, error);
  if (code == PSPROBE_OK) {
    psp_subscription_encode(&body, topic.data, dead.data, config);
    code = psp_admin_create(client, PSP_SUBSCRIPTION, subscription, 0, &body,
                            existed != NULL ? existed : &there, error);
  } else {
    psp_fail_in(error, "create subscription %s", subscription != NULL ? subscription : "?");
  }
  psp_buf_free(&topic);
  psp_buf_free(&dead);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_subscription_get(psprobe_client *client, const char *subscription,
                                      int64_t timeout_ns, psprobe_subscription_info *info,
                                      psprobe_error *error) {
  psp_buf answer = {0};
  psprobe_code code =
      psp_admin_get(client, PSP_SUBSCRIPTION, subscription, timeout_ns, &answer, error);
  if (code == PSPROBE_OK) code = psp_subscription_decode(answer.data, answer.len, info, error);
  psp_buf_free(&answer);
  return code;
}

psprobe_code psprobe_subscription_update(psprobe_client *client, const char *subscription,
                                         const psprobe_subscription_config *config, unsigned fields,
                                         psprobe_error *error) {
  psp_buf dead = {0};
  psprobe_subscription_config full = *config;
  psprobe_code code =
      psp_subscription_check(config, psp_client_is_emulator(client, PSP_PUBSUB), error);
  if (code == PSPROBE_OK) code = resolve_dead_letter(client, config, &dead, error);
  full.dead_letter_topic = dead.data;
  if (code == PSPROBE_OK)
    code = psp_admin_update(client, PSP_SUBSCRIPTION, subscription, psp_subscription_fields,
                            PSP_SUBSCRIPTION_FIELDS, fields, &full, error);
  else
    psp_fail_in(error, "update subscription %s", subscription != NULL ? subscription : "?");
  psp_buf_free(&dead);
  return code;
}

psprobe_code psprobe_subscription_set_push(psprobe_client *client, const char *subscription,
                                           const psprobe_subscription_config *config,
                                           psprobe_error *error) {
  psp_buf body = {0};
  psprobe_code code = psp_push_check(config, error);
  if (code != PSPROBE_OK) return code;
  psp_push_config_encode(&body, config);
  code = psp_admin_post(client, PSP_SUBSCRIPTION, subscription, ":modifyPushConfig", "set push of",
                        &body, NULL, error);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_subscription_detach(psprobe_client *client, const char *subscription,
                                         psprobe_error *error) {
  return psp_admin_post(client, PSP_SUBSCRIPTION, subscription, ":detach", "detach", NULL, NULL,
                        error);
}

static psprobe_code seek(psprobe_client *client, const char *subscription, const char *name,
                         const char *value, psprobe_error *error) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, name, value);
  psp_json_end_object(&w);
  psprobe_code code =
      psp_admin_post(client, PSP_SUBSCRIPTION, subscription, ":seek", "seek", &body, NULL, error);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_subscription_seek(psprobe_client *client, const char *subscription,
                                       psprobe_timestamp time, psprobe_error *error) {
  char text[PSP_TIMESTAMP_SIZE];
  psprobe_code code = psp_time_write(text, time, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "seek");
    return code;
  }
  return seek(client, subscription, "time", text, error);
}

psprobe_code psprobe_subscription_seek_snapshot(psprobe_client *client, const char *subscription,
                                                const char *snapshot, psprobe_error *error) {
  psp_buf full = {0};
  psprobe_code code = psp_pubsub_resolve(client, PSP_SNAPSHOT, snapshot, &full, error);
  if (code == PSPROBE_OK)
    code = seek(client, subscription, "snapshot", full.data, error);
  else
    psp_fail_in(error, "seek");
  psp_buf_free(&full);
  return code;
}

psprobe_code psprobe_subscription_delete(psprobe_client *client, const char *subscription,
                                         psprobe_error *error) {
  return psp_admin_delete(client, PSP_SUBSCRIPTION, subscription, error);
}

psprobe_code psprobe_subscription_list(psprobe_client *client, psprobe_name_each *each, void *arg,
                                       psprobe_error *error) {
  return psp_admin_list_project(client, "subscriptions", "list subscriptions", each, arg, error);
}
