/* SPDX-License-Identifier: MIT */
/** @file
 * The registry beside what one would write first: a uthash table under one mutex. Two threads,
 * each with half of the probes in flight, begin a probe and answer the one that has waited for
 * longest, give or take 64: one pair. Ours is collected all the while, as the prober does; the
 * peer's entry is deleted when it is answered, and its results go nowhere.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include <psprobe/probe.h>

#include "bench.h"
#include "os/random.h"
#include "prober/registry/shard.h"

#define THREADS       2
#define ROUNDS        7
#define PAIRS         400000 /* a thread and round */
#define COLLECT_EVERY 512
#define CLOCK_EVERY   16
#define DISORDER      64

typedef struct entry {
  char id[PSPROBE_ID_SIZE];
  int64_t sent_ns, intended_ns, wall_ns, publish_ns;
  psprobe_answer answers[2];
  UT_hash_handle hh;
} entry;

typedef struct table {
  pthread_mutex_t lock;
  entry *probes;
} table;

/* One thread's ids, begun in turn over and over: twice as many as our registry holds, so that it
 * has long forgotten one when it is begun again. */
typedef struct worker {
  psprobe_registry *registry;
  table *table;
  bool ours;
  char (*ids)[PSPROBE_ID_SIZE];
  size_t count, in_flight, next;
  int64_t now_ns;
  uint64_t failed, collected;
  psprobe_finished *finished; /* COLLECT_EVERY of them */
} worker;

static void *must(void *made) {
  if (made == NULL) {
    fputs("bench_registry: out of memory\n", stderr);
    exit(1);
  }
  return made;
}

static bool peer_begin(table *t, const char *id, int64_t now_ns) {
  entry *e = must(malloc(sizeof *e));
  memcpy(e->id, id, sizeof e->id);
  e->sent_ns = e->intended_ns = e->wall_ns = now_ns;
  e->publish_ns = -1;
  memset(e->answers, 0, sizeof e->answers);
  pthread_mutex_lock(&t->lock);
  HASH_ADD(hh, t->probes, id, PSPROBE_ID_LENGTH, e);
  pthread_mutex_unlock(&t->lock);
  return true;
}

static bool peer_answer(table *t, const char *id, int64_t now_ns) {
  entry *e;
  pthread_mutex_lock(&t->lock);
  HASH_FIND(hh, t->probes, id, PSPROBE_ID_LENGTH, e);
  if (e != NULL) {
    e->answers[0] = (psprobe_answer){.status = PSPROBE_ANSWERED, .elapsed_ns = now_ns - e->sent_ns};
    HASH_DEL(t->probes, e);
  }
  pthread_mutex_unlock(&t->lock);
  free(e);
  return e != NULL;
}

static bool begin(worker *w, const char *id) {
  if (!w->ours) return peer_begin(w->table, id, w->now_ns);
  return psprobe_registry_begin(w->registry, id, w->now_ns, w->now_ns, w->now_ns,
                                PSPROBE_CADENCE_STEADY) == PSPROBE_OK;
}

static bool answer(worker *w, const char *id) {
  if (!w->ours) return peer_answer(w->table, id, w->now_ns);
  return psprobe_registry_answer(w->registry, id, 0, w->now_ns, false, -1, NULL) ==
         PSPROBE_ANSWER_FIRST;
}

static void collect(worker *w) {
  size_t got;
  do {
    got = psprobe_registry_collect(w->registry, w->now_ns, w->finished, COLLECT_EVERY);
    w->collected += got;
  } while (got == COLLECT_EVERY);
}

static void *fill(void *arg) {
  worker *w = arg;
  for (w->next = 0; w->next < w->in_flight; w->next++) {
    if (w->next % CLOCK_EVERY == 0) w->now_ns = psprobe_clock_monotonic();
    if (!begin(w, w->ids[w->next])) w->failed++;
  }
  return NULL;
}

static void *pairs(void *arg) {
  worker *w = arg;
  for (size_t i = 0; i < PAIRS; i++) {
    if (i % CLOCK_EVERY == 0) w->now_ns = psprobe_clock_monotonic();
    size_t oldest = (w->next + w->count - w->in_flight) % w->count;
    size_t in_block = oldest % DISORDER;
    if (!begin(w, w->ids[w->next])) w->failed++;
    if (!answer(w, w->ids[oldest - in_block + (in_block * 37 + 11) % DISORDER])) w->failed++;
    if (++w->next == w->count) w->next = 0;
    if (w->ours && i % COLLECT_EVERY == 0) collect(w);
  }
  return NULL;
}

