/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_EVENTS_PARTS_H
#define PSP_FUNCTIONS_EVENTS_PARTS_H
/**
 * @file
 * What the readers of the forms share: events under way, and the texts they own. All pure.
 */
#include <psprobe/event.h>

#include "base/buf.h"
#include "base/json.h"

#define PSP_MESSAGE_PUBLISHED "google.cloud.pubsub.topic.v1.messagePublished"
#define PSP_PUBSUB_HOST       "pubsub.googleapis.com"
#define PSP_MESSAGE_TYPE      "type.googleapis.com/google.pubsub.v1.PubsubMessage"

/** A text that lives as long as the events. */
typedef struct psp_event_text {
  struct psp_event_text *next;
  char text[];
} psp_event_text;

typedef struct psp_event {
  psprobe_event event; /**< first: what users see */
  const char *specversion;
  psprobe_attribute *extensions;
  psprobe_batch *batch; /**< owns the message */
  psp_buf data;         /**< what event.data points to */
  /* Of one that came as such: JSON, else NULL. */
  const char *legacy_context, *legacy_data;
} psp_event;

struct psprobe_events {
  const psprobe_event_request *request; /**< while it is read */
  size_t count;
  psp_event *list;
  psp_event_text *kept;
  bool failed; /**< out of memory */
};

/** Makes room for `count` events. */
psprobe_code psp_events_make(psprobe_events *events, size_t count, psprobe_error *error);
/** A copy that belongs to the events; NULL and `failed` without memory. */
const char *psp_events_keep(psprobe_events *events, const char *text, size_t len);
/** What is in `buf`, which is free afterwards. */
const char *psp_events_keep_buf(psprobe_events *events, psp_buf *buf);

/** The first header of that name, in any case, or NULL. */
const char *psp_event_header(const psprobe_event_request *request, const char *name);
/** How many there are of it. */
unsigned psp_event_header_count(const psprobe_event_request *request, const char *name);

/** INVALID_ARGUMENT about how the request is written, not what it says: 415. */
psprobe_code psp_fail_media(psprobe_error *error, const char *what, const char *value,
                            const char *remedy);

/* ---- the readers of the forms ---- */

/** Reads the events of one form; `body` is its JSON, or NULL for the forms that its head tells. */
typedef psprobe_code psp_form_reader(psprobe_events *events, const psp_json *body,
                                     psprobe_error *error);

psp_form_reader psp_form_push, psp_form_binding, psp_form_unwrapped, psp_form_plain,
    psp_form_binary, psp_form_structured, psp_form_batch, psp_form_legacy;

/* ---- attributes of a CloudEvent ---- */

/**
 * Sets an attribute, known or an extension.
 * @param name as CloudEvents has it: "id", "subject", "traceparent"
 * @param value a text that lives as long as the events
 */
psprobe_code psp_event_set(psprobe_events *events, psp_event *event, const char *name,
                           const char *value, psprobe_error *error);
/** The required ones are there, and those with a grammar keep to it. */
psprobe_code psp_event_check(const psp_event *event, psprobe_error *error);

/* ---- data ---- */

/** Takes bytes as data of the content type that `event` names: JSON is checked. */
psprobe_code psp_event_take_data(psp_event *event, const char *bytes, size_t len,
                                 psprobe_error *error);
/** Takes a part of a JSON document as data. */
void psp_event_take_json(psp_event *event, const psp_json *json);
/** What is in event->data is its data now. */
void psp_event_has_data(psp_event *event, psprobe_event_data kind);
/** Reads the message out of the data of a messagePublished; others have none. */
psprobe_code psp_event_find_message(psprobe_events *events, psp_event *event, psprobe_error *error);

#endif
