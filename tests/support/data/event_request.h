/* SPDX-License-Identifier: MIT */
#ifndef TEST_EVENT_REQUEST_H
#define TEST_EVENT_REQUEST_H
/** @file Requests that may hold events, as tests write them down. */
#include <psprobe/event.h>

/** Up to the first without a name. */
typedef psprobe_attribute header_list[12];

/** The four that a CloudEvent needs, and the one of JSON. */
#define CE(id, source, type, version)                        \
  {"Ce-Id", id}, {"Ce-Source", source}, {"Ce-Type", type}, { \
    "Ce-Specversion", version                                \
  }
#define JSON \
  { "Content-Type", "application/json" }

/** Reads it as psprobe_events_decode does. */
psprobe_code event_request_decode(const char *path, const header_list headers, const char *body,
                                  psprobe_event_want want, psprobe_events **events,
                                  psprobe_error *error);

#endif
