/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_LEASE_H
#define PSP_PUBSUB_SUBSCRIBER_LEASE_H
/**
 * @file
 * What a subscriber has in hand: for each message how long the service leaves
 * it to us, and what is to be told to the service, when. Pure: the time is an
 * argument, and nobody is called. The caller holds a lock around all of it.
 *
 *     added -> waiting -> running -> to be told (ack or nack) -> in a call -> gone
 *
 * With exactly-once delivery one is a receipt before it waits: it was delivered only once the
 * service has taken our word for it. With ordering it may be behind another of its key.
 *
 * The service counts a lease from its own sending; we count from our receiving,
 * a little later, and from the moment before our call for an extension, a
 * little earlier. Hence extensions at 60 % of the lease, which leaves time to
 * try again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/pubsub.h>

#include "pubsub/proto.h"
#include "pubsub/subscriber/handling.h"
#include "pubsub/subscriber/order.h"

#define PSP_NEVER INT64_MAX

typedef struct psp_lease psp_lease;

/** The messages of one pull answer, with a lease each; in one block. */
typedef struct psp_delivery {
  psprobe_batch *batch; /**< NULL: all are settled, and only ack ids are left */
  char *ids;            /**< these; NULL: they are the batch's */
  size_t left;          /**< leases that are not gone */
  size_t unsettled;     /**< without a verdict */
  bool taken;           /**< a call has ids of it */
  psp_lease *leases;
} psp_delivery;

struct psp_lease {
  psprobe_message message; /**< what the receiver sees, and hands back to settle */
  psp_delivery *delivery;
  psp_lease *next, *prev;
  psp_place place; /**< among those of its ordering key */
  int64_t received_ns;
  int64_t tell_until_ns; /**< no use in telling it later */
  int64_t ends_ns;       /**< the service may deliver it to others from here on */
  int64_t extend_ns;     /**< when to ask for more; PSP_NEVER: not again */
  uint64_t extension;    /**< the call under way that extends it; 0: none */
  size_t size;           /**< bytes of its message */
  size_t group;          /**< at most so many in the call that tells of it; 0: as many as fit */
  bool nack;
  bool given; /**< to a receiver, who may want to know what comes of it */
  bool back;  /**< given back while a receiver has it, whose verdict is awaited, and says nothing */
  bool over;  /**< `back`, and only kept for the receiver */
};

/** A list of leases, first come first. Zeroed: empty. */
typedef struct psp_lease_list {
  psp_lease *first, *last;
  size_t count;
} psp_lease_list;

typedef struct psp_leases {
  /* Settings: */
  int64_t own_ns;           /**< the lease that a message comes with: the subscription's */
  int64_t period_ns;        /**< what an extension asks for */
  int64_t max_extension_ns; /**< counted from receiving */
  int64_t batch_ns;         /**< how long acks gather */
  bool adaptive;            /**< extensions ask for what messages take */
  bool ordered, exactly_once;
  bool whole; /**< who hears what came of a message sees it then, too */

  psp_lease_list receipts, waiting, behind, running;
  psp_lease_list acks, nacks; /**< to be told */
  psp_lease_list kept;        /**< given back and over */
  size_t bytes;               /**< of messages in these four */
  size_t telling;             /**< in calls under way */
  int64_t tell_ns;            /**< when to tell; PSP_NEVER: nothing to tell */
  int64_t retry_ns;           /**< no calls before this, after one has failed */
  unsigned failures;          /**< calls that failed since one succeeded */
  int64_t extend_ns;          /**< no lease is to be extended before this */
  uint64_t last_extension;
  uint64_t received, acked, nacked, redelivered, extended, lost;
  psp_key_order order;
  psp_handling handling;
  uint64_t seen[4096]; /**< hashes of message ids received lately */
} psp_leases;

/** @param seconds asked for by extensions; 0: the subscription's own */
void psp_leases_init(psp_leases *l, int own_s, int seconds, int64_t max_extension_ns,
                     int64_t batch_ns);
/** The subscription's own ack deadline, when it becomes known. */
void psp_leases_set_own(psp_leases *l, int own_s, int seconds, int64_t now);

/** From now on extensions ask for what messages take, by the p99, from 10 to 600 s (from 60 with
 * exactly-once delivery). */
