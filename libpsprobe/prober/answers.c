/* SPDX-License-Identifier: MIT */
#include "prober/answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "prober/facts.h"
#include "prober/parts.h"

static size_t find_source(const psprobe_prober *prober, const char *name) {
  size_t i = 0;
  while (i < prober->source_count && strcmp(prober->sources[i], name) != 0)
    i++;
  return i;
}

static void put_stamp(psp_exchange *exchange, const char *name, int64_t wall_ns) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, wall_ns);
  psp_exchange_set_header(exchange, name, text);
}

/*
 * Says well; to a responder that told when it sent, also when that came and when it is answered, so
 * that it can tell us of the whole exchange the next time. All is noted by then: this answer is no
 * part of any time, and may allocate.
 */
static void reply_well(const psprobe_prober *prober, psp_exchange *exchange, const psp_told *told) {
  if (told->facts.sent_wall_ns == 0) {
    psp_exchange_reply_shared(exchange, prober->ok);
    return;
  }
  int64_t offset = prober->wall_offset_ns;
  put_stamp(exchange, PSPROBE_HEADER_RECEIVED, psp_exchange_received_ns(exchange) + offset);
  put_stamp(exchange, PSPROBE_HEADER_ANSWERED, psprobe_clock_monotonic() + offset);
  psp_exchange_reply(exchange, 200, NULL, "", 0);
}

static void count(_Atomic uint64_t *counter, uint64_t change) {
  atomic_fetch_add_explicit(counter, change, memory_order_relaxed);
}

/* Nothing here allocates, logs or waits but for a shard's lock until the answer is noted. */
void psp_prober_answer(void *arg, psp_exchange *exchange) {
  int64_t now_ns = psp_exchange_received_ns(exchange);
  psprobe_prober *prober = arg;
  psp_told told;
  psp_told_init(&told);
  psp_exchange_headers(exchange, psp_told_take, &told);
  if (told.wrong > 0) count(&prober->malformed, told.wrong);
  size_t source = find_source(prober, psp_exchange_segment(exchange, 0));
  psprobe_answer_outcome outcome = PSPROBE_ANSWER_UNKNOWN;
  if (source < prober->source_count)
    outcome =
        psprobe_registry_answer(prober->registry, psp_exchange_segment(exchange, 1), source, now_ns,
                                told.cold, told.handled_ns, told.any ? &told.facts : NULL);
  if (outcome == PSPROBE_ANSWER_DUPLICATE) count(&prober->tally[source].duplicates, 1);
  if (outcome != PSPROBE_ANSWER_UNKNOWN) {
    reply_well(prober, exchange, &told);
    return;
  }
  count(&prober->refused, 1);
  psp_exchange_reply_shared(exchange,
                            source < prober->source_count ? prober->no_probe : prober->no_source);
}
