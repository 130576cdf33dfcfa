/* SPDX-License-Identifier: MIT */
/** @file A CloudEvent in binary mode (CloudEvents over HTTP, 3.1): attributes in headers, its data
 * in the body. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "functions/events/parts.h"
#include "functions/events/unwrapped.h"
#include "pubsub/messages.h"

/* 3.1.3.2: quotes and percent-encoding are undone, once. A percent sign without two digits behind
 * it stands for itself, for those who do not encode. */
static const char *decode_value(psprobe_events *events, const char *value) {
  psp_buf text = {0};
  size_t len = strlen(value);
  bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';
  const char *end = value + len - quoted;
  for (const char *at = value + quoted; at < end; at++) {
    int high = *at == '%' && end - at > 2 ? psp_hex_digit(at[1]) : -1;
    int low = high >= 0 ? psp_hex_digit(at[2]) : -1;
    if (quoted && *at == '\\' && at + 1 < end) at++;
    psp_buf_char(&text, low >= 0 ? (char)(high << 4 | low) : *at);
    if (low >= 0) at += 2;
  }
  if (text.len == 0) return psp_buf_free(&text), psp_events_keep(events, "", 0);
  /* Not a C text any more: the check of UTF-8 is to refuse it. */
  if (memchr(text.data, 0, text.len) != NULL) text.data[0] = (char)0xFF;
  return psp_events_keep_buf(events, &text);
}

static psprobe_code take_header(psprobe_events *events, psp_event *event, const char *name,
                                const char *value, psprobe_error *error) {
  char lower[64] = "";
  size_t len = strlen(name);
  if (len >= sizeof lower)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the header name ce-%.64s is too long", name);
  for (size_t i = 0; i < len; i++)
    lower[i] = (char)tolower((unsigned char)name[i]);
  /* Its content type is the body's; one of its own would contradict it. */
  if (strcmp(lower, "datacontenttype") == 0) return PSPROBE_OK;
  return psp_event_set(events, event, lower, decode_value(events, value), error);
}

static psprobe_code take_headers(psprobe_events *events, psp_event *event, psprobe_error *error) {
  const psprobe_event_request *request = events->request;
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; i < request->header_count && code == PSPROBE_OK; i++) {
    const psprobe_attribute *header = &request->headers[i];
    if (strncasecmp(header->key, "ce-", 3) == 0)
      code = take_header(events, event, header->key + 3, header->value, error);
  }
  const char *type = psp_event_header(request, "Content-Type");
  const char *trace = psp_event_header(request, "traceparent");
  if (code == PSPROBE_OK && type != NULL && *type != 0)
    code = psp_event_set(events, event, "datacontenttype",
                         psp_events_keep(events, type, strlen(type)), error);
  if (code == PSPROBE_OK && trace != NULL)
    code = take_header(events, event, "traceparent", trace, error);
  return code;
}

/* A publisher whose attributes are those of a CloudEvent makes Pub/Sub push one. */
static psprobe_code take_message(psprobe_events *events, psp_event *event, psprobe_error *error) {
  if (psp_event_header(events->request, "x-goog-pubsub-message-id") == NULL) return PSPROBE_OK;
  psprobe_code code = psp_unwrapped_message(events->request, &event->batch, error);
  if (code == PSPROBE_OK) event->event.message = psprobe_batch_message(event->batch, 0);
  return code;
}

psprobe_code psp_form_binary(psprobe_events *events, const psp_json *body, psprobe_error *error) {
  (void)body;
  psprobe_code code = psp_events_make(events, 1, error);
  psp_event *event = events->list;
  if (code != PSPROBE_OK) return code;
  event->event.form = PSPROBE_EVENT_BINARY;
  code = take_headers(events, event, error);
  if (code == PSPROBE_OK) code = psp_event_check(event, error);
  if (code == PSPROBE_OK)
    code = psp_event_take_data(event, events->request->body, events->request->body_len, error);
  return code == PSPROBE_OK ? take_message(events, event, error) : code;
}
