/* SPDX-License-Identifier: MIT */
/**
 * @file Cloud Run services and worker pools, and the trigger in front of one: Cloud Run v2
 * (https://cloud.google.com/run/docs/reference/rest), Eventarc v1
 * (https://cloud.google.com/eventarc/docs/reference/rest). The same processor and memory for each,
 * or the comparison would be of those.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

#define PORT 8080

static void put_account(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_buf email = {0};
  psp_setup_email(setup, thing->account, &email);
  psp_json_put_member(w, "serviceAccount", email.data);
  if (email.failed) w->buf->failed = true;
  psp_buf_free(&email);
}

/* ---- arguments of the programs ---- */

static void put_argument(psp_json_writer *w, const char *option, const char *value) {
  psp_json_put_string(w, option);
  if (value != NULL) psp_json_put_string(w, value);
}

static void put_time(psp_json_writer *w, const char *option, int64_t ns) {
  char text[32];
  snprintf(text, sizeof text, "%lldms", (long long)(ns / 1000000));
  put_argument(w, option, text);
}

/* An ID token goes with each answer, unless that would be in the clear. */
static void put_responder(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_buf url = {0};
  psp_setup_prober(setup, &url);
  put_argument(w, "--source", thing->source->source);
  put_argument(w, "--prober", url.data);
  if (url.data != NULL && psp_text_starts(url.data, "https://"))
    put_argument(w, "--prober-auth", "oidc");
  if (url.failed) w->buf->failed = true;
  psp_buf_free(&url);
}

static void put_subscriber(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  put_argument(w, "--project", setup->project);
  put_argument(w, "--subscription", thing->name);
  put_responder(setup, thing, w);
  if (thing->source->mode != NULL) put_argument(w, "--mode", thing->source->mode);
  if (thing->source->pulls != NULL) put_argument(w, "--pulls", thing->source->pulls);
}

/* Behind Cloud Run's own check of tokens (--platform-verified), which only the responders pass. */
static void put_prober(const psprobe_setup *setup, psp_json_writer *w) {
  size_t count;
  const psp_setup_source *sources = psp_setup_sources(setup, &count);
  psp_buf url = {0}, email = {0};
  char listen[32];
  snprintf(listen, sizeof listen, "0.0.0.0:%d", PORT);
  put_argument(w, "--project", setup->project);
  put_argument(w, "--topic", setup->o.topic);
  put_time(w, "--interval", setup->o.interval_ns);
  if (setup->o.cold_every_ns > 0) {
    psp_setup_topic(setup, true, &url);
    put_argument(w, "--cold-topic", url.data);
    put_time(w, "--cold-every", setup->o.cold_every_ns);
  }
  put_argument(w, "--listen", listen);
  put_argument(w, "--db", "/tmp/psprobe.db");
  for (size_t i = 0; i < count; i++)
    put_argument(w, "--source", sources[i].source);
  for (size_t i = 0; i < count; i++) {
    psp_thing account = {.kind = &psp_kind_account};
    snprintf(account.name, sizeof account.name, "%s%s", setup->o.topic, sources[i].suffix);
    psp_buf_reset(&email);
    psp_setup_email(setup, &account, &email);
    put_argument(w, "--require-oidc", email.data);
  }
  psp_buf_reset(&url);
  psp_setup_prober(setup, &url);
  put_argument(w, "--audience", url.data);
  put_argument(w, "--platform-verified", NULL);
  if (url.failed || email.failed) w->buf->failed = true;
  psp_buf_free(&url);
  psp_buf_free(&email);
}

/* ---- containers ---- */

static const char *program_of(const psp_thing *thing) {
  if (thing->source == NULL) return "/usr/local/bin/psprobe-prober";
  return thing->source->way == PSP_WAY_PULL ? "/usr/local/bin/psprobe-subscriber"
                                            : "/usr/local/bin/psprobe-responder";
}

static void put_command(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_json_put_member(w, "image", setup->o.image);
  psp_json_begin_array_member(w, "command");
  psp_json_put_string(w, program_of(thing));
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "args");
  if (thing->source == NULL)
    put_prober(setup, w);
  else if (thing->source->way == PSP_WAY_PULL)
    put_subscriber(setup, thing, w);
  else
    put_responder(setup, thing, w);
  psp_json_end_array(w);
}

/* @param service 0: a worker pool; else whether its processor sleeps between requests */
static void put_container(const psprobe_setup *setup, const psp_thing *thing, bool service,
                          bool sleeps, psp_json_writer *w) {
  psp_json_begin_array_member(w, "containers");
  psp_json_begin_object(w);
  put_command(setup, thing, w);
  psp_json_begin_object_member(w, "resources");
  psp_json_begin_object_member(w, "limits");
  psp_json_put_member(w, "cpu", "1");
  psp_json_put_member(w, "memory", "512Mi");
  psp_json_end_object(w);
  if (service) psp_json_put_bool_member(w, "cpuIdle", sleeps);
  psp_json_end_object(w);
  if (service) {
    psp_json_begin_array_member(w, "ports");
    psp_json_begin_object(w);
    psp_json_put_int64_member(w, "containerPort", PORT);
    psp_json_end_object(w);
    psp_json_end_array(w);
  }
  psp_json_end_object(w);
  psp_json_end_array(w);
}

