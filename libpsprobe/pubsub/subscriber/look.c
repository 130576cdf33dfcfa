/* SPDX-License-Identifier: MIT */
/** @file Looking at the subscription: its ack deadline, and whether anything can come from it. */
#include "base/error.h"
#include "os/clock.h"
#include "pubsub/admin/subscription.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

/* With the lock. Said once; a subscription that its topic's deletion has cut off is made again
 * where that is wanted. @return whether to do so */
static bool judge(psprobe_subscriber *s, const psprobe_subscription_info *info, psp_note *note) {
  if (s->creating) return false; /* what is seen is the old one, or the new one before it is told */
  const psp_fit fit = psp_subscription_fit(info, s->topic);
  if (fit != s->fit && fit != PSP_FITS) {
    *note = (psp_note){.level = PSPROBE_LOG_WARNING, .event = "subscription_unfit"};
    psp_subscription_unfit(fit, info, s->topic, &note->error);
  }
  s->fit = fit;
  if (fit != PSP_CUT_OFF || s->create_body.len == 0) return false;
  return s->creating = s->state == PSP_RUNNING;
}

static void on_looked(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psprobe_subscriber *s = arg;
  psprobe_subscription_info info = {0};
  psp_note note = {0};
  bool again = false;
  psprobe_code code = error != NULL ? error->code : PSPROBE_OK;
  if (response != NULL)
    code = psp_subscription_decode(response->body, response->body_len, &info, NULL);
  pthread_mutex_lock(&s->lock);
  /* Who may consume from a subscription may not always look at it; then it stays at the guess. */
  const bool denied = code == PSPROBE_PERMISSION_DENIED, told = s->own_known;
  s->own_known = code == PSPROBE_OK || denied;
  s->own_asked = false;
  s->look_at_ns = denied ? PSP_NEVER : psprobe_clock_monotonic() + s->look_ns;
  if (code == PSPROBE_OK) again = judge(s, &info, &note);
  if (code == PSPROBE_OK) s->own_s = info.config.ack_deadline_s;
  /* A stream tells by itself. */
  if (code == PSPROBE_OK && s->way->own_lease)
    psp_leases_set_properties(&s->leases, info.config.enable_ordering, false);
  /* Messages of a stream come with the stream's own. */
  if (code == PSPROBE_OK && info.config.ack_deadline_s > 0 && s->way->own_lease)
    psp_leases_set_own(&s->leases, info.config.ack_deadline_s, s->deadline_s,
                       psprobe_clock_monotonic());
  if (denied && !told)
    note = (psp_note){PSPROBE_LOG_INFO, "ack_deadline_unknown",
                      .meaning =
                          "may not get the subscription; counting with an ack deadline of "
                          "10 s"};
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
  psp_subscriber_log(s, &note);
  psprobe_subscription_info_free(&info);
  if (again) psp_subscriber_create_again(s);
  pthread_mutex_lock(&s->lock);
  psp_subscriber_unlock_unref(s);
}

void psp_subscriber_look(psprobe_subscriber *s) {
  psp_call call = {
      .service = PSP_PUBSUB, .method = "GET", .path = s->get.path.data, .what = s->get.what};
  psp_subscriber_call(s, &call, on_looked);
}
