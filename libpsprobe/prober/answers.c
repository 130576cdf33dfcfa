/* SPDX-License-Identifier: MIT */
#include "prober/answers.h"

#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "prober/parts.h"

#define MAX_HANDLED_NS (24 * 3600 * PSP_SECOND_NS)

static size_t find_source(const psprobe_prober *prober, const char *name) {
  size_t i = 0;
  while (i < prober->source_count && strcmp(prober->sources[i], name) != 0)
    i++;
  return i;
}

/* How long the responder says that it had the message; -1: it does not, or what cannot be. A day is
 * more than any probe lives. */
static int64_t handled_ns(const psp_exchange *exchange) {
  const char *text = psp_exchange_header(exchange, PSPROBE_HEADER_HANDLED);
  int64_t ns;
  return text != NULL && psp_parse_int64(text, 0, MAX_HANDLED_NS, &ns) ? ns : -1;
}

/* Nothing here allocates, logs or waits but for a shard's lock. */
void psp_prober_answer(void *arg, psp_exchange *exchange) {
  int64_t now_ns = psp_exchange_received_ns(exchange);
  psprobe_prober *prober = arg;
  size_t source = find_source(prober, psp_exchange_segment(exchange, 0));
  psp_reply *reply = prober->no_source;
  if (source < prober->source_count) {
    const char *cold = psp_exchange_header(exchange, PSPROBE_HEADER_COLD);
    psprobe_answer_outcome outcome =
        psprobe_registry_answer(prober->registry, psp_exchange_segment(exchange, 1), source, now_ns,
                                cold != NULL && strcmp(cold, "1") == 0, handled_ns(exchange));
    if (outcome == PSPROBE_ANSWER_DUPLICATE)
      atomic_fetch_add_explicit(&prober->tally[source].duplicates, 1, memory_order_relaxed);
    reply = outcome == PSPROBE_ANSWER_UNKNOWN ? prober->no_probe : prober->ok;
  }
  if (reply != prober->ok) atomic_fetch_add_explicit(&prober->refused, 1, memory_order_relaxed);
  psp_exchange_reply_shared(exchange, reply);
}
