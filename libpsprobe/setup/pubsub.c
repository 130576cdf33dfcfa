/* SPDX-License-Identifier: MIT */
/**
 * @file Topic and subscriptions (https://cloud.google.com/pubsub/docs/reference/rest).
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

static void topic_name(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "projects/%s/topics/", setup->project);
  psp_setup_topic(setup, thing->cold, out);
}

static void topic_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_text(out, "/v1/");
  topic_name(setup, thing, out);
}

/* The region: where the rest is, for a destroy that was not told. */
static void topic_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  (void)thing;
  psp_json_begin_object(w);
  psp_setup_put_labels(setup, !setup->emulator, w);
  psp_json_end_object(w);
}

const psp_kind psp_kind_topic = {
    .word = "topic",
    .service = PSP_PUBSUB,
    .permissions = "pubsub.topics",
    .role = "roles/pubsub.admin",
    .path = topic_path,
    .body = topic_body,
    .strange = psp_setup_strange,
};

static void subscription_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_buf_printf(out, "/v1/projects/%s/subscriptions/%s", setup->project, thing->name);
}

/* Cloud Run looks at the token before the function is called, or wakes up: its audience is the
 * service's URL. */
static void put_push(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_buf url = {0}, email = {0};
  if (setup->o.function_url != NULL)
    psp_buf_text(&url, setup->o.function_url);
  else
    psp_setup_run_url(setup, thing->name, &url);
  psp_json_begin_object_member(w, "pushConfig");
  psp_json_put_member(w, "pushEndpoint", url.data);
  char account[96];
  snprintf(account, sizeof account, "%s-push", setup->o.topic);
  const psp_thing *push = psp_setup_find(setup, &psp_kind_account, account);
  if (push != NULL) {
    psp_setup_email(setup, push, &email);
    psp_json_begin_object_member(w, "oidcToken");
    psp_json_put_member(w, "serviceAccountEmail", email.data);
    psp_json_put_member(w, "audience", url.data);
    psp_json_end_object(w);
  }
  psp_json_end_object(w);
  if (url.failed || email.failed) w->buf->failed = true;
  psp_buf_free(&url);
  psp_buf_free(&email);
}

/* A probe is worth nothing after ten minutes, and a subscription that nobody pulls for a month
 * shall still be there. */
static void subscription_body(const psprobe_setup *setup, const psp_thing *thing,
                              psp_json_writer *w) {
  psp_buf topic = {0};
  topic_name(setup, thing, &topic);
  psp_json_begin_object(w);
  psp_json_put_member(w, "topic", topic.data);
  psp_json_put_int64_member(w, "ackDeadlineSeconds", 10);
  psp_json_put_member(w, "messageRetentionDuration", "600s");
  psp_json_begin_object_member(w, "expirationPolicy");
  psp_json_end_object(w);
  psp_setup_put_labels(setup, false, w);
  if (psp_setup_pushes(thing->source)) put_push(setup, thing, w);
  psp_json_end_object(w);
  if (topic.failed) w->buf->failed = true;
  psp_buf_free(&topic);
}

const psp_kind psp_kind_subscription = {
    .word = "subscription",
    .service = PSP_PUBSUB,
    .permissions = "pubsub.subscriptions",
    .role = "roles/pubsub.admin",
    .path = subscription_path,
    .body = subscription_body,
    .strange = psp_setup_strange,
    .same = psp_setup_same,
    .fixed = "topic", /* a topic that was deleted leaves "_deleted-topic_" */
    .mask = "ackDeadlineSeconds,messageRetentionDuration,pushConfig",
    .wrapped = "subscription",
};
