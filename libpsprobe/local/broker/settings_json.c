/* SPDX-License-Identifier: MIT */
#include "local/broker/settings_json.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "local/proto_fields.h"

/* Whoever asks for what is not built here is told, and not left to wait for it. */
#define UNBUILT(function, name)                           \
  static bool function(const psp_json *json, void *out) { \
    (void)json;                                           \
    *(const char **)out = name;                           \
    return true;                                          \
  }
UNBUILT(read_ingestion, "ingestionDataSourceSettings")
UNBUILT(read_transforms, "messageTransforms")
UNBUILT(read_bigquery, "bigqueryConfig")
UNBUILT(read_cloud_storage, "cloudStorageConfig")

bool psp_topic_settings_decode(const psp_json *json, psp_topic_settings *out) {
  static const psp_field fields[] = {
      {"name", psp_read_text, offsetof(psp_topic_settings, name)},
      {"labels", psp_read_pairs, offsetof(psp_topic_settings, labels)},
      {"messageStoragePolicy", psp_read_json, offsetof(psp_topic_settings, storage_policy)},
      {"kmsKeyName", psp_read_text, offsetof(psp_topic_settings, kms_key)},
      {"messageRetentionDuration", psp_read_span, offsetof(psp_topic_settings, retention)},
      {"schemaSettings", psp_read_json, offsetof(psp_topic_settings, schema)},
      {"ingestionDataSourceSettings", read_ingestion, offsetof(psp_topic_settings, unbuilt)},
      {"messageTransforms", read_transforms, offsetof(psp_topic_settings, unbuilt)},
      {"satisfiesPzs", NULL, 0}, /* the service says these, not the user */
      {"state", NULL, 0},
      {0}};
  return psp_fields_read(json, fields, out);
}

static bool read_oidc(const psp_json *json, void *out) {
  static const psp_field fields[] = {
      {"serviceAccountEmail", psp_read_text, offsetof(psp_push_settings, account)},
      {"audience", psp_read_text, offsetof(psp_push_settings, audience)},
      {0}};
  ((psp_push_settings *)out)->has_oidc = true;
  return psp_fields_read(json, fields, out);
}

static bool read_no_wrapper(const psp_json *json, void *out) {
  static const psp_field fields[] = {
      {"writeMetadata", psp_read_bool, offsetof(psp_push_settings, write_metadata)}, {0}};
  ((psp_push_settings *)out)->no_wrapper = true;
  return psp_fields_read(json, fields, out);
}

bool psp_push_settings_decode(const psp_json *json, psp_push_settings *out) {
  static const psp_field fields[] = {
      {"pushEndpoint", psp_read_text, offsetof(psp_push_settings, endpoint)},
      {"attributes", psp_read_pairs, offsetof(psp_push_settings, attributes)},
      {"oidcToken", read_oidc, 0},
      {"noWrapper", read_no_wrapper, 0},
      {"pubsubWrapper", NULL, 0},
      {0}};
  return psp_fields_read(json, fields, out);
}

static bool read_push(const psp_json *json, void *out) {
  return psp_push_settings_decode(json, out);
}

static bool read_dead_letter(const psp_json *json, void *out) {
  static const psp_field fields[] = {
      {"deadLetterTopic", psp_read_text, offsetof(psp_subscription_settings, dead_letter_topic)},
      {"maxDeliveryAttempts", psp_read_int32, offsetof(psp_subscription_settings, max_attempts)},
      {0}};
  ((psp_subscription_settings *)out)->has_dead_letter = true;
  return psp_fields_read(json, fields, out);
}

static bool read_retry(const psp_json *json, void *out) {
  static const psp_field fields[] = {
      {"minimumBackoff", psp_read_span, offsetof(psp_subscription_settings, retry_min)},
      {"maximumBackoff", psp_read_span, offsetof(psp_subscription_settings, retry_max)},
      {0}};
  ((psp_subscription_settings *)out)->has_retry = true;
  return psp_fields_read(json, fields, out);
}

static bool read_expiration(const psp_json *json, void *out) {
  static const psp_field fields[] = {
      {"ttl", psp_read_span, offsetof(psp_subscription_settings, expiration)}, {0}};
  ((psp_subscription_settings *)out)->has_expiration = true;
  return psp_fields_read(json, fields, out);
}

bool psp_subscription_settings_decode(const psp_json *json, psp_subscription_settings *out) {
  static const psp_field fields[] = {
      {"name", psp_read_text, offsetof(psp_subscription_settings, name)},
      {"topic", psp_read_text, offsetof(psp_subscription_settings, topic)},
      {"pushConfig", read_push, offsetof(psp_subscription_settings, push)},
      {"ackDeadlineSeconds", psp_read_int32, offsetof(psp_subscription_settings, ack_deadline_s)},
      {"retainAckedMessages", psp_read_bool, offsetof(psp_subscription_settings, retain_acked)},
      {"messageRetentionDuration", psp_read_span, offsetof(psp_subscription_settings, retention)},
      {"labels", psp_read_pairs, offsetof(psp_subscription_settings, labels)},
      {"enableMessageOrdering", psp_read_bool, offsetof(psp_subscription_settings, ordering)},
      {"expirationPolicy", read_expiration, 0},
      {"filter", psp_read_text, offsetof(psp_subscription_settings, filter)},
      {"deadLetterPolicy", read_dead_letter, 0},
      {"retryPolicy", read_retry, 0},
      {"enableExactlyOnceDelivery", psp_read_bool,
       offsetof(psp_subscription_settings, exactly_once)},
      {"bigqueryConfig", read_bigquery, offsetof(psp_subscription_settings, unbuilt)},
      {"cloudStorageConfig", read_cloud_storage, offsetof(psp_subscription_settings, unbuilt)},
      {"messageTransforms", read_transforms, offsetof(psp_subscription_settings, unbuilt)},
      {"detached", NULL, 0}, /* the service says these, not the user */
      {"topicMessageRetentionDuration", NULL, 0},
      {"state", NULL, 0},
      {0}};
  return psp_fields_read(json, fields, out);
}

