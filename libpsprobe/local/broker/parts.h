/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_PARTS_H
#define PSP_LOCAL_BROKER_PARTS_H
/**
 * @file
 * What the broker's files share: broker.c (subscriptions), seek.c, snapshot.c, topic.c, publish.c,
 * deliver.c (who gets messages: pulls, pushes), backlog.c (one subscription's
 * messages), and references.c below them all.
 */
/* By default uthash ends the program when there is no memory. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "local/broker/broker.h"
#include "local/broker/history.h"
#include "local/broker/names.h"

enum { ALARM_ENTRY = 1, ALARM_PULL, ALARM_PUSH, ALARM_SNAPSHOT };
enum { ENTRY_FREE = 0, ENTRY_QUEUED, ENTRY_LEASED, ENTRY_DELAYED };

/** A message in a subscription. */
typedef struct psp_entry {
  psp_alarm alarm;               /**< leased: the ack deadline; delayed: when it is queued again */
  struct psp_entry *prev, *next; /**< in its lane; next alone in the list of free ones */
  psp_letter *letter;
  int64_t since_ns; /**< monotonic: its retention counts from the publish, or the last seek */
  psp_subscription *subscription;
  struct psp_lane *lane;
  uint32_t slot;  /**< its place among the subscription's */
  uint32_t lease; /**< number of its last delivery; with the slot it makes the ack */
  uint32_t attempts;
  uint8_t state;
  bool pushed;           /**< the lease is a push's */
  psp_broker_flow *flow; /**< of whom the lease is; NULL: of no bound */
} psp_entry;

/**
 * Messages that are delivered one after another: those of one ordering key, or
 * all that have none. One with a key rests while any of its messages is out.
 */
typedef struct psp_lane {
  psp_entry *entries;
  size_t out;                   /**< leased or delayed */
  bool ready;                   /**< in the list of those with something to deliver */
  struct psp_lane *prev, *next; /**< there */
  UT_hash_handle hh;
  char key[]; /**< "" in the lane without */
} psp_lane;

/** How fast a subscription pushes: deliver.c says by what rule. */
typedef struct psp_broker_pace {
  size_t in_flight, window;
  unsigned failures; /**< pauses in a row */
  int64_t pause_until_ns;
} psp_broker_pace;

struct psp_subscription {
  psp_subscription_settings settings;
  psp_broker *broker;
  struct psp_topic *topic; /**< NULL: detached */
  uint64_t retained_from;  /**< the first that a seek can bring back where it retains */
  psp_entry **chunks;
  size_t chunk_count;
  psp_entry *free;
  size_t free_count;
  size_t held, leased;
  psp_lane *plain;           /**< without ordering key */
  psp_lane *keyed;           /**< by key */
  psp_lane *ready;           /**< keyed ones that may deliver */
  psp_broker_waiter *pulls;  /**< waiting, the oldest first */
  psp_broker_target *target; /**< NULL: pull */
  psp_broker_pace pace;
  psp_alarm push_alarm;
  bool dirty;
  psp_subscription *next_dirty;
};

typedef struct psp_topic {
  psp_topic_settings settings;
  psp_broker *broker;
  psp_subscription **subscriptions; /**< that are attached */
  size_t count, snapshots;
  bool deleted; /**< it has no name any more, and goes with the last that is attached */
  psp_history history;
  int64_t kept_ns;     /**< messages that are younger stay in the history */
  uint64_t kept_after; /**< and those with a greater id */
} psp_topic;

typedef struct psp_snapshot {
  psp_snapshot_settings settings;
  psp_broker *broker;
  psp_topic *topic;
  psp_letter **letters; /**< that were not acknowledged, by id */
  size_t count;
  uint64_t after; /**< what has a greater id came later, and is not acknowledged either */
  psp_alarm alarm;
} psp_snapshot;

struct psp_broker {
  psp_names topics, subscriptions, snapshots;
  psp_policies policies;
  uint64_t last_id;
  uint32_t last_lease;
  psp_alarms alarms;
  psp_subscription *dirty;      /**< to be looked at before the call returns */
  psp_entry *dying, *dying_end; /**< delayed, and then dead letters: likewise */
  psp_broker_mail outbox;
  bool closed;
};

