/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_EVENT_H
#define PSPROBE_EVENT_H
/**
 * @file
 * An event, in whatever form a trigger of Google's sends it over HTTP, read into one type:
 * Pub/Sub's push, wrapped or not; CloudEvents 1.0 in binary, structured and batch mode; the older
 * event of context and data. And written again: as a CloudEvent, or as the older event. What serves
 * a function of one's own with them is in psprobe/function.h. Sources:
 * https://cloud.google.com/pubsub/docs/push and .../payload-unwrapping;
 * https://github.com/cloudevents/spec (v1.0.2);
 * https://cloud.google.com/eventarc/docs/cloudevents
 *
 * Ownership: what is given is borrowed for the call; what is read belongs to the psprobe_events.
 * Threading: any thread; one at a time for each psprobe_events while it is made or freed.
 * Blocks: no; everything here is pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/error.h>
#include <psprobe/pubsub.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How an event came. */
typedef enum psprobe_event_form {
  PSPROBE_EVENT_PUSH,       /**< a push of Pub/Sub's, the message wrapped in JSON */
  PSPROBE_EVENT_UNWRAPPED,  /**< the message's data alone, the rest in headers */
  PSPROBE_EVENT_PLAIN,      /**< the message's data, and nothing else */
  PSPROBE_EVENT_BINARY,     /**< a CloudEvent: attributes in headers, data in the body */
  PSPROBE_EVENT_STRUCTURED, /**< a CloudEvent: all in the body's JSON */
  PSPROBE_EVENT_BATCH,      /**< one of a JSON array of those */
  PSPROBE_EVENT_LEGACY      /**< context and data, of the first generation */
} psprobe_event_form;

/** What the data of an event is. */
typedef enum psprobe_event_data {
  PSPROBE_DATA_NONE,
  PSPROBE_DATA_JSON, /**< JSON, as text */
  PSPROBE_DATA_TEXT, /**< text, UTF-8 */
  PSPROBE_DATA_BYTES
} psprobe_event_data;

/** An event. A plain value; NULL: the attribute was not there. All texts are UTF-8. */
typedef struct psprobe_event {
  psprobe_event_form form;
  const char *id, *source, *type; /**< always there, where a CloudEvent was asked for */
  const char *subject;
  const char *time; /**< RFC 3339, as it came */
  const char *datacontenttype;
  const char *dataschema;
  const psprobe_attribute *extensions; /**< numbers and booleans as text; 256 at most */
  size_t extension_count;
  psprobe_event_data kind;
  const char *data; /**< a zero follows it; NULL: PSPROBE_DATA_NONE */
  size_t data_len;
  const psprobe_message *message; /**< NULL: it is none of Pub/Sub's */
  const char *topic;              /**< in full, where the event tells it; else NULL */
} psprobe_event;

/** What is to be made of a request. */
typedef enum psprobe_event_want {
  PSPROBE_WANT_CLOUDEVENT, /**< all of it */
  PSPROBE_WANT_MESSAGE,    /**< `message` and `topic`; the rest where it costs nothing */
  PSPROBE_WANT_LEGACY      /**< what psprobe_event_legacy needs */
} psprobe_event_want;

/** A request as a server has it. Valid when zeroed. */
typedef struct psprobe_event_request {
  const char *path;                 /**< raw; NULL: "/" */
  const char *query;                /**< raw, without the question mark; NULL: none */
  const psprobe_attribute *headers; /**< every line of its head, names in any case */
  size_t header_count;
  const char *body; /**< need not end with a zero */
  size_t body_len;
  psprobe_event_want want;
  bool plain; /**< a body of no known form is the data of a message (noWrapper without metadata) */
} psprobe_event_request;

/** The events of one request: one, but for a batch (of 10,000 at most). */
typedef struct psprobe_events psprobe_events;

/**
 * Reads a request.
 *
 * @param request what came
 * @param events  receives them; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT: it is no event, or a broken one (http_status 400, or 415
 *         for a content type, a charset or an encoding that is not read); UNIMPLEMENTED: an older
 *         event of a type that has no CloudEvent; RESOURCE_EXHAUSTED without memory
 * Ownership: free them with psprobe_events_free.
 */
PSPROBE_API psprobe_code psprobe_events_decode(const psprobe_event_request *request,
                                               psprobe_events **events, psprobe_error *error);
/** @return how many there are; none of an empty batch */
PSPROBE_API size_t psprobe_events_count(const psprobe_events *events);
/**
 * One of them.
 * @param index below psprobe_events_count
 * @return it, valid until psprobe_events_free
 */
PSPROBE_API const psprobe_event *psprobe_events_get(const psprobe_events *events, size_t index);
/** Frees them. NULL is fine. */
PSPROBE_API void psprobe_events_free(psprobe_events *events);

/**
 * Writes an event as a CloudEvent in its JSON format (structured mode).
 * @param len receives its length; may be NULL
 * @return the text, or NULL without memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_event_json(const psprobe_event *event, size_t *len);

/** An event of the first generation. */
typedef struct psprobe_legacy_event {
  char *context; /**< JSON: an object with eventId, timestamp, eventType, resource */
  char *data;    /**< JSON */
} psprobe_legacy_event;

/**
 * Makes the older event of one that psprobe_events_get gave: as it came, if it came so; else
 * converted. An event of a type that has no older form keeps its attributes as its context.
 * @param legacy receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT: its source or its data is not what its type has;
 *         RESOURCE_EXHAUSTED without memory
 * Ownership: free it with psprobe_legacy_event_free.
 */
PSPROBE_API psprobe_code psprobe_event_legacy(const psprobe_event *event,
                                              psprobe_legacy_event *legacy, psprobe_error *error);
/** Frees its texts, not itself (may be NULL), and zeroes it. */
PSPROBE_API void psprobe_legacy_event_free(psprobe_legacy_event *legacy);

#ifdef __cplusplus
}
#endif
#endif
