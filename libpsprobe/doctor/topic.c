/* SPDX-License-Identifier: MIT */
/** @file The topic: whether it is there, and whether we may publish to it. */
#include <string.h>

#include <psprobe/pubsub.h>

#include "base/error.h"
#include "doctor/parts.h"
#include "pubsub/calls.h"

static void tell_missing(psp_doctor *d, const char *topic, const char *full) {
  const char *emulator = d->o->client.pubsub_emulator;
  psp_word word, project;
  if (emulator != NULL)
    psp_doctor_mend(d, "curl -sS -X PUT http://%s/v1/%s", emulator, psp_word_of(&word, full));
  else
    psp_doctor_mend(d, "gcloud pubsub topics create %s --project=%s", psp_word_of(&word, topic),
                    psp_word_of(&project, d->project));
  psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "topic", full, "%s is not there", full);
}

static void tell_publish(psp_doctor *d, const char *topic, const char *full,
                         const psprobe_error *looked) {
  psp_permissions may = {.names = {"pubsub.topics.publish", "pubsub.topics.get"}, .count = 2};
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_word word, project;
  psprobe_code code = psp_permissions_ask(d, full, "test permissions of the topic", &may, &error);
  bool publish = code == PSPROBE_OK && may.granted[0];
  if (looked->code == PSPROBE_PERMISSION_DENIED) {
    /* A publisher need not be able to look (roles/pubsub.publisher is not). Nobody has a permission
     * on a topic that is not there. */
    if (publish)
      psp_doctor_found(d, PSPROBE_DOCTOR_OK, "topic", full, "%s is there (seen by its permissions)",
                       full);
    else
      psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "topic", full,
                       "%s is not there, or we may not look at it (pubsub.topics.get)", full);
  }
  if (d->o->no_publish) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "topic.publish", full, "not wanted (--no-publish)");
  } else if (code != PSPROBE_OK) {
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "topic.publish", full, "not known: %s",
                     error.message);
  } else if (publish) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "topic.publish", full,
                     "pubsub.topics.publish is granted");
  } else {
    psp_doctor_mend(d,
                    "gcloud pubsub topics add-iam-policy-binding %s --project=%s --member=%s "
                    "--role=roles/pubsub.publisher",
                    psp_word_of(&word, topic), psp_word_of(&project, d->project), d->member);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "topic.publish", full,
                     "pubsub.topics.publish is not granted on %s", full);
  }
}

static psprobe_code look_up(psp_doctor *d, const char *topic, psprobe_error *error) {
  psp_pubsub_call call = {.action = "get",
                          .kind = PSP_TOPIC,
                          .name = topic,
                          .method = "GET",
                          .timeout_ns = psp_doctor_left(d) + 1,
                          .retry = PSP_RETRY_ADMIN};
  psp_buf answer = {0};
  psprobe_code code = psp_pubsub_run(d->client, &call, &answer, error);
  if (code == PSPROBE_OK) code = psp_doctor_check_answer(&answer, "name", error);
  psp_buf_free(&answer);
  return code;
}

void psp_doctor_topic(psp_doctor *d) {
  const char *topic = d->o->topic;
  if (!psp_doctor_may_ask(d, PSP_PUBSUB, "topic", topic)) return;
  psp_buf full = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = psp_pubsub_resolve(d->client, PSP_TOPIC, topic, &full, &error);
  if (code == PSPROBE_OK) code = look_up(d, topic, &error);
  if (full.data == NULL || (code != PSPROBE_OK && psp_doctor_api_failed(d, PSP_PUBSUB, &error))) {
    psp_buf_free(&full);
    return;
  }
  psp_doctor_found(d, PSPROBE_DOCTOR_OK, "pubsub.api", psp_services[PSP_PUBSUB].host,
                   "Pub/Sub takes our calls");
  if (code == PSPROBE_OK)
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "topic", full.data, "%s is there", full.data);
  else if (code == PSPROBE_NOT_FOUND)
    tell_missing(d, topic, full.data);
  else if (code != PSPROBE_PERMISSION_DENIED)
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "topic", full.data, "%s", error.message);
  if (d->o->client.pubsub_emulator != NULL)
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "topic.publish", full.data,
                     "emulators know no permissions");
  else if (code == PSPROBE_NOT_FOUND)
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "topic.publish", full.data,
                     "what is not there has no permissions");
  else
    tell_publish(d, topic, full.data, &error);
  psp_buf_free(&full);
}
