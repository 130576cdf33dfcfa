/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_KINDS_H
#define PSP_FUNCTIONS_EVENTS_KINDS_H
/**
 * @file
 * Which older event is which CloudEvent, and how the two name what they happened to. A table. Pure.
 * Source: the functions frameworks of Google, which hold the same one (functions-framework-nodejs,
 * background_event_to_cloudevent.ts; functions-framework-conformance).
 */
#include "base/json.h"

/** What the events of one service have in common. */
typedef struct psp_event_service {
  const char *host;
  /** Where a resource's name goes over into the subject: "/documents/"; NULL: it has none. */
  const char *subject;
  /** The type of a resource that is an object; NULL: it is a text. */
  const char *resource_type;
  bool located;                    /**< the source names a location, the resource does not */
  const char *const (*renamed)[2]; /**< members of data.metadata: older name, newer name; NULL */
} psp_event_service;

typedef struct psp_event_kind {
  const char *legacy; /**< eventType */
  const char *type;
  const psp_event_service *service;
} psp_event_kind;

/** NULL: there is none. */
const psp_event_kind *psp_kind_of_legacy(const char *event_type);
/** Of several older names of one type the newest. NULL: there is none. */
const psp_event_kind *psp_kind_of_type(const char *type);

extern const psp_event_service psp_service_pubsub, psp_service_auth;

/**
 * Writes event data with the names that the other side has for what it holds.
 * @param newer towards the CloudEvent
 */
void psp_kind_put_data(psp_json_writer *writer, const psp_event_service *service,
                       const psp_json *data, bool newer);

#endif
