/* SPDX-License-Identifier: MIT */
/** @file A publisher: lanes behind a lock, and calls that are started without it. */
#include <psprobe/publisher.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "os/timer.h"
#include "os/wait.h"
#include "pubsub/parts.h"
#include "pubsub/publisher/lanes.h"
#include "pubsub/publishing.h"

#define BATCH_MESSAGES 100
#define BATCH_BYTES    1000000
#define MOST_MESSAGES  1000
#define MOST_BYTES     ((size_t)100 << 20)
#define NO_MEMORY_NS   (PSP_SECOND_NS / 10) /* until a call is tried again that found none */

struct psprobe_publisher {
  psprobe_client *client;
  psprobe_publisher_options o; /* defaults filled in */
  psp_target target;
  psp_timers *timers;
  psp_timer timer;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t changed;
  psp_lanes lanes;
  psprobe_publisher_stats stats;
  psp_outgoing *first, *last; /* those that have not been told of, as they were given */
  uint64_t given;
  size_t calls; /* under way, or being told of */
  size_t flushing;
  bool closed;
};

/* A call's own memory. */
typedef struct call {
  psprobe_publisher *publisher;
  psp_parcel parcel;
  psprobe_message messages[]; /* as many as a call has at most */
} call;

/* ---- telling: without the lock, but for what is counted ---- */

static void forget(psprobe_publisher *p, psp_outgoing *outgoing) {
  if (outgoing->before != NULL)
    outgoing->before->behind = outgoing->behind;
  else
    p->first = outgoing->behind;
  if (outgoing->behind != NULL)
    outgoing->behind->before = outgoing->before;
  else
    p->last = outgoing->before;
  free(outgoing);
}

/* @param ids NULL: all have failed */
static void tell(psprobe_publisher *p, psp_outgoing_list *list, const char *const *ids,
                 const psprobe_error *error) {
  size_t i = 0;
  for (psp_outgoing *outgoing = list->first; outgoing != NULL; outgoing = outgoing->next, i++)
    if (outgoing->done != NULL) outgoing->done(outgoing->arg, ids != NULL ? ids[i] : NULL, error);
  pthread_mutex_lock(&p->lock);
  *(ids != NULL ? &p->stats.published : &p->stats.failed) += list->count;
  for (psp_outgoing *outgoing = list->first, *next; outgoing != NULL; outgoing = next) {
    next = outgoing->next;
    forget(p, outgoing);
  }
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
}

static void tell_failed(psprobe_publisher *p, psp_outgoing_list *list, psprobe_code code,
                        const char *why) {
  psprobe_error error = {0};
  if (list->count == 0) return;
  psp_fail(&error, code, "%s: %s", p->target.what, why);
  tell(p, list, NULL, &error);
}

/* ---- calls ---- */

/* A call has ended, or could not begin. Without the lock. */
static void land(call *c, const char *const *ids, const psprobe_error *error) {
  psprobe_publisher *p = c->publisher;
  psp_outgoing_list fallen = {0};
  pthread_mutex_lock(&p->lock);
  psp_lanes_landed(&p->lanes, &c->parcel, ids == NULL, &fallen);
  pthread_mutex_unlock(&p->lock);
  tell(p, &c->parcel.list, ids, error);
  tell_failed(p, &fallen, PSPROBE_FAILED_PRECONDITION,
              "an earlier message of its ordering key failed, which it would overtake; "
              "psprobe_publisher_resume lets the key go on");
  free(c);
}

/* With the lock. Nothing of the publisher is touched behind it. */
static void release(psprobe_publisher *p) {
  p->calls--;
  pthread_cond_broadcast(&p->changed);
}

static void pump(psprobe_publisher *p, int64_t now_ns);

static void on_published(void *arg, const char *const *ids, size_t count,
                         const psprobe_error *error) {
  psprobe_publisher *p = ((call *)arg)->publisher;
  (void)count;
  land(arg, ids, error);
  pthread_mutex_lock(&p->lock);
  pump(p, psprobe_clock_monotonic());
  release(p);
  pthread_mutex_unlock(&p->lock);
}

/* Without the lock. @return false: it could not begin, and has been told of */
static bool begin(call *c) {
  psprobe_publisher *p = c->publisher;
  psprobe_error error = {0};
  size_t count = 0;
  for (psp_outgoing *outgoing = c->parcel.list.first; outgoing != NULL; outgoing = outgoing->next)
    c->messages[count++] = outgoing->message;
  const psprobe_publish_options options = {.timeout_ns = p->o.timeout_ns, .by = p->o.by};
  psp_publishing *publishing = NULL;
  psprobe_code code = psp_publishing_new(p->client, &p->target, c->messages, count, &options,
                                         on_published, c, &publishing, &error);
  if (code == PSPROBE_OK) code = psp_publishing_go(publishing, &error);
  if (code != PSPROBE_OK) land(c, NULL, &error);
  return code == PSPROBE_OK;
}