static void put_head(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  char description[160];
  snprintf(description, sizeof description, "psprobe: %s of topic %s",
           thing->source != NULL ? thing->source->source : "the prober", setup->o.topic);
  psp_json_put_member(w, "description", description);
  psp_setup_put_labels(setup, false, w);
}

/* ---- services ---- */

static void put_list(const psprobe_setup *setup, const psp_kind *kind, psp_buf *out) {
  psp_buf_printf(out, "%sprojects/%s/locations/%s/%s", kind->operation, setup->project,
                 setup->region, kind->list);
}

static void run_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  put_list(setup, thing->kind, out);
  psp_buf_printf(out, "/%s", thing->name);
}

static void run_made_at(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  put_list(setup, thing->kind, out);
  psp_buf_printf(out, "?%s=%s", thing->kind->id, thing->name);
}

static void service_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  bool prober = thing->source == NULL;
  psp_json_begin_object(w);
  put_head(setup, thing, w);
  psp_json_put_member(w, "ingress", "INGRESS_TRAFFIC_ALL");
  psp_json_begin_object_member(w, "template");
  put_account(setup, thing, w);
  psp_json_begin_object_member(w, "scaling");
  psp_json_put_int64_member(w, "minInstanceCount", prober ? 1 : thing->source->kept);
  psp_json_put_int64_member(w, "maxInstanceCount", prober ? 1 : 10);
  psp_json_end_object(w);
  put_container(setup, thing, true, !prober, w);
  psp_json_end_object(w);
  psp_json_end_object(w);
}

/* A deployment that failed, or that is still going on, is to be made again: Cloud Run keeps what
 * was asked for, also when it does not run. */
static bool run_same(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen) {
  const psp_json *condition = psp_json_get(seen, "terminalCondition");
  const char *state = psp_json_string(psp_json_get(condition, "state"));
  return psp_text_equal(state, "CONDITION_SUCCEEDED") && psp_setup_same(setup, thing, seen);
}

const psp_kind psp_kind_service = {
    .word = "Cloud Run service",
    .service = PSP_CLOUD_RUN,
    .permissions = "run.services",
    .role = "roles/run.admin",
    .list = "services",
    .id = "serviceId",
    .path = run_path,
    .made_at = run_made_at,
    .body = service_body,
    .strange = psp_setup_strange,
    .same = run_same,
    .operation = "/v2/",
};

/* ---- worker pools ---- */

static void pool_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_json_begin_object(w);
  put_head(setup, thing, w);
  psp_json_begin_object_member(w, "template");
  put_account(setup, thing, w);
  put_container(setup, thing, false, false, w);
  psp_json_end_object(w);
  psp_json_begin_object_member(w, "scaling");
  psp_json_put_int64_member(w, "manualInstanceCount", 1);
  psp_json_end_object(w);
  psp_json_end_object(w);
}

const psp_kind psp_kind_pool = {
    .word = "Cloud Run worker pool",
    .service = PSP_CLOUD_RUN,
    .permissions = "run.workerpools",
    .role = "roles/run.admin",
    .list = "workerPools",
    .id = "workerPoolId",
    .path = run_path,
    .made_at = run_made_at,
    .body = pool_body,
    .strange = psp_setup_strange,
    .same = run_same,
    .operation = "/v2/",
};

/* ---- the trigger ---- */

static void put_filter(psp_json_writer *w) {
  psp_json_begin_array_member(w, "eventFilters");
  psp_json_begin_object(w);
  psp_json_put_member(w, "attribute", "type");
  psp_json_put_member(w, "value", "google.cloud.pubsub.topic.v1.messagePublished");
  psp_json_end_object(w);
  psp_json_end_array(w);
}

static void put_destination(const psprobe_setup *setup, const psp_thing *thing,
                            psp_json_writer *w) {
  psp_json_begin_object_member(w, "destination");
  psp_json_begin_object_member(w, "cloudRun");
  psp_json_put_member(w, "service", thing->name);
  psp_json_put_member(w, "region", setup->region);
  psp_json_put_member(w, "path", "/");
  psp_json_end_object(w);
  psp_json_end_object(w);
}

static void trigger_body(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w) {
  psp_buf name = {0}, topic = {0};
  run_path(setup, thing, &name);
  psp_buf_printf(&topic, "projects/%s/topics/", setup->project);
  psp_setup_topic(setup, thing->cold, &topic);
  psp_json_begin_object(w);
  psp_json_put_member(w, "name", name.failed ? NULL : name.data + strlen("/v1/"));
  psp_setup_put_labels(setup, false, w);
  put_filter(w);
  put_account(setup, thing, w);
  put_destination(setup, thing, w);
  psp_json_begin_object_member(w, "transport");
  psp_json_begin_object_member(w, "pubsub");
  psp_json_put_member(w, "topic", topic.data);
  psp_json_end_object(w);
  psp_json_end_object(w);
  psp_json_end_object(w);
  if (name.failed || topic.failed) w->buf->failed = true;
  psp_buf_free(&name);
  psp_buf_free(&topic);
}

const psp_kind psp_kind_trigger = {
    .word = "Eventarc trigger",
    .service = PSP_EVENTARC,
    .permissions = "eventarc.triggers",
    .role = "roles/eventarc.admin",
    .list = "triggers",
    .id = "triggerId",
    .path = run_path,
    .made_at = run_made_at,
    .body = trigger_body,
    .strange = psp_setup_strange,
    .operation = "/v1/",
};
