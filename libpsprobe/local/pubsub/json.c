/* SPDX-License-Identifier: MIT */
#include "local/pubsub/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "local/broker/settings_json.h"
#include "local/proto_fields.h"
#include "local/pubsub/acks.h"

/* https://cloud.google.com/pubsub/quotas#resource_limits, which the emulator does not know */
#define MAX_MESSAGES   1000
#define MAX_BYTES      10000000
#define MAX_ATTRIBUTES 100
#define MAX_KEY        256
#define MAX_VALUE      1024
#define MAX_ORDER_KEY  1024

void psp_letters_free(psp_letters *letters) {
  for (size_t i = 0; letters->items != NULL && i < letters->count; i++)
    psp_letter_unref(letters->items[i]);
  free(letters->items);
  *letters = (psp_letters){0};
}

/* ---- publish ---- */

/* A message as it is read: buffers that are used again for the next one. */
typedef struct draft {
  psp_buf data;
  const psp_json *attributes;
  char *ordering_key;
  psp_pair *pairs;
  size_t pair_cap;
} draft;

static bool read_data(const psp_json *json, void *out) {
  const char *text = psp_json_string(json);
  return text != NULL && psp_base64_decode(out, text, strlen(text));
}

static bool read_time(const psp_json *json, void *out) {
  (void)out;
  int64_t seconds;
  int32_t nanos;
  const char *text = psp_json_string(json);
  return text != NULL && psp_timestamp_parse(text, strlen(text), &seconds, &nanos);
}

static bool read_message(const psp_json *json, draft *message) {
  static const psp_field fields[] = {{"data", read_data, offsetof(draft, data)},
                                     {"attributes", psp_read_part, offsetof(draft, attributes)},
                                     {"messageId", NULL, 0}, /* ours to give */
                                     {"publishTime", read_time, 0},
                                     {"orderingKey", psp_read_text, offsetof(draft, ordering_key)},
                                     {0}};
  psp_buf_reset(&message->data);
  message->attributes = NULL;
  free(message->ordering_key);
  message->ordering_key = NULL;
  return psp_fields_read(json, fields, message);
}

/* Texts are taken as they lie in the document; numbers and booleans, which proto3 takes for texts,
 * need one made, so all of a message's pairs are made then. */
static psp_letter *finish_slowly(const draft *message) {
  psp_pairs pairs = {0};
  psp_letter *letter = NULL;
  if (psp_read_pairs(message->attributes, &pairs))
    letter = psp_letter_new(message->data.data, message->data.len, pairs.items, pairs.count,
                            message->ordering_key);
  psp_pairs_free(&pairs);
  return letter;
}

static psp_letter *finish(draft *message) {
  size_t count = 0;
  if (message->attributes != NULL && !psp_json_is_object(message->attributes)) return NULL;
  for (const psp_json *item = psp_json_first(message->attributes); item != NULL;
       item = psp_json_next(item)) {
    const char *value = psp_json_string(item), *key = psp_json_key(item);
    if (value == NULL) return finish_slowly(message);
    for (size_t i = 0; i < count; i++)
      if (strcmp(message->pairs[i].key, key) == 0) return finish_slowly(message);
    if (count == message->pair_cap) {
      size_t cap = count * 2 + 8;
      psp_pair *pairs = realloc(message->pairs, cap * sizeof *pairs);
      if (pairs == NULL) return NULL;
      message->pairs = pairs;
      message->pair_cap = cap;
    }
    message->pairs[count++] = (psp_pair){key, value};
  }
  return psp_letter_new(message->data.data, message->data.len, message->pairs, count,
                        message->ordering_key);
}

static psprobe_code check_attributes(const psp_letter *letter, psprobe_error *error) {
  if (letter->attribute_count > MAX_ATTRIBUTES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "A message has too many attributes: %u, of at most %d.",
                    (unsigned)letter->attribute_count, MAX_ATTRIBUTES);
  for (uint32_t i = 0; i < letter->attribute_count; i++) {
    const psp_pair *pair = &letter->attributes[i];
    size_t key = strlen(pair->key), value = strlen(pair->value);
    if (key == 0 || key > MAX_KEY || value > MAX_VALUE || psp_text_starts(pair->key, "goog"))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "An attribute cannot be: its key has 1 to %d bytes and does not begin with "
                      "goog, its value has at most %d bytes.",
                      MAX_KEY, MAX_VALUE);
  }
  return PSPROBE_OK;
}

/* What is said of messages before any is taken. */
static psprobe_code check_letters(const psp_letters *letters, psprobe_error *error) {
  size_t bytes = 0;
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; i < letters->count && code == PSPROBE_OK; i++) {
    const psp_letter *letter = letters->items[i];
    bytes += letter->size;
    if (letter->data_len == 0 && letter->attribute_count == 0)
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Some messages are empty");
    else if (letter->ordering_key != NULL && strlen(letter->ordering_key) > MAX_ORDER_KEY)
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "An ordering key is over %d bytes.",
                      MAX_ORDER_KEY);
    else if (!psp_text_equal(letter->ordering_key, letters->items[0]->ordering_key))
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "In a single publish request, all messages must have no ordering key or they "
                      "must all have the same ordering key.");
    else
      code = check_attributes(letter, error);
  }
  if (code == PSPROBE_OK && bytes > MAX_BYTES)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Request payload size exceeds the limit: %d bytes.", MAX_BYTES);
  return code;
}

static psprobe_code decode_messages(const psp_json *messages, psp_letters *out,
                                    psprobe_error *error) {
  draft message = {0};
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(messages); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item)) {
    psp_letter *letter = read_message(item, &message) ? finish(&message) : NULL;
    if (letter == NULL) {
      code = psp_payload_invalid(error);
      break;
    }
    out->items[out->count++] = letter;
  }
  if (code == PSPROBE_OK) code = check_letters(out, error);
  psp_buf_free(&message.data);
  free(message.ordering_key);
  free(message.pairs);
  return code;
}

