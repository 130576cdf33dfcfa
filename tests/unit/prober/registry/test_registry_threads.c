/* SPDX-License-Identifier: MIT */
/** @file The registry under threads, for ThreadSanitizer above all; and who is woken when. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#define SECOND INT64_C(1000000000)

/* ---- everything at once ---- */

#define PROBES    20000
#define BEGINNERS 2
#define ANSWERERS 2

typedef struct stress {
  psprobe_registry *registry;
  size_t probes; /* PROBES at most */
  char (*ids)[PSPROBE_ID_SIZE];
  _Atomic size_t begun[BEGINNERS]; /* of that thread's half of the ids */
  _Atomic size_t duplicates[ANSWERERS], first[ANSWERERS];
  _Atomic bool over;
  /* The collector's: */
  unsigned handed_out[PROBES];
  psprobe_result last[PROBES];
} stress;

typedef struct worker {
  stress *s;
  size_t number;
} worker;

static void *begin_all(void *arg) {
  worker *w = arg;
  stress *s = w->s;
  for (size_t i = 0; i < s->probes / BEGINNERS; i++) {
    const char *id = s->ids[i * BEGINNERS + w->number];
    int64_t now = psprobe_clock_monotonic();
    while (psprobe_registry_begin(s->registry, id, now, now, 0, PSPROBE_CADENCE_STEADY) ==
           PSPROBE_RESOURCE_EXHAUSTED)
      sched_yield();
    atomic_store(&s->begun[w->number], i + 1);
    psprobe_registry_published(s->registry, id, psprobe_clock_monotonic(), true);
  }
  return NULL;
}

static void answer_one(worker *w, size_t i) {
  stress *s = w->s;
  for (int times = i % 3 == 0 ? 2 : 1; times > 0; times--) {
    switch (psprobe_registry_answer(s->registry, s->ids[i], w->number, psprobe_clock_monotonic(),
                                    false, -1, NULL)) {
      case PSPROBE_ANSWER_FIRST:
        s->first[w->number]++;
        break;
      case PSPROBE_ANSWER_DUPLICATE:
        s->duplicates[w->number]++;
        break;
      default:
        break;
    }
  }
}

/* Each answers for one source, whatever was begun, and each third probe twice. */
static void *answer_all(void *arg) {
  worker *w = arg;
  size_t next[BEGINNERS] = {0}, total = 0;
  while (total < w->s->probes) {
    size_t before = total;
    for (size_t b = 0; b < BEGINNERS; b++)
      for (; next[b] < atomic_load(&w->s->begun[b]); next[b]++, total++)
        answer_one(w, next[b] * BEGINNERS + b);
    if (total == before) sched_yield();
  }
  return NULL;
}

