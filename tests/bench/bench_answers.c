/* SPDX-License-Identifier: MIT */
/** @file
 * What keeping every probe from its send on does to what is measured: runs of the whole experiment
 * (stand-in, prober, two responders) with a results file and without one, in turn, who goes first
 * in turn too. Of each round's pair the ratio, and the median of these: how long an answer took,
 * how late a probe was sent, how long its publish call took; and what a responder waits for, its
 * 200, which with a file follows the keeping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/local.h>
#include <psprobe/probe.h>
#include <psprobe/results.h>

#include "bench.h"

#define ROUNDS   9
#define PROBES   300
#define INTERVAL INT64_C(5000000)
#define TOPIC    "answers"

enum { ELAPSED, LATENESS, PUBLISH, WAIT, SERIES };
static const struct {
  const char *name, *aim;
} series[SERIES] = {[ELAPSED] = {"an answer", " (aim < 1.05)"},
                    [LATENESS] = {"how late a probe is sent", ""},
                    [PUBLISH] = {"a publish call", ""},
                    [WAIT] = {"a responder's wait for its 200", " (it follows the keeping)"}};

/* What one run gave. */
typedef struct figures {
  int64_t values[SERIES][2 * PROBES];
  size_t counts[SERIES];
} figures;

typedef struct world {
  psprobe_local *local;
  psprobe_client *client;
  psprobe_store *store; /* NULL: nothing is kept */
  psprobe_recorder *recorder;
  psprobe_prober *prober;
  psprobe_responder *function, *service;
  psprobe_subscriber *subscriber;
  figures *figures;
} world;

static psprobe_error error;

static void need(psprobe_code code) {
  bench_need(code == PSPROBE_OK, error.message);
}

static void take(figures *f, int which, int64_t value) {
  if (f->counts[which] < 2 * PROBES) f->values[which][f->counts[which]++] = value;
}

/* The collector's thread; nothing of it is on an answer's way. */
static void sink(void *arg, const psprobe_finished *finished, size_t count) {
  world *w = arg;
  for (size_t i = 0; i < count; i++) {
    const psprobe_result *r = &finished[i].result;
    if (finished[i].update) continue;
    take(w->figures, LATENESS, r->lateness_ns);
    take(w->figures, PUBLISH, r->publish_ns);
    for (size_t k = 0; k < r->source_count; k++) {
      const int64_t *t = r->answers[k].facts.exchange_wall_ns;
      if (psprobe_answer_came(r->answers[k].status))
        take(w->figures, ELAPSED, r->answers[k].elapsed_ns);
      if (t[0] > 0) take(w->figures, WAIT, t[3] - t[0]);
    }
  }
}

static void open_store(world *w, const char *folder) {
  char path[80];
  snprintf(path, sizeof path, "%s/r.db", folder);
  need(psprobe_store_new(path, NULL, &w->store, &error));
  need(psprobe_recorder_new(w->store, NULL, &w->recorder, &error));
}

/* A function behind a push subscription, a service that pulls. */
static void open_responders(world *w) {
  int port = 0;
  char endpoint[64];
  psprobe_responder_options function = {.prober = psprobe_prober_url(w->prober)};
  psprobe_responder_options service = {.prober = function.prober, .source = "regular_service"};
  need(psprobe_responder_new(w->client, &function, &w->function, &error));
  need(psprobe_responder_listen(w->function, "127.0.0.1:0", &port, &error));
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d/", port);
  psprobe_subscription_config push = {.topic = TOPIC, .push_endpoint = endpoint};
  psprobe_subscription_config pull = {.topic = TOPIC};
  need(psprobe_subscription_create(w->client, "push", &push, NULL, &error));
  need(psprobe_subscription_create(w->client, "pull", &pull, NULL, &error));
  psprobe_subscriber_options subscriber = {.subscription = "pull"};
  need(psprobe_responder_new(w->client, &service, &w->service, &error));
  need(psprobe_responder_pull(w->service, &subscriber, &w->subscriber, &error));
}

