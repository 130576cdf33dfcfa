/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_BROKER_H
#define PSP_LOCAL_BROKER_BROKER_H
/**
 * @file
 * The broker's state: topics, subscriptions, messages, leases, redelivery.
 *
 * Pure: it does no I/O, starts no thread, reads no clock and takes no lock. Its
 * host keeps one mutex around it, tells the time, and after each call sends
 * what lies in the outbox: answers to pulls, and pushes. Every call is short:
 * none but seeks, snapshots and a detachment walks over what a subscription holds.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "local/broker/alarms.h"
#include "local/broker/message.h"
#include "local/broker/policy.h"
#include "local/broker/settings.h"

typedef struct psp_broker psp_broker;
typedef struct psp_subscription psp_subscription;

/** Now, by both clocks. */
typedef struct psp_instant {
  int64_t mono_ns;
  int64_t wall_ms; /**< Unix time */
} psp_instant;

/** One message on its way to a subscriber; holds a reference. */
typedef struct psp_broker_delivery {
  psp_letter *letter;
  uint64_t ack; /**< names this delivery; never 0 */
  int attempt;  /**< from 1; 0: not told (no dead letter or retry policy) */
} psp_broker_delivery;

/** What one subscriber may have out at once, whose pulls share it. No more is sent once one of
 * both is reached. */
typedef struct psp_broker_flow {
  size_t most, out;
  size_t most_bytes, out_bytes;
  bool ended; /**< its subscriber is gone: freed once nothing is out */
} psp_broker_flow;
/** It is made by malloc, and ends here, with the broker locked. NULL is fine. */
void psp_broker_flow_end(psp_broker_flow *flow);

/** A pull, in the memory of whoever asks. Zeroed but for the first part. */
typedef struct psp_broker_waiter {
  size_t max;
  bool immediate;
  psp_broker_flow *flow;    /**< NULL: unbounded. Stays until the answer */
  bool (*alive)(void *arg); /**< false: whoever asked is gone; NULL: never. Must be quick */
  /** Takes the answer out of the outbox, by the host, without its lock. */
  void (*answer)(struct psp_broker_waiter *pull);
  void *arg;
  /* The answer, once it is in the outbox: */
  psprobe_code code;
  const char *why; /**< the message of an error; a constant */
  psp_broker_delivery *deliveries;
  size_t count;
  struct psp_broker_waiter *next; /**< in the outbox */
  /* The broker's: */
  struct psp_broker_waiter *prev;
  psp_subscription *subscription;
  psp_alarm alarm;
} psp_broker_waiter;

/** Drops the deliveries' references and their array. */
void psp_broker_waiter_clear(psp_broker_waiter *pull);

/** Where a subscription pushes to; immutable, shared by reference count. */
typedef struct psp_broker_target {
  atomic_uint refs;
  char *subscription, *url;
  bool no_wrapper, write_metadata;
} psp_broker_target;
void psp_broker_target_unref(psp_broker_target *target);

/** A push to be made. Whoever takes it calls psp_broker_push_done, then psp_broker_push_free. */
typedef struct psp_broker_push {
  struct psp_broker_push *next;
  psp_broker_target *target;
  psp_broker_delivery delivery;
  int64_t timeout_ns; /**< the ack deadline: a later answer counts no more */
} psp_broker_push;
void psp_broker_push_free(psp_broker_push *push);

/** What is to be sent, once the lock is released. */
typedef struct psp_broker_mail {
  psp_broker_waiter *pulls, *pulls_end; /**< answered; the memory is theirs who asked */
  psp_broker_push *pushes, *pushes_end;
} psp_broker_mail;

psp_broker *psp_broker_new(void);
/** Answers every waiting pull (UNAVAILABLE, in the outbox) and refuses further ones. */
void psp_broker_close(psp_broker *broker);
/** No pull may wait any more. NULL is fine. */
void psp_broker_free(psp_broker *broker);

/** Empties the outbox into the caller's hands. */
psp_broker_mail psp_broker_outbox(psp_broker *broker);
/** When psp_broker_tick has something to do; INT64_MAX: not by itself. */
int64_t psp_broker_next(const psp_broker *broker);
/** Does what is due: leases that ran out, pulls that waited enough, pushes after a pause. */
void psp_broker_tick(psp_broker *broker, psp_instant now);

/* ---- topics ---- */

/** Takes what is in `settings` when it succeeds. ALREADY_EXISTS, INVALID_ARGUMENT. */
psprobe_code psp_broker_topic_create(psp_broker *broker, psp_topic_settings *settings,
                                     psprobe_error *error);
/** Valid until the next call that changes topics; NULL: none. */
const psp_topic_settings *psp_broker_topic(psp_broker *broker, const char *name);
/** The topics in order of their names: place of the first that is not before `name`. */
size_t psp_broker_topic_place(const psp_broker *broker, const char *name);
const psp_topic_settings *psp_broker_topic_at(const psp_broker *broker, size_t place);
/** Moves the settings in `mask` out of `from`, which stays the caller's to free. */
psprobe_code psp_broker_topic_update(psp_broker *broker, const char *name, psp_topic_settings *from,
                                     unsigned mask, psprobe_error *error);
