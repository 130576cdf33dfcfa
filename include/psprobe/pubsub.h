/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PUBSUB_H
#define PSPROBE_PUBSUB_H
/**
 * @file
 * Cloud Pub/Sub: publish (by REST or gRPC), pull, acknowledge, and the decoding of push requests.
 * Topics, snapshots and policies are in psprobe/pubsub_admin.h, subscriptions in
 * psprobe/pubsub_subscriptions.h; what pulls and acknowledges by itself in psprobe/subscriber.h.
 *
 * A topic or subscription is named by its id ("probes") or in full ("projects/p/topics/probes").
 * Source of the protocol: https://cloud.google.com/pubsub/docs/reference/rest
 *
 * Besides the codes that a call names it can return what the client's calls can: UNAVAILABLE,
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED (memory, too), UNAUTHENTICATED, PERMISSION_DENIED,
 * FAILED_PRECONDITION (no project), CANCELLED, ABORTED, UNKNOWN; and INTERNAL, with http_status 0
 * for an answer that could not be read. What Google's own clients try again is tried again.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call, but none may still use an object that is being freed.
 * Blocks: what names a topic or a subscription, up to its timeout, or the client's; else not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_attribute {
  const char *key;
  const char *value;
} psprobe_attribute;

/** A message. To publish: data, attributes and ordering_key count, and one of
 * data and attributes must be there. All pointers are borrowed. In received
 * texts a zero character, which C texts cannot hold, reads U+FFFD. */
typedef struct psprobe_message {
  const void *data; /**< bytes; may be NULL when data_len is 0. A zero follows received ones */
  size_t data_len;
  const psprobe_attribute *attributes;
  size_t attribute_count;
  const char *ordering_key; /**< NULL: none */
  /** The trace that it belongs to, in W3C's form ("00-…"), and what goes with that; NULL: none. One
   * that is not valid is not sent. They travel as Google's attributes googclient_traceparent and
   * googclient_tracestate, which `attributes` of a received message has too. */
  const char *traceparent, *tracestate;
  /* Received ones only: */
  const char *message_id;         /**< NULL when a push did not bring one */
  psprobe_timestamp publish_time; /**< {0, 0} when it did not come */
  const char *ack_id;             /**< pulled ones only */
  const char *subscription;       /**< pushed ones only; may be NULL */
  int delivery_attempt;           /**< from 1; 0: not told */
} psprobe_message;

/** Looks up an attribute.
 * @param key its name
 * @return its value, valid as long as the message, or NULL
 * Ownership: the message's. */
PSPROBE_API const char *psprobe_message_attribute(const psprobe_message *message, const char *key);

/* ---- names ---- */

/**
 * Checks a topic or subscription id by Google's rule: 3 to 255 characters, a letter first, then
 * letters, digits and - _ . ~ + %, not beginning "goog" (pubsub.proto, Topic.name).
 *
 * @param what "topic" or "subscription", for the message
 * @param name the id; NULL is none
 * @return PSPROBE_OK, or INVALID_ARGUMENT with the rule that was broken; no other
 * Blocks: not.
 */
PSPROBE_API psprobe_code psprobe_pubsub_name_check(const char *what, const char *name,
                                                   psprobe_error *error);

/* ---- publish ---- */

/** By which way messages are published. */
typedef enum psprobe_publish_by {
  PSPROBE_PUBLISH_BY_DEFAULT = 0, /**< each who takes one says which */
  /** Over a connection that is for publishing alone: a third of the work, and sooner there. An
   * endpoint that speaks no gRPC is asked by REST, which is logged once. */
  PSPROBE_PUBLISH_BY_GRPC = 1,
  PSPROBE_PUBLISH_BY_REST = 2
} psprobe_publish_by;

/** Of one publish call; valid when zeroed. */
typedef struct psprobe_publish_options {
  int64_t timeout_ns;    /**< all its attempts together; 0: the client's */
  psprobe_publish_by by; /**< 0: REST */
} psprobe_publish_options;

/**
 * Receives the outcome of a publish, exactly once, on the client's I/O thread: it must be short and
 * must not block. `ids` (as many as messages, in order) are borrowed until it returns; NULL on
 * failure, then `error` tells.
 */
typedef void psprobe_publish_done(void *arg, const char *const *ids, size_t count,
                                  const psprobe_error *error);

/**
 * Publishes up to 1000 messages in one call, without waiting.
 *
 * Tried again after UNAVAILABLE, which says that the call did not get through; not after
 * DEADLINE_EXCEEDED, UNKNOWN (its connection broke) and others, after which they may be stored.
 *
 * @param topic its id, or its full name
 * @param messages, count at least one; all have the same ordering key
 * @param options may be NULL
 * @param done receives the outcome
 * @return PSPROBE_OK: `done` will be called; else it will not. INVALID_ARGUMENT for what Google
 *         would refuse (no message, an empty one, different ordering keys, over its limits:
 *         https://cloud.google.com/pubsub/quotas#resource_limits) and for a name that cannot be;
 *         FAILED_PRECONDITION, RESOURCE_EXHAUSTED, CANCELLED; what credentials fail with
 * Ownership: everything is copied before it returns. Blocks: not, but that a project or
 * credentials that nobody named are looked up by the first call that needs them.
 */