bool psp_snapshot_settings_decode(const psp_json *json, psp_snapshot_settings *out) {
  static const psp_field fields[] = {
      {"name", psp_read_text, offsetof(psp_snapshot_settings, name)},
      {"topic", NULL, 0},
      {"expireTime", psp_read_moment, offsetof(psp_snapshot_settings, expires_ns)},
      {"labels", psp_read_pairs, offsetof(psp_snapshot_settings, labels)},
      {0}};
  return psp_fields_read(json, fields, out);
}

static void put_true(psp_json_writer *w, const char *key, bool value) {
  if (!value) return;
  psp_json_put_bool_member(w, key, true);
}

static void put_span(psp_json_writer *w, const char *key, psp_span span) {
  char text[PSP_SPAN_SIZE];
  if (span.set) psp_json_put_member(w, key, psp_span_format(text, span));
}

void psp_pairs_encode(psp_json_writer *w, const char *key, const psp_pair *pairs, size_t count) {
  if (count == 0) return;
  psp_json_begin_object_member(w, key);
  for (size_t i = 0; i < count; i++) {
    psp_json_put_key(w, pairs[i].key);
    psp_json_put_string(w, pairs[i].value);
  }
  psp_json_end_object(w);
}

/* Written anew, so that it is as pretty as the rest. */
void psp_kept_json_encode(psp_json_writer *w, const char *key, const char *text) {
  psp_json *json = NULL;
  if (text == NULL || psp_json_parse(text, strlen(text), key, &json, NULL) != PSPROBE_OK) return;
  psp_json_put_key(w, key);
  psp_json_put_json(w, json);
  psp_json_free(json);
}

void psp_topic_settings_encode(psp_json_writer *w, const psp_topic_settings *settings) {
  psp_json_begin_object(w);
  psp_json_put_member(w, "name", settings->name);
  psp_pairs_encode(w, "labels", settings->labels.items, settings->labels.count);
  psp_kept_json_encode(w, "messageStoragePolicy", settings->storage_policy);
  psp_json_put_member(w, "kmsKeyName", settings->kms_key);
  psp_kept_json_encode(w, "schemaSettings", settings->schema);
  put_span(w, "messageRetentionDuration", settings->retention);
  psp_json_end_object(w);
}

static void put_push(psp_json_writer *w, const psp_push_settings *push) {
  psp_json_begin_object_member(w, "pushConfig");
  psp_json_put_member(w, "pushEndpoint", push->endpoint);
  psp_pairs_encode(w, "attributes", push->attributes.items, push->attributes.count);
  if (push->has_oidc) {
    psp_json_begin_object_member(w, "oidcToken");
    psp_json_put_member(w, "serviceAccountEmail", push->account);
    psp_json_put_member(w, "audience", push->audience);
    psp_json_end_object(w);
  }
  if (push->no_wrapper) {
    psp_json_begin_object_member(w, "noWrapper");
    put_true(w, "writeMetadata", push->write_metadata);
    psp_json_end_object(w);
  }
  psp_json_end_object(w);
}

static void put_policies(psp_json_writer *w, const psp_subscription_settings *settings) {
  if (settings->has_dead_letter) {
    psp_json_begin_object_member(w, "deadLetterPolicy");
    psp_json_put_member(w, "deadLetterTopic", settings->dead_letter_topic);
    psp_json_put_int64_member(w, "maxDeliveryAttempts", settings->max_attempts);
    psp_json_end_object(w);
  }
  if (settings->has_retry) {
    psp_json_begin_object_member(w, "retryPolicy");
    put_span(w, "minimumBackoff", settings->retry_min);
    put_span(w, "maximumBackoff", settings->retry_max);
    psp_json_end_object(w);
  }
}

void psp_subscription_settings_encode(psp_json_writer *w,
                                      const psp_subscription_settings *settings) {
  psp_json_begin_object(w);
  psp_json_put_member(w, "name", settings->name);
  psp_json_put_member(w, "topic", settings->topic);
  put_push(w, &settings->push);
  psp_json_put_int64_member(w, "ackDeadlineSeconds", settings->ack_deadline_s);
  put_true(w, "retainAckedMessages", settings->retain_acked);
  put_span(w, "messageRetentionDuration", settings->retention);
  psp_pairs_encode(w, "labels", settings->labels.items, settings->labels.count);
  put_true(w, "enableMessageOrdering", settings->ordering);
  if (settings->has_expiration) {
    psp_json_begin_object_member(w, "expirationPolicy");
    put_span(w, "ttl", settings->expiration);
    psp_json_end_object(w);
  }
  psp_json_put_member(w, "filter", settings->filter);
  put_policies(w, settings);
  put_true(w, "detached", settings->detached);
  put_true(w, "enableExactlyOnceDelivery", settings->exactly_once);
  psp_json_end_object(w);
}

void psp_snapshot_settings_encode(psp_json_writer *w, const psp_snapshot_settings *settings) {
  char time[PSP_TIMESTAMP_SIZE];
  psp_json_begin_object(w);
  psp_json_put_member(w, "name", settings->name);
  psp_json_put_member(w, "topic", settings->topic);
  psp_json_put_member(w, "expireTime", psp_timestamp_format_ns(time, settings->expires_ns));
  psp_pairs_encode(w, "labels", settings->labels.items, settings->labels.count);
  psp_json_end_object(w);
}
