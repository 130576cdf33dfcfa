/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PUBSUB_H
#define PSPROBE_PUBSUB_H
/**
 * @file
 * Cloud Pub/Sub over REST: topics, subscriptions, publish, pull, acknowledge,
 * a subscriber that does the last three, and the decoding of push requests.
 *
 * A topic or subscription is named by its id ("probes") or in full
 * ("projects/p/topics/probes"). Source of the protocol:
 * https://cloud.google.com/pubsub/docs/reference/rest
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
  /* Received ones only: */
  const char *message_id;         /**< NULL when a push did not bring one */
  psprobe_timestamp publish_time; /**< {0, 0} when it did not come */
  const char *ack_id;             /**< pulled ones only */
  const char *subscription;       /**< pushed ones only; may be NULL */
  int delivery_attempt;           /**< from 1; 0: not told */
} psprobe_message;

/** The value of an attribute, or NULL. Valid as long as the message. */
PSPROBE_API const char *psprobe_message_attribute(const psprobe_message *message, const char *key);

/* ---- names ------------------------------------------------------------ */

/**
 * Checks a topic or subscription id by Google's rule: 3 to 255 characters, a
 * letter first, then letters, digits and - _ . ~ + %, not beginning "goog"
 * (pubsub.proto, Topic.name).
 *
 * @param what "topic" or "subscription", for the message
 * @return PSPROBE_OK, or INVALID_ARGUMENT with the rule that was broken
 */
PSPROBE_API psprobe_code psprobe_pubsub_name_check(const char *what, const char *name,
                                                   psprobe_error *error);

/* ---- topics and subscriptions (blocking) -------------------------------- */

/**
 * Creates a topic. One that is there already is success.
 *
 * @param topic      its name, full or short
 * @param timeout_ns of all attempts; 0: the client's
 * @param existed    receives whether it was there; may be NULL
 * @return PSPROBE_OK; or what the service says
 */
PSPROBE_API psprobe_code psprobe_topic_create(psprobe_client *client, const char *topic,
                                              int64_t timeout_ns, bool *existed,
                                              psprobe_error *error);
/**
 * Looks whether a topic is there.
 *
 * @param topic      its name, full or short
 * @param timeout_ns of all attempts; 0: the client's
 * @return PSPROBE_OK; NOT_FOUND: it is not; or what else the service says
 */
PSPROBE_API psprobe_code psprobe_topic_exists(psprobe_client *client, const char *topic,
                                              int64_t timeout_ns, psprobe_error *error);
PSPROBE_API psprobe_code psprobe_topic_delete(psprobe_client *client, const char *topic,
                                              psprobe_error *error);

/** One name of a listing, in full, borrowed until it returns. False ends the listing. */
typedef bool psprobe_name_each(void *arg, const char *name);
/** Every topic of the project, over all pages. */
PSPROBE_API psprobe_code psprobe_topic_list(psprobe_client *client, psprobe_name_each *each,
                                            void *arg, psprobe_error *error);

/** A subscription's settings; valid when zeroed but for the topic. */
typedef struct psprobe_subscription_config {
  const char *topic;
  int ack_deadline_s;        /**< 10 to 600 (emulators: 1 to 600); 0: the service's default, 10 */
  const char *push_endpoint; /**< NULL: a pull subscription */
  const char *push_account;  /**< e-mail of the service account that signs pushes; NULL: none */
  const char *push_audience; /**< NULL: the endpoint */
  bool enable_ordering;
} psprobe_subscription_config;

/** Creates a subscription; one that is there already (whatever its settings) is success. */
PSPROBE_API psprobe_code psprobe_subscription_create(psprobe_client *client,
                                                     const char *subscription,
                                                     const psprobe_subscription_config *config,
                                                     bool *existed, psprobe_error *error);

/** What the service says of a subscription. Free with psprobe_subscription_info_free. */
typedef struct psprobe_subscription_info {
  char *name;
  char *topic;
  char *push_endpoint; /**< NULL: pull */
  int ack_deadline_s;
} psprobe_subscription_info;
/**
 * Looks a subscription up.
 * @param subscription its name, full or short
 * @param timeout_ns   of all attempts; 0: the client's
 * @param info         receives it; psprobe_subscription_info_free ends it
 * @return PSPROBE_OK; NOT_FOUND: it is not there; or what else the service says
 */
PSPROBE_API psprobe_code psprobe_subscription_get(psprobe_client *client, const char *subscription,
                                                  int64_t timeout_ns,
                                                  psprobe_subscription_info *info,
                                                  psprobe_error *error);
PSPROBE_API void psprobe_subscription_info_free(psprobe_subscription_info *info);
PSPROBE_API psprobe_code psprobe_subscription_delete(psprobe_client *client,
                                                     const char *subscription,
                                                     psprobe_error *error);
PSPROBE_API psprobe_code psprobe_subscription_list(psprobe_client *client, psprobe_name_each *each,
                                                   void *arg, psprobe_error *error);