PSPROBE_API psprobe_code psprobe_publish_start(psprobe_client *client, const char *topic,
                                               const psprobe_message *messages, size_t count,
                                               const psprobe_publish_options *options,
                                               psprobe_publish_done *done, void *arg,
                                               psprobe_error *error);

/**
 * Publishes as psprobe_publish_start does, and waits for the outcome. Not from a client's callback.
 *
 * @param topic its id, or its full name
 * @param messages, count at least one; all have the same ordering key
 * @param options may be NULL
 * @return PSPROBE_OK: all are stored; NOT_FOUND when there is no such topic; INVALID_ARGUMENT as
 *         psprobe_publish_start gives it
 * Blocks: up to the options' timeout.
 */
PSPROBE_API psprobe_code psprobe_publish(psprobe_client *client, const char *topic,
                                         const psprobe_message *messages, size_t count,
                                         const psprobe_publish_options *options,
                                         psprobe_error *error);

/* ---- pull ---- */

/** Received messages; owns everything in them. */
typedef struct psprobe_batch psprobe_batch;
/** Counts. @return how many messages there are */
PSPROBE_API size_t psprobe_batch_count(const psprobe_batch *batch);
/** Gives one message.
 * @param index below psprobe_batch_count
 * @return the message, valid until psprobe_batch_free
 * Ownership: the batch's. */
PSPROBE_API const psprobe_message *psprobe_batch_message(const psprobe_batch *batch, size_t index);
/** Frees the batch and all its messages. NULL is fine. */
PSPROBE_API void psprobe_batch_free(psprobe_batch *batch);

/**
 * Pulls once. With nothing there an empty batch comes after a while (the emulator: after 89 s).
 *
 * @param subscription its id, or its full name
 * @param max_messages 1 to 1000
 * @param timeout_ns how long to wait, then DEADLINE_EXCEEDED; 0: 100 s. What the service delivers
 *        to a pull that has timed out comes again after the ack deadline.
 * @param batch receives them; untouched on failure
 * @return PSPROBE_OK, also for none; NOT_FOUND when there is no such subscription;
 *         INVALID_ARGUMENT for a name or a number that cannot be
 * Ownership: free the batch with psprobe_batch_free.
 * Blocks: up to `timeout_ns`.
 */
PSPROBE_API psprobe_code psprobe_pull(psprobe_client *client, const char *subscription,
                                      int max_messages, int64_t timeout_ns, psprobe_batch **batch,
                                      psprobe_error *error);
/** Acknowledges any number of messages, none too, in as many calls as it takes.
 * @param subscription its id, or its full name
 * @param ack_ids, count as the messages brought them
 * @return PSPROBE_OK; NOT_FOUND when there is no such subscription; INVALID_ARGUMENT for an id that
 *         is empty or that the service does not take, or a name that cannot be. After a failure a
 *         part may be acknowledged.
 * Blocks: up to the client's timeout for each call. */
PSPROBE_API psprobe_code psprobe_acknowledge(psprobe_client *client, const char *subscription,
                                             const char *const *ack_ids, size_t count,
                                             psprobe_error *error);
/** Moves the ack deadline of any number of messages, in as many calls as it takes.
 * @param subscription its id, or its full name
 * @param ack_ids, count as the messages brought them
 * @param seconds from now, 0 to 600; 0: deliver again at once
 * @return PSPROBE_OK; the others as psprobe_acknowledge gives them, and INVALID_ARGUMENT for
 *         `seconds` out of range
 * Blocks: up to the client's timeout for each call. */
PSPROBE_API psprobe_code psprobe_modify_ack_deadline(psprobe_client *client,
                                                     const char *subscription,
                                                     const char *const *ack_ids, size_t count,
                                                     int seconds, psprobe_error *error);

/* ---- push ---- */

typedef struct psprobe_push psprobe_push;

/** No push request is longer: a message of 10 MiB with its attributes
 * (https://cloud.google.com/pubsub/quotas) is 13.4 MiB in base64; 100 attributes of 1,280 bytes,
 * each of which JSON may write as six, are 0.8 MiB; the rest is for the names around them. */
#define PSPROBE_PUSH_BODY_MOST ((size_t)15 << 20)

/**
 * Decodes the body of a wrapped push request, of the real service or the emulator, with either
 * spelling of the field names. Pure.
 *
 * @param body, len JSON; need not end with a zero
 * @param push receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT that says what is wrong where; RESOURCE_EXHAUSTED without
 *         memory
 * Ownership: free with psprobe_push_free.
 */
PSPROBE_API psprobe_code psprobe_push_decode(const char *body, size_t len, psprobe_push **push,
                                             psprobe_error *error);
/** Gives the message. @return it, valid until psprobe_push_free. Ownership: the push's. */
PSPROBE_API const psprobe_message *psprobe_push_message(const psprobe_push *push);
/** Frees it and its message. NULL is fine. */
PSPROBE_API void psprobe_push_free(psprobe_push *push);

#ifdef __cplusplus
}
#endif
#endif
