/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_PARTS_H
#define PSP_PUBSUB_SUBSCRIBER_PARTS_H
/**
 * @file
 * What the subscriber's parts share (parts.c), and the parts upon it, from below:
 * telling the service what became of messages (tell.c), making the subscription
 * again (create.c), looking at it (look.c), what its feeds bring and come to (feed.c), the way of
 * long polls (unary.c) and of streams (streaming.c), the keeper, one thread that has all that done
 * when it is due (keep.c), and its life and its workers (subscriber.c).
 *
 * One lock guards everything; it is never held across a call or a callback.
 * Calls under way hold a reference, so that a subscriber that is freed lives on
 * until the last of them has ended.
 */
#include <pthread.h>
#include <stdbool.h>

#include <psprobe/subscriber.h>

#include "base/buf.h"
#include "client/stream.h"
#include "pubsub/calls.h"
#include "pubsub/fit.h"
#include "pubsub/proto.h"
#include "pubsub/subscriber/lease.h"
#include "pubsub/subscriber/pulse.h"

/** How the service's default, an ack deadline of 10 s, stands in until the real one is known. */
#define PSP_DEADLINE_S 10
/** The lease that messages of a stream come with, as with Google's Go client. */
#define PSP_STREAM_DEADLINE_S 60
/** More would not help a service that is slow; what gathers meanwhile goes out together. */
#define PSP_TELLING_MAX 8

typedef enum psp_feed_state {
  PSP_FEED_OPEN,
  PSP_FEED_PARKED,  /**< too much is in hand */
  PSP_FEED_RESTING, /**< until resume_ns, after a failure */
  PSP_FEED_ENDED
} psp_feed_state;

/** What messages come by: one of the outstanding pulls, or a stream. */
typedef struct psp_feed {
  psprobe_subscriber *subscriber;
  psp_feed_state state;
  int64_t resume_ns;
  /* A pull: */
  int64_t asked_ns;
  unsigned quick; /**< answers in a row that had nothing and did not wait for it */
  /* A stream, which stays open when it is parked: */
  bool opened;           /**< its end is still to come */
  uint64_t openings;     /**< so far */
  psprobe_error fault;   /**< it is cancelled for what it brought; code PSPROBE_OK: it is not */
  psp_beat silent;       /**< given up since it brought nothing: PSP_BEAT_DEAD, PSP_BEAT_STALE */
  psp_streaming *stream; /**< NULL: not yet known here, or over */
  psp_pulse pulse;
} psp_feed;

/** A call that told of ack ids has ended; `error` NULL: well. Where only some of them failed,
 * `fates` (may be NULL) has these. Once, without the lock. */
typedef void psp_told(void *arg, const psprobe_error *error, const psp_ack_fates *fates);

/** What is told of messages; borrowed until the function that takes it returns. */
typedef struct psp_tidings {
  const char *const *ack_ids;
  size_t count;
  int64_t timeout_ns; /**< of the call: one that hangs must leave time for another */
  psp_told *done;
  void *arg;
} psp_tidings;

/** By which way messages come, and what became of them is told. What tells gives a code and an
 * error, and then `done` does not come. */
typedef struct psp_way {
  bool own_lease; /**< messages come with the subscription's own ack deadline */
  /* Without the lock: */
  /** Opens a feed that is PSP_FEED_OPEN, or lets it go on; a reference has been taken for it. */
  void (*start)(psp_feed *feed);
  /** Acknowledges messages, or gives them back. */
  psprobe_code (*tell)(psprobe_subscriber *s, const psp_tidings *tidings, bool nack,
                       psprobe_error *error);
  /** Asks for leases of so many seconds from now. */
  psprobe_code (*extend)(psprobe_subscriber *s, const psp_tidings *tidings, int seconds,
                         psprobe_error *error);
  /* With the lock; NULL where there is nothing to do: */
  /** What is due to keep feeds alive; may let go of the lock meanwhile. */
  void (*keep)(psprobe_subscriber *s);
  /** When that is. */
  int64_t (*due)(const psprobe_subscriber *s);
  /** Ends the feeds in peace, or `now`. @return whether some are open still */
  bool (*stop)(psprobe_subscriber *s, bool now);
} psp_way;