static size_t number_of(const stress *s, const char *id) {
  size_t low = 0, high = s->probes;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (strcmp(s->ids[middle], id) <= 0)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void *collect_all(void *arg) {
  stress *s = arg;
  psprobe_finished finished[32];
  for (;;) {
    bool over = atomic_load(&s->over);
    size_t got;
    while ((got = psprobe_registry_collect(s->registry, psprobe_clock_monotonic(), finished, 32)) >
           0) {
      for (size_t i = 0; i < got; i++) {
        size_t number = number_of(s, finished[i].result.id);
        s->handed_out[number] += finished[i].update ? 1000 : 1;
        if (finished[i].update && s->handed_out[number] % 1000 != 1) abort();
        s->last[number] = finished[i].result;
      }
    }
    if (over) return NULL;
    psprobe_registry_wait(s->registry, psprobe_clock_monotonic() + 10 * SECOND);
  }
}

static int by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

static void run_stress(size_t probes, size_t capacity, bool await) {
  static stress s;
  memset(&s, 0, sizeof s);
  s.probes = probes;
  psprobe_registry_options options = {
      .source_count = ANSWERERS, .capacity = capacity, .await_published = await};
  assert_int_equal(psprobe_registry_new(&options, &s.registry, NULL), PSPROBE_OK);
  s.ids = malloc(probes * sizeof *s.ids);
  for (size_t i = 0; i < probes; i++)
    assert_int_equal(psprobe_id_make(s.ids[i], NULL), PSPROBE_OK);
  qsort(s.ids, probes, sizeof *s.ids, by_text);
  pthread_t threads[BEGINNERS + ANSWERERS], collector;
  worker workers[BEGINNERS + ANSWERERS];
  assert_int_equal(pthread_create(&collector, NULL, collect_all, &s), 0);
  for (size_t i = 0; i < BEGINNERS + ANSWERERS; i++) {
    workers[i] = (worker){&s, i % 2};
    assert_int_equal(
        pthread_create(&threads[i], NULL, i < BEGINNERS ? begin_all : answer_all, &workers[i]), 0);
  }
  for (size_t i = 0; i < BEGINNERS + ANSWERERS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(psprobe_registry_in_flight(s.registry), 0);
  atomic_store(&s.over, true);
  psprobe_registry_wake(s.registry);
  pthread_join(collector, NULL);

  size_t duplicates = 0;
  for (size_t i = 0; i < probes; i++) {
    if (s.handed_out[i] % 1000 != 1)
      fail_msg("probe %zu was handed out %u times", i, s.handed_out[i] % 1000);
    for (size_t k = 0; k < ANSWERERS; k++) {
      assert_int_equal(s.last[i].answers[k].status, PSPROBE_ANSWERED);
      duplicates += s.last[i].answers[k].duplicates;
    }
    if (await) assert_true(s.last[i].publish_ns >= 0);
  }
  assert_int_equal(s.first[0], probes);
  assert_int_equal(s.first[1], probes);
  assert_int_equal(duplicates, s.duplicates[0] + s.duplicates[1]);
  psprobe_registry_free(s.registry);
  free(s.ids);
}

static void test_stress(void **state) {
  (void)state;
  run_stress(PROBES, 65536, false);
  run_stress(PROBES, 65536, true);
}

/* Each time the bound is met, all threads have to run once: on one busy processor that is long. */
static void test_stress_at_the_bound(void **state) {
  (void)state;
  run_stress(6000, 300, false);
  run_stress(3000, 30, true);
}

/* ---- waiting ---- */

typedef struct sleeper {
  psprobe_registry *registry;
  _Atomic size_t collected;
  _Atomic bool overslept, over;
} sleeper;

#define TURNS     3000
#define AT_LEAST  20
#define LONG_TIME (2 * SECOND) /* on one busy processor each turn costs two waits for it */

static void *collect_turns(void *arg) {
  sleeper *s = arg;
  psprobe_finished finished;
  while (!atomic_load(&s->over)) {
    int64_t until_ns = psprobe_clock_monotonic() + 5 * SECOND;
    psprobe_registry_wait(s->registry, until_ns);
    if (psprobe_clock_monotonic() >= until_ns) atomic_store(&s->overslept, true);
    while (psprobe_registry_collect(s->registry, psprobe_clock_monotonic(), &finished, 1) > 0)
      atomic_fetch_add(&s->collected, 1);
  }
  return NULL;
}

static psprobe_registry *make(int64_t timeout_ns) {
  psprobe_registry_options options = {.source_count = 1, .capacity = 512, .timeout_ns = timeout_ns};
  psprobe_registry *registry;
  assert_int_equal(psprobe_registry_new(&options, &registry, NULL), PSPROBE_OK);
  return registry;
}

static void begin_now(psprobe_registry *registry, char id[PSPROBE_ID_SIZE]) {
  int64_t now = psprobe_clock_monotonic();
  assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_registry_begin(registry, id, now, now, 0, PSPROBE_CADENCE_STEADY),
                   PSPROBE_OK);
}

/* One probe after the other is answered, and collected before the next: at whatever point of its
 * wait the collector is, it must come. */
static void test_no_wake_is_missed(void **state) {
  (void)state;
  sleeper s = {.registry = make(0)};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, collect_turns, &s), 0);
  int64_t until_ns = psprobe_clock_monotonic() + LONG_TIME;
  for (size_t i = 0; i < TURNS && (i < AT_LEAST || psprobe_clock_monotonic() < until_ns); i++) {
    char id[PSPROBE_ID_SIZE];
    begin_now(s.registry, id);
    assert_int_equal(
        psprobe_registry_answer(s.registry, id, 0, psprobe_clock_monotonic(), false, -1, NULL),
        PSPROBE_ANSWER_FIRST);
    while (atomic_load(&s.collected) <= i && !atomic_load(&s.overslept))
      sched_yield();
    assert_false(atomic_load(&s.overslept));
  }
  atomic_store(&s.over, true);
  psprobe_registry_wake(s.registry);
  pthread_join(thread, NULL);
  psprobe_registry_free(s.registry);
}

