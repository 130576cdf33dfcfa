/* SPDX-License-Identifier: MIT */
#include "pubsub/trace.h"

#include <string.h>

#define STATE_MOST 512 /* what W3C wants everybody to pass on (3.3.1.5) */

/* `len` lower-case hexadecimal digits, and not all of them zero. */
static bool is_id(const char *text, size_t len) {
  return strspn(text, "0123456789abcdef") >= len && strspn(text, "0") < len;
}

/* "00-TRACE-PARENT-FLAGS"; a later version may have more behind (3.2.4). */
static bool is_parent(const char *text) {
  if (text == NULL || strlen(text) < 55) return false;
  const bool digits = strspn(text, "0123456789abcdef") == 2 && strncmp(text, "ff", 2) != 0;
  if (!digits || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  if (!is_id(text + 3, 32) || !is_id(text + 36, 16)) return false;
  if (strspn(text + 53, "0123456789abcdef") != 2) return false;
  return text[55] == '\0' || (text[55] == '-' && strncmp(text, "00", 2) != 0);
}

static bool is_state(const char *text) {
  size_t len = 0;
  if (text == NULL) return false;
  while (text[len] >= ' ' && text[len] <= '~')
    len++;
  return text[len] == '\0' && len > 0 && len <= STATE_MOST;
}

size_t psp_trace_attributes(const psprobe_message *message, psprobe_attribute out[2]) {
  size_t count = 0;
  if (!is_parent(message->traceparent)) return 0;
  out[count++] = (psprobe_attribute){PSP_TRACEPARENT, message->traceparent};
  if (is_state(message->tracestate))
    out[count++] = (psprobe_attribute){PSP_TRACESTATE, message->tracestate};
  return count;
}

static const char *attribute(const psprobe_message *message, const char *key) {
  for (size_t i = 0; i < message->attribute_count; i++)
    if (strcmp(message->attributes[i].key, key) == 0) return message->attributes[i].value;
  return NULL;
}

void psp_trace_read(psprobe_message *message) {
  const char *parent = attribute(message, PSP_TRACEPARENT);
  const char *state = attribute(message, PSP_TRACESTATE);
  message->traceparent = is_parent(parent) ? parent : NULL;
  message->tracestate = message->traceparent != NULL && is_state(state) ? state : NULL;
}
