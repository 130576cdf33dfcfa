/* SPDX-License-Identifier: MIT */
/** @file Making a subscription that a pull did not find, or that its topic's deletion cut off. */
#include "os/clock.h"
#include "pubsub/subscriber/parts.h"

#define CREATE_NS (5 * PSP_SECOND_NS)

/* With the lock: nobody needs to rest any longer. */
static void resume_all(psprobe_subscriber *s) {
  for (size_t i = 0; i < s->feed_count; i++)
    if (s->feeds[i].state == PSP_FEED_RESTING) s->feeds[i].resume_ns = psprobe_clock_monotonic();
  pthread_cond_signal(&s->wake);
}

static void on_created(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psprobe_subscriber *s = arg;
  (void)response;
  /* A failure says no more than the pull's: the topic may have to come first. The next pull that
   * finds nothing sets off another try. */
  pthread_mutex_lock(&s->lock);
  const psp_note note = {PSPROBE_LOG_WARNING, "subscription_made_again",
                         .meaning = s->fit == PSP_CUT_OFF ? "its topic had been deleted"
                                                          : "the broker did not have it any more"};
  if (error == NULL) {
    s->fit = PSP_FITS;
    pthread_mutex_unlock(&s->lock);
    psp_subscriber_log(s, &note);
    pthread_mutex_lock(&s->lock);
    resume_all(s);
  }
  s->creating = false;
  psp_subscriber_unlock_unref(s);
}

void psp_subscriber_create(psprobe_subscriber *s) {
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "PUT",
                   .path = s->get.path.data,
                   .body = s->create_body.data,
                   .body_len = s->create_body.len,
                   .attempt_ns = CREATE_NS,
                   .total_ns = CREATE_NS,
                   .what = "create the subscription"};
  psp_subscriber_call(s, &call, on_created);
}

static void on_deleted(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psprobe_subscriber *s = arg;
  const bool gone = error == NULL || error->code == PSPROBE_NOT_FOUND;
  (void)response;
  if (gone) psp_subscriber_create(s);
  pthread_mutex_lock(&s->lock);
  if (!gone) s->creating = false; /* the next look sets off another try */
  psp_subscriber_unlock_unref(s);
}

void psp_subscriber_create_again(psprobe_subscriber *s) {
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "DELETE",
                   .path = s->get.path.data,
                   .attempt_ns = CREATE_NS,
                   .total_ns = CREATE_NS,
                   .what = "delete the subscription"};
  psp_subscriber_call(s, &call, on_deleted);
}
