/* SPDX-License-Identifier: MIT */
/** @file The attributes of a CloudEvent (CloudEvents 1.0.2, 3), wherever they stood. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "functions/events/parts.h"

static const struct known {
  const char *name;
  size_t at;
  bool required;
} known[] = {
    {"id", offsetof(psp_event, event.id), true},
    {"source", offsetof(psp_event, event.source), true},
    {"type", offsetof(psp_event, event.type), true},
    {"specversion", offsetof(psp_event, specversion), true},
    {"subject", offsetof(psp_event, event.subject), false},
    {"time", offsetof(psp_event, event.time), false},
    {"datacontenttype", offsetof(psp_event, event.datacontenttype), false},
    {"dataschema", offsetof(psp_event, event.dataschema), false},
};
#define KNOWN (sizeof known / sizeof *known)

/* Each is compared with all before it. */
#define MOST_EXTENSIONS 256

static psprobe_code set_extension(psprobe_events *events, psp_event *event, const char *name,
                                  const char *value, psprobe_error *error) {
  size_t count = event->event.extension_count;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(event->extensions[i].key, name) != 0) continue;
    event->extensions[i].value = value;
    return PSPROBE_OK;
  }
  if (count == MOST_EXTENSIONS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "CloudEvent: more than %d attributes",
                    MOST_EXTENSIONS);
  psprobe_attribute *more = realloc(event->extensions, (count + 1) * sizeof *more);
  if (more == NULL) return psp_fail_memory(error, "CloudEvent");
  event->extensions = more;
  event->event.extensions = more;
  more[count] = (psprobe_attribute){psp_events_keep(events, name, strlen(name)), value};
  if (more[count].key == NULL) return psp_fail_memory(error, "CloudEvent");
  event->event.extension_count++;
  return PSPROBE_OK;
}

psprobe_code psp_event_set(psprobe_events *events, psp_event *event, const char *name,
                           const char *value, psprobe_error *error) {
  if (*name == 0 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] != 0)
    return psp_setting_refuse(error, "CloudEvent: the attribute name", name,
                              "has more than a-z and 0-9 in it");
  if (strcmp(name, "data") == 0) /* in JSON the data stand under that name */
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "CloudEvent: no attribute may be called data, which the event's data are");
  if (value == NULL) return psp_fail_memory(error, "CloudEvent");
  if (!psp_utf8_valid(value, strlen(value)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "CloudEvent: %.64s is not UTF-8", name);
  for (size_t i = 0; i < KNOWN; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    *(const char **)(void *)((char *)event + known[i].at) = value;
    return PSPROBE_OK;
  }
  return set_extension(events, event, name, value, error);
}

psprobe_code psp_event_check(const psp_event *event, psprobe_error *error) {
  for (size_t i = 0; i < KNOWN; i++) {
    const char *value = *(const char *const *)(const void *)((const char *)event + known[i].at);
    if (value == NULL ? known[i].required : *value == 0)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "CloudEvent: %s is %s", known[i].name,
                      value == NULL ? "missing" : "empty");
  }
  if (strcmp(event->specversion, "1.0") != 0)
    return psp_setting_refuse(error, "CloudEvent: specversion", event->specversion,
                              "1.0 is what is read");
  const char *time = event->event.time;
  int64_t seconds;
  int32_t nanos;
  if (time != NULL && !psp_timestamp_parse(time, strlen(time), &seconds, &nanos))
    return psp_setting_refuse(error, "CloudEvent: time", time, "not an RFC 3339 time");
  return PSPROBE_OK;
}