/** For pulls of a detached subscription, and what else it cannot do. */
#define PSP_WHY_DETACHED "The subscription is detached from its topic."

/* references.c */
psp_topic *psp_broker_find_topic(psp_broker *broker, const char *name);
psp_subscription *psp_broker_find(psp_broker *broker, const char *name);
void psp_broker_dirty(psp_subscription *subscription);
/** Whether it lets more be sent; NULL: no bound. */
bool psp_broker_flow_open(const psp_broker_flow *flow);

/* topic.c */
void psp_topic_free(psp_topic *topic);
bool psp_topic_attach(psp_topic *topic, psp_subscription *subscription);
/** Detaches it; fine where it is detached. A deleted topic goes with its last. */
void psp_topic_leave(psp_subscription *subscription);
/** A snapshot of it came, or (-1) went. */
void psp_topic_count_snapshot(psp_topic *topic, int by);
/** What must be remembered has changed. */
void psp_topic_review(psp_topic *topic);
/** Forgets what nobody can seek to any more. */
void psp_topic_trim(psp_topic *topic, psp_instant now);
/** Remembers what is published. */
bool psp_topic_remembers(const psp_topic *topic);
/** Puts these, by id, into the history. False: no memory. */
bool psp_topic_remember(psp_topic *topic, psp_entry *const *entries, size_t count);

/* snapshot.c */
void psp_snapshot_end(psp_snapshot *snapshot);

/* publish.c */
/** Publishes without delivering: whoever calls it ends with psp_broker_settle. */
psprobe_code psp_broker_topic_publish(psp_broker *broker, psp_topic *topic,
                                      psp_letter *const *letters, size_t count, psp_instant now,
                                      psprobe_error *error);
/** Publishes a copy to the dead letter topic. False: it is gone, or there is no memory. */
bool psp_broker_publish_dead(const psp_entry *entry, psp_instant now);

/* backlog.c */
psp_subscription *psp_backlog_new(psp_broker *broker);
void psp_backlog_free(psp_subscription *subscription);
/** Makes room for `count` more messages, so that psp_backlog_add cannot fail. */
bool psp_backlog_reserve(psp_subscription *subscription, psp_letter *const *letters, size_t count);
/** @param since_ns from when on its retention counts */
void psp_backlog_add(psp_subscription *subscription, psp_letter *letter, int64_t since_ns);
bool psp_backlog_has(const psp_subscription *subscription);
/** Whom messages are leased to. */
typedef struct psp_backlog_taker {
  bool push;
  psp_broker_flow *flow; /**< may be NULL */
} psp_backlog_taker;
/** Leases up to `max` messages. @return how many lie in `out` */
size_t psp_backlog_take(psp_subscription *subscription, psp_broker_delivery *out, size_t max,
                        psp_backlog_taker taker, psp_instant now);
/** The message of a delivery, whether its lease still runs or not; NULL: acknowledged, or
 * delivered anew. */
psp_entry *psp_backlog_find(psp_subscription *subscription, uint64_t ack);
void psp_backlog_remove(psp_entry *entry);
/** All that is held, by id, to free(); NULL: no memory. */
psp_entry **psp_backlog_held(psp_subscription *subscription, size_t *count);
/** Brings what is queued into the order of publishing. */
void psp_backlog_sort(psp_subscription *subscription);
/** Ends a lease without success: wait, queue again, or leave it among the dying. */
void psp_backlog_give_back(psp_entry *entry, psp_instant now);
/** Lets a delayed one wait as long as it has to. */
void psp_backlog_delay(psp_entry *entry, psp_instant now);
/** Its wait is over. */
void psp_backlog_requeue(psp_entry *entry);

/* deliver.c */
/** Brings messages to pulls and pushes, in all subscriptions that something happened to. */
void psp_broker_settle(psp_broker *broker, psp_instant now);
void psp_broker_answer(psp_broker_waiter *pull, psprobe_code code, const char *why);
/** Begins anew with a new target, or none. */
void psp_broker_pace_reset(psp_subscription *subscription);

#endif
