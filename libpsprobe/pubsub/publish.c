/* SPDX-License-Identifier: MIT */
/** @file Publishing to a topic by its name. */
#include "os/latch.h"
#include "pubsub/publishing.h"

psprobe_code psprobe_publish_start(psprobe_client *client, const char *topic,
                                   const psprobe_message *messages, size_t count,
                                   const psprobe_publish_options *options,
                                   psprobe_publish_done *done, void *arg, psprobe_error *error) {
  static const psprobe_publish_options none;
  psp_target target;
  psp_publishing *publishing = NULL;
  psprobe_code code =
      psp_target_init(&target, client, PSP_TOPIC, topic, ":publish", "publish to", error);
  if (code == PSPROBE_OK)
    code = psp_publishing_new(client, &target, messages, count, options != NULL ? options : &none,
                              done, arg, &publishing, error);
  if (code == PSPROBE_OK) {
    psp_publishing_own(publishing, &target);
    code = psp_publishing_go(publishing, error);
  }
  psp_target_free(&target);
  return code;
}
typedef struct waiting {
  psp_latch done;
  psprobe_error outcome;
} waiting;

static void on_done(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  waiting *w = arg;
  (void)ids, (void)count;
  if (error != NULL) w->outcome = *error;
  psp_latch_post(&w->done);
}

psprobe_code psprobe_publish(psprobe_client *client, const char *topic,
                             const psprobe_message *messages, size_t count,
                             const psprobe_publish_options *options, psprobe_error *error) {
  waiting w = {.outcome.code = PSPROBE_OK};
  psp_latch_init(&w.done);
  psprobe_code code =
      psprobe_publish_start(client, topic, messages, count, options, on_done, &w, error);
  if (code == PSPROBE_OK) {
    psp_latch_wait(&w.done);
    code = w.outcome.code;
    if (code != PSPROBE_OK && error != NULL) *error = w.outcome;
  }
  psp_latch_destroy(&w.done);
  return code;
}
