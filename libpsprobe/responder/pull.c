/* SPDX-License-Identifier: MIT */
/** @file Answering what a subscription has, without a thread that waits: the answer begins where
 * the message comes in, on the client's I/O thread, and its end settles the message. */
#include <stdlib.h>

#include "base/error.h"
#include "responder/parts.h"

struct psp_pulling {
  psprobe_responder *responder;
  pthread_mutex_t lock; /* held until the subscriber is known, which its first message may not be */
  psprobe_subscriber *subscriber;
};

/* One message under way. */
typedef struct pulled {
  psp_pulling *pulling;
  const psprobe_message *message;
} pulled;

static psprobe_settlement verdict_of(psprobe_code code) {
  /* INVALID_ARGUMENT: there is no probe in it, now or ever; it has been counted. */
  return code == PSPROBE_OK || code == PSPROBE_INVALID_ARGUMENT ? PSPROBE_SETTLE_ACK
                                                                : PSPROBE_SETTLE_NACK;
}

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  pulled *p = arg;
  (void)error; /* it has been logged */
  pthread_mutex_lock(&p->pulling->lock);
  psprobe_subscriber *subscriber = p->pulling->subscriber;
  pthread_mutex_unlock(&p->pulling->lock);
  psprobe_subscriber_settle(subscriber, p->message, verdict_of(code));
  free(p);
}

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  psp_pulling *pulling = arg;
  int64_t received_ns = psprobe_clock_monotonic();
  pulled *p = malloc(sizeof *p);
  if (p == NULL) return PSPROBE_SETTLE_NACK;
  *p = (pulled){pulling, message};
  psp_responder_begin(pulling->responder, message, received_ns, 0, on_answered, p);
  return PSPROBE_SETTLE_LATER;
}

psprobe_code psprobe_responder_pull(psprobe_responder *responder,
                                    const psprobe_subscriber_options *options,
                                    psprobe_subscriber **subscriber, psprobe_error *error) {
  if (responder->pulling != NULL)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "responder: it pulls already");
  psp_pulling *pulling = calloc(1, sizeof *pulling);
  if (pulling == NULL) return psp_fail_memory(error, "responder");
  pthread_mutex_init(&pulling->lock, NULL);
  pulling->responder = responder;
  psprobe_subscriber_options own = *options;
  own.receive = receive;
  own.arg = pulling;
  own.at_once = true;
  own.workers = 0;
  psp_instance_is_ready(&responder->instance);
  pthread_mutex_lock(&pulling->lock);
  psprobe_code code = psprobe_subscriber_new(responder->client, &own, &pulling->subscriber, error);
  if (code == PSPROBE_OK) *subscriber = pulling->subscriber;
  pthread_mutex_unlock(&pulling->lock);
  if (code == PSPROBE_OK)
    responder->pulling = pulling;
  else
    psp_pulling_free(pulling);
  return code;
}

void psp_pulling_free(psp_pulling *pulling) {
  if (pulling == NULL) return;
  pthread_mutex_destroy(&pulling->lock);
  free(pulling);
}
