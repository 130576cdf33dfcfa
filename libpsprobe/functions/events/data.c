/* SPDX-License-Identifier: MIT */
/** @file The data of an event, and the Pub/Sub message in it. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "functions/events/media.h"
#include "functions/events/parts.h"
#include "pubsub/messages.h"

void psp_event_has_data(psp_event *event, psprobe_event_data kind) {
  psp_buf_reserve(&event->data, 0);
  event->event.kind = kind;
  event->event.data = event->data.data;
  event->event.data_len = event->data.len;
}

void psp_event_take_json(psp_event *event, const psp_json *json) {
  psp_json_writer writer = {.buf = &event->data};
  psp_json_put_json(&writer, json);
  psp_event_has_data(event, PSPROBE_DATA_JSON);
}

static bool is_json(const char *bytes, size_t len, psp_json_fault *fault) {
  static const psp_json_rules rules = {.depth = PSP_JSON_DEPTH};
  return psp_json_check(bytes, len, &rules, NULL, fault);
}

/* Without a content type what is JSON is taken for it. */
psprobe_code psp_event_take_data(psp_event *event, const char *bytes, size_t len,
                                 psprobe_error *error) {
  const char *type = event->event.datacontenttype;
  psp_json_fault fault = {0};
  psprobe_event_data kind = PSPROBE_DATA_BYTES;
  if (len == 0) return PSPROBE_OK;
  if ((type == NULL || psp_media_is_json(type)) && is_json(bytes, len, &fault))
    kind = PSPROBE_DATA_JSON;
  else if (type != NULL && psp_media_is_json(type))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "the data is not the JSON that its content type says: at byte %zu, %s",
                    fault.at, fault.why);
  else if (psp_media_starts(type, "text/") && psp_utf8_valid(bytes, len))
    kind = PSPROBE_DATA_TEXT;
  psp_buf_add(&event->data, bytes, len);
  psp_event_has_data(event, kind);
  return PSPROBE_OK;
}

static psprobe_code read_message(psp_event *event, psprobe_error *error) {
  psp_json *json = NULL;
  const psprobe_event *e = &event->event;
  psprobe_code code = psp_json_parse(e->data, e->data_len, "the event's data", &json, error);
  if (code == PSPROBE_OK) code = psp_push_read(json, e->data_len, &event->batch, error);
  psp_json_free(json);
  return code;
}

psprobe_code psp_event_find_message(psprobe_events *events, psp_event *event,
                                    psprobe_error *error) {
  static const char source[] = "//" PSP_PUBSUB_HOST "/";
  psprobe_event *e = &event->event;
  if (!psp_text_equal(e->type, PSP_MESSAGE_PUBLISHED)) return PSPROBE_OK;
  if (e->topic == NULL && psp_text_starts(e->source, source) && e->source[sizeof source - 1] != 0)
    e->topic = e->source + sizeof source - 1;
  if (e->message != NULL) return PSPROBE_OK;
  if (event->data.failed) return psp_fail_memory(error, "an event");
  if (events->request->want != PSPROBE_WANT_MESSAGE && e->kind != PSPROBE_DATA_JSON)
    return PSPROBE_OK;
  if (e->kind != PSPROBE_DATA_JSON)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a " PSP_MESSAGE_PUBLISHED " whose data is not JSON");
  psprobe_code code = read_message(event, error);
  if (code == PSPROBE_OK) e->message = psprobe_batch_message(event->batch, 0);
  return code;
}