static void open_world(world *w, const char *folder) {
  need(psprobe_local_new(NULL, &w->local, &error));
  psprobe_client_options google = {.project = "demo-project",
                                   .pubsub_emulator = psprobe_local_pubsub_host(w->local),
                                   .firestore_emulator = psprobe_local_firestore_host(w->local)};
  need(psprobe_client_new(&google, &w->client, &error));
  psprobe_prober_options prober = {.topic = TOPIC,
                                   .interval_ns = INTERVAL,
                                   .count = PROBES,
                                   .listen = "127.0.0.1:0",
                                   .sink = sink,
                                   .sink_arg = w};
  if (folder != NULL) {
    open_store(w, folder);
    prober.keep = psprobe_recorder_keep;
    prober.keep_arg = w->recorder;
  }
  need(psprobe_topic_create(w->client, TOPIC, NULL, 0, NULL, &error));
  need(psprobe_prober_new(w->client, &prober, &w->prober, &error));
  if (folder != NULL)
    need(psprobe_recorder_begin(w->recorder, w->client, w->prober, &prober, &error));
  open_responders(w);
}

static void close_world(world *w) {
  psprobe_subscriber_free(w->subscriber);
  psprobe_responder_free(w->service);
  psprobe_responder_free(w->function);
  psprobe_prober_free(w->prober);
  psprobe_recorder_free(w->recorder);
  psprobe_store_free(w->store);
  psprobe_client_free(w->client);
  psprobe_local_free(w->local);
}

static void run(figures *f, bool with_store) {
  char folder[] = "/tmp/psprobe-bench-XXXXXX", command[64];
  static world none;
  world w = none;
  w.figures = f;
  memset(f, 0, sizeof *f);
  bench_need(mkdtemp(folder) != NULL, "no folder");
  open_world(&w, with_store ? folder : NULL);
  need(psprobe_prober_run(w.prober, &error));
  if (with_store) need(psprobe_recorder_end(w.recorder, &error));
  close_world(&w);
  snprintf(command, sizeof command, "rm -r %s", folder);
  bench_need(system(command) == 0, "the folder does not go");
  bench_need(f->counts[ELAPSED] > PROBES, "hardly an answer came");
  for (int s = 0; s < SERIES; s++)
    qsort(f->values[s], f->counts[s], sizeof f->values[s][0], bench_by_int64);
}

static double quantile(const figures *f, int which, double q) {
  return (double)psprobe_quantile_sorted(f->values[which], f->counts[which], q);
}

static void print(int which, double q, const double with[ROUNDS], const double without[ROUNDS]) {
  double a[ROUNDS], b[ROUNDS], ratios[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    a[i] = with[i];
    b[i] = without[i];
    ratios[i] = with[i] / without[i];
  }
  printf("%s, p%.0f: with a results file %.3f ms, without %.3f ms, ratio %.2f%s\n",
         series[which].name, q * 100, bench_median(a, ROUNDS) / 1e6, bench_median(b, ROUNDS) / 1e6,
         bench_median(ratios, ROUNDS), series[which].aim);
}

int main(void) {
  static const double shares[2] = {0.5, 0.99};
  static figures f;
  static double got[2][SERIES][2][ROUNDS]; /* with and without; p50 and p99 */
  for (int i = 0; i < 2 * ROUNDS; i++) {
    int round = i / 2, with = (i + round) % 2;
    run(&f, with == 1);
    for (int s = 0; s < SERIES; s++)
      for (int q = 0; q < 2; q++)
        got[with][s][q][round] = quantile(&f, s, shares[q]);
  }
  for (int s = 0; s < SERIES; s++)
    for (int q = 0; q < 2; q++)
      print(s, shares[q], got[1][s][q], got[0][s][q]);
  return 0;
}