void psp_leases_adapt(psp_leases *l);
/** What the service says of a subscription, for messages that come from now on. */
void psp_leases_set_properties(psp_leases *l, bool ordered, bool exactly_once);

/** Takes the batch, also on failure. NULL: out of memory. */
psp_delivery *psp_delivery_new(psprobe_batch *batch);

/** All of them begin to wait for a worker, or for what has to come before. */
void psp_leases_add(psp_leases *l, psp_delivery *delivery, int64_t now);

/** The next for a worker, or NULL. Those that ran out while they waited go to `gone`: they are
 * with the service again. */
psp_lease *psp_leases_next(psp_leases *l, int64_t now, psp_lease_list *gone);
/** The worker is done with it. Nacks are told at once, acks after they have gathered. The next of
 * its key may go; a nack gives those back too, so that the order is kept when they come again. */
void psp_leases_verdict(psp_leases *l, psp_lease *lease, bool nack, int64_t now);
/** Nacks all that no worker has seen. */
void psp_leases_refuse_waiting(psp_leases *l, int64_t now);
/** And all that workers have; each keeps its message until its verdict, or psp_leases_drop. */
void psp_leases_refuse_running(psp_leases *l, int64_t now);
/** Frees those that no verdict has come for. */
void psp_leases_drop(psp_leases *l);

/** When there will be something to tell or to extend; PSP_NEVER: nothing in sight. */
int64_t psp_leases_due(const psp_leases *l);
/** That callbacks have or will have. */
size_t psp_leases_in_hand(const psp_leases *l);
/** Those, and what is still to be told. */
size_t psp_leases_count(const psp_leases *l);

/**
 * What one call is to tell now: acks, or nacks, into `out` (empty before).
 * @param flush also what has not gathered long enough
 * @return false: nothing
 */
bool psp_leases_take(psp_leases *l, bool nack, bool flush, int64_t now, psp_lease_list *out);
/** The call succeeded. They are the caller's to free. */
void psp_leases_told(psp_leases *l, const psp_lease_list *told, bool nack);
/**
 * The call failed. They are to be told again, but for those that no call can
 * help any more, which go to `gone`.
 * @param wait_ns before the next call
 */
void psp_leases_not_told(psp_leases *l, psp_lease_list *list, bool nack, psprobe_code code,
                         int64_t wait_ns, int64_t now, psp_lease_list *gone);

/** What a call under way was to tell of is waited for no longer. */
void psp_leases_give_up(psp_leases *leases, psp_lease_list *list, psp_lease_list *gone);
/** No more calls: all that waits or is to be told goes to `gone`, and runs out. */
void psp_leases_abandon(psp_leases *l, psp_lease_list *gone);

/**
 * The ack ids of leases that one call is to extend now; the texts are the
 * leases' own, so they are to be copied before the lock is let go.
 * @param id receives the number of this extension, for what follows
 * @return how many of `room`; 0: nothing
 */
size_t psp_leases_extend(psp_leases *l, const char **ack_ids, size_t room, int64_t now,
                         uint64_t *id);
/**
 * How that call ended. Receipts that were taken wait for a worker now; those that never will be go
 * to `gone`: they were not delivered.
 * @param fates of a call that failed for some of them; NULL: for all, where it is not `ok`
 * @param sent_ns as it began
 */
void psp_leases_extended(psp_leases *l, uint64_t id, bool ok, const psp_ack_fates *fates,
                         int64_t sent_ns, int64_t now, psp_lease_list *gone);

void psp_lease_append(psp_lease_list *list, psp_lease *lease);
void psp_lease_take_out(psp_lease_list *list, psp_lease *lease);
psp_lease *psp_lease_pop(psp_lease_list *list); /**< or NULL */
/** They are behind others of their key, or wait for a worker. */
void psp_leases_line_up(psp_leases *l, psp_lease *lease);
/** Whether its id goes with others that take so many bytes of a call, to which it adds its own; the
 * first does. */
bool psp_leases_fit(const psp_leases *l, const psp_lease *lease, size_t *bytes);
/** When a lease of so long that was begun at `from_ns` is to be extended. */
int64_t psp_lease_extend_at(int64_t from_ns, int64_t lease_ns);
/** Frees leases that are in no list, and deliveries that have none left. Needs the lock, since
 * leases of a delivery end apart. */
void psp_leases_free(psp_leases *l, psp_lease_list *list);

#endif
