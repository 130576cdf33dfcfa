/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_PARTS_H
#define PSP_PUBSUB_SUBSCRIBER_PARTS_H
/**
 * @file
 * What the subscriber's parts share (parts.c), and the parts upon it, from below:
 * telling the service what became of messages (tell.c), making the subscription
 * again (create.c), looking at it (look.c), the pulls (pull.c), the keeper, one thread that has all
 * that done when it is due (keep.c), and its life and its workers (subscriber.c).
 *
 * One lock guards everything; it is never held across a call or a callback.
 * Calls under way hold a reference, so that a subscriber that is freed lives on
 * until the last of them has ended.
 */
#include <pthread.h>
#include <stdbool.h>

#include <psprobe/subscriber.h>

#include "base/buf.h"
#include "client/call.h"
#include "pubsub/calls.h"
#include "pubsub/fit.h"
#include "pubsub/subscriber/lease.h"

/** How the service's default, an ack deadline of 10 s, stands in until the real one is known. */
#define PSP_DEADLINE_S 10
/** More would not help a service that is slow; what gathers meanwhile goes out together. */
#define PSP_TELLING_MAX 8

typedef enum psp_pull_state {
  PSP_PULL_PULLING,
  PSP_PULL_PARKED,  /**< too much is in hand */
  PSP_PULL_RESTING, /**< until resume_ns, after a failure */
  PSP_PULL_ENDED
} psp_pull_state;

/** One of the outstanding pulls. */
typedef struct psp_pull {
  psprobe_subscriber *subscriber;
  psp_pull_state state;
  int64_t asked_ns;
  int64_t resume_ns;
  unsigned quick; /**< answers in a row that had nothing and did not wait for it */
} psp_pull;

typedef enum psp_subscriber_state {
  PSP_RUNNING,
  PSP_STOPPING, /**< no new pulls, no new callbacks */
  PSP_STOPPED   /**< the threads are gone */
} psp_subscriber_state;

struct psprobe_subscriber {
  psprobe_client *client;
  psprobe_logger logger;
  psprobe_subscriber_receive *receive;
  void *arg;
  int max_messages, deadline_s;
  bool at_once; /* receive is called by who takes the pull's answer, and there are no workers */
  char *subscription; /* as the caller wrote it, for logs */
  char *topic;        /* in full, what it is to be subscribed to; NULL: whatever it is */
  psp_target get, pull, acknowledge, modify;
  psp_buf pull_body;
  psp_buf create_body; /* empty: a subscription that is not there is waited for */

  pthread_mutex_t lock;
  pthread_cond_t work;    /* for workers: something waits, or the end */
  pthread_cond_t wake;    /* for the keeper */
  pthread_cond_t changed; /* for those who stop: something has ended */
  psp_subscriber_state state;
  bool stop_taken; /* somebody is stopping it already */
  bool stopped;    /* and has done so */
  unsigned refs;   /* the caller's, and one for each call under way */
  psp_leases leases;
  int64_t kept_until; /* when the keeper wakes by itself */
  unsigned idle;      /* workers that wait for work */
  unsigned telling;   /* acknowledge and modifyAckDeadline calls under way */
  unsigned parked;    /* pulls */
  unsigned receiving; /* threads that are in `receive` just now, at_once */
  pthread_t receiver; /* the one that entered it last */

  bool own_known, own_asked; /* what the service says of the subscription */
  int64_t look_ns;           /* it is asked when nothing has come for so long */
  int64_t look_at_ns;
  psp_fit fit;            /* as it was told last */
  bool creating;          /* a call for it is under way */
  unsigned pull_failures; /* in a row, over all pulls */
  psprobe_code pull_code; /* of the last failure that was logged */
  int64_t pull_logged_ns;
  bool ack_failing, push_told;
  uint64_t pull_errors, ack_errors, silent;

  pthread_t keeper;
  pthread_t *workers;
  size_t worker_count;
  psp_pull *pulls;
  size_t pull_count;
};

/** What is to be logged once the lock is free; event NULL: nothing. */
typedef struct psp_note {
  psprobe_log_level level;
  const char *event, *meaning; /**< constants; meaning may be NULL */
  const char *count_name;      /**< NULL: no count */
  uint64_t count;
  psprobe_error error; /**< left out when OK */
} psp_note;

/* ---- parts.c ---- */

/** Without the lock, with a reference. */
void psp_subscriber_log(const psprobe_subscriber *s, const psp_note *note);

/** Without the lock: makes a call. `done`, whose arg is the subscriber, has a reference to give
 * back; it hears also why a call could not begin. */
void psp_subscriber_call(psprobe_subscriber *s, const psp_call *call, psp_http_done *done);

/* All others with the lock. */
void psp_subscriber_ref(psprobe_subscriber *s);
/** Takes the lock with it. */
void psp_subscriber_unlock_unref(psprobe_subscriber *s);

/** True: made ready for psp_pull_start. False: too much is in hand, and it is parked. */
bool psp_pull_go_on(psp_pull *pull);
/** A parked pull that may go on, made ready for psp_pull_start; or NULL. */
psp_pull *psp_subscriber_unpark(psprobe_subscriber *s);
/** A resting pull whose time has come, likewise. */
psp_pull *psp_subscriber_resume(psprobe_subscriber *s, int64_t now);

/** When the keeper has something to do next: a lease or a resting pull. */
int64_t psp_subscriber_due_ns(const psprobe_subscriber *s);
/** Is that before it wakes by itself? Then signal wake. */
bool psp_subscriber_hurry(const psprobe_subscriber *s);

void psp_subscriber_settle(psprobe_subscriber *s, psp_lease *lease, psprobe_settlement verdict);
/** Lets go of the lock for the callback: runs `receive` and settles what it says. */
void psp_subscriber_receive(psprobe_subscriber *s, psp_lease *lease);

/* ---- tell.c; with the lock, which it lets go of meanwhile ---- */

/** Tells the service all that is due. */
void psp_subscriber_tell(psprobe_subscriber *s, bool flush);
/** One call of extensions. False: none is due, or there is nothing to send it with. */
bool psp_subscriber_extend(psprobe_subscriber *s);

/* ---- create.c, pull.c, look.c, keep.c; without the lock ---- */

/** Makes the subscription; `creating` is set. */
void psp_subscriber_create(psprobe_subscriber *s);
/** Deletes it before, since it is cut off from its topic; likewise. */
void psp_subscriber_create_again(psprobe_subscriber *s);
/** Pulls; the pull is PSP_PULL_PULLING and a reference is taken for it. */
void psp_pull_start(psp_pull *pull);
/** Asks what the subscription is like: its ack deadline, and whether it fits; `own_asked` is set.
 */
void psp_subscriber_look(psprobe_subscriber *s);
/** The keeper's thread. */
void *psp_subscriber_keep(void *subscriber);

#endif
