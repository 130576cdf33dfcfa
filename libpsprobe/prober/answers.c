/* SPDX-License-Identifier: MIT */
#include "prober/answers.h"

#include <string.h>

#include "prober/facts.h"
#include "prober/keeping.h"
#include "prober/parts.h"
#include "prober/registry/shard.h"
#include "prober/replying.h"

static size_t find_source(const psprobe_prober *prober, const char *name) {
  size_t i = 0;
  while (i < prober->source_count && strcmp(prober->sources[i], name) != 0)
    i++;
  return i;
}

static void count(_Atomic uint64_t *counter, uint64_t change) {
  atomic_fetch_add_explicit(counter, change, memory_order_relaxed);
}

/* An answer as it is to be kept. */
static psprobe_arrival arrival_of(const psprobe_prober *prober, const char *id, size_t source,
                                  const psp_told *told, const psp_noted *noted) {
  psprobe_arrival arrival = {
      .sent = {.cadence = noted->cadence,
               .sent_wall_ns = noted->sent_wall_ns,
               .lateness_ns = noted->lateness_ns},
      .source = source,
      .delivery = noted->delivery,
      .first = noted->first,
      .answer = {.status = noted->elapsed_ns > prober->timeout_ns ? PSPROBE_LATE : PSPROBE_ANSWERED,
                 .cold = told->cold,
                 .elapsed_ns = noted->elapsed_ns,
                 .handled_ns = told->handled_ns,
                 .received_wall_ns = noted->received_wall_ns,
                 .facts = told->facts}};
  memcpy(arrival.sent.id, id, sizeof arrival.sent.id);
  return arrival;
}

static void refuse(psprobe_prober *prober, psp_exchange *exchange, psp_reply *reply) {
  count(&prober->refused, 1);
  psp_exchange_reply_shared(exchange, reply);
}

/* It is noted, and nobody keeps anything any more. The last that was kept may have it, or not: who
 * sent it is to ask again, and is not told that it was for nothing. */
static void leave(psprobe_prober *prober, psp_exchange *exchange, const psprobe_arrival *arrival) {
  if (arrival->answer.status == PSPROBE_ANSWERED && arrival->delivery == 1)
    psp_reply_again(exchange);
  else
    refuse(prober, exchange, prober->no_probe);
}

/* It is noted. Where it is to be kept, the answer to it waits for that. */
static void take(psprobe_prober *prober, psp_exchange *exchange, size_t source,
                 const psp_told *told, const psp_noted *noted) {
  if (prober->keeping == NULL) {
    psp_reply_taken(prober, exchange, told->facts.sent_wall_ns != 0);
    return;
  }
  psprobe_arrival arrival =
      arrival_of(prober, psp_exchange_segment(exchange, 1), source, told, noted);
  if (!psp_keeping_defer(prober->keeping, exchange, &arrival)) leave(prober, exchange, &arrival);
}

/* Nothing here allocates, logs or waits but for a shard's lock until the answer is noted. */
void psp_prober_answer(void *arg, psp_exchange *exchange) {
  int64_t now_ns = psp_exchange_received_ns(exchange);
  psprobe_prober *prober = arg;
  psp_told told;
  psp_noted noted;
  psp_told_init(&told);
  psp_exchange_headers(exchange, psp_told_take, &told);
  if (told.wrong > 0) count(&prober->malformed, told.wrong);
  size_t source = find_source(prober, psp_exchange_segment(exchange, 0));
  if (source == prober->source_count) {
    refuse(prober, exchange, prober->no_source);
    return;
  }
  psprobe_answer_outcome outcome =
      psp_registry_note(prober->registry, psp_exchange_segment(exchange, 1), source, now_ns,
                        told.cold, told.handled_ns, told.any ? &told.facts : NULL, &noted);
  if (outcome == PSPROBE_ANSWER_DUPLICATE && noted.cadence != PSPROBE_CADENCE_COLD)
    count(&prober->tally[source].duplicates, 1);
  if (outcome != PSPROBE_ANSWER_UNKNOWN)
    take(prober, exchange, source, &told, &noted);
  else
    refuse(prober, exchange, prober->no_probe);
}
