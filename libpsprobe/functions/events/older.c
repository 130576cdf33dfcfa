/* SPDX-License-Identifier: MIT */
/** @file The event of the first generation, made of a CloudEvent. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "functions/events/kinds.h"
#include "functions/events/parts.h"

/* A type that had no older form: its attributes are its context. */
static void put_attributes(psp_json_writer *w, const psprobe_event *event) {
  psp_json_begin_object(w);
  psp_json_put_member(w, "specversion", "1.0");
  psp_json_put_member(w, "id", event->id);
  psp_json_put_member(w, "source", event->source);
  psp_json_put_member(w, "type", event->type);
  psp_json_put_member(w, "subject", event->subject);
  psp_json_put_member(w, "time", event->time);
  psp_json_put_member(w, "datacontenttype", event->datacontenttype);
  psp_json_put_member(w, "dataschema", event->dataschema);
  for (size_t i = 0; i < event->extension_count; i++)
    psp_json_put_member(w, event->extensions[i].key, event->extensions[i].value);
  psp_json_end_object(w);
}

/* "//service/name", taken apart. */
static bool split_source(const char *source, char service[128], const char **name) {
  if (source == NULL || !psp_text_starts(source, "//")) return false;
  size_t len = strcspn(source + 2, "/");
  if (len == 0 || len >= 128 || source[2 + len] != '/') return false;
  memcpy(service, source + 2, len);
  service[len] = 0;
  *name = source + 3 + len;
  return true;
}

/* The older name of a thing has no location, and its subject at its end. */
static void put_name(psp_buf *out, const psp_event_service *service, const char *name,
                     const char *subject) {
  const char *location = service->located ? strstr(name, "/locations/") : NULL;
  if (location != NULL) {
    psp_buf_add(out, name, (size_t)(location - name));
    location += sizeof "/locations/" - 1;
    name = location + strcspn(location, "/");
  }
  psp_buf_text(out, name);
  if (service->subject != NULL && subject != NULL) psp_buf_printf(out, "/%s", subject);
}

static void put_resource(psp_json_writer *w, const psp_event_service *service, const char *host,
                         const char *name, const char *type) {
  if (service->resource_type == NULL) {
    psp_json_put_string(w, name);
    return;
  }
  psp_json_begin_object(w);
  psp_json_put_member(w, "service", host);
  psp_json_put_key(w, "name");
  psp_json_put_string(w, *name != 0 ? name : NULL);
  psp_json_put_member(w, "type", type != NULL ? type : service->resource_type);
  psp_json_end_object(w);
}

static psprobe_code put_context(psp_buf *out, const psprobe_event *event,
                                const psp_event_kind *kind, const psp_json *data,
                                psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  psp_buf resource = {0};
  char host[128];
  const char *name = NULL;
  if (!split_source(event->source, host, &name))
    return psp_setting_refuse(error, "event: the source", event->source,
                              "not //service/name, as it is for a %s", kind->type);
  put_name(&resource, kind->service, name, event->subject);
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "eventId", event->id);
  psp_json_put_member(&w, "timestamp", event->time);
  psp_json_put_member(&w, "eventType", kind->legacy);
  psp_json_put_key(&w, "resource");
  put_resource(&w, kind->service, host, resource.data != NULL ? resource.data : "",
               psp_json_string(psp_json_get(data, "kind")));
  psp_json_end_object(&w);
  if (resource.failed) out->failed = true;
  psp_buf_free(&resource);
  return PSPROBE_OK;
}

/* The message alone, without what the context says of it. */
static psprobe_code put_message(psp_json_writer *w, const psp_json *data, psprobe_error *error) {
  static const char *const left_out[] = {"messageId", "message_id", "publishTime", "publish_time"};
  const psp_json *message = psp_json_get(data, "message");
  if (!psp_json_is_object(message))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "event: a " PSP_MESSAGE_PUBLISHED " without a message");
  psp_json_begin_object(w);
  if (psp_json_get(message, "@type") == NULL) psp_json_put_member(w, "@type", PSP_MESSAGE_TYPE);
  for (const psp_json *m = psp_json_first(message); m != NULL; m = psp_json_next(m)) {
    bool out = false;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
      out |= strcmp(psp_json_key(m), left_out[i]) == 0;
    if (out) continue;
    psp_json_put_key(w, psp_json_key(m));
    psp_json_put_json(w, m);
  }
  psp_json_end_object(w);
  return PSPROBE_OK;
}

static psprobe_code convert(const psprobe_event *event, const psp_event_kind *kind,
                            const psp_json *data, psp_buf *context, psp_buf *out,
                            psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  psprobe_code code = put_context(context, event, kind, data, error);
  if (code != PSPROBE_OK) return code;
  if (kind->service == &psp_service_pubsub) return put_message(&w, data, error);
  if (data != NULL)
    psp_kind_put_data(&w, kind->service, data, false);
  else
    psp_json_put_null(&w);
  return PSPROBE_OK;
}

static void put_as_it_is(const psprobe_event *event, psp_buf *context, psp_buf *out) {
  psp_json_writer w = {.buf = context}, d = {.buf = out};
  put_attributes(&w, event);
  if (event->kind == PSPROBE_DATA_JSON)
    psp_json_put_raw(&d, event->data, event->data_len);
  else if (event->kind == PSPROBE_DATA_TEXT)
    psp_json_put_text(&d, event->data, event->data_len);
  else if (event->kind == PSPROBE_DATA_BYTES)
    psp_json_put_base64(&d, event->data, event->data_len);
  else
    psp_json_put_null(&d);
}

static psprobe_code make(const psprobe_event *event, psp_buf *context, psp_buf *data,
                         psprobe_error *error) {
  const psp_event *own = (const psp_event *)event;
  const psp_event_kind *kind = psp_kind_of_type(event->type);
  if (own->legacy_context != NULL) {
    psp_buf_text(context, own->legacy_context);
    psp_buf_text(data, own->legacy_data);
    return PSPROBE_OK;
  }
  if (kind == NULL) {
    put_as_it_is(event, context, data);
    return PSPROBE_OK;
  }
  psp_json *json = NULL;
  psprobe_code code = PSPROBE_OK;
  if (event->kind == PSPROBE_DATA_JSON)
    code = psp_json_parse(event->data, event->data_len, "the event's data", &json, error);
  if (code == PSPROBE_OK) code = convert(event, kind, json, context, data, error);
  psp_json_free(json);
  return code;
}

psprobe_code psprobe_event_legacy(const psprobe_event *event, psprobe_legacy_event *legacy,
                                  psprobe_error *error) {
  psp_buf context = {0}, data = {0};
  psprobe_code code = make(event, &context, &data, error);
  if (code == PSPROBE_OK && (context.failed || data.failed)) code = psp_fail_memory(error, "event");
  if (code != PSPROBE_OK) {
    psp_buf_free(&context);
    psp_buf_free(&data);
    return code;
  }
  legacy->context = psp_buf_take(&context, NULL);
  legacy->data = psp_buf_take(&data, NULL);
  return PSPROBE_OK;
}

void psprobe_legacy_event_free(psprobe_legacy_event *legacy) {
  if (legacy == NULL) return;
  free(legacy->context);
  free(legacy->data);
  *legacy = (psprobe_legacy_event){0};
}
