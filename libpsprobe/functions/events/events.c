/* SPDX-License-Identifier: MIT */
/** @file The events of a request, and what they own. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/shown.h"
#include "functions/events/parts.h"

psprobe_code psp_fail_media(psprobe_error *error, const char *what, const char *value,
                            const char *remedy) {
  psp_setting_refuse(error, what, value, "not read here: %s", remedy);
  if (error != NULL) error->http_status = 415;
  return PSPROBE_INVALID_ARGUMENT;
}

psprobe_code psp_events_make(psprobe_events *events, size_t count, psprobe_error *error) {
  events->list = calloc(count + 1, sizeof *events->list);
  if (events->list == NULL) return psp_fail_memory(error, "events");
  events->count = count;
  return PSPROBE_OK;
}

const char *psp_events_keep(psprobe_events *events, const char *text, size_t len) {
  psp_event_text *kept = malloc(sizeof *kept + len + 1);
  if (kept == NULL) {
    events->failed = true;
    return NULL;
  }
  if (len > 0) memcpy(kept->text, text, len);
  kept->text[len] = 0;
  kept->next = events->kept;
  events->kept = kept;
  return kept->text;
}

const char *psp_events_keep_buf(psprobe_events *events, psp_buf *buf) {
  const char *kept = NULL;
  if (buf->failed)
    events->failed = true;
  else
    kept = psp_events_keep(events, buf->data, buf->len);
  psp_buf_free(buf);
  return kept;
}

const char *psp_event_header(const psprobe_event_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++)
    if (strcasecmp(request->headers[i].key, name) == 0) return request->headers[i].value;
  return NULL;
}

unsigned psp_event_header_count(const psprobe_event_request *request, const char *name) {
  unsigned count = 0;
  for (size_t i = 0; i < request->header_count; i++)
    if (strcasecmp(request->headers[i].key, name) == 0) count++;
  return count;
}

size_t psprobe_events_count(const psprobe_events *events) {
  return events->count;
}

const psprobe_event *psprobe_events_get(const psprobe_events *events, size_t index) {
  return index < events->count ? &events->list[index].event : NULL;
}

void psprobe_events_free(psprobe_events *events) {
  if (events == NULL) return;
  for (size_t i = 0; i < events->count; i++) {
    free(events->list[i].extensions);
    psprobe_batch_free(events->list[i].batch);
    psp_buf_free(&events->list[i].data);
  }
  while (events->kept != NULL) {
    psp_event_text *kept = events->kept;
    events->kept = kept->next;
    free(kept);
  }
  free(events->list);
  free(events);
}