/* ns that all workers took. */
static int64_t run(worker workers[THREADS], void *(*work)(void *)) {
  pthread_t threads[THREADS];
  int64_t start = psprobe_clock_monotonic();
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) exit(1);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  return psprobe_clock_monotonic() - start;
}

static psprobe_registry *new_registry(size_t capacity, size_t sources) {
  psprobe_registry_options options = {.source_count = sources, .capacity = capacity};
  psprobe_registry *registry = NULL;
  psprobe_error error;
  if (psprobe_registry_new(&options, &registry, &error) != PSPROBE_OK) {
    fprintf(stderr, "bench_registry: %s\n", error.message);
    exit(1);
  }
  return registry;
}

static size_t heap_used(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/* @return our pairs a second */
static double measure(const char *name, size_t in_flight) {
  worker ours[THREADS] = {0}, peer[THREADS] = {0};
  table uthash = {.lock = PTHREAD_MUTEX_INITIALIZER};
  /* Beside what is in flight there is what is complete and not yet collected. */
  size_t capacity = in_flight + 2 * THREADS * COLLECT_EVERY;
  psprobe_registry *registry = new_registry(capacity, 1);
  size_t share = (in_flight / THREADS + DISORDER - 1) / DISORDER * DISORDER;
  size_t count = (2 * capacity + DISORDER - 1) / DISORDER * DISORDER;
  for (int i = 0; i < THREADS; i++) {
    ours[i] = (worker){.registry = registry, .ours = true, .count = count, .in_flight = share};
    ours[i].ids = must(calloc(count, sizeof *ours[i].ids));
    ours[i].finished = must(calloc(COLLECT_EVERY, sizeof *ours[i].finished));
    for (size_t n = 0; n < count; n++)
      if (!psp_id_new(ours[i].ids[n])) exit(1);
    peer[i] = ours[i];
    peer[i].ours = false;
    peer[i].table = &uthash;
  }
  run(ours, fill);
  size_t before = heap_used();
  run(peer, fill);
  double peer_bytes = (double)(heap_used() - before) / (double)in_flight;

  double our_rates[ROUNDS], peer_rates[ROUNDS];
  for (int round = -1; round < ROUNDS; round++) { /* the first warms up */
    double our_rate = THREADS * PAIRS * 1e9 / (double)run(ours, pairs);
    double peer_rate = THREADS * PAIRS * 1e9 / (double)run(peer, pairs);
    if (round < 0) continue;
    our_rates[round] = our_rate;
    peer_rates[round] = peer_rate;
  }
  uint64_t failed = 0;
  for (int i = 0; i < THREADS; i++) {
    failed += ours[i].failed + peer[i].failed;
    free(ours[i].ids);
    free(ours[i].finished);
  }
  if (failed > 0) {
    fprintf(stderr, "bench_registry: %llu calls failed\n", (unsigned long long)failed);
    exit(1);
  }
  entry *e, *next;
  HASH_ITER(hh, uthash.probes, e, next) {
    HASH_DEL(uthash.probes, e);
    free(e);
  }
  psprobe_registry_free(registry);

  double rate = bench_median(our_rates, ROUNDS), peer_rate = bench_median(peer_rates, ROUNDS);
  printf("registry pairs/s, %s in flight: ours %.0f, peer %.0f, ratio %.2f (aim >= 2)\n", name,
         rate, peer_rate, rate / peer_rate);
  psprobe_registry *two = new_registry(in_flight, 2);
  double bytes = (double)psp_registry_memory(two) / (double)in_flight;
  psprobe_registry_free(two);
  printf("registry bytes/probe, %s in flight: ours %.0f, peer %.0f, ratio %.2f (aim < 200 bytes)\n",
         name, bytes, peer_bytes, bytes / peer_bytes);
  return rate;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  double small = measure("1 k", 1000);

  measure("100 k", 100000);
  double large = measure("1 M", 1000000);
  printf(
      "registry pairs/s, 1 M against 1 k in flight: ours %.0f, peer %.0f, ratio %.2f "
      "(aim >= 0.5)\n",
      large, small, large / small);
  return 0;
}
