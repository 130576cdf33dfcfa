/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "functions/events/parts.h"
#include "functions/events/published.h"
#include "functions/events/unwrapped.h"
#include "pubsub/messages.h"

#define METADATA "x-goog-pubsub-"

/* What a request has of itself, and what stands in front of a function adds. */
static const char *const transport[] = {"accept",
                                        "accept-charset",
                                        "accept-encoding",
                                        "accept-language",
                                        "authorization",
                                        "cache-control",
                                        "connection",
                                        "content-encoding",
                                        "content-length",
                                        "cookie",
                                        "expect",
                                        "forwarded",
                                        "from",
                                        "function-execution-id",
                                        "host",
                                        "keep-alive",
                                        "pragma",
                                        "te",
                                        "trailer",
                                        "traceparent",
                                        "tracestate",
                                        "transfer-encoding",
                                        "upgrade",
                                        "user-agent",
                                        "via",
                                        "x-cloud-trace-context",
                                        "x-goog-ordering-key",
                                        "x-serverless-authorization"};

static bool is_attribute(const char *name) {
  if (strncasecmp(name, METADATA, sizeof METADATA - 1) == 0) return false;
  if (strncasecmp(name, "x-forwarded-", 12) == 0) return false;
  for (size_t i = 0; i < sizeof transport / sizeof *transport; i++)
    if (strcasecmp(name, transport[i]) == 0) return false;
  return true;
}

static const char *metadata(const psprobe_event_request *request, const char *name) {
  char full[64];
  snprintf(full, sizeof full, METADATA "%s", name);
  const char *value = psp_event_header(request, full);
  return value != NULL && *value != 0 ? value : NULL;
}

/* Appends a text to the batch, whose room is reserved; bytes that are no UTF-8 become U+FFFD, as
 * the emulator makes them. */
static const char *add(psprobe_batch *batch, const char *text) {
  if (text == NULL) return NULL;
  const char *at = batch->text.data + batch->text.len;
  for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
    n = psp_utf8_char(text, left);
    psp_buf_add(&batch->text, n > 0 ? text : "\xEF\xBF\xBD", n > 0 ? n : 3);
    if (n == 0) n = 1;
  }
  psp_buf_char(&batch->text, 0);
  return at;
}

static void take_attributes(psprobe_batch *batch, const psprobe_event_request *request) {
  psprobe_message *message = &batch->messages[0];
  psprobe_attribute *to = batch->attributes;
  for (size_t i = 0; i < request->header_count; i++) {
    const psprobe_attribute *header = &request->headers[i];
    if (!is_attribute(header->key)) continue;
    to->key = add(batch, header->key);
    to++->value = add(batch, header->value);
  }
  message->attributes = batch->attributes;
  message->attribute_count = (size_t)(to - batch->attributes);
}

static psprobe_batch *make(const psprobe_event_request *request) {
  size_t room = request->body_len + 1;
  for (size_t i = 0; i < request->header_count; i++)
    room += 3 * (strlen(request->headers[i].key) + strlen(request->headers[i].value)) + 2;
  psprobe_batch *batch = psp_batch_new(1, request->header_count, room);
  if (batch == NULL) return NULL;
  psprobe_message *message = &batch->messages[0];
  if (request->body_len > 0) message->data = batch->text.data;
  message->data_len = request->body_len;
  if (request->body_len > 0) psp_buf_add(&batch->text, request->body, request->body_len);
  psp_buf_char(&batch->text, 0);
  return batch;
}

psprobe_code psp_unwrapped_message(const psprobe_event_request *request, psprobe_batch **out,
                                   psprobe_error *error) {
  psprobe_batch *batch = make(request);
  if (batch == NULL) return psp_fail_memory(error, "a push");
  psprobe_message *message = &batch->messages[0];
  const char *key = metadata(request, "ordering-key");
  const char *time = metadata(request, "publish-time");
  if (key == NULL) key = psp_event_header(request, "x-goog-ordering-key"); /* the emulator's */
  take_attributes(batch, request);
  message->message_id = add(batch, metadata(request, "message-id"));
  message->subscription = add(batch, metadata(request, "subscription-name"));
  message->ordering_key = key != NULL && *key != 0 ? add(batch, key) : NULL;
  *out = batch;
  if (time == NULL || psp_timestamp_parse(time, strlen(time), &message->publish_time.seconds,
                                          &message->publish_time.nanos))
    return PSPROBE_OK;
  return psp_setting_refuse(error, "push: " METADATA "publish-time", time, "not an RFC 3339 time");
}

/* ---- as the event that the wrapped push would have been ---- */

static void put_data(psp_buf *out, const psprobe_message *message, const char *time) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_begin_object_member(&w, "message");
  psp_json_begin_object_member(&w, "attributes");
  for (size_t i = 0; i < message->attribute_count; i++)
    psp_json_put_member(&w, message->attributes[i].key, message->attributes[i].value);
  psp_json_end_object(&w);
  if (message->data_len > 0) {
    psp_json_put_key(&w, "data");
    psp_json_put_base64(&w, message->data, message->data_len);
  }
  psp_json_put_member(&w, "messageId", message->message_id);
  psp_json_put_member(&w, "publishTime", time);
  psp_json_put_member(&w, "orderingKey", message->ordering_key);
  psp_json_end_object(&w);
  psp_published_end(&w, message);
}

psprobe_code psp_form_unwrapped(psprobe_events *events, const psp_json *body,
                                psprobe_error *error) {
  (void)body;
  const char *time = metadata(events->request, "publish-time");
  psprobe_code code = psp_events_make(events, 1, error);
  psp_event *event = events->list;
  if (code == PSPROBE_OK) code = psp_unwrapped_message(events->request, &event->batch, error);
  if (code != PSPROBE_OK) return code;
  event->event.form = PSPROBE_EVENT_UNWRAPPED;
  event->event.message = psprobe_batch_message(event->batch, 0);
  if (events->request->want != PSPROBE_WANT_MESSAGE)
    put_data(&event->data, event->event.message, time);
  return psp_published(events, event, time, error);
}

/* Without metadata: nothing tells what the message's attributes were, or its id. */
psprobe_code psp_form_plain(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  (void)body;
  psprobe_event_request bare = *events->request;
  bare.header_count = 0;
  psprobe_code code = psp_events_make(events, 1, error);
  if (code == PSPROBE_OK) code = psp_unwrapped_message(&bare, &events->list->batch, error);
  if (code != PSPROBE_OK) return code;
  psprobe_event *event = &events->list->event;
  event->form = PSPROBE_EVENT_PLAIN;
  event->message = psprobe_batch_message(events->list->batch, 0);
  event->datacontenttype = NULL;
  return psp_event_take_data(events->list, bare.body, bare.body_len, error);
}
