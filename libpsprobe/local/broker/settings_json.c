/* SPDX-License-Identifier: MIT */
#include "local/broker/settings_json.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/proto_fields.h"

bool psp_topic_settings_decode(const psp_json *json, psp_topic_settings *out) {
  static const psp_field fields[] = {
      {"name", psp_read_text, offsetof(psp_topic_settings, name)},
      {"labels", psp_read_pairs, offsetof(psp_topic_settings, labels)},
      {"messageStoragePolicy", psp_read_json, offsetof(psp_topic_settings, storage_policy)},
      {"kmsKeyName", psp_read_text, offsetof(psp_topic_settings, kms_key)},
      {"messageRetentionDuration", psp_read_span, offsetof(psp_topic_settings, retention)},
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
      {"detached", NULL, 0}, /* the service says these, not the user */
      {"topicMessageRetentionDuration", NULL, 0},
      {"state", NULL, 0},
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
static void put_kept_json(psp_json_writer *w, const char *key, const char *text) {
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
  put_kept_json(w, "messageStoragePolicy", settings->storage_policy);
  psp_json_put_member(w, "kmsKeyName", settings->kms_key);
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
  put_true(w, "enableExactlyOnceDelivery", settings->exactly_once);
  psp_json_end_object(w);
}

/* The next path of a mask, in snake_case, as Google's messages show it. False: none is left. */
static bool next_path(const char **at, char *path, size_t size) {
  size_t n = 0;
  while (**at == ',')
    (*at)++;
  if (!**at) return false;
  for (; **at && **at != ','; (*at)++) {
    if (isupper((unsigned char)**at) && n + 1 < size) path[n++] = '_';
    if (n + 1 < size) path[n++] = (char)tolower((unsigned char)**at);
  }
  path[n] = '\0';
  return true;
}

static psprobe_code mask_missing(const char *what, psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "The update_mask in the Update%sRequest must be set, and must contain a "
                  "non-empty paths list.",
                  what);
}

static psprobe_code mask_refused(const char *path, psprobe_error *error) {
  static const char *const fixed[] = {"name", "topic", "enable_message_ordering"};
  static const char *const unsupported[] = {"filter", "expiration_policy"};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (psp_text_equal(path, fixed[i]))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "Invalid update_mask provided in the UpdateSubscriptionRequest: the %s "
                      "field in the Subscription is not mutable.",
                      path);
  for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
    if (psp_text_equal(path, unsupported[i]))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "Updating the %s field is currently unsupported in the Pub/Sub Emulator.",
                      path);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "Invalid update_mask provided in the UpdateSubscriptionRequest: %s is not a "
                  "known Subscription field. Note that field paths must be of the form "
                  "'push_config' rather than 'pushConfig'.",
                  path);
}

psprobe_code psp_subscription_mask_parse(const char *text, unsigned *mask, psprobe_error *error) {
  static const struct {
    const char *path;
    unsigned bit;
  } known[] = {{"ack_deadline_seconds", PSP_SUB_ACK_DEADLINE},
               {"push_config", PSP_SUB_PUSH},
               {"retry_policy", PSP_SUB_RETRY},
               {"dead_letter_policy", PSP_SUB_DEAD_LETTER},
               {"retain_acked_messages", PSP_SUB_RETAIN},
               {"message_retention_duration", PSP_SUB_RETENTION},
               {"enable_exactly_once_delivery", PSP_SUB_EXACTLY_ONCE}};
  char path[128];
  *mask = 0;
  for (const char *at = text != NULL ? text : ""; next_path(&at, path, sizeof path);) {
    unsigned bit = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
      if (psp_text_equal(path, known[i].path)) bit = known[i].bit;
    if (!bit) return mask_refused(path, error);
    *mask |= bit;
  }
  return *mask ? PSPROBE_OK : mask_missing("Subscription", error);
}

psprobe_code psp_topic_mask_parse(const char *text, psprobe_error *error) {
  char path[128];
  bool any = false;
  for (const char *at = text != NULL ? text : ""; next_path(&at, path, sizeof path); any = true)
    if (!psp_text_equal(path, "message_retention_duration"))
      /* (sic: "schemaSetings" is how it comes) */
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "Invalid update_mask provided in the UpdateTopicRequest: %s is not a known "
                      "Topic field. Note that field paths must be of the form 'schema_settings' "
                      "rather than 'schemaSetings'.",
                      path);
  return any ? PSPROBE_OK : mask_missing("Topic", error);
}
