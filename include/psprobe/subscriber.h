/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_SUBSCRIBER_H
#define PSPROBE_SUBSCRIBER_H
/**
 * @file
 * A subscriber of Cloud Pub/Sub: it receives over a stream or by pulling, hands each message to a
 * callback, extends its lease while it is worked on, and acknowledges it.
 *
 * Ownership: what is given is borrowed until the call returns.
 * Threading: any thread may call, but none may still use an object that is being freed.
 * Blocks: not.
 */
#include <psprobe/pubsub.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_subscriber psprobe_subscriber;

typedef enum psprobe_settlement {
  PSPROBE_SETTLE_ACK = 0,
  PSPROBE_SETTLE_NACK = 1, /**< deliver again, at once */
  PSPROBE_SETTLE_LATER = 2 /**< psprobe_subscriber_settle will tell */
} psprobe_settlement;

/**
 * Receives each message, on one of the subscriber's worker threads; it may
 * block: the lease is extended while it runs. Where the subscription orders
 * messages, one of a key at a time. `message` is borrowed until it
 * returns, or until it is settled. It may call anything but
 * psprobe_subscriber_free.
 */
typedef psprobe_settlement psprobe_subscriber_receive(void *arg, const psprobe_message *message);

/**
 * Hears what came of a settlement, once for each message that `receive` saw, on a thread of the
 * client's: it must be short and must not block; not after psprobe_subscriber_free. It may call
 * anything but that. With exactly-once delivery only PSPROBE_OK says that the message will not come
 * again.
 *
 * @param message as `receive` had it; borrowed until this returns
 * @param code PSPROBE_OK: the service has it. Else it has not: the lease had run out, the
 *        subscription is gone, or the subscriber stopped before it could be told; CANCELLED: a stop
 *        had given the message back (grace_ns)
 */
typedef void psprobe_subscriber_settled(void *arg, const psprobe_message *message,
                                        psprobe_code code);

/** By which way messages come. */
typedef enum psprobe_subscriber_mode {
  /** A stream of gRPC's is held open, over which the service sends each message as it comes: the
   * fastest way there is. An endpoint that speaks no gRPC is pulled from, which is logged once. */
  PSPROBE_STREAMING = 0,
  PSPROBE_UNARY = 1 /**< long polls by REST, several at once */
} psprobe_subscriber_mode;

/** Valid when zeroed but for subscription and receive. */
typedef struct psprobe_subscriber_options {
  const char *subscription;
  psprobe_subscriber_receive *receive;
  psprobe_subscriber_settled *settled; /**< NULL: nobody wants to know */
  void *arg;                           /**< of both */
  psprobe_subscriber_mode mode;
  int pulls;                     /**< outstanding long polls, 0: 4; or streams, 0: 1 */
  int max_messages;              /**< in one pull; 0: 100 */
  int64_t max_outstanding;       /**< messages in hand, streaming; 0: 1,000 */
  int64_t max_outstanding_bytes; /**< of messages in hand; 0: 100 MiB */
  int workers; /**< threads that run `receive`; 0: 4, or as many as pulls. With ordering
                  keys: 1, since more than one works on messages side by side */
  /** `receive` is short and never blocks: it is called on the thread that brings a message as soon
   * as it is there (the client's I/O thread, or its gRPC channel's), without waking a worker, of
   * which there are none then. What takes longer is begun there and settled later. */
  bool at_once;
  int ack_deadline_s;   /**< lease taken and extended; 0: the subscription's own, or a stream's */
  int64_t ack_batch_ns; /**< how long acks gather; 0: 10 ms */
  int64_t max_extension_ns; /**< a lease is not extended beyond; 0: 60 min */
  /** How long a stop waits for what callbacks have in hand, or have left for later, until it gives
   * that back at once; 0: until it is settled; below 0: not at all. */
  int64_t grace_ns;
  int64_t look_ns; /**< when nothing has come for so long, the subscription is looked at; 0: 10 s */
  const psprobe_logger *logger; /**< copied; NULL: the client's */
  /** A topic: whenever a pull finds no subscription, one of this topic is made (the topic itself is
   * not). A broker can be lost and come back without it. One that a look shows to be cut off, since
   * its topic was deleted, is deleted and made again. NULL: it is waited for. */
  const char *create_on;
} psprobe_subscriber_options;