psprobe_code psp_broker_publish_decode(const char *body, size_t len, psp_letters *out,
                                       psprobe_error *error) {
  static const psp_field fields[] = {{"messages", psp_read_part, 0}, {"topic", NULL, 0}, {0}};
  const psp_json *messages = NULL;
  psp_json *json;
  psprobe_code code = psp_broker_body_read(body, len, fields, &messages, &json, error);
  if (code != PSPROBE_OK) return code;
  *out = (psp_letters){0};
  size_t count = psp_json_count(messages);
  if (messages != NULL && !psp_json_is_array(messages))
    code = psp_payload_invalid(error);
  else if (count == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "No messages to publish");
  else if (count > MAX_MESSAGES)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Too many messages to publish");
  else if ((out->items = malloc(count * sizeof(psp_letter *))) == NULL)
    code = psp_fail_memory(error, "messages");
  else
    code = decode_messages(messages, out, error);
  psp_json_free(json);
  if (code != PSPROBE_OK) psp_letters_free(out);
  return code;
}

void psp_broker_publish_encode(psp_buf *out, uint64_t first_id, size_t count) {
  psp_json_writer w = {.buf = out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "messageIds");
  for (size_t i = 0; i < count; i++)
    psp_json_put_int64_text(&w, (int64_t)(first_id + i));
  psp_json_end_array(&w);
  psp_json_end_object(&w);
}

/* ---- pull ---- */

psprobe_code psp_broker_pull_decode(const char *body, size_t len, psp_pull_request *out,
                                    psprobe_error *error) {
  static const psp_field fields[] = {
      {"maxMessages", psp_read_int32, offsetof(psp_pull_request, max)},
      {"returnImmediately", psp_read_bool, offsetof(psp_pull_request, immediate)},
      {"subscription", NULL, 0},
      {0}};
  psp_json *json;
  *out = (psp_pull_request){0};
  psprobe_code code = psp_broker_body_read(body, len, fields, out, &json, error);
  psp_json_free(json);
  if (code == PSPROBE_OK && out->max == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "No max_messages specified");
  if (out->max < 0) out->max = 1; /* taken by the emulator too */
  return code;
}

static void put_time(psp_json_writer *w, const char *key, const psp_letter *letter) {
  char time[PSP_TIMESTAMP_SIZE];
  psp_json_put_member(w, key, psp_timestamp_format_ns(time, letter->published_ms * 1000000));
}

static void put_message(psp_json_writer *w, const psp_letter *letter) {
  psp_json_begin_object(w);
  if (letter->data_len) {
    psp_json_put_key(w, "data");
    psp_json_put_base64(w, letter->data, letter->data_len);
  }
  psp_pairs_encode(w, "attributes", letter->attributes, letter->attribute_count);
  psp_json_put_key(w, "messageId");
  psp_json_put_int64_text(w, (int64_t)letter->id);
  put_time(w, "publishTime", letter);
  psp_json_put_member(w, "orderingKey", letter->ordering_key);
  psp_json_end_object(w);
}

void psp_broker_pull_encode(psp_buf *out, const char *subscription, const psp_broker_waiter *pull) {
  psp_json_writer w = {.buf = out, .pretty = true};
  char ack[PSP_BROKER_ACK_SIZE];
  psp_json_begin_object(&w);
  if (pull->count) {
    psp_json_begin_array_member(&w, "receivedMessages");
    for (size_t i = 0; i < pull->count; i++) {
      const psp_broker_delivery *delivery = &pull->deliveries[i];
      psp_broker_ack_format(ack, sizeof ack, subscription, delivery->ack);
      psp_json_begin_object(&w);
      psp_json_put_member(&w, "ackId", ack);
      psp_json_put_key(&w, "message");
      put_message(&w, delivery->letter);
      if (delivery->attempt) {
        psp_json_put_int64_member(&w, "deliveryAttempt", delivery->attempt);
      }
      psp_json_end_object(&w);
    }
    psp_json_end_array(&w);
  }
  psp_json_end_object(&w);
}

/* ---- push ---- */

void psp_broker_push_encode(psp_buf *out, const psp_broker_push *push) {
  const psp_letter *letter = push->delivery.letter;
  psp_json_writer w = {.buf = out, .escape_slash = true};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "subscription", push->target->subscription);
  psp_json_begin_object_member(&w, "message");
  put_time(&w, "publishTime", letter);
  psp_json_put_key(&w, "data");
  psp_json_put_base64(&w, letter->data, letter->data_len);
  put_time(&w, "publish_time", letter);
  psp_json_put_key(&w, "messageId");
  psp_json_put_int64_text(&w, (int64_t)letter->id);
  psp_json_begin_object_member(&w, "attributes");
  for (size_t i = 0; i < letter->attribute_count; i++) {
    psp_json_put_member(&w, letter->attributes[i].key, letter->attributes[i].value);
  }
  psp_json_end_object(&w);
  psp_json_put_key(&w, "message_id");
  psp_json_put_int64_text(&w, (int64_t)letter->id);
  /* The emulator leaves these two out; the real service sends them
   * (https://cloud.google.com/pubsub/docs/push, dead-letter-topics). */
  psp_json_put_member(&w, "orderingKey", letter->ordering_key);
  psp_json_end_object(&w);
  if (push->delivery.attempt) {
    psp_json_put_int64_member(&w, "deliveryAttempt", push->delivery.attempt);
  }
  psp_json_end_object(&w);
}