/** Turns a subscription to push (endpoint, account, audience as above) or, with a NULL endpoint,
 * to pull. */
PSPROBE_API psprobe_code psprobe_subscription_set_push(psprobe_client *client,
                                                       const char *subscription,
                                                       const char *endpoint, const char *account,
                                                       const char *audience, psprobe_error *error);

/* ---- publish ------------------------------------------------------------ */

/** Of one publish call; valid when zeroed. */
typedef struct psprobe_publish_options {
  int64_t timeout_ns; /**< all its attempts together; 0: the client's */
} psprobe_publish_options;

/**
 * Receives the outcome of a publish, exactly once, on the client's I/O thread:
 * it must be short and must not block. `ids` (as many as messages, in order)
 * are borrowed until it returns; NULL on failure, then `error` tells.
 */
typedef void psprobe_publish_done(void *arg, const char *const *ids, size_t count,
                                  const psprobe_error *error);

/**
 * Publishes up to 1000 messages in one call, without waiting.
 *
 * Tried again after UNAVAILABLE, which says that the call did not get through;
 * not after DEADLINE_EXCEEDED and others, after which the messages may be
 * stored already: what comes twice came twice from Pub/Sub.
 *
 * @return PSPROBE_OK: `done` will be called; else it will not. INVALID_ARGUMENT
 *         for what Google would refuse (no message, an empty one, different
 *         ordering keys, over its limits:
 *         https://cloud.google.com/pubsub/quotas#resource_limits)
 * Ownership: everything is copied before it returns. Threading: any thread.
 */
PSPROBE_API psprobe_code psprobe_publish_start(psprobe_client *client, const char *topic,
                                               const psprobe_message *messages, size_t count,
                                               const psprobe_publish_options *options,
                                               psprobe_publish_done *done, void *arg,
                                               psprobe_error *error);

/** The same, waiting for the outcome. Blocks up to the client's timeout. */
PSPROBE_API psprobe_code psprobe_publish(psprobe_client *client, const char *topic,
                                         const psprobe_message *messages, size_t count,
                                         const psprobe_publish_options *options,
                                         psprobe_error *error);

/* ---- pull ---------------------------------------------------------------- */

/** Received messages; owns everything in them. */
typedef struct psprobe_batch psprobe_batch;
PSPROBE_API size_t psprobe_batch_count(const psprobe_batch *batch);
/** Valid until psprobe_batch_free. */
PSPROBE_API const psprobe_message *psprobe_batch_message(const psprobe_batch *batch, size_t index);
PSPROBE_API void psprobe_batch_free(psprobe_batch *batch);

/**
 * One pull. With nothing there the service answers after a while (the emulator
 * after 89 s) with an empty batch.
 *
 * @param max_messages 1 to 1000
 * @param timeout_ns how long to wait, then DEADLINE_EXCEEDED; 0: 100 s. Beware
 *        that the service may deliver to a pull that has timed out; such
 *        messages come again after the ack deadline.
 * Ownership: free the batch with psprobe_batch_free.
 */
PSPROBE_API psprobe_code psprobe_pull(psprobe_client *client, const char *subscription,
                                      int max_messages, int64_t timeout_ns, psprobe_batch **batch,
                                      psprobe_error *error);
/** Acknowledges any number of messages, none too, in as many calls as it takes. */
PSPROBE_API psprobe_code psprobe_acknowledge(psprobe_client *client, const char *subscription,
                                             const char *const *ack_ids, size_t count,
                                             psprobe_error *error);
/** Moves the ack deadline to `seconds` from now (0 to 600; 0: deliver again at once). */
PSPROBE_API psprobe_code psprobe_modify_ack_deadline(psprobe_client *client,
                                                     const char *subscription,
                                                     const char *const *ack_ids, size_t count,
                                                     int seconds, psprobe_error *error);

/* ---- subscriber ---------------------------------------------------------- */

typedef struct psprobe_subscriber psprobe_subscriber;

typedef enum psprobe_settlement {
  PSPROBE_SETTLE_ACK = 0,
  PSPROBE_SETTLE_NACK = 1, /**< deliver again, at once */
  PSPROBE_SETTLE_LATER = 2 /**< psprobe_subscriber_settle will tell */
} psprobe_settlement;

/**
 * Receives each message, on one of the subscriber's worker threads; it may
 * block: the lease is extended while it runs. `message` is borrowed until it
 * returns, or until it is settled. It may call anything but
 * psprobe_subscriber_free.
 */
typedef psprobe_settlement psprobe_subscriber_receive(void *arg, const psprobe_message *message);

