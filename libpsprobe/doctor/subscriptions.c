/* SPDX-License-Identifier: MIT */
/** @file The subscriptions: whether each is there, is the topic's and of the right kind, and
 * whether we may pull it. */
#include <stdlib.h>
#include <string.h>

#include <psprobe/pubsub_subscriptions.h>

#include "base/error.h"
#include "base/text.h"
#include "doctor/parts.h"
#include "pubsub/calls.h"
#include "pubsub/fit.h"

/* A subscription that is being looked at; all borrowed. */
typedef struct looked_at {
  const char *name, *full, *topic; /* the topic in full */
  bool push;
} looked_at;

static void advise_create(psp_doctor *d, const looked_at *s) {
  const char *emulator = d->o->client.pubsub_emulator;
  psp_word name, topic, project;
  psp_word_of(&name, emulator != NULL ? s->full : s->name);
  psp_word_of(&topic, emulator != NULL ? s->topic : d->o->topic);
  psp_word_of(&project, d->project);
  if (emulator != NULL)
    psp_doctor_mend(d,
                    "curl -sS -X PUT -H 'Content-Type: application/json' -d '{\"topic\":\"%s\"%s}' "
                    "http://%s/v1/%s",
                    s->topic,
                    s->push ? ",\"pushConfig\":{\"pushEndpoint\":\"http://127.0.0.1:8081/\"}" : "",
                    emulator, name.text);
  else if (s->push)
    psp_doctor_mend(d,
                    "gcloud pubsub subscriptions create %s --topic=%s --project=%s "
                    "--push-endpoint=https://FUNCTION-URL/",
                    name.text, topic.text, project.text);
  else
    psp_doctor_mend(d, "gcloud pubsub subscriptions create %s --topic=%s --project=%s", name.text,
                    topic.text, project.text);
}

static void tell_kind(psp_doctor *d, const looked_at *s, const psprobe_subscription_info *info) {
  psp_word name, project;
  psp_word_of(&name, s->name);
  psp_word_of(&project, d->project);
  bool emulator = d->o->client.pubsub_emulator != NULL;
  if (!psp_text_equal(info->config.topic, s->topic)) {
    if (!emulator)
      psp_doctor_mend(d, "gcloud pubsub subscriptions delete %s --project=%s", name.text,
                      project.text);
    else
      psp_doctor_mend(d, "curl -sS -X DELETE http://%s/v1/%s", d->o->client.pubsub_emulator,
                      psp_word_of(&name, s->full));
    advise_create(d, s);
    psp_doctor_found(
        d, PSPROBE_DOCTOR_FAILED, "subscription", s->full,
        psp_subscription_fit(info, NULL) == PSP_CUT_OFF
            ? "%s is cut off (%s): its topic was deleted, and one made again brings it nothing"
            : "%s is subscribed to %s, so no probe reaches it",
        s->full, info->config.topic != NULL ? info->config.topic : "nothing");
  } else if (s->push && info->config.push_endpoint == NULL) {
    psp_doctor_mend(d,
                    "gcloud pubsub subscriptions modify-push-config %s --project=%s "
                    "--push-endpoint=https://FUNCTION-URL/",
                    name.text, project.text);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "subscription", s->full,
                     "%s is a pull subscription: nothing calls the function", s->full);
  } else if (!s->push && info->config.push_endpoint != NULL) {
    psp_doctor_mend(
        d, "gcloud pubsub subscriptions modify-push-config %s --project=%s --push-endpoint=",
        name.text, project.text);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "subscription", s->full,
                     "%s pushes to %s: who pulls it gets nothing", s->full,
                     info->config.push_endpoint);
  } else {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "subscription", s->full, "%s is there, %s%s", s->full,
                     s->push ? "pushes to " : "to be pulled",
                     s->push ? info->config.push_endpoint : "");
  }
}

