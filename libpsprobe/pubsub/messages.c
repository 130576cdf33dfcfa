/* SPDX-License-Identifier: MIT */
#include "pubsub/messages.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/timestamp.h"
#include "pubsub/trace.h"

psprobe_batch *psp_batch_new(size_t count, size_t attributes, size_t body_len) {
  size_t size = sizeof(psprobe_batch) + count * sizeof(psprobe_message) +
                attributes * sizeof(psprobe_attribute);
  psprobe_batch *batch = calloc(1, size);
  /* A text takes no more than its JSON did, quotes against its zero, so that what is reserved here
   * is enough for all of them and pointers into it stay good. */
  const size_t room = body_len + 16;
  char *text = room > body_len ? malloc(room) : NULL;
  if (batch == NULL || text == NULL) {
    free(batch);
    free(text);
    return NULL;
  }
  text[0] = '\0';
  batch->text = (psp_buf){.data = text, .cap = room};
  batch->count = count;
  batch->messages = (psprobe_message *)(batch + 1);
  batch->attributes = (psprobe_attribute *)(batch->messages + count);
  return batch;
}

void psprobe_batch_free(psprobe_batch *batch) {
  if (batch == NULL) return;
  psp_buf_free(&batch->text);
  free(batch);
}

size_t psprobe_batch_count(const psprobe_batch *batch) {
  return batch->count;
}

const psprobe_message *psprobe_batch_message(const psprobe_batch *batch, size_t index) {
  return index < batch->count ? &batch->messages[index] : NULL;
}

const char *psprobe_message_attribute(const psprobe_message *message, const char *key) {
  for (size_t i = 0; i < message->attribute_count; i++)
    if (strcmp(message->attributes[i].key, key) == 0) return message->attributes[i].value;
  return NULL;
}

size_t psp_message_attributes(const psp_json *message) {
  const psp_json *attributes = psp_json_get(message, "attributes");
  return psp_json_is_object(attributes) ? psp_json_count(attributes) : 0;
}

static bool missing(const psp_json *json) {
  return json == NULL || psp_json_is_null(json);
}

/* C texts end at a zero byte, JSON's and Pub/Sub's do not: "\u0000", six bytes, becomes U+FFFD. */
static void add_without_zeros(psp_buf *out, const char *text, size_t len) {
  for (const char *end = text + len; text < end;) {
    size_t zero = (size_t)(end - text) > 1 && memcmp(text, "\xC0\x80", 2) == 0 ? 2 : *text == '\0';
    if (zero > 0)
      psp_buf_text(out, "\xEF\xBF\xBD");
    else
      psp_buf_char(out, *text);
    text += zero > 0 ? zero : 1;
  }
}

psprobe_code psp_message_text(psprobe_batch *batch, const psp_json *text, const char *path,
                              const char **out, psprobe_error *error) {
  if (missing(text)) return PSPROBE_OK;
  if (!psp_json_is_string(text))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s is not a string", path);
  const char *plain = psp_json_string(text);
  size_t start = batch->text.len;
  if (plain != NULL) {
    psp_buf_text(&batch->text, plain);
  } else {
    psp_buf raw = {0};
    psp_json_text(text, &raw);
    if (raw.failed) batch->text.failed = true;
    if (raw.len > 0) add_without_zeros(&batch->text, raw.data, raw.len);
    psp_buf_free(&raw);
  }
  psp_buf_char(&batch->text, '\0');
  if (batch->text.failed) return psp_fail_memory(error, "a message");
  *out = batch->text.data + start;
  return PSPROBE_OK;
}

psprobe_code psp_message_count(const psp_json *number, const char *path, int *out,
                               psprobe_error *error) {
  int64_t value = 0;
  if (missing(number)) return PSPROBE_OK;
  if (!psp_json_int64(number, &value) || value < 0 || value > INT_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s is not a count", path);
  *out = (int)value;
  return PSPROBE_OK;
}

static psprobe_code read_data(psprobe_batch *batch, psprobe_message *message, const psp_json *data,
                              psprobe_error *error) {
  if (missing(data)) return PSPROBE_OK;
  if (!psp_json_is_string(data))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message.data is not a string");
  const char *text = psp_json_string(data);
  size_t start = batch->text.len;
  if (text == NULL || !psp_base64_decode(&batch->text, text, strlen(text)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message.data is not base64");
  message->data_len = batch->text.len - start;
  psp_buf_char(&batch->text, '\0'); /* so that text among the data reads as a C text, too */
  if (batch->text.failed) return psp_fail_memory(error, "a message");
  if (message->data_len > 0) message->data = batch->text.data + start;
  return PSPROBE_OK;
}

static psprobe_code read_attributes(psprobe_batch *batch, psprobe_message *message,
                                    const psp_json *attributes, size_t *used,
                                    psprobe_error *error) {
  if (missing(attributes)) return PSPROBE_OK;
  if (!psp_json_is_object(attributes))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message.attributes is not an object");
  psprobe_attribute *at = batch->attributes + *used;
  message->attributes = at;
  for (const psp_json *item = psp_json_first(attributes); item != NULL;
       item = psp_json_next(item)) {
    if (!psp_json_is_string(item))
      return psp_setting_refuse(error, "message.attributes", psp_json_key(item),
                                "it is not a string");
    const char *key = psp_json_key(item);
    at->key = batch->text.data + batch->text.len;
    add_without_zeros(&batch->text, key, strlen(key)); /* base/json.h: a key's are C0 80 */
    psp_buf_char(&batch->text, '\0');
    psprobe_code code = psp_message_text(batch, item, "message.attributes", &at->value, error);
    if (code != PSPROBE_OK) return code;
    at++;
  }
  message->attribute_count = (size_t)(at - message->attributes);
  *used += message->attribute_count;
  return PSPROBE_OK;
}

static psprobe_code read_time(psprobe_batch *batch, psprobe_message *message, const psp_json *time,
                              psprobe_error *error) {
  const char *text = NULL;
  psprobe_code code = psp_message_text(batch, time, "message.publishTime", &text, error);
  if (code != PSPROBE_OK || text == NULL) return code;
  if (!psp_timestamp_parse(text, strlen(text), &message->publish_time.seconds,
                           &message->publish_time.nanos))
    return psp_setting_refuse(error, "message.publishTime", text, "it is not an RFC 3339 time");
  return PSPROBE_OK;
}

psprobe_code psp_message_read(psprobe_batch *batch, size_t index, const psp_json *json,
                              size_t *used, psprobe_error *error) {
  psprobe_message *message = &batch->messages[index];
  if (!psp_json_is_object(json))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message is not an object");
  psprobe_code code = read_data(batch, message, psp_json_get(json, "data"), error);
  if (code == PSPROBE_OK)
    code = read_attributes(batch, message, psp_json_get(json, "attributes"), used, error);
  if (code == PSPROBE_OK) psp_trace_read(message);
  if (code == PSPROBE_OK)
    code = psp_message_text(batch, psp_json_get2(json, "messageId", "message_id"),
                            "message.messageId", &message->message_id, error);
  if (code == PSPROBE_OK)
    code = read_time(batch, message, psp_json_get2(json, "publishTime", "publish_time"), error);
  if (code == PSPROBE_OK)
    code = psp_message_text(batch, psp_json_get2(json, "orderingKey", "ordering_key"),
                            "message.orderingKey", &message->ordering_key, error);
  if (message->ordering_key != NULL && !*message->ordering_key) message->ordering_key = NULL;
  return code;
}