/** REST: long polls, one call for each time that something is told. */
extern const psp_way psp_way_unary;
/** gRPC: streams, and unary calls beside them. */
extern const psp_way psp_way_streaming;

typedef enum psp_subscriber_state {
  PSP_RUNNING,
  PSP_STOPPING, /**< no new pulls, no new callbacks */
  PSP_STOPPED   /**< the threads are gone */
} psp_subscriber_state;

struct psprobe_subscriber {
  psprobe_client *client;
  const psp_way *way;
  psprobe_logger logger;
  psprobe_subscriber_receive *receive;
  psprobe_subscriber_settled *settled; /* NULL: nobody wants to know */
  void *arg;
  int max_messages, deadline_s;
  size_t waiting_most, in_hand_most, bytes_most; /* no more is taken while that is there */
  bool at_once; /* receive is called by who takes the pull's answer, and there are no workers */
  char *subscription; /* as the caller wrote it, for logs */
  char *topic;        /* in full, what it is to be subscribed to; NULL: whatever it is */
  psp_target get, pull, acknowledge, modify;
  psp_buf pull_body;
  psp_buf full_name, params, opening; /* streaming: the subscription's, and the first request */
  bool streamed;                      /* something has come on a stream */
  bool pongs;                         /* this endpoint answers pings */
  size_t unary_count;                 /* feeds, should it come to that */
  psp_buf create_body;                /* empty: a subscription that is not there is waited for */

  pthread_mutex_t lock;
  pthread_cond_t work;    /* for workers: something waits, or the end */
  pthread_cond_t wake;    /* for the keeper */
  pthread_cond_t changed; /* for those who stop: something has ended */
  psp_subscriber_state state;
  int64_t grace_ns; /* of callbacks at a stop; 0: without an end */
  bool stop_taken;  /* somebody is stopping it already */
  bool stopped;     /* and has done so */
  unsigned refs;    /* the caller's, and one for each call under way */
  psp_leases leases;
  int64_t kept_until;           /* when the keeper wakes by itself */
  unsigned idle;                /* workers that wait for work */
  unsigned telling;             /* acknowledge and modifyAckDeadline calls under way */
  struct psp_telling *tellings; /* these (tell.c) */
  unsigned parked;              /* feeds */
  unsigned hearing;             /* ends of those calls whose outcome the caller is just told */
  bool freed;                   /* the caller is told nothing any more */
  unsigned receiving;           /* threads that are in `receive` just now, at_once */
  pthread_t receiver;           /* the one that entered it last */

  int own_s;                 /* its ack deadline, once it is known; else 0 */
  bool own_known, own_asked; /* what the service says of the subscription */
  int64_t look_ns;           /* it is asked when nothing has come for so long */
  int64_t look_at_ns;
  psp_fit fit;            /* as it was told last */
  bool creating;          /* a call for it is under way */
  unsigned pull_failures; /* in a row, over all feeds */
  psprobe_code pull_code; /* of the last failure that was logged */
  int64_t pull_logged_ns;
  bool ack_failing, push_told;
  uint64_t pull_errors, ack_errors, silent;