/** Valid when zeroed but for subscription and receive. */
typedef struct psprobe_subscriber_options {
  const char *subscription;
  psprobe_subscriber_receive *receive;
  void *arg;
  int pulls;        /**< outstanding long polls; 0: 4 */
  int max_messages; /**< in one pull; 0: 100 */
  int workers;      /**< threads that run `receive`; 0: as many as pulls. With ordering
                       keys: 1, since more than one works on messages side by side */
  /** `receive` is short and never blocks: it is called on the client's I/O thread as soon as a
   * message is there, without waking a worker, of which there are none then. What takes longer is
   * begun there and settled later. */
  bool at_once;
  int ack_deadline_s;           /**< lease taken and extended; 0: the subscription's own */
  int64_t ack_batch_ns;         /**< how long acks gather; 0: 10 ms */
  int64_t max_extension_ns;     /**< a lease is not extended beyond; 0: 60 min */
  const psprobe_logger *logger; /**< copied; NULL: the client's */
  /** A topic: whenever a pull finds no subscription, one of this topic is made (the topic itself is
   * not). A broker can be lost and come back without it. NULL: it is waited for. */
  const char *create_on;
} psprobe_subscriber_options;

typedef struct psprobe_subscriber_stats {
  uint64_t received, acked, nacked, redelivered, extended, pull_errors, ack_errors;
  size_t leased;   /**< now in hand: received and neither acked nor nacked */
  uint64_t lost;   /**< leases that ran out in our hands: those messages come again */
  uint64_t silent; /**< pulls that nothing at all came back from, as on a dead connection */
} psprobe_subscriber_stats;

/**
 * Begins to pull. Pull errors do not end it: it logs, counts and tries again
 * with backoff, for ever (a subscription that is not there too: it may come).
 * A failure is logged once, not for each pull.
 *
 * A subscription that is deleted and made again meanwhile is found again, too;
 * on Google's emulator only after up to 89 s, since its pulls stay with the old
 * one that long.
 *
 * No more is pulled while `max_messages` wait for a worker, or ten times as
 * many for psprobe_subscriber_settle. A message is
 * delivered at least once: the callback may see it again when its ack got lost.
 *
 * Ownership: options are copied, `client` is borrowed until free.
 */
PSPROBE_API psprobe_code psprobe_subscriber_new(psprobe_client *client,
                                                const psprobe_subscriber_options *options,
                                                psprobe_subscriber **subscriber,
                                                psprobe_error *error);
/**
 * Begins no more pulls, lets running callbacks finish (and what they left for
 * later be settled), nacks what no callback has seen, and sends all acks. Blocks for that, at most
 * `timeout_ns` (0: 30 s) for the acks; idle, it returns at once. After it nothing is leased and
 * forgotten.
 *
 * Pulls that wait at that moment are not cut off, since a broker may deliver to
 * a pull whose client is gone (Google's emulator does, up to 89 s long): they
 * go on waiting in the client, and what they bring is nacked at once, so that
 * it reaches somebody else without delay. psprobe_client_free cuts them off;
 * what such a broker hands to them after that (one answer each at most) comes
 * again after the ack deadline.
 *
 * From a callback it only begins to stop, and returns.
 *
 * @return PSPROBE_OK, or DEADLINE_EXCEEDED when leases are left to run out
 */
PSPROBE_API psprobe_code psprobe_subscriber_stop(psprobe_subscriber *subscriber, int64_t timeout_ns,
                                                 psprobe_error *error);
/**
 * The verdict on a message for which `receive` returned PSPROBE_SETTLE_LATER, or is
 * about to: exactly once for each. Its lease is extended until then, and a stop
 * waits for it. Any thread, also from a callback of the client's; never blocks.
 *
 * @param message as it was given to `receive`; gone afterwards
 * @param verdict PSPROBE_SETTLE_ACK or PSPROBE_SETTLE_NACK
 */
PSPROBE_API void psprobe_subscriber_settle(psprobe_subscriber *subscriber,
                                           const psprobe_message *message,
                                           psprobe_settlement verdict);
/** psprobe_subscriber_stop if need be, then frees. NULL is fine. */
PSPROBE_API void psprobe_subscriber_free(psprobe_subscriber *subscriber);
PSPROBE_API void psprobe_subscriber_get_stats(const psprobe_subscriber *subscriber,
                                              psprobe_subscriber_stats *stats);

/* ---- push ----------------------------------------------------------------- */

typedef struct psprobe_push psprobe_push;

/**
 * Decodes the body of a wrapped push request, of the real service or the
 * emulator, with either spelling of the field names. Pure.
 *
 * @return PSPROBE_OK, or INVALID_ARGUMENT that says what is wrong where
 * Ownership: free with psprobe_push_free. Threading: any thread.
 */
PSPROBE_API psprobe_code psprobe_push_decode(const char *body, size_t len, psprobe_push **push,
                                             psprobe_error *error);
/** Valid until psprobe_push_free. */
PSPROBE_API const psprobe_message *psprobe_push_message(const psprobe_push *push);
PSPROBE_API void psprobe_push_free(psprobe_push *push);

#ifdef __cplusplus
}
#endif
#endif
