/* SPDX-License-Identifier: MIT */
/** @file From a request to its events: which form, its reader, and what holds for all of them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "functions/events/forms.h"
#include "functions/events/media.h"

static psprobe_code check_encoding(const psprobe_event_request *request, psprobe_error *error) {
  const char *encoding = psp_event_header(request, "Content-Encoding");
  if (encoding == NULL || *encoding == 0 || strcasecmp(encoding, "identity") == 0)
    return PSPROBE_OK;
  return psp_fail_media(error, "Content-Encoding", encoding, "send the body as it is, or gzip");
}

/* curl and Pub/Sub's emulator say that it is a form where nobody said what it is. */
static psprobe_code check_type(const psprobe_event_request *request, psprobe_error *error) {
  const char *type = psp_event_header(request, "Content-Type");
  if (type == NULL || *type == 0 || psp_media_is_json(type) || psp_form_is_structured(request) ||
      psp_media_is(type, "application/x-www-form-urlencoded"))
    return PSPROBE_OK;
  return psp_fail_media(error, "Content-Type", type, "events come as application/json");
}

static psprobe_code check_charset(const psprobe_event_request *request, psprobe_error *error) {
  const char *type = psp_event_header(request, "Content-Type");
  if (psp_media_is_utf8(type)) return PSPROBE_OK;
  return psp_fail_media(error, "Content-Type", type, "JSON is in UTF-8");
}

/* A UTF-8 BOM is not JSON, but some write one (RFC 8259, 8.1: may be ignored). */
static psprobe_code parse(const psprobe_event_request *request, psp_json **json,
                          psprobe_error *error) {
  const char *body = request->body;
  size_t len = request->body_len;
  if (len >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0) {
    body += 3;
    len -= 3;
  }
  if (len == 0) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the body is empty: no event");
  return psp_json_parse(body, len, "the body", json, error);
}

/* The forms that only the body tells, and those whose body is JSON whatever it says. */
static psprobe_code read_body(psprobe_events *events, psp_form_reader *reader,
                              psprobe_error *error) {
  const psprobe_event_request *request = events->request;
  psp_json *body = NULL;
  psprobe_code code = check_type(request, error);
  if (code == PSPROBE_OK) code = check_charset(request, error);
  if (code == PSPROBE_OK) code = parse(request, &body, error);
  if (code == PSPROBE_OK && reader == NULL) code = psp_form_by_body(request, body, &reader, error);
  if (code == PSPROBE_INVALID_ARGUMENT && reader == NULL && request->plain) {
    psprobe_error_clear(error);
    reader = psp_form_plain;
    code = PSPROBE_OK;
  }
  if (code == PSPROBE_OK) code = reader(events, body, error);
  psp_json_free(body);
  return code;
}

static psprobe_code finish(psprobe_events *events, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  bool failed = events->failed;
  for (size_t i = 0; i < events->count && code == PSPROBE_OK; i++) {
    psp_event *event = &events->list[i];
    if (event->legacy_context == NULL || events->request->want != PSPROBE_WANT_LEGACY)
      code = psp_event_find_message(events, event, error);
    failed |= event->data.failed;
  }
  return code == PSPROBE_OK && failed ? psp_fail_memory(error, "an event") : code;
}

static psprobe_code decode(psprobe_events *events, psprobe_error *error) {
  psp_form_reader *reader = NULL;
  psprobe_code code = check_encoding(events->request, error);
  if (code == PSPROBE_OK) code = psp_form_by_head(events->request, &reader, error);
  if (code != PSPROBE_OK) return code;
  if (reader == psp_form_binary || reader == psp_form_unwrapped)
    code = reader(events, NULL, error);
  else
    code = read_body(events, reader, error);
  return code == PSPROBE_OK ? finish(events, error) : code;
}

psprobe_code psprobe_events_decode(const psprobe_event_request *request, psprobe_events **out,
                                   psprobe_error *error) {
  psprobe_events *events = calloc(1, sizeof *events);
  if (events == NULL) return psp_fail_memory(error, "events");
  events->request = request;
  psprobe_code code = decode(events, error);
  events->request = NULL;
  if (code != PSPROBE_OK) {
    psprobe_events_free(events);
    return code;
  }
  *out = events;
  return PSPROBE_OK;
}
