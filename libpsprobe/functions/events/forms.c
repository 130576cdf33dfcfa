/* SPDX-License-Identifier: MIT */
#include "functions/events/forms.h"

#include <string.h>

#include "base/error.h"
#include "functions/events/media.h"

#define BINDING "__GCP_CloudEventsMode=CE_PUBSUB_BINDING"

static const char *const required[] = {"ce-id", "ce-source", "ce-type", "ce-specversion"};
#define REQUIRED (sizeof required / sizeof *required)

/* ---- by the head ---- */

static psprobe_code check_single(const psprobe_event_request *request, const char *name,
                                 psprobe_error *error) {
  if (psp_event_header_count(request, name) < 2) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the header %s came more than once", name);
}

static psprobe_code check_heads(const psprobe_event_request *request, psprobe_error *error) {
  psprobe_code code = check_single(request, "Content-Type", error);
  for (size_t i = 0; i < REQUIRED && code == PSPROBE_OK; i++)
    code = check_single(request, required[i], error);
  if (code == PSPROBE_OK) code = check_single(request, "x-goog-pubsub-message-id", error);
  return code;
}

static bool is_binary(const psprobe_event_request *request) {
  for (size_t i = 0; i < REQUIRED; i++) {
    const char *value = psp_event_header(request, required[i]);
    if (value == NULL || *value == 0) return false;
  }
  return true;
}

/* CloudEvents over HTTP, 3.2: its media type alone makes it structured. */
bool psp_form_is_structured(const psprobe_event_request *request) {
  return psp_media_starts(psp_event_header(request, "Content-Type"), "application/cloudevents");
}

static psprobe_code structured_by(const char *type, psp_form_reader **reader,
                                  psprobe_error *error) {
  if (psp_media_is(type, "application/cloudevents-batch+json"))
    *reader = psp_form_batch;
  else if (psp_media_is(type, "application/cloudevents+json") ||
           psp_media_is(type, "application/cloudevents"))
    *reader = psp_form_structured;
  else
    return psp_fail_media(error, "Content-Type", type,
                          "of the formats of CloudEvents that is JSON, "
                          "application/cloudevents+json");
  return PSPROBE_OK;
}

psprobe_code psp_form_by_head(const psprobe_event_request *request, psp_form_reader **reader,
                              psprobe_error *error) {
  psprobe_code code = check_heads(request, error);
  *reader = NULL;
  if (code != PSPROBE_OK) return code;
  if (psp_form_is_structured(request))
    return structured_by(psp_event_header(request, "Content-Type"), reader, error);
  if (is_binary(request))
    *reader = psp_form_binary;
  else if (psp_event_header(request, "x-goog-pubsub-message-id") != NULL)
    *reader = psp_form_unwrapped;
  return PSPROBE_OK;
}

/* ---- by the body ---- */

/* Names what is missing, for somebody who meant a CloudEvent. */
static psprobe_code no_event(const psprobe_event_request *request, const psp_json *body,
                             psprobe_error *error) {
  const char *missing = NULL;
  size_t there = 0;
  for (size_t i = 0; i < REQUIRED; i++) {
    const char *value = psp_event_header(request, required[i]);
    if (value != NULL && *value != 0)
      there++;
    else if (missing == NULL)
      missing = required[i];
  }
  if (there > 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "a CloudEvent whose header %s is missing or empty", missing);
  if (psp_json_get(body, "message") != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "\"message\" is not an object, as it is in a push of Pub/Sub");
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "this is no event: neither a push of Pub/Sub (\"message\"), nor a CloudEvent "
                  "(ce-id, ce-source, ce-type, ce-specversion), nor an older event (\"context\")");
}

static bool is_envelope(const psp_json *body) {
  return psp_json_get(body, "specversion") != NULL && psp_json_get(body, "id") != NULL &&
         psp_json_get(body, "source") != NULL && psp_json_get(body, "type") != NULL;
}

static bool is_legacy(const psp_json *body) {
  if (psp_json_is_object(psp_json_get(body, "context"))) return true;
  return psp_json_get2(body, "eventId", "event_id") != NULL &&
         psp_json_get2(body, "eventType", "event_type") != NULL;
}

/* Eventarc over Pub/Sub: the CloudEvent's attributes are the message's. */
static bool is_bound(const psprobe_event_request *request, const psp_json *body) {
  const psp_json *attributes = psp_json_get(psp_json_get(body, "message"), "attributes");
  if (request->query == NULL || strstr(request->query, BINDING) == NULL ||
      request->want == PSPROBE_WANT_LEGACY)
    return false;
  for (size_t i = 0; i < REQUIRED; i++)
    if (psp_json_string(psp_json_get(attributes, required[i])) == NULL) return false;
  return true;
}

psprobe_code psp_form_by_body(const psprobe_event_request *request, const psp_json *body,
                              psp_form_reader **reader, psprobe_error *error) {
  bool push = psp_json_is_object(psp_json_get(body, "message"));
  bool envelope = is_envelope(body), legacy = is_legacy(body);
  if (push + envelope + legacy > 1)
    return psp_fail(
        error, PSPROBE_INVALID_ARGUMENT, "two events at once: %s and %s in one object",
        push ? "a push of Pub/Sub (\"message\")" : "a CloudEvent (\"specversion\")",
        legacy ? "an older event (\"context\", \"eventId\")" : "a CloudEvent (\"specversion\")");
  if (push)
    *reader = is_bound(request, body) ? psp_form_binding : psp_form_push;
  else if (legacy)
    *reader = psp_form_legacy;
  else if (envelope)
    *reader = psp_form_structured;
  else
    return no_event(request, body, error);
  return PSPROBE_OK;
}