static void arm(psprobe_publisher *p, int64_t due_ns) {
  if (due_ns == INT64_MAX) return;
  if (p->timer.armed && p->timer.due_ns <= due_ns) return;
  /* One that is about to fire pumps, and arms itself anew. */
  if (p->timer.armed && !psp_timers_disarm(p->timers, &p->timer)) return;
  psp_timers_arm(p->timers, &p->timer, due_ns);
}

/* With the lock, which it gives up for each call: sends all that is due, and sees to the rest. */
static void pump(psprobe_publisher *p, int64_t now_ns) {
  while (psp_lanes_next_ns(&p->lanes) <= now_ns) {
    call *c = malloc(sizeof *c + p->o.batch_messages * sizeof c->messages[0]);
    if (c == NULL) {
      arm(p, now_ns + NO_MEMORY_NS);
      return;
    }
    *c = (call){.publisher = p, .parcel = psp_lanes_take(&p->lanes, now_ns)};
    p->calls++;
    p->stats.calls++;
    pthread_mutex_unlock(&p->lock);
    const bool begun = begin(c);
    pthread_mutex_lock(&p->lock);
    if (!begun) release(p);
  }
  arm(p, psp_lanes_next_ns(&p->lanes));
}

static void on_time(psp_timer *timer) {
  psprobe_publisher *p = (psprobe_publisher *)((char *)timer - offsetof(psprobe_publisher, timer));
  pthread_mutex_lock(&p->lock);
  if (!p->closed) pump(p, psprobe_clock_monotonic());
  pthread_mutex_unlock(&p->lock);
}

/* ---- a message ---- */

static bool fits(const psprobe_publisher *p, size_t bytes) {
  const psp_lanes *lanes = &p->lanes;
  const size_t count = lanes->waiting + lanes->under_way;
  if (count == 0) return true; /* whatever its size */
  return count < p->o.most_messages && lanes->bytes < p->o.most_bytes &&
         bytes <= p->o.most_bytes - lanes->bytes;
}

/* With the lock. Adds what had to go to `dropped`. */
static psprobe_code make_room(psprobe_publisher *p, size_t bytes, psp_outgoing_list *dropped,
                              psprobe_error *error) {
  while (!p->closed && !fits(p, bytes)) {
    psp_outgoing *oldest = NULL;
    if (p->o.when_full == PSPROBE_WHEN_FULL_BLOCK) {
      pthread_cond_wait(&p->changed, &p->lock);
      continue;
    }
    if (p->o.when_full == PSPROBE_WHEN_FULL_DROP_OLDEST) oldest = psp_lanes_drop_oldest(&p->lanes);
    if (oldest == NULL) {
      p->stats.refused++;
      return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                      "%s: %zu messages wait to be published, and no more may", p->target.what,
                      p->lanes.waiting + p->lanes.under_way);
    }
    p->stats.dropped++;
    oldest->next = dropped->first;
    dropped->first = oldest;
    dropped->count++;
  }
  if (p->closed) return psp_fail(error, PSPROBE_CANCELLED, "%s: being freed", p->target.what);
  return PSPROBE_OK;
}

/* With the lock. */
static psprobe_code take(psprobe_publisher *p, psp_outgoing *outgoing, psp_outgoing_list *dropped,
                         psprobe_error *error) {
  psprobe_code code = make_room(p, outgoing->bytes, dropped, error);
  if (code != PSPROBE_OK) return code;
  switch (psp_lanes_add(&p->lanes, outgoing, psprobe_clock_monotonic())) {
    case PSP_LANE_OK:
      break;
    case PSP_LANE_PAUSED:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s: an earlier message of its ordering key failed; "
                      "psprobe_publisher_resume lets the key go on",
                      p->target.what);
    default:
      return psp_fail_memory(error, p->target.what);
  }
  outgoing->number = ++p->given;
  outgoing->before = p->last;
  *(p->last != NULL ? &p->last->behind : &p->first) = outgoing;
  p->last = outgoing;
  return PSPROBE_OK;
}

psprobe_code psprobe_publisher_publish(psprobe_publisher *p, const psprobe_message *message,
                                       psprobe_published *done, void *arg, psprobe_error *error) {
  psp_outgoing_list dropped = {0};
  psprobe_code code = psp_publish_check(message, 1, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "%s", p->target.what);
    return code;
  }
  psp_outgoing *outgoing = psp_outgoing_new(message);
  if (outgoing == NULL) return psp_fail_memory(error, p->target.what);
  outgoing->done = done;
  outgoing->arg = arg;
  pthread_mutex_lock(&p->lock);
  code = take(p, outgoing, &dropped, error);
  if (code == PSPROBE_OK) pump(p, outgoing->since_ns);
  pthread_mutex_unlock(&p->lock);
  if (code != PSPROBE_OK) free(outgoing);
  if (dropped.count > 0)
    tell_failed(p, &dropped, PSPROBE_RESOURCE_EXHAUSTED,
                "dropped: it waited longest, and others came");
  return code;
}

