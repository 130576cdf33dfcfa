/* SPDX-License-Identifier: MIT */
/** @file A subscription's settings, read. Pure. */
#include "base/error.h"
#include "pubsub/admin/subscription.h"
#include "pubsub/parts.h"

static void read_push(const psp_json *push, psprobe_subscription_config *c) {
  const psp_json *token = psp_json_get(push, "oidcToken"), *bare = psp_json_get(push, "noWrapper");
  c->push_endpoint = psp_admin_text(push, "pushEndpoint");
  c->push_account = psp_admin_text(token, "serviceAccountEmail");
  c->push_audience = psp_admin_text(token, "audience");
  c->push_no_wrapper = psp_json_is_object(bare);
  psp_json_bool(psp_json_get(bare, "writeMetadata"), &c->push_write_metadata);
}

/* A number that an int holds; else 0. */
static int read_int(const psp_json *json) {
  int64_t value = 0;
  return psp_json_int64(json, &value) && value > 0 && value <= 1000000 ? (int)value : 0;
}

static void read_policies(const psp_json *json, psprobe_subscription_config *c) {
  const psp_json *expiration = psp_json_get(json, "expirationPolicy");
  const psp_json *dead = psp_json_get(json, "deadLetterPolicy");
  const psp_json *retry = psp_json_get(json, "retryPolicy");
  c->expiration_ns = psp_read_seconds(psp_json_get(expiration, "ttl"));
  if (psp_json_is_object(expiration) && c->expiration_ns == 0)
    c->expiration_ns = PSPROBE_EXPIRES_NEVER;
  c->dead_letter_topic = psp_admin_text(dead, "deadLetterTopic");
  c->max_delivery_attempts = read_int(psp_json_get(dead, "maxDeliveryAttempts"));
  c->retry_min_ns = psp_read_seconds(psp_json_get(retry, "minimumBackoff"));
  c->retry_max_ns = psp_read_seconds(psp_json_get(retry, "maximumBackoff"));
}

static void read_config(psp_admin_memory *memory, psprobe_subscription_config *c) {
  const psp_json *json = memory->json;
  c->topic = psp_admin_text(json, "topic");
  c->ack_deadline_s = read_int(psp_json_get(json, "ackDeadlineSeconds"));
  read_push(psp_json_get(json, "pushConfig"), c);
  psp_json_bool(psp_json_get(json, "enableMessageOrdering"), &c->enable_ordering);
  psp_json_bool(psp_json_get(json, "enableExactlyOnceDelivery"), &c->exactly_once);
  psp_json_bool(psp_json_get(json, "retainAckedMessages"), &c->retain_acked);
  c->retention_ns = psp_read_seconds(psp_json_get(json, "messageRetentionDuration"));
  c->filter = psp_admin_text(json, "filter");
  read_policies(json, c);
  c->labels = psp_admin_labels(memory, &c->label_count);
  c->bigquery = psp_admin_passed(memory, 0, "bigqueryConfig");
  c->cloud_storage = psp_admin_passed(memory, 1, "cloudStorageConfig");
}

psprobe_code psp_subscription_decode(const char *body, size_t len, psprobe_subscription_info *info,
                                     psprobe_error *error) {
  psp_admin_memory *memory = NULL;
  psprobe_code code = psp_admin_memory_read(body, len, "subscription answer", &memory, error);
  if (code != PSPROBE_OK) return code;
  const psp_json *json = memory->json;
  psprobe_subscription_info read = {
      .name = psp_admin_text(json, "name"),
      .state = psp_admin_text(json, "state"),
      .topic_retention_ns = psp_read_seconds(psp_json_get(json, "topicMessageRetentionDuration")),
      .memory = memory};
  psp_json_bool(psp_json_get(json, "detached"), &read.detached);
  read_config(memory, &read.config);
  if (memory->failed)
    code = psp_fail_memory(error, "a subscription");
  else if (read.name == NULL || read.config.topic == NULL ||
           read.config.ack_deadline_s > PSP_DEADLINE_MAX_S)
    code = psp_fail(error, PSPROBE_INTERNAL,
                    "subscription answer: name, topic or ackDeadlineSeconds is not as it should");
  if (code == PSPROBE_OK)
    *info = read;
  else
    psp_admin_memory_free(memory);
  return code;
}

void psprobe_subscription_info_free(psprobe_subscription_info *info) {
  if (info == NULL) return;
  psp_admin_memory_free(info->memory);
  *info = (psprobe_subscription_info){0};
}