typedef struct psprobe_subscriber_stats {
  uint64_t received, acked, nacked, redelivered, extended, pull_errors, ack_errors;
  size_t leased;   /**< now in hand: received and neither acked nor nacked */
  uint64_t lost;   /**< leases that ran out in our hands: those messages come again */
  uint64_t silent; /**< pulls that nothing at all came back from, as on a dead connection; streams
                      that did not answer a ping, or brought nothing for long */
} psprobe_subscriber_stats;

/**
 * Begins to receive. Errors do not end it: it logs, counts and tries again
 * with backoff, for ever (a subscription that is not there too: it may come).
 * A failure is logged once, not for each pull. At the beginning, and whenever
 * nothing has come for look_ns, the subscription is looked at: what cannot
 * bring anything (its topic deleted, another topic than create_on, a push
 * endpoint) is logged.
 *
 * A subscription that is deleted and made again meanwhile is found again, too;
 * on Google's emulator only after up to 89 s, since its pulls stay with the old
 * one that long.
 *
 * No more is taken while max_outstanding messages are in hand, or
 * max_outstanding_bytes of them; no more is pulled while `max_messages` wait for a worker, or ten
 * times as many for psprobe_subscriber_settle. A message is
 * delivered at least once: the callback may see it again when its ack got lost.
 *
 * @param options what to receive, and how
 * @param subscriber receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT for an option that cannot be; FAILED_PRECONDITION (no
 *         project); RESOURCE_EXHAUSTED (memory, threads). A subscription that is not there, or that
 *         may not be read, is no failure
 * Ownership: options are copied, `client` is borrowed until free, and `receive` and its `arg` too.
 * Blocks: not, but that a project nobody named is looked up in the credentials.
 */
PSPROBE_API psprobe_code psprobe_subscriber_new(psprobe_client *client,
                                                const psprobe_subscriber_options *options,
                                                psprobe_subscriber **subscriber,
                                                psprobe_error *error);
/**
 * Begins no more pulls, lets running callbacks finish (and what they left for
 * later be settled), nacks what no callback has seen, and sends all acks. After it
 * nothing is leased and forgotten.
 *
 * Messages that callbacks have longer than grace_ns are nacked, too, so that they reach somebody
 * else at once; what they are settled with then says nothing, and may come until the subscriber is
 * freed. Callbacks that run are waited for all the same, since they use what is the caller's.
 *
 * Streams end in peace: what was on its way is nacked. Pulls that wait at that moment are not cut
 * off, since a broker may deliver to a pull whose client is gone (Google's emulator does, up to 89
 * s long): they go on waiting in the client, and what they bring is nacked at once, so that it
 * reaches somebody else without delay. psprobe_client_free cuts them off; what such a broker hands
 * to them after that (one answer each at most) comes again after the ack deadline.
 *
 * From a callback it only begins to stop, and returns.
 *
 * @param timeout_ns how long to wait for the acks; 0: 30 s
 * @return PSPROBE_OK; DEADLINE_EXCEEDED when leases are left to run out; no other
 * Blocks: until callbacks have returned and what they left is settled or given back, then up to
 * `timeout_ns`; idle, it returns at once.
 */
PSPROBE_API psprobe_code psprobe_subscriber_stop(psprobe_subscriber *subscriber, int64_t timeout_ns,
                                                 psprobe_error *error);
/**
 * Settles a message for which `receive` returned PSPROBE_SETTLE_LATER, or is
 * about to: exactly once for each, or, where a stop has given it back, at most once. Its lease is
 * extended until then, and a stop waits for it as long as grace_ns says.
 *
 * @param message as it was given to `receive`; gone afterwards
 * @param verdict PSPROBE_SETTLE_ACK or PSPROBE_SETTLE_NACK
 * Threading: any thread, also from a callback of the client's.
 */
PSPROBE_API void psprobe_subscriber_settle(psprobe_subscriber *subscriber,
                                           const psprobe_message *message,
                                           psprobe_settlement verdict);
/**
 * Stops if need be, then frees. NULL is fine. Not from a callback of its own or of the client's.
 * Blocks: as psprobe_subscriber_stop with its 30 s.
 */
PSPROBE_API void psprobe_subscriber_free(psprobe_subscriber *subscriber);
/** Counts. @param stats receives what became of messages and calls since the beginning */
PSPROBE_API void psprobe_subscriber_get_stats(const psprobe_subscriber *subscriber,
                                              psprobe_subscriber_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
