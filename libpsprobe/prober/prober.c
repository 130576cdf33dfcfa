/* SPDX-License-Identifier: MIT */
/** @file Making, asking and freeing a prober. What it does is in pacing.c, sending.c, answers.c and
 * collecting.c. */
#include "prober/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/shown.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/thread.h"
#include "prober/answers.h"
#include "prober/keeping.h"
#include "pubsub/calls.h"

#define DEFAULT_INTERVAL_NS (5 * PSP_SECOND_NS)
#define DEFAULT_TIMEOUT_NS  (30 * PSP_SECOND_NS)
#define DEFAULT_COLD_NS     (20 * 60 * PSP_SECOND_NS)
#define DEFAULT_LISTEN      "127.0.0.1:8080"
/* Answers have no body to speak of. */
#define MAX_BODY 65536
/* Of facts, 170 bytes each: what comes at once, and the bound. */
#define LEAST_FACTS 1024
#define MOST_FACTS  65536

static const char *const default_sources[] = {PSPROBE_CLOUD_FUNCTION, PSPROBE_REGULAR_SERVICE};

static psprobe_code check_options(const psprobe_prober_options *o, psprobe_error *error) {
  if (o->topic == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: a topic is needed");
  if (o->interval_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: the interval must be above 0");
  if (o->timeout_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: the timeout must be above 0");
  if (o->cold_every_ns < 0 || o->filler_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: cadences must be above 0");
  if ((unsigned)o->publish_by > PSPROBE_PUBLISH_BY_REST)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: no such way to publish by");
  if (o->cold_every_ns > 0 && o->cold_topic == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "prober: rare probes (--cold-every) need a topic of their own (--cold-topic)");
  if (o->sources != NULL && (o->source_count < 1 || o->source_count > PSPROBE_MAX_SOURCES))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober: sources must be 1 to %d, not %zu",
                    PSPROBE_MAX_SOURCES, o->source_count);
  return PSPROBE_OK;
}

static psprobe_code copy_sources(psprobe_prober *prober, const psprobe_prober_options *o,
                                 psprobe_error *error) {
  const char *const *sources = o->sources != NULL ? o->sources : default_sources;
  size_t count = o->sources != NULL ? o->source_count : 2;
  for (size_t i = 0; i < count; i++) {
    psprobe_code code = psprobe_source_check(sources[i], error);
    if (code != PSPROBE_OK) return code;
    for (size_t k = 0; k < i; k++) {
      if (strcmp(sources[i], sources[k]) == 0)
        return psp_setting_refuse(error, "source", sources[i], "it is given twice");
    }
    prober->sources[i] = psp_strdup(sources[i]);
    if (prober->sources[i] == NULL) return psp_fail_memory(error, "prober");
    prober->source_count = i + 1;
  }
  return PSPROBE_OK;
}

/* How many answers' facts can wait to be collected: of every probe that can be in flight, and of
 * what comes at once. */
static uint32_t facts_for(const psprobe_prober *prober) {
  int64_t probes = prober->timeout_ns / prober->interval_ns;
  if (probes > MOST_FACTS) return MOST_FACTS;
  int64_t most = (probes + LEAST_FACTS) * (int64_t)prober->source_count;
  return (uint32_t)(most < MOST_FACTS ? most : MOST_FACTS);
}

/* The registry and what publishes; the topic's full name is found once, here. */
static psprobe_code make_sender(psprobe_prober *prober, psprobe_client *client,
                                const psprobe_prober_options *o, psprobe_error *error) {
  psp_buf topic = {0}, cold = {0};
  psprobe_registry_options options = {.source_count = prober->source_count,
                                      .capacity = o->capacity,
                                      .timeout_ns = prober->timeout_ns,
                                      .await_published = true,
                                      .facts = facts_for(prober),
                                      .wall_offset_ns = prober->wall_offset_ns};
  psprobe_code code = psp_pubsub_resolve(client, PSP_TOPIC, o->topic, &topic, error);
  if (code == PSPROBE_OK && o->cold_topic != NULL)
    code = psp_pubsub_resolve(client, PSP_TOPIC, o->cold_topic, &cold, error);
  if (code == PSPROBE_OK && cold.len > 0 && strcmp(cold.data, topic.data) == 0)
    code =
        psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                 "prober: rare probes (--cold-topic) need a topic of their own, not the other's");
  if (code == PSPROBE_OK) code = psprobe_registry_new(&options, &prober->registry, error);
  if (code == PSPROBE_OK) {
    const char *const topics[PSP_LINES] = {topic.data, cold.data};
    const psprobe_publish_options publish = {
        .timeout_ns = prober->timeout_ns,
        .by = o->publish_by == PSPROBE_PUBLISH_BY_REST ? o->publish_by : PSPROBE_PUBLISH_BY_GRPC};
    prober->sender = psp_sender_new(client, topics, &publish, o->create_topic, prober->registry);
    if (prober->sender == NULL) {
      psprobe_registry_free(prober->registry);
      code = psp_fail_memory(error, "prober");
    }
  }
  psp_buf_free(&topic);
  psp_buf_free(&cold);
  return code;
}

static psp_reply *not_found(const char *message) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_put_error(&w, 404, PSPROBE_NOT_FOUND, message);
  psp_reply *reply =
      body.failed ? NULL : psp_reply_new(404, "application/json", body.data, body.len);
  psp_buf_free(&body);
  return reply;
}

static psprobe_code make_server(psprobe_prober *prober, const psprobe_prober_options *o,
                                psprobe_error *error) {
  prober->ok = psp_reply_new(200, NULL, "", 0);
  prober->no_probe = not_found(PSP_NO_PROBE);
  prober->no_source = not_found(PSP_NO_SOURCE);
  if (prober->ok == NULL || prober->no_probe == NULL || prober->no_source == NULL)
    return psp_fail_memory(error, "prober");
  prober->gate.refused = &prober->refused;
  if (o->verify != NULL) {
    psprobe_code code = psprobe_verifier_new(o->verify, &prober->gate.verifier, error);
    if (code != PSPROBE_OK) return code;
  }
  const psp_route routes[] = {{"POST", "/{}/{}", psp_prober_answer, prober}};
  psp_server_options options = {.listen = o->listen != NULL ? o->listen : DEFAULT_LISTEN,
                                .what = "--listen",
                                .routes = routes,
                                .route_count = 1,
                                .admit = psp_gate_admit,
                                .admit_arg = &prober->gate,
                                .max_body = MAX_BODY,
                                .logger = &prober->logger};
  /* The clock is read by its threads as an answer comes. */
  const int64_t slice = psp_thread_slice(PSP_SHORT_SLICE_NS);
  psprobe_code code = psp_server_new(&options, &prober->server, error);
  psp_thread_slice(slice);
  return code;
}

psprobe_code psprobe_prober_new(psprobe_client *client, const psprobe_prober_options *options,
                                psprobe_prober **prober, psprobe_error *error) {
  psprobe_code code = check_options(options, error);
  if (code != PSPROBE_OK) return code;
  psprobe_prober *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "prober");
  made->interval_ns = options->interval_ns == 0 ? DEFAULT_INTERVAL_NS : options->interval_ns;
  made->timeout_ns = options->timeout_ns == 0 ? DEFAULT_TIMEOUT_NS : options->timeout_ns;
  made->wall_offset_ns = psprobe_clock_wall() - psprobe_clock_monotonic();
  made->count = options->count;
  made->filler_ns = options->filler_ns;
  made->cold_every_ns = options->cold_every_ns;
  if (options->cold_topic != NULL && options->cold_every_ns == 0)
    made->cold_every_ns = DEFAULT_COLD_NS;
  made->sink = options->sink;
  made->sink_arg = options->sink_arg;
  if (options->logger != NULL) made->logger = *options->logger;
  if (options->keep != NULL)
    made->keeping = psp_keeping_new(made, options->keep, options->keep_arg);
  if (options->keep != NULL && made->keeping == NULL) {
    free(made);
    return psp_fail_memory(error, "prober");
  }
  code = copy_sources(made, options, error);
  if (code == PSPROBE_OK) code = make_sender(made, client, options, error);
  if (code == PSPROBE_OK) code = make_server(made, options, error);
  if (code != PSPROBE_OK) {
    psprobe_prober_free(made);
    return code;
  }
  *prober = made;
  return PSPROBE_OK;
}

