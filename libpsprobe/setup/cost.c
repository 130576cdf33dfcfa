/* SPDX-License-Identifier: MIT */
/**
 * @file What the experiment costs a day. Prices in US dollars of a region of the first tier, before
 * Cloud Run's free tier, as Google's pages had them (psp_setup_prices names them). Cloud Run bills
 * worker pools at less than services; the services' price is taken for both, so it is at most that.
 */
#include <string.h>

#include "setup/parts.h"

#define DAY_S            86400.0
#define GIB              0.5 /* 512 MiB each */
#define CPU_INSTANCE_S   0.000018
#define GIB_INSTANCE_S   0.000002
#define CPU_REQUEST_S    0.000024
#define GIB_REQUEST_S    0.0000025
#define CPU_IDLE_S       0.0000025
#define GIB_IDLE_S       0.0000025
#define REQUEST          (0.40 / 1e6)
#define LEAST_REQUEST_S  0.1 /* an answer is billed as 100 ms at least */
#define PUBSUB_TIB       40.0
#define PUBSUB_LEAST     1000.0 /* bytes of a message, sent or received */
#define PUBSUB_FREE_DAY  (10.0 * 1024 * 1024 * 1024 / 30)
#define FIRESTORE_WRITE  (0.18 / 1e5)
#define FIRESTORE_FREE_D 20000.0

const char *const psp_setup_prices[] = {"https://cloud.google.com/run/pricing",
                                        "https://cloud.google.com/pubsub/pricing",
                                        "https://cloud.google.com/firestore/pricing", NULL};

static double probes_a_day(const psprobe_setup *setup, bool cold) {
  int64_t each_ns = cold ? setup->o.cold_every_ns : setup->o.interval_ns;
  return each_ns > 0 ? DAY_S * 1e9 / (double)each_ns : 0;
}

static double kept_instance(void) {
  return DAY_S * (CPU_INSTANCE_S + GIB * GIB_INSTANCE_S);
}

static double function(const psprobe_setup *setup, const psp_thing *t) {
  double busy = LEAST_REQUEST_S * (CPU_REQUEST_S + GIB * GIB_REQUEST_S) + REQUEST;
  double idle = t->source->kept > 0 ? DAY_S * (CPU_IDLE_S + GIB * GIB_IDLE_S) : 0;
  return idle + probes_a_day(setup, t->cold) * busy;
}

static double above(double used, double free, double price) {
  return used > free ? (used - free) * price : 0;
}

static double pubsub(double messages) {
  double bytes = messages * PUBSUB_LEAST;
  return above(bytes, PUBSUB_FREE_DAY, PUBSUB_TIB / (1024.0 * 1024 * 1024 * 1024));
}

size_t psp_setup_costs(const psprobe_setup *setup, psp_cost costs[PSP_COSTS]) {
  size_t count = 0;
  double probes = probes_a_day(setup, false) + probes_a_day(setup, true), messages = probes;
  for (size_t i = 0; i < setup->count; i++) {
    const psp_thing *t = &setup->things[i];
    bool prober = t->kind == &psp_kind_service && t->source == NULL;
    if (!t->wanted) continue;
    if (t->kind == &psp_kind_subscription || t->kind == &psp_kind_trigger)
      messages += probes_a_day(setup, t->cold);
    if (prober || t->kind == &psp_kind_pool)
      costs[count++] = (psp_cost){t, "one instance kept, 1 vCPU, 512 MiB", kept_instance()};
    else if (t->kind == &psp_kind_service && t->source->kept > 0)
      costs[count++] = (psp_cost){t, "one instance kept idle, and answers", function(setup, t)};
    else if (t->kind == &psp_kind_service)
      costs[count++] = (psp_cost){t, "answers of 100 ms, zero between them", function(setup, t)};
  }
  costs[count++] = (psp_cost){NULL, "Pub/Sub, above 10 GiB a month", pubsub(messages)};
  costs[count++] = (psp_cost){NULL, "Firestore, above 20,000 writes a day",
                              above(probes, FIRESTORE_FREE_D, FIRESTORE_WRITE)};
  return count;
}
