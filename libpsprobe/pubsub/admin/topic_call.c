/* SPDX-License-Identifier: MIT */
/** @file Topics: the calls. */
#include "base/error.h"
#include "pubsub/admin/calls.h"
#include "pubsub/admin/topic.h"
#include "pubsub/calls.h"

psprobe_code psprobe_topic_create(psprobe_client *client, const char *topic,
                                  const psprobe_topic_config *config, int64_t timeout_ns,
                                  bool *existed, psprobe_error *error) {
  psp_buf body = {0};
  bool there;
  psprobe_code code = config != NULL ? psp_topic_check(config, error) : PSPROBE_OK;
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "create topic");
    return code;
  }
  psp_topic_encode(&body, config);
  code = psp_admin_create(client, PSP_TOPIC, topic, timeout_ns, &body,
                          existed != NULL ? existed : &there, error);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_topic_exists(psprobe_client *client, const char *topic, int64_t timeout_ns,
                                  psprobe_error *error) {
  return psp_admin_get(client, PSP_TOPIC, topic, timeout_ns, NULL, error);
}

psprobe_code psprobe_topic_get(psprobe_client *client, const char *topic, int64_t timeout_ns,
                               psprobe_topic_info *info, psprobe_error *error) {
  psp_buf answer = {0};
  psprobe_code code = psp_admin_get(client, PSP_TOPIC, topic, timeout_ns, &answer, error);
  if (code == PSPROBE_OK) code = psp_topic_decode(answer.data, answer.len, info, error);
  psp_buf_free(&answer);
  return code;
}

psprobe_code psprobe_topic_update(psprobe_client *client, const char *topic,
                                  const psprobe_topic_config *config, unsigned fields,
                                  psprobe_error *error) {
  psprobe_code code = psp_topic_check(config, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "update topic");
    return code;
  }
  return psp_admin_update(client, PSP_TOPIC, topic, psp_topic_fields, PSP_TOPIC_FIELDS, fields,
                          config, error);
}

psprobe_code psprobe_topic_delete(psprobe_client *client, const char *topic, psprobe_error *error) {
  return psp_admin_delete(client, PSP_TOPIC, topic, error);
}

psprobe_code psprobe_topic_list(psprobe_client *client, psprobe_name_each *each, void *arg,
                                psprobe_error *error) {
  return psp_admin_list_project(client, "topics", "list topics", each, arg, error);
}

static psprobe_code list_of(psprobe_client *client, const char *topic, const char *list,
                            const char *what, psprobe_name_each *each, void *arg,
                            psprobe_error *error) {
  psp_buf path = {0};
  psprobe_code code = psp_pubsub_resolve(client, PSP_TOPIC, topic, &path, error);
  if (code == PSPROBE_OK) psp_buf_printf(&path, "/%s", list);
  if (code == PSPROBE_OK && path.failed) code = psp_fail_memory(error, what);
  if (code == PSPROBE_OK)
    code = psp_admin_list(client, path.data, list, what, each, arg, error);
  else
    psp_fail_in(error, "%s", what);
  psp_buf_free(&path);
  return code;
}

psprobe_code psprobe_topic_subscriptions(psprobe_client *client, const char *topic,
                                         psprobe_name_each *each, void *arg, psprobe_error *error) {
  return list_of(client, topic, "subscriptions", "list the topic's subscriptions", each, arg,
                 error);
}

psprobe_code psprobe_topic_snapshots(psprobe_client *client, const char *topic,
                                     psprobe_name_each *each, void *arg, psprobe_error *error) {
  return list_of(client, topic, "snapshots", "list the topic's snapshots", each, arg, error);
}
