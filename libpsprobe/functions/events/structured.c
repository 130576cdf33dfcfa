/* SPDX-License-Identifier: MIT */
/** @file A CloudEvent in structured mode, or several (CloudEvents' JSON format, 3 and 4). */
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "functions/events/media.h"
#include "functions/events/parts.h"

/* An event takes a hundred times the room of the shortest text that may stand for one. */
#define MOST_EVENTS 10000

/* An attribute as text: numbers and booleans as they are spelled. NULL: it is neither. */
static const char *text_of(psprobe_events *events, const psp_json *value) {
  psp_buf text = {0};
  psp_json_writer writer = {.buf = &text};
  const char *plain = psp_json_string(value);
  if (plain != NULL) return psp_events_keep(events, plain, strlen(plain));
  if (!psp_json_is_number(value) && !psp_json_is_bool(value)) return NULL;
  psp_json_put_json(&writer, value);
  return psp_events_keep_buf(events, &text);
}

static psprobe_code take_member(psprobe_events *events, psp_event *event, const psp_json *member,
                                psprobe_error *error) {
  const char *name = psp_json_key(member);
  if (psp_json_is_null(member) || strcmp(name, "data") == 0 || strcmp(name, "data_base64") == 0)
    return PSPROBE_OK;
  const char *value = text_of(events, member);
  if (value == NULL && !events->failed)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "CloudEvent: %.64s is neither text nor a number nor a boolean", name);
  return psp_event_set(events, event, name, value, error);
}

static psprobe_code take_base64(psp_event *event, const psp_json *value, psprobe_error *error) {
  psp_buf bytes = {0};
  const char *text = psp_json_string(value);
  psprobe_code code = PSPROBE_OK;
  bool good = text != NULL && psp_base64_decode(&bytes, text, strlen(text));
  if (bytes.failed)
    code = psp_fail_memory(error, "CloudEvent");
  else if (!good)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "CloudEvent: data_base64 is not base64");
  else
    code = psp_event_take_data(event, bytes.data, bytes.len, error);
  psp_buf_free(&bytes);
  return code;
}

/* 3.1: what is no JSON by its content type stands as a JSON string. */
static void take_value(psp_event *event, const psp_json *value) {
  const char *type = event->event.datacontenttype;
  if (type == NULL || psp_media_is_json(type) || !psp_json_is_string(value)) {
    psp_event_take_json(event, value);
    return;
  }
  psp_json_text(value, &event->data);
  psp_event_has_data(event, PSPROBE_DATA_TEXT);
}

static psprobe_code take_payload(psp_event *event, const psp_json *envelope, psprobe_error *error) {
  const psp_json *data = psp_json_get(envelope, "data");
  const psp_json *base64 = psp_json_get(envelope, "data_base64");
  if (base64 != NULL && psp_json_is_null(base64)) base64 = NULL;
  if (data != NULL && base64 != NULL && !psp_json_is_null(data))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "CloudEvent: both data and data_base64, where there can be one");
  if (base64 != NULL) return take_base64(event, base64, error);
  if (data != NULL) take_value(event, data);
  return PSPROBE_OK;
}

static psprobe_code take_envelope(psprobe_events *events, psp_event *event,
                                  const psp_json *envelope, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (!psp_json_is_object(envelope))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "CloudEvent: not a JSON object");
  for (const psp_json *m = psp_json_first(envelope); m != NULL && code == PSPROBE_OK;
       m = psp_json_next(m))
    code = take_member(events, event, m, error);
  if (code == PSPROBE_OK) code = psp_event_check(event, error);
  return code == PSPROBE_OK ? take_payload(event, envelope, error) : code;
}

/* CloudEvents over HTTP, 3.2.2: the same attributes may be in headers too; not others. */
static psprobe_code check_copies(psprobe_events *events, const psp_event *event,
                                 psprobe_error *error) {
  const struct {
    const char *header, *value;
  } copies[] = {{"ce-id", event->event.id},
                {"ce-source", event->event.source},
                {"ce-type", event->event.type},
                {"ce-specversion", event->specversion}};
  for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
    const char *copy = psp_event_header(events->request, copies[i].header);
    if (copy != NULL && strchr(copy, '%') == NULL && !psp_text_equal(copy, copies[i].value))
      return psp_setting_refuse(error, copies[i].header, copy,
                                "two events at once: the body says another");
  }
  return PSPROBE_OK;
}

psprobe_code psp_form_structured(psprobe_events *events, const psp_json *body,
                                 psprobe_error *error) {
  psprobe_code code = psp_events_make(events, 1, error);
  if (code != PSPROBE_OK) return code;
  events->list->event.form = PSPROBE_EVENT_STRUCTURED;
  code = take_envelope(events, events->list, body, error);
  return code == PSPROBE_OK ? check_copies(events, events->list, error) : code;
}

psprobe_code psp_form_batch(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  if (!psp_json_is_array(body))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a batch of CloudEvents is a JSON array");
  const size_t count = psp_json_count(body);
  if (count > MOST_EVENTS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a batch of %zu CloudEvents: at most %d",
                    count, MOST_EVENTS);
  psprobe_code code = psp_events_make(events, count, error);
  size_t i = 0;
  for (const psp_json *item = psp_json_first(body); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item), i++) {
    events->list[i].event.form = PSPROBE_EVENT_BATCH;
    code = take_envelope(events, &events->list[i], item, error);
    if (code != PSPROBE_OK) psp_fail_in(error, "batch, event %zu", i + 1);
  }
  return code;
}