/** Its subscriptions live on with what they hold and can seek back to. */
psprobe_code psp_broker_topic_delete(psp_broker *broker, const char *name, psprobe_error *error);

/* ---- subscriptions ---- */

psprobe_code psp_broker_subscription_create(psp_broker *broker, psp_subscription_settings *settings,
                                            psprobe_error *error);
const psp_subscription_settings *psp_broker_subscription(psp_broker *broker, const char *name);
size_t psp_broker_subscription_place(const psp_broker *broker, const char *name);
const psp_subscription_settings *psp_broker_subscription_at(const psp_broker *broker, size_t place);
/** Moves the settings in `mask` out of `from`, which stays the caller's to free. */
psprobe_code psp_broker_subscription_update(psp_broker *broker, const char *name,
                                            psp_subscription_settings *from, unsigned mask,
                                            psp_instant now, psprobe_error *error);
/** Waiting pulls are answered with NOT_FOUND. */
psprobe_code psp_broker_subscription_delete(psp_broker *broker, const char *name,
                                            psprobe_error *error);
/** Takes it from its topic, for good, and drops what it holds. FAILED_PRECONDITION for its pulls.
 */
psprobe_code psp_broker_detach(psp_broker *broker, const char *name, psprobe_error *error);
/** Messages neither acknowledged nor dropped: waiting, and of those leased. False: none such. */
bool psp_broker_held(psp_broker *broker, const char *name, size_t *held, size_t *leased);

/* ---- snapshots, seeking ---- */

/** Takes what is in `settings`, name and labels, when it succeeds. */
psprobe_code psp_broker_snapshot_create(psp_broker *broker, psp_snapshot_settings *settings,
                                        const char *subscription, psp_instant now,
                                        psprobe_error *error);
const psp_snapshot_settings *psp_broker_snapshot(psp_broker *broker, const char *name);
size_t psp_broker_snapshot_place(const psp_broker *broker, const char *name);
const psp_snapshot_settings *psp_broker_snapshot_at(const psp_broker *broker, size_t place);
/** Moves the settings in `mask` out of `from`, which stays the caller's to free. */
psprobe_code psp_broker_snapshot_update(psp_broker *broker, const char *name,
                                        psp_snapshot_settings *from, unsigned mask, psp_instant now,
                                        psprobe_error *error);
psprobe_code psp_broker_snapshot_delete(psp_broker *broker, const char *name, psprobe_error *error);
/** Acknowledges what was published before (Unix time), takes back acknowledgments of the rest. */
psprobe_code psp_broker_seek_time(psp_broker *broker, const char *subscription, int64_t time_ns,
                                  psp_instant now, psprobe_error *error);
psprobe_code psp_broker_seek_snapshot(psp_broker *broker, const char *subscription,
                                      const char *snapshot, psp_instant now, psprobe_error *error);

/** Of topics, subscriptions and snapshots; each goes with what it is of. */
psp_policies *psp_broker_policies(psp_broker *broker);

/* ---- messages ---- */

/**
 * Publishes `count` letters; their references stay the caller's. All or none.
 * @param first_id receives the id of the first; the rest follow it
 */
psprobe_code psp_broker_publish(psp_broker *broker, const char *topic, psp_letter *const *letters,
                                size_t count, psp_instant now, uint64_t *first_id,
                                psprobe_error *error);
/** The answer comes by the outbox, now or later. */
void psp_broker_pull(psp_broker *broker, const char *subscription, psp_broker_waiter *pull,
                     psp_instant now);
/** Deliveries that are over are passed by. @param stale receives of each whether it is one that
 * counts no more where delivery is exactly once; NULL: not asked for */
psprobe_code psp_broker_acknowledge(psp_broker *broker, const char *subscription,
                                    const uint64_t *acks, size_t count, bool *stale,
                                    psp_instant now, psprobe_error *error);
/** Sets the deadline to `seconds` from now; 0 delivers again at once. @param stale as above */
psprobe_code psp_broker_modify_deadline(psp_broker *broker, const char *subscription,
                                        const uint64_t *acks, size_t count, int seconds,
                                        bool *stale, psp_instant now, psprobe_error *error);
/** A push was answered: `ok` acknowledges. It stays the caller's. */
void psp_broker_push_done(psp_broker *broker, psp_broker_push *push, bool ok, psp_instant now);

/** How long an empty pull waits (Google's emulator: 89.0 s). */
#define PSP_PULL_WAIT_NS INT64_C(89000000000)
/** What one pull receives at most: messages, and bytes of their data (one is always let through).
 */
#define PSP_PULL_MAX       1000
#define PSP_PULL_MAX_BYTES 10000000

#endif
