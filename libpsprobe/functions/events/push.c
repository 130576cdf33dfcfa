/* SPDX-License-Identifier: MIT */
/** @file Pub/Sub's push with the message wrapped in JSON, and the CloudEvent that Eventarc sends so
 * when its attributes do not fit into headers. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "functions/events/parts.h"
#include "functions/events/published.h"
#include "pubsub/messages.h"

static psprobe_code read_message(psprobe_events *events, const psp_json *body,
                                 psprobe_error *error) {
  psprobe_code code = psp_events_make(events, 1, error);
  psp_event *event = events->list;
  if (code == PSPROBE_OK)
    code = psp_push_read(body, events->request->body_len, &event->batch, error);
  if (code != PSPROBE_OK) return psp_fail_in(error, "push"), code;
  event->event.form = PSPROBE_EVENT_PUSH;
  event->event.message = psprobe_batch_message(event->batch, 0);
  return PSPROBE_OK;
}

/* Members under their one name, what may be missing filled in; those that we do not know go along.
 */
static void put_message(psp_json_writer *w, const psp_json *message) {
  static const char *const names[][2] = {{"data", "data"},
                                         {"messageId", "message_id"},
                                         {"publishTime", "publish_time"},
                                         {"orderingKey", "ordering_key"}};
  const psp_json *attributes = psp_json_get(message, "attributes");
  psp_json_begin_object(w);
  psp_json_put_key(w, "attributes");
  if (psp_json_is_object(attributes))
    psp_json_put_json(w, attributes);
  else
    psp_json_put_raw(w, "{}", 2);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const psp_json *value = psp_json_get2(message, names[i][0], names[i][1]);
    if (value == NULL || psp_json_is_null(value)) continue;
    psp_json_put_key(w, names[i][0]);
    psp_json_put_json(w, value);
  }
  psp_json_end_object(w);
}

static void put_data(psp_buf *out, const psp_json *body, const psprobe_message *message) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "message");
  put_message(&w, psp_json_get(body, "message"));
  psp_published_end(&w, message);
}

psprobe_code psp_form_push(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  psprobe_code code = read_message(events, body, error);
  if (code != PSPROBE_OK) return code;
  psp_event *event = events->list;
  const psp_json *message = psp_json_get(body, "message");
  const char *time = psp_json_string(psp_json_get2(message, "publishTime", "publish_time"));
  if (events->request->want != PSPROBE_WANT_MESSAGE)
    put_data(&event->data, body, event->event.message);
  return psp_published(events, event, time, error);
}

/* ---- a CloudEvent in a push ---- */

static psprobe_code take_attributes(psprobe_events *events, psp_event *event,
                                    psprobe_error *error) {
  const psprobe_message *message = event->event.message;
  for (size_t i = 0; i < message->attribute_count; i++) {
    const psprobe_attribute *a = &message->attributes[i];
    if (!psp_text_starts(a->key, "ce-")) continue;
    psprobe_code code = psp_event_set(events, event, a->key + 3, a->value, error);
    if (code != PSPROBE_OK) return code;
  }
  if (event->event.datacontenttype == NULL)
    event->event.datacontenttype = psprobe_message_attribute(message, "content-type");
  return psp_event_check(event, error);
}

psprobe_code psp_form_binding(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  psprobe_code code = read_message(events, body, error);
  if (code == PSPROBE_OK) code = take_attributes(events, events->list, error);
  if (code != PSPROBE_OK) return code;
  const psprobe_message *message = events->list->event.message;
  return psp_event_take_data(events->list, message->data, message->data_len, error);
}