static void test_wait_ends_at_a_timeout(void **state) {
  (void)state;
  psprobe_registry *registry = make(20000000);
  psprobe_finished finished;
  char id[PSPROBE_ID_SIZE];
  begin_now(registry, id);
  int64_t start_ns = psprobe_clock_monotonic();
  while (psprobe_registry_collect(registry, psprobe_clock_monotonic(), &finished, 1) == 0)
    psprobe_registry_wait(registry, start_ns + 10 * SECOND);
  assert_true(psprobe_clock_monotonic() - start_ns < 5 * SECOND);
  assert_int_equal(finished.result.answers[0].status, PSPROBE_LOST);
  psprobe_registry_free(registry);
}

static void test_wait_ends_at_its_time(void **state) {
  (void)state;
  psprobe_registry *registry = make(0);
  int64_t until_ns = psprobe_clock_monotonic() + 10000000;
  psprobe_registry_wait(registry, 0);
  psprobe_registry_wait(registry, INT64_MIN);
  while (psprobe_clock_monotonic() < until_ns)
    psprobe_registry_wait(registry, until_ns);
  assert_true(psprobe_clock_monotonic() < until_ns + 5 * SECOND);
  psprobe_registry_free(registry);
}

/* NULL: it was woken; the registry: its time came. */
static void *wait_long(void *arg) {
  int64_t until_ns = psprobe_clock_monotonic() + 20 * SECOND;
  psprobe_registry_wait(arg, until_ns);
  return psprobe_clock_monotonic() < until_ns ? NULL : arg;
}

static void join_woken(pthread_t thread) {
  void *overslept;
  pthread_join(thread, &overslept);
  assert_null(overslept);
}

static void test_wake(void **state) {
  (void)state;
  psprobe_registry *registry = make(0);
  psprobe_registry_wake(registry); /* before anybody waits: for the next */
  assert_null(wait_long(registry));
  for (int i = 0; i < 100; i++) { /* whether it waits already or not yet */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_long, registry), 0);
    if (i % 2 == 0) sched_yield();
    psprobe_registry_wake(registry);
    join_woken(thread);
  }
  psprobe_registry_free(registry);
}

/* Two wait, and one of them goes: the other is woken by an answer all the same. */
static void test_two_waiters(void **state) {
  (void)state;
  psprobe_registry *registry = make(0);
  pthread_t thread;
  char id[PSPROBE_ID_SIZE];
  begin_now(registry, id);
  assert_int_equal(pthread_create(&thread, NULL, wait_long, registry), 0);
  for (int i = 0; i < 20; i++)
    psprobe_registry_wait(registry, psprobe_clock_monotonic() + 1000000);
  psprobe_registry_answer(registry, id, 0, psprobe_clock_monotonic(), false, -1, NULL);
  join_woken(thread);
  psprobe_registry_free(registry);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stress),
      cmocka_unit_test(test_stress_at_the_bound),
      cmocka_unit_test(test_no_wake_is_missed),
      cmocka_unit_test(test_wait_ends_at_a_timeout),
      cmocka_unit_test(test_wait_ends_at_its_time),
      cmocka_unit_test(test_wake),
      cmocka_unit_test(test_two_waiters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