psprobe_code psprobe_publisher_flush(psprobe_publisher *p, int64_t timeout_ns,
                                     psprobe_error *error) {
  const int64_t until_ns = timeout_ns > 0 ? psprobe_clock_monotonic() + timeout_ns : INT64_MAX;
  bool in_time = true;
  pthread_mutex_lock(&p->lock);
  const uint64_t last = p->given;
  if (p->flushing++ == 0) psp_lanes_hurry(&p->lanes, true);
  pump(p, psprobe_clock_monotonic());
  while (in_time && p->first != NULL && p->first->number <= last)
    in_time = psp_cond_wait_until(&p->changed, &p->lock, until_ns);
  if (--p->flushing == 0) psp_lanes_hurry(&p->lanes, false);
  pthread_mutex_unlock(&p->lock);
  if (in_time) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "%s: messages are still under way",
                  p->target.what);
}

void psprobe_publisher_resume(psprobe_publisher *p, const char *ordering_key) {
  pthread_mutex_lock(&p->lock);
  psp_lanes_resume(&p->lanes, ordering_key);
  pthread_mutex_unlock(&p->lock);
}

void psprobe_publisher_get_stats(psprobe_publisher *p, psprobe_publisher_stats *stats) {
  pthread_mutex_lock(&p->lock);
  *stats = p->stats;
  stats->waiting_now = p->lanes.waiting;
  stats->under_way_now = p->lanes.under_way;
  stats->bytes_now = p->lanes.bytes;
  stats->paused_now = p->lanes.paused;
  pthread_mutex_unlock(&p->lock);
}

/* ---- from its options to its end ---- */

static psprobe_code check(const psprobe_publisher_options *o, psprobe_error *error) {
  if (o->batch_messages > PSP_PUBLISH_MESSAGES || o->batch_bytes > PSP_PUBLISH_BYTES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "publisher: a call has at most %d messages and %d bytes", PSP_PUBLISH_MESSAGES,
                    PSP_PUBLISH_BYTES);
  if (o->delay_ns < 0 || o->timeout_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "publisher: a time must not be negative");
  if ((unsigned)o->when_full > PSPROBE_WHEN_FULL_DROP_OLDEST)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "publisher: no such when_full");
  if ((unsigned)o->by > PSPROBE_PUBLISH_BY_REST)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "publisher: no such way to publish by");
  return PSPROBE_OK;
}

static void fill(psprobe_publisher_options *o) {
  if (o->batch_messages == 0) o->batch_messages = BATCH_MESSAGES;
  if (o->batch_bytes == 0) o->batch_bytes = BATCH_BYTES;
  if (o->most_messages == 0) o->most_messages = MOST_MESSAGES;
  if (o->most_bytes == 0) o->most_bytes = MOST_BYTES;
  if (o->by == PSPROBE_PUBLISH_BY_DEFAULT) o->by = PSPROBE_PUBLISH_BY_GRPC;
}

psprobe_code psprobe_publisher_new(psprobe_client *client, const psprobe_publisher_options *options,
                                   psprobe_publisher **publisher, psprobe_error *error) {
  psprobe_code code = check(options, error);
  if (code != PSPROBE_OK) return code;
  psprobe_publisher *p = calloc(1, sizeof *p);
  if (p == NULL) return psp_fail_memory(error, "publisher");
  p->client = client;
  p->o = *options;
  fill(&p->o);
  p->timer.fire = on_time;
  pthread_mutex_init(&p->lock, NULL);
  psp_cond_init(&p->changed);
  code = psp_target_init(&p->target, client, PSP_TOPIC, options->topic, ":publish", "publish to",
                         error);
  p->o.topic = NULL; /* borrowed */
  p->timers = psp_timers_new();
  bool made = psp_lanes_init(&p->lanes, p->o.batch_messages, p->o.batch_bytes, p->o.delay_ns);
  if (code == PSPROBE_OK && (p->timers == NULL || !made))
    code = psp_fail_memory(error, "publisher");
  if (code == PSPROBE_OK)
    *publisher = p;
  else
    psprobe_publisher_free(p);
  return code;
}

void psprobe_publisher_free(psprobe_publisher *p) {
  psp_outgoing_list left = {0};
  if (p == NULL) return;
  pthread_mutex_lock(&p->lock);
  p->closed = true;
  for (psp_outgoing *outgoing; (outgoing = psp_lanes_drop_oldest(&p->lanes)) != NULL;
       left.count++) {
    *(left.last != NULL ? &left.last->next : &left.first) = outgoing;
    left.last = outgoing;
  }
  pthread_cond_broadcast(&p->changed);
  while (p->calls > 0)
    pthread_cond_wait(&p->changed, &p->lock);
  pthread_mutex_unlock(&p->lock);
  tell_failed(p, &left, PSPROBE_CANCELLED, "its publisher was freed before it went out");
  psp_timers_free(p->timers);
  psp_lanes_destroy(&p->lanes);
  psp_target_free(&p->target);
  pthread_cond_destroy(&p->changed);
  pthread_mutex_destroy(&p->lock);
  free(p);
}
