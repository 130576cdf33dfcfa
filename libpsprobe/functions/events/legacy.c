/* SPDX-License-Identifier: MIT */
/** @file The event of the first generation, read: as it came, and as a CloudEvent. */
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "functions/events/kinds.h"
#include "functions/events/parts.h"

/* What the two spellings of it, with a context and flat, say alike. */
typedef struct legacy {
  const psp_json *context, *data;
  const char *id, *type, *time;
  const char *service, *resource; /* NULL: it does not say */
  const char *domain;             /* of a Realtime Database */
} legacy;

static legacy view(const psp_json *body) {
  const psp_json *context = psp_json_get(body, "context");
  if (!psp_json_is_object(context)) context = body;
  const psp_json *resource = psp_json_get(context, "resource");
  const psp_json *domain = psp_json_get(context, "domain");
  if (domain == NULL) domain = psp_json_get(body, "domain");
  legacy l = {.context = context,
              .data = psp_json_get(body, "data"),
              .id = psp_json_string(psp_json_get2(context, "eventId", "event_id")),
              .type = psp_json_string(psp_json_get2(context, "eventType", "event_type")),
              .time = psp_json_string(psp_json_get(context, "timestamp")),
              .service = psp_json_string(psp_json_get(resource, "service")),
              .resource = psp_json_string(resource),
              .domain = psp_json_string(domain)};
  if (l.resource == NULL) l.resource = psp_json_string(psp_json_get(resource, "name"));
  if (l.data != NULL && psp_json_is_null(l.data)) l.data = NULL;
  return l;
}

/* Everything beside the data is context, where it is flat. */
static void keep(psprobe_events *events, psp_event *event, const legacy *l) {
  psp_buf context = {0}, data = {0};
  psp_json_writer w = {.buf = &context}, d = {.buf = &data};
  psp_json_begin_object(&w);
  for (const psp_json *m = psp_json_first(l->context); m != NULL; m = psp_json_next(m)) {
    if (m == l->data || strcmp(psp_json_key(m), "data") == 0) continue;
    psp_json_put_key(&w, psp_json_key(m));
    psp_json_put_json(&w, m);
  }
  psp_json_end_object(&w);
  if (l->data != NULL)
    psp_json_put_json(&d, l->data);
  else
    psp_json_put_null(&d);
  event->legacy_context = psp_events_keep_buf(events, &context);
  event->legacy_data = psp_events_keep_buf(events, &data);
}

static const char *kept(psprobe_events *events, const char *text) {
  return text != NULL ? psp_events_keep(events, text, strlen(text)) : NULL;
}

/* ---- to a CloudEvent ---- */

static void put_location(psp_buf *source, const legacy *l, const char *resource, size_t len) {
  static const char common[] = "projects/_/";
  size_t region = strcspn(l->domain, ".");
  if (strcmp(l->domain, "firebaseio.com") == 0)
    psp_buf_text(source, "projects/_/locations/us-central1/");
  else
    psp_buf_printf(source, "projects/_/locations/%.*s/", (int)region, l->domain);
  size_t skip = psp_text_starts(resource, common) ? sizeof common - 1 : 0;
  psp_buf_add(source, resource + skip, len - skip);
}

static psprobe_code name_source(psprobe_events *events, psp_event *event, const legacy *l,
                                const psp_event_service *service, psprobe_error *error) {
  psp_buf source = {0};
  const char *subject = service->subject != NULL ? strstr(l->resource, service->subject) : NULL;
  if (service->subject != NULL && subject == NULL)
    return psp_setting_refuse(error, "event: the resource", l->resource, "has no %s in it",
                              service->subject);
  size_t len = subject != NULL ? (size_t)(subject - l->resource) : strlen(l->resource);
  psp_buf_printf(&source, "//%s/", l->service != NULL ? l->service : service->host);
  if (service->located)
    put_location(&source, l, l->resource, len);
  else
    psp_buf_add(&source, l->resource, len);
  event->event.source = psp_events_keep_buf(events, &source);
  event->event.subject = subject != NULL ? kept(events, subject + 1) : NULL;
  return PSPROBE_OK;
}

