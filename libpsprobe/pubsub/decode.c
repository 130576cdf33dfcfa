/* SPDX-License-Identifier: MIT */
/** @file Reading what Pub/Sub answers. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "pubsub/messages.h"
#include "pubsub/parts.h"

/* The parser speaks of arguments; a broken answer is the service's doing. */
psprobe_code psp_answer_parse(const char *body, size_t len, const char *what, psp_json **json,
                              psprobe_error *error) {
  psprobe_code code = psp_json_parse(body, len, what, json, error);
  if (code == PSPROBE_OK && !psp_json_is_object(*json)) {
    psp_json_free(*json);
    *json = NULL;
    return psp_fail(error, PSPROBE_INTERNAL, "%s: not a JSON object", what);
  }
  if (code == PSPROBE_INVALID_ARGUMENT) {
    code = PSPROBE_INTERNAL;
    if (error != NULL) error->code = code;
  }
  return code;
}

static psprobe_code read_ids(const psp_json *json, size_t count, const char ***out,
                             psprobe_error *error) {
  const psp_json *list = psp_json_get(json, "messageIds");
  if (!psp_json_is_array(list) || psp_json_count(list) != count)
    return psp_fail(error, PSPROBE_INTERNAL, "publish answer: %zu ids for %zu messages",
                    psp_json_is_array(list) ? psp_json_count(list) : 0, count);
  size_t bytes = 0;
  for (const psp_json *id = psp_json_first(list); id != NULL; id = psp_json_next(id)) {
    const char *text = psp_json_string(id);
    if (text == NULL) return psp_fail(error, PSPROBE_INTERNAL, "publish answer: an id is not text");
    bytes += strlen(text) + 1;
  }
  const char **ids = malloc(count * sizeof *ids + bytes);
  if (ids == NULL) return psp_fail_memory(error, "message ids");
  char *at = (char *)(ids + count);
  size_t i = 0;
  for (const psp_json *id = psp_json_first(list); id != NULL; id = psp_json_next(id)) {
    size_t size = strlen(psp_json_string(id)) + 1;
    ids[i++] = memcpy(at, psp_json_string(id), size);
    at += size;
  }
  *out = ids;
  return PSPROBE_OK;
}

psprobe_code psp_publish_decode(const char *body, size_t len, size_t count, const char ***ids,
                                psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code = psp_answer_parse(body, len, "publish answer", &json, error);
  if (code == PSPROBE_OK) code = read_ids(json, count, ids, error);
  psp_json_free(json);
  return code;
}

static psprobe_code read_received(psprobe_batch *batch, size_t index, const psp_json *item,
                                  size_t *used, psprobe_error *error) {
  psprobe_message *message = &batch->messages[index];
  psprobe_code code = psp_message_read(batch, index, psp_json_get(item, "message"), used, error);
  if (code == PSPROBE_OK)
    code = psp_message_text(batch, psp_json_get2(item, "ackId", "ack_id"), "ackId",
                            &message->ack_id, error);
  if (code == PSPROBE_OK && message->ack_id == NULL)
    code = psp_fail(error, PSPROBE_INTERNAL, "ackId is missing");
  if (code == PSPROBE_OK)
    code = psp_message_count(psp_json_get2(item, "deliveryAttempt", "delivery_attempt"),
                             "deliveryAttempt", &message->delivery_attempt, error);
  return code;
}

static psprobe_code read_pull(const psp_json *json, size_t len, psprobe_batch **out,
                              psprobe_error *error) {
  const psp_json *list = psp_json_get2(json, "receivedMessages", "received_messages");
  if (list != NULL && !psp_json_is_null(list) && !psp_json_is_array(list))
    return psp_fail(error, PSPROBE_INTERNAL, "pull answer: receivedMessages is not an array");
  size_t count = 0, attributes = 0, index = 0, used = 0;
  for (const psp_json *item = psp_json_first(list); item != NULL; item = psp_json_next(item)) {
    attributes += psp_message_attributes(psp_json_get(item, "message"));
    count++;
  }
  psprobe_batch *batch = psp_batch_new(count, attributes, len);
  if (batch == NULL) return psp_fail_memory(error, "a pull answer");
  for (const psp_json *item = psp_json_first(list); item != NULL; item = psp_json_next(item)) {
    psprobe_code code = read_received(batch, index, item, &used, error);
    if (code != PSPROBE_OK) {
      psprobe_batch_free(batch);
      psp_fail_in(error, "pull answer: receivedMessages[%zu]", index);
      if (code == PSPROBE_INVALID_ARGUMENT) code = PSPROBE_INTERNAL;
      if (error != NULL) error->code = code;
      return code;
    }
    index++;
  }
  *out = batch;
  return PSPROBE_OK;
}

psprobe_code psp_pull_decode(const char *body, size_t len, psprobe_batch **batch,
                             psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code = psp_answer_parse(body, len, "pull answer", &json, error);
  if (code == PSPROBE_OK) code = read_pull(json, len, batch, error);
  psp_json_free(json);
  return code;
}

static psprobe_code read_page(const psp_json *json, const char *list, psprobe_name_each *each,
                              void *arg, psp_buf *token, bool *more, psprobe_error *error) {
  const psp_json *items = psp_json_get(json, list);
  if (items != NULL && !psp_json_is_array(items))
    return psp_fail(error, PSPROBE_INTERNAL, "list answer: %s is not an array", list);
  for (const psp_json *item = psp_json_first(items); item != NULL && *more;
       item = psp_json_next(item)) {
    /* A topic's own are listed as names alone. */
    const char *name =
        psp_json_string(psp_json_is_string(item) ? item : psp_json_get(item, "name"));
    if (name == NULL)
      return psp_fail(error, PSPROBE_INTERNAL, "list answer: one of %s has no name", list);
    *more = each(arg, name);
  }
  const char *next = psp_json_string(psp_json_get2(json, "nextPageToken", "next_page_token"));
  if (next != NULL) psp_buf_text(token, next);
  return token->failed ? psp_fail_memory(error, "a listing") : PSPROBE_OK;
}

psprobe_code psp_page_decode(const char *body, size_t len, const char *list,
                             psprobe_name_each *each, void *arg, psp_buf *token, bool *more,
                             psprobe_error *error) {
  psp_json *json = NULL;
  *more = true;
  psprobe_code code = psp_answer_parse(body, len, "list answer", &json, error);
  if (code == PSPROBE_OK) code = read_page(json, list, each, arg, token, more, error);
  psp_json_free(json);
  return code;
}
