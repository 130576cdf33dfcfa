/* SPDX-License-Identifier: MIT */
/** @file The collector thread: takes finished probes from the registry to the sink. */
#include <inttypes.h>

#include "base/log.h"
#include "os/clock.h"
#include "prober/keeping.h"
#include "prober/parts.h"
#include "prober/registry/shard.h"

/* It is woken for everything that it waits for. */
#define LONG_NS (3600 * PSP_SECOND_NS)

/* Only this thread changes these counters. */
static void add(_Atomic uint64_t *counter, uint64_t change) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + change,
                        memory_order_relaxed);
}

/* Whether an answer to it may have been turned away. */
static bool is_in_doubt(const psprobe_prober *prober, const psprobe_result *result) {
  return psp_server_has_missed(prober->server, result->sent_wall_ns - prober->wall_offset_ns);
}

/* A loss, or one that was none after all. */
static void count_loss(psprobe_prober *prober, psp_tally *tally, const psprobe_result *result,
                       bool taken_back) {
  uint64_t change = taken_back ? UINT64_MAX : 1;
  add(&tally->lost, change);
  if (!is_in_doubt(prober, result)) return;
  if (!taken_back || atomic_load_explicit(&tally->in_doubt, memory_order_relaxed) > 0)
    add(&tally->in_doubt, change);
}

static void count(psprobe_prober *prober, const psprobe_finished *finished) {
  if (!finished->update) add(&prober->completed, 1);
  if (finished->result.cadence == PSPROBE_CADENCE_COLD) return; /* not every source waits there */
  for (size_t i = 0; i < prober->source_count; i++) {
    const psprobe_answer *answer = &finished->result.answers[i];
    psp_tally *tally = &prober->tally[i];
    bool fresh = finished->fresh >> i & 1;
    if (finished->update ? fresh : answer->status == PSPROBE_LOST)
      count_loss(prober, tally, &finished->result, finished->update);
    if (!fresh) continue;
    add(answer->status == PSPROBE_LATE ? &tally->late : &tally->answered, 1);
    atomic_store_explicit(&tally->last_ns, answer->elapsed_ns, memory_order_relaxed);
  }
}

static void hand_over_all(psprobe_prober *prober) {
  for (bool more = true; more;) {
    size_t got = psprobe_registry_collect(prober->registry, psprobe_clock_monotonic(),
                                          prober->batch, PSP_PROBER_BATCH);
    for (size_t i = 0; i < got; i++)
      count(prober, &prober->batch[i]);
    more = prober->keeping != NULL && psp_keeping_round(prober->keeping, prober->batch, got);
    if (prober->sink != NULL && got > 0) prober->sink(prober->sink_arg, prober->batch, got);
    more |= got > 0;
  }
}

static void log_news(psprobe_prober *prober) {
  psprobe_error error;
  psp_log_line line;
  if (psp_sender_made_topic(prober->sender) &&
      psp_log_begin(&line, &prober->logger, PSPROBE_LOG_WARNING, "topic_made_again")) {
    psp_log_text(
        &line, "meaning",
        "the broker did not have it any more; subscriptions of the topic before are cut off "
        "and get nothing: delete them and make them again (--create does)");
    psp_log_end(&line);
  }
  switch (psp_sender_news(prober->sender, &error)) {
    case PSP_PUBLISH_BROKEN:
      if (!psp_log_begin(&line, &prober->logger, PSPROBE_LOG_WARNING, "publish_failing")) return;
      psp_log_error(&line, &error);
      break;
    case PSP_PUBLISH_MENDED:
      if (!psp_log_begin(&line, &prober->logger, PSPROBE_LOG_INFO, "publish_works_again")) return;
      break;
    default:
      return;
  }
  psp_log_int(&line, "failed", (int64_t)psp_sender_failed(prober->sender));
  psp_log_end(&line);
}

/* Whether nothing more will come. */
static bool is_over(psprobe_prober *prober, bool given_up) {
  return atomic_load(&prober->sending_done) &&
         (given_up || psprobe_registry_in_flight(prober->registry) == 0);
}

static void wait(psprobe_prober *prober) {
  int64_t now_ns = psprobe_clock_monotonic(), until_ns = now_ns + LONG_NS;
  int64_t due = prober->keeping == NULL ? until_ns : psp_keeping_due(prober->keeping, now_ns);
  psprobe_registry_wait(prober->registry, due < until_ns ? due : until_ns);
}

void *psp_prober_collect(void *arg) {
  psprobe_prober *prober = arg;
  for (;;) {
    /* Looked at before collecting: what was finished by then is collected below. */
    bool given_up = atomic_load(&prober->stops) > 1;
    bool over = is_over(prober, given_up);
    if (given_up) psp_registry_settle(prober->registry);
    if (prober->keeping != NULL) psp_keeping_pause(prober->keeping);
    hand_over_all(prober);
    log_news(prober);
    if (over) break;
    /* The last may have come in meanwhile, and be collected: nothing would wake us. */
    if (is_over(prober, given_up)) continue;
    wait(prober);
  }
  if (prober->keeping != NULL) psp_keeping_end(prober->keeping);
  return NULL;
}
