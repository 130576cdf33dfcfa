/* SPDX-License-Identifier: MIT */
/** @file
 * Re-makes, seeded, the two hours of the experiment's first graph as a CSV of
 * its five fields on standard output: 1,440 probes 5 s apart, both sources at
 * 35 to 65 ms, the function's cold starts near 150 ms every few minutes, and
 * now and then a spike of both together at 400 ms.
 *
 * usage: make_first_graph [SEED [PROBES]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/timestamp.h"
#include "stats/rng.h"

#define MS       1e6
#define INTERVAL INT64_C(5000000000)
#define START_NS INT64_C(1555372800000000000) /* 2019-04-16T00:00:00Z */

/* What one probe met with, in ms. */
typedef struct probe {
  double function, service;
} probe;

static double between(psp_rng *rng, double low, double high) {
  return low + (high - low) * psp_rng_uniform(rng);
}

static bool chance(psp_rng *rng, double share) {
  return psp_rng_uniform(rng) < share;
}

/* The way through the topic is common to both; a skewed part is each responder's own. */
static probe draw(psp_rng *rng) {
  const double topic = 31 + 1.6 * psp_rng_gamma(rng, 4);
  probe p = {.function = topic + 6.2 + 3.1 * psp_rng_gamma(rng, 2.2),
             .service = topic + 3.1 * psp_rng_gamma(rng, 2.2)};
  if (chance(rng, 0.02)) p.service += between(rng, 20, 60);
  if (chance(rng, 0.02)) p.function += between(rng, 20, 60);
  /* Every four minutes or so the function was taken down in between, and starts anew. */
  if (chance(rng, 1.0 / 48)) p.function = topic + 108 + 4 * psp_rng_normal(rng);
  /* A stall of the topic, or of the prober: both feel it, the same. */
  if (chance(rng, 1.0 / 180)) {
    const double stall = chance(rng, 0.7) ? between(rng, 330, 400) : between(rng, 150, 220);
    p.function += stall;
    p.service += stall;
  }
  return p;
}

static void print_row(psp_rng *rng, int64_t index) {
  const probe p = draw(rng);
  const int64_t function = (int64_t)(p.function * MS), service = (int64_t)(p.service * MS);
  const int64_t sent = START_NS + index * INTERVAL + (int64_t)between(rng, 0, 2e5);
  const int64_t saved = sent + (function > service ? function : service) + (int64_t)(3 * MS);
  char sent_text[PSP_TIMESTAMP_SIZE], saved_text[PSP_TIMESTAMP_SIZE];
  /* Firestore keeps times to the microsecond. */
  psp_timestamp_format_ns(sent_text, sent / 1000 * 1000);
  psp_timestamp_format_ns(saved_text, saved / 1000 * 1000);
  printf("%016llx%016llx,%s,%lld,%lld,%s\n", (unsigned long long)psp_rng_next(rng),
         (unsigned long long)psp_rng_next(rng), sent_text, (long long)function, (long long)service,
         saved_text);
}

int main(int argc, char **argv) {
  psp_rng rng;
  psp_rng_seed(&rng, argc > 1 ? strtoull(argv[1], NULL, 10) : 2019);
  const int64_t probes = argc > 2 ? strtoll(argv[2], NULL, 10) : 1440;
  puts(
      "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time,saved_"
      "at");
  for (int64_t i = 0; i < probes; i++)
    print_row(&rng, i);
  return fflush(stdout) == 0 ? 0 : 1;
}