  pthread_t keeper;
  pthread_t *workers;
  size_t worker_count, worker_most; /* that run; that are meant to */
  psp_feed *feeds;
  size_t feed_count;
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

/** Without the lock: starts it by the way that there is; a reference has been taken for it. */
void psp_feed_start(psp_feed *feed);
/** Parks it when too much is in hand. */
bool psp_feed_park(psp_feed *feed);
/** True: made ready for its start. False: too much is in hand, and it is parked. */
bool psp_feed_go_on(psp_feed *feed);
/** A parked feed that may go on, made ready for its start; or NULL. */
psp_feed *psp_subscriber_unpark(psprobe_subscriber *s);
/** A resting feed whose time has come, likewise. */
psp_feed *psp_subscriber_resume(psprobe_subscriber *s, int64_t now);

/** From now on by REST, which nothing has begun with: its limits, the lease that it comes with. */
void psp_subscriber_go_unary(psprobe_subscriber *s, const psp_way *unary);

/** When the keeper has something to do next: a lease or a resting feed. */
int64_t psp_subscriber_due_ns(const psprobe_subscriber *s);
/** Is that before it wakes by itself? Then signal wake. */
bool psp_subscriber_hurry(const psprobe_subscriber *s);

void psp_subscriber_settle(psprobe_subscriber *s, psp_lease *lease, psprobe_settlement verdict);
/** Lets go of the lock for the callback: runs `receive` and settles what it says. */
void psp_subscriber_receive(psprobe_subscriber *s, psp_lease *lease);

/** Messages have begun to wait: callbacks begin here and now, at_once, or workers wake. */
void psp_subscriber_dispatch(psprobe_subscriber *s);

/* ---- tell.c; with the lock, which it lets go of meanwhile ---- */

/** Tells the service all that is due. */
void psp_subscriber_tell(psprobe_subscriber *s, bool flush);
/** Waits until who is just told what came of calls has returned. */
void psp_subscriber_end_hearing(psprobe_subscriber *s);
/** Does this thread stand in `settled`, somewhere below? */
bool psp_subscriber_in_settled(const psprobe_subscriber *s);
/** When no thread begins such a call any more: nobody waits for those under way. `gone` receives
 * their leases. */
void psp_subscriber_give_up(psprobe_subscriber *s, psp_lease_list *gone);
/** Without the lock: tells who wants to know what came of them. */
void psp_subscriber_hear(const psprobe_subscriber *s, const psp_lease_list *list,
                         psprobe_code code);
/** One call of extensions. False: none is due, or there is nothing to send it with. */
bool psp_subscriber_extend(psprobe_subscriber *s);

/* ---- feed.c ---- */

/** What is to be done once the lock is free. */
typedef struct psp_sequel {
  bool again, look, create;
  psp_note note;
} psp_sequel;

/** With the lock: they wait for a worker, or are received here and now. Takes them. @return how
 * many there were */
size_t psp_feed_bring(psp_feed *feed, psp_delivery *delivery, int64_t now);
/** With the lock: it answers again. */
void psp_feed_recovered(psp_feed *feed, psp_sequel *next);
/** With the lock: it failed, and rests. */
void psp_feed_failed(psp_feed *feed, const psprobe_error *error, int64_t now, psp_sequel *next);
/** With the lock: the feed rests for as long as so many failures in a row ask for. */
void psp_feed_rest(psp_feed *feed, unsigned failures, const psprobe_error *error, int64_t now);
/** With the lock, when it stops or has stopped: what came goes back at once. */
void psp_feed_refuse(psprobe_subscriber *s, int64_t now);
/** And the feed has ended. */
void psp_feed_end(psp_feed *feed, int64_t now);
/** Takes the lock with it, wakes who has something to do, and does what `next` says. */
void psp_feed_unlock_follow(psp_feed *feed, size_t came, const psp_sequel *next);

/* ---- create.c, look.c, keep.c; without the lock ---- */

/** Makes the subscription; `creating` is set. */
void psp_subscriber_create(psprobe_subscriber *s);
/** Deletes it before, since it is cut off from its topic; likewise. */
void psp_subscriber_create_again(psprobe_subscriber *s);
/** Asks what the subscription is like: its ack deadline, and whether it fits; `own_asked` is set.
 */
void psp_subscriber_look(psprobe_subscriber *s);
/** The keeper's thread. */
void *psp_subscriber_keep(void *subscriber);

#endif
