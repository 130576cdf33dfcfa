/* SPDX-License-Identifier: MIT */
/** @file Writing what Pub/Sub is asked. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "pubsub/parts.h"
#include "pubsub/trace.h"

static psprobe_code refuse(psprobe_error *error, size_t index, const char *rule) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message %zu: %s", index, rule);
}

static psprobe_code check_attributes(const psprobe_message *message, size_t index, size_t *bytes,
                                     psprobe_error *error) {
  psprobe_attribute trace[2];
  const size_t traced = psp_trace_attributes(message, trace);
  if (message->attribute_count + traced > PSP_ATTRIBUTES)
    return refuse(error, index, "more than 100 attributes, those of its trace counted");
  for (size_t i = 0; i < traced; i++)
    *bytes += strlen(trace[i].key) + strlen(trace[i].value);
  for (size_t i = 0; i < message->attribute_count; i++) {
    const char *key = message->attributes[i].key, *value = message->attributes[i].value;
    if (key == NULL || value == NULL)
      return refuse(error, index, "an attribute without key or value");
    size_t key_len = strlen(key), value_len = strlen(value);
    if (key_len == 0) return refuse(error, index, "an attribute key is empty");
    if (key_len > PSP_ATTRIBUTE_KEY)
      return refuse(error, index, "an attribute key is longer than 256 bytes");
    if (value_len > PSP_ATTRIBUTE_VALUE)
      return refuse(error, index, "an attribute value is longer than 1024 bytes");
    if (psp_text_starts(key, "goog"))
      return refuse(error, index, "attribute keys that begin with \"goog\" are Google's own");
    if (!psp_utf8_valid(key, key_len) || !psp_utf8_valid(value, value_len))
      return refuse(error, index, "an attribute is not UTF-8");
    *bytes += key_len + value_len;
  }
  return PSPROBE_OK;
}

static psprobe_code check_message(const psprobe_message *message, size_t index, size_t *bytes,
                                  psprobe_error *error) {
  if (message->data_len == 0 && message->attribute_count == 0)
    return refuse(error, index, "neither data nor attributes");
  if (message->data_len > 0 && message->data == NULL) return refuse(error, index, "data is NULL");
  if (message->attribute_count > 0 && message->attributes == NULL)
    return refuse(error, index, "attributes is NULL");
  if (message->ordering_key != NULL) {
    size_t len = strlen(message->ordering_key);
    if (len > PSP_ORDERING_KEY)
      return refuse(error, index, "the ordering key is longer than 1024 bytes");
    if (!psp_utf8_valid(message->ordering_key, len))
      return refuse(error, index, "the ordering key is not UTF-8");
    *bytes += len;
  }
  if (message->data_len > PSP_PUBLISH_BYTES) return refuse(error, index, "data is over 10 MB");
  *bytes += message->data_len;
  return check_attributes(message, index, bytes, error);
}

static const char *ordering_key(const psprobe_message *message) {
  return message->ordering_key != NULL ? message->ordering_key : "";
}

psprobe_code psp_publish_check(const psprobe_message *messages, size_t count,
                               psprobe_error *error) {
  size_t bytes = 0;
  if (count == 0 || messages == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no message");
  if (count > PSP_PUBLISH_MESSAGES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu messages, 1000 fit in one call", count);
  for (size_t i = 0; i < count; i++) {
    psprobe_code code = check_message(&messages[i], i, &bytes, error);
    if (code != PSPROBE_OK) return code;
    /* "All PubsubMessages published in a given PublishRequest must specify the same ordering_key
     * value." (pubsub.proto, PubsubMessage) */
    if (strcmp(ordering_key(&messages[i]), ordering_key(&messages[0])) != 0)
      return refuse(error, i, "its ordering key differs from message 0's; use a call for each key");
    if (bytes > PSP_PUBLISH_BYTES)
      return refuse(error, i, "with it the call is over 10 MB; publish in smaller calls");
  }
  return PSPROBE_OK;
}

bool psp_ack_deadline_check(int seconds, bool emulator) {
  int least = emulator ? 0 : PSP_DEADLINE_MIN_S;
  return seconds == 0 || (seconds >= least && seconds <= PSP_DEADLINE_MAX_S);
}

static void put_attributes(psp_json_writer *w, const psprobe_attribute *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    psp_json_put_key(w, list[i].key);
    psp_json_put_string(w, list[i].value);
  }
}

void psp_publish_encode(psp_buf *out, const psprobe_message *messages, size_t count) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "messages");
  for (size_t i = 0; i < count; i++) {
    const psprobe_message *message = &messages[i];
    psp_json_begin_object(&w);
    if (message->data_len > 0) {
      psp_json_put_key(&w, "data");
      psp_json_put_base64(&w, message->data, message->data_len);
    }
    psprobe_attribute trace[2];
    const size_t traced = psp_trace_attributes(message, trace);
    if (message->attribute_count + traced > 0) {
      psp_json_begin_object_member(&w, "attributes");
      put_attributes(&w, message->attributes, message->attribute_count);
      put_attributes(&w, trace, traced);
      psp_json_end_object(&w);
    }
    if (*ordering_key(message)) {
      psp_json_put_key(&w, "orderingKey");
      psp_json_put_string(&w, message->ordering_key);
    }
    psp_json_end_object(&w);
  }
  psp_json_end_array(&w);
  psp_json_end_object(&w);
}

void psp_pull_encode(psp_buf *out, int max_messages, bool at_once) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "maxMessages", max_messages);
  if (at_once) {
    psp_json_put_bool_member(&w, "returnImmediately", true);
  }
  psp_json_end_object(&w);
}

static void put_ack_ids(psp_json_writer *w, const char *const *ack_ids, size_t count) {
  psp_json_begin_array_member(w, "ackIds");
  for (size_t i = 0; i < count; i++)
    psp_json_put_string(w, ack_ids[i]);
  psp_json_end_array(w);
}

void psp_acknowledge_encode(psp_buf *out, const char *const *ack_ids, size_t count) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  put_ack_ids(&w, ack_ids, count);
  psp_json_end_object(&w);
}

void psp_modify_encode(psp_buf *out, const char *const *ack_ids, size_t count, int seconds) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  put_ack_ids(&w, ack_ids, count);
  psp_json_put_int64_member(&w, "ackDeadlineSeconds", seconds);
  psp_json_end_object(&w);
}

size_t psp_ack_fit(const char *const *ack_ids, size_t count) {
  size_t fit = 0, bytes = 0;
  while (fit < count && fit < PSP_ACK_IDS) {
    bytes += strlen(ack_ids[fit]) + 3; /* quotes and comma */
    if (bytes > PSP_ACK_BYTES && fit > 0) break;
    fit++;
  }
  return fit;
}