/* The message in the data, its id and time put where a push has them. */
static void put_message(psp_json_writer *w, const legacy *l) {
  psp_json_begin_object(w);
  psp_json_begin_object_member(w, "message");
  for (const psp_json *m = psp_json_first(l->data); m != NULL; m = psp_json_next(m)) {
    psp_json_put_key(w, psp_json_key(m));
    psp_json_put_json(w, m);
  }
  if (psp_json_get2(l->data, "messageId", "message_id") == NULL) {
    psp_json_put_key(w, "messageId");
    psp_json_put_string(w, l->id);
  }
  if (l->time != NULL && psp_json_get2(l->data, "publishTime", "publish_time") == NULL) {
    psp_json_put_key(w, "publishTime");
    psp_json_put_string(w, l->time);
  }
  psp_json_end_object(w);
  psp_json_end_object(w);
}

static void put_data(psprobe_events *events, psp_event *event, const legacy *l,
                     const psp_event_service *service) {
  psp_json_writer w = {.buf = &event->data};
  const char *uid = psp_json_string(psp_json_get(l->data, "uid"));
  if (l->data == NULL && service != &psp_service_pubsub) return;
  if (service == &psp_service_pubsub)
    put_message(&w, l);
  else
    psp_kind_put_data(&w, service, l->data, true);
  psp_event_has_data(event, PSPROBE_DATA_JSON);
  if (service != &psp_service_auth || uid == NULL) return;
  psp_buf subject = {0};
  psp_buf_printf(&subject, "users/%s", uid);
  event->event.subject = psp_events_keep_buf(events, &subject);
}

static psprobe_code unhandled(const char *type, psprobe_error *error) {
  char shown[PSP_SHOWN_SIZE];
  return psp_fail(error, PSPROBE_UNIMPLEMENTED,
                  "event: there is no CloudEvent of the eventType \"%s\"",
                  psp_setting_shown(shown, sizeof shown, type));
}

static psprobe_code check(const legacy *l, const psp_event_kind *kind, psprobe_error *error) {
  if (l->id == NULL || *l->id == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "event: eventId is missing, or not a text");
  if (l->type == NULL || *l->type == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "event: eventType is missing, or not a text");
  if (kind == NULL) return unhandled(l->type, error);
  if (l->resource == NULL || *l->resource == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "event: resource is missing, or names nothing");
  if (kind->service == &psp_service_pubsub && l->data != NULL && !psp_json_is_object(l->data))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "event: data is not an object, as a message of Pub/Sub is");
  if (kind->service->located && (l->domain == NULL || *l->domain == 0))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "event: domain is missing, which tells where the database is");
  return PSPROBE_OK;
}

psprobe_code psp_form_legacy(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  psprobe_code code = psp_events_make(events, 1, error);
  if (code != PSPROBE_OK) return code;
  legacy l = view(body);
  psp_event *event = events->list;
  const psp_event_kind *kind = psp_kind_of_legacy(l.type);
  event->event.form = PSPROBE_EVENT_LEGACY;
  keep(events, event, &l);
  event->event.id = kept(events, l.id);
  event->event.time = kept(events, l.time);
  if (events->request->want == PSPROBE_WANT_LEGACY) return PSPROBE_OK;
  code = check(&l, kind, error);
  if (code == PSPROBE_OK) code = name_source(events, event, &l, kind->service, error);
  if (code != PSPROBE_OK) return code;
  event->event.type = kind->type;
  event->event.datacontenttype = "application/json";
  event->specversion = "1.0";
  put_data(events, event, &l, kind->service);
  return events->failed ? psp_fail_memory(error, "event") : psp_event_check(event, error);
}