static void tell_consume(psp_doctor *d, const looked_at *s, bool may_look) {
  psp_permissions may = {.names = {"pubsub.subscriptions.consume"}, .count = 1};
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_word name, project;
  psprobe_code code =
      psp_permissions_ask(d, s->full, "test permissions of the subscription", &may, &error);
  bool consume = code == PSPROBE_OK && may.granted[0];
  if (!may_look && consume)
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "subscription", s->full,
                     "%s is there (seen by its permissions)", s->full);
  else if (!may_look)
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "subscription", s->full,
                     "%s is not there, or we may not look at it (pubsub.subscriptions.get)",
                     s->full);
  if (d->o->no_consume) {
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "subscription.consume", s->full,
                     "not wanted (--no-consume)");
  } else if (code != PSPROBE_OK) {
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "subscription.consume", s->full, "not known: %s",
                     error.message);
  } else if (consume) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "subscription.consume", s->full,
                     "pubsub.subscriptions.consume is granted");
  } else {
    psp_doctor_mend(
        d,
        "gcloud pubsub subscriptions add-iam-policy-binding %s --project=%s --member=%s "
        "--role=roles/pubsub.subscriber",
        psp_word_of(&name, s->name), psp_word_of(&project, d->project), d->member);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "subscription.consume", s->full,
                     "pubsub.subscriptions.consume is not granted on %s", s->full);
  }
}

/* A push subscription that we may not look at is nothing that we need: Pub/Sub uses it. */
static void tell(psp_doctor *d, const looked_at *s, psprobe_code code,
                 const psprobe_subscription_info *info, const psprobe_error *error) {
  bool emulator = d->o->client.pubsub_emulator != NULL;
  bool denied = code == PSPROBE_PERMISSION_DENIED;
  if (code == PSPROBE_OK) {
    tell_kind(d, s, info);
  } else if (code == PSPROBE_NOT_FOUND) {
    advise_create(d, s);
    psp_doctor_found(d, PSPROBE_DOCTOR_FAILED, "subscription", s->full, "%s is not there", s->full);
  } else if (!denied || s->push) {
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "subscription", s->full, "not known: %s",
                     error->message);
  }
  if (s->push || code == PSPROBE_NOT_FOUND) return;
  if (emulator)
    psp_doctor_found(d, PSPROBE_DOCTOR_SKIPPED, "subscription.consume", s->full,
                     "emulators know no permissions");
  else
    tell_consume(d, s, !denied);
}

static void look(psp_doctor *d, const char *name, const char *topic, bool push) {
  if (!psp_doctor_may_ask(d, PSP_PUBSUB, "subscription", name)) return;
  psp_buf full = {0};
  psprobe_subscription_info info = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = psp_pubsub_resolve(d->client, PSP_SUBSCRIPTION, name, &full, &error);
  if (code == PSPROBE_OK)
    code = psprobe_subscription_get(d->client, name, psp_doctor_left(d) + 1, &info, &error);
  bool over =
      full.data == NULL || (code != PSPROBE_OK && psp_doctor_api_failed(d, PSP_PUBSUB, &error));
  looked_at s = {.name = name, .full = full.data, .topic = topic, .push = push};
  if (!over) tell(d, &s, code, &info, &error);
  psprobe_subscription_info_free(&info);
  psp_buf_free(&full);
}

void psp_doctor_subscriptions(psp_doctor *d) {
  const psprobe_doctor_options *o = d->o;
  psp_buf topic = {0};
  bool named = d->project == NULL ||
               psp_pubsub_full_name(PSP_TOPIC, d->project, o->topic, &topic, NULL) == PSPROBE_OK;
  for (size_t i = 0; named && i < o->subscription_count; i++)
    look(d, o->subscriptions[i], topic.data, false);
  for (size_t i = 0; named && i < o->push_subscription_count; i++)
    look(d, o->push_subscriptions[i], topic.data, true);
  psp_buf_free(&topic);
}