void psprobe_prober_free(psprobe_prober *prober) {
  if (prober == NULL) return;
  psp_verifier_stop(prober->gate.verifier);
  psp_server_free(prober->server);
  psprobe_verifier_free(prober->gate.verifier);
  psp_keeping_free(prober->keeping);
  psp_sender_free(prober->sender);
  psp_reply_free(prober->ok);
  psp_reply_free(prober->no_probe);
  psp_reply_free(prober->no_source);
  for (size_t i = 0; i < prober->source_count; i++)
    free(prober->sources[i]);
  free(prober);
}

const char *psprobe_prober_url(const psprobe_prober *prober) {
  return psp_server_url(prober->server);
}

size_t psprobe_prober_source_count(const psprobe_prober *prober) {
  return prober->source_count;
}

const char *psprobe_prober_source(const psprobe_prober *prober, size_t index) {
  return index < prober->source_count ? prober->sources[index] : NULL;
}

static uint64_t load(const _Atomic uint64_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

void psprobe_prober_get_settings(const psprobe_prober *prober, psprobe_prober_settings *settings) {
  *settings = (psprobe_prober_settings){.count = prober->count,
                                        .interval_ns = prober->interval_ns,
                                        .timeout_ns = prober->timeout_ns,
                                        .cold_every_ns = prober->cold_every_ns,
                                        .filler_ns = prober->filler_ns,
                                        .publish_by = psp_sender_way(prober->sender)};
}

void psprobe_prober_get_stats(const psprobe_prober *prober, psprobe_prober_stats *stats) {
  *stats = (psprobe_prober_stats){
      .sent = load(&prober->sent),
      .sent_late = load(&prober->sent_late),
      .publish_failed = psp_sender_failed(prober->sender),
      .completed = load(&prober->completed),
      .refused = load(&prober->refused),
      .overflowed = load(&prober->overflowed),
      .withheld = load(&prober->withheld),
      .cold_sent = load(&prober->cold_sent),
      .malformed = load(&prober->malformed),
      .facts_dropped = psprobe_registry_facts_dropped(prober->registry),
      .in_flight = psprobe_registry_in_flight(prober->registry),
      .max_lateness_ns = atomic_load_explicit(&prober->max_lateness_ns, memory_order_relaxed)};
  stats->filler_sent = psp_sender_filled(prober->sender, &stats->filler_failed);
  for (size_t i = 0; i < prober->source_count; i++) {
    const psp_tally *tally = &prober->tally[i];
    stats->answered[i] = load(&tally->answered);
    stats->late[i] = load(&tally->late);
    stats->lost[i] = load(&tally->lost);
    stats->duplicates[i] = load(&tally->duplicates);
    stats->last_ns[i] = atomic_load_explicit(&tally->last_ns, memory_order_relaxed);
    stats->in_doubt[i] = load(&tally->in_doubt);
  }
  psp_server_stats s;
  psp_server_get_stats(prober->server, &s);
  stats->connections = (psprobe_connections){.open = s.open,
                                             .refused = s.refused,
                                             .made_room = s.made_room,
                                             .overdue = s.overdue,
                                             .starved = s.starved,
                                             .untaken = s.untaken};
}
