/* SPDX-License-Identifier: MIT */
#include "functions/events/published.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* "projects/P/topics/T" in a path that names it; empty: there is none. */
static size_t find_topic(const char *path, const char **topic) {
  static const char projects[] = "projects/", topics[] = "/topics/";
  for (const char *at = path; (at = strstr(at, projects)) != NULL; at++) {
    const char *end = at + sizeof projects - 1;
    size_t project = strcspn(end, "/");
    end += project;
    if (project == 0 || !psp_text_starts(end, topics)) continue;
    end += sizeof topics - 1;
    size_t name = strcspn(end, "/?#");
    if (name == 0) continue;
    *topic = at;
    return (size_t)(end + name - at);
  }
  return 0;
}

/* Eventarc's query for a custom topic. */
static bool query_topic(const char *query, psp_buf *out) {
  static const char mode[] = "__GCP_CloudEventsMode=CUSTOM_PUBSUB_";
  const char *at = query != NULL ? strstr(query, mode) : NULL;
  if (at == NULL) return false;
  at += sizeof mode - 1;
  return psp_percent_decode(out, at, strcspn(at, "&"));
}

/* Where the request tells of its topic at all: the path of the endpoint, or its query. */
static const char *topic_of(psprobe_events *events) {
  psp_buf text = {0};
  const char *topic = NULL;
  size_t len = 0;
  if (query_topic(events->request->query, &text) && !text.failed)
    len = find_topic(text.data, &topic);
  if (len == 0 && events->request->path != NULL) len = find_topic(events->request->path, &topic);
  if (len > 0 && !psp_utf8_valid(topic, len)) len = 0;
  const char *kept = len > 0 ? psp_events_keep(events, topic, len) : NULL;
  psp_buf_free(&text);
  return kept;
}

void psp_published_end(psp_json_writer *w, const psprobe_message *message) {
  psp_json_put_member(w, "subscription", message->subscription);
  if (message->delivery_attempt > 0) {
    psp_json_put_int64_member(w, "deliveryAttempt", message->delivery_attempt);
  }
  psp_json_end_object(w);
}

/* The trace of whoever called goes on in the event (CloudEvents, distributed tracing). */
static psprobe_code take_trace(psprobe_events *events, psp_event *event, psprobe_error *error) {
  const char *trace = psp_event_header(events->request, "traceparent");
  if (trace == NULL) return PSPROBE_OK;
  return psp_event_set(events, event, "traceparent", psp_events_keep(events, trace, strlen(trace)),
                       error);
}

psprobe_code psp_published(psprobe_events *events, psp_event *event, const char *time,
                           psprobe_error *error) {
  psprobe_event *e = &event->event;
  psp_buf source = {0};
  e->id = e->message->message_id;
  e->type = PSP_MESSAGE_PUBLISHED;
  e->topic = topic_of(events);
  if (events->request->want == PSPROBE_WANT_MESSAGE) return PSPROBE_OK;
  if (e->id == NULL || *e->id == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "the message has no messageId, and an event needs an id");
  psp_buf_printf(&source, "//" PSP_PUBSUB_HOST "/%s", e->topic != NULL ? e->topic : "");
  e->source = psp_events_keep_buf(events, &source);
  e->time = time != NULL ? psp_events_keep(events, time, strlen(time)) : NULL;
  e->datacontenttype = "application/json";
  psp_event_has_data(event, PSPROBE_DATA_JSON);
  return take_trace(events, event, error);
}
