/* SPDX-License-Identifier: MIT */
/** @file
 * The registry against a reference that is too simple to be wrong: an array of probes that every
 * call searches from end to end. Random calls, seeded; outcomes, order of hand-out, bound and
 * in-flight count must agree at every step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#define SOURCES   3
#define TIMEOUT   100
#define WINDOW    60
#define MAX_KNOWN 3000
#define ID_SPACE  4000

typedef enum place { LIVE, READY, GONE_LATE, SPENT } place;

typedef struct reference {
  int id;
  int64_t sent, publish;
  place where;
  uint64_t since; /* order of arrival there */
  bool handed_out, published;
  struct {
    bool there, told;
    int64_t elapsed;
    uint32_t duplicates;
  } answers[SOURCES];
} reference;

typedef struct model {
  reference known[MAX_KNOWN];
  size_t count, capacity;
  uint64_t order;
  bool await;
} model;

static reference *model_find(model *m, int id) {
  for (size_t i = 0; i < m->count; i++)
    if (m->known[i].id == id) return &m->known[i];
  return NULL;
}

/* The one that has been longest in a state, or with `by_sent` was sent first; NULL. */
static reference *oldest(model *m, place where, bool by_sent) {
  reference *best = NULL;
  for (size_t i = 0; i < m->count; i++) {
    reference *r = &m->known[i];
    if (r->where != where) continue;
    if (best == NULL || (by_sent && r->sent < best->sent) ||
        ((!by_sent || r->sent == best->sent) && r->since < best->since))
      best = r;
  }
  return best;
}

static void move(model *m, reference *r, place where) {
  r->where = where;
  r->since = m->order++;
}

static bool answered_by_all(const reference *r) {
  for (int i = 0; i < SOURCES; i++)
    if (!r->answers[i].there) return false;
  return true;
}

static psprobe_code model_begin(model *m, int id, int64_t now) {
  if (model_find(m, id) != NULL) return PSPROBE_ALREADY_EXISTS;
  if (m->count == m->capacity) {
    reference *victim = oldest(m, GONE_LATE, false);
    if (victim == NULL || now - victim->sent <= TIMEOUT + WINDOW) victim = oldest(m, SPENT, false);
    if (victim == NULL) return PSPROBE_RESOURCE_EXHAUSTED;
    *victim = m->known[--m->count];
  }
  reference *r = &m->known[m->count++];
  *r = (reference){.id = id, .sent = now, .publish = -1};
  move(m, r, LIVE);
  return PSPROBE_OK;
}

static bool complete(const model *m, const reference *r) {
  return answered_by_all(r) && (r->published || !m->await);
}

static void model_published(model *m, int id, int64_t now, bool ok) {
  reference *r = model_find(m, id);
  if (r == NULL) return;
  r->published = true;
  r->publish = ok ? now - r->sent : -1;
  if (r->where == LIVE && complete(m, r)) move(m, r, READY);
}

static psprobe_answer_outcome model_answer(model *m, int id, int source, int64_t now) {
  reference *r = model_find(m, id);
  if (r == NULL || now - r->sent > TIMEOUT + WINDOW) return PSPROBE_ANSWER_UNKNOWN;
  psprobe_answer_outcome outcome = PSPROBE_ANSWER_DUPLICATE;
  if (r->answers[source].there) {
    r->answers[source].duplicates++;
  } else {
    r->answers[source].there = true;
    r->answers[source].elapsed = now - r->sent;
    outcome = now - r->sent > TIMEOUT ? PSPROBE_ANSWER_LATE : PSPROBE_ANSWER_FIRST;
  }
  if (r->where != READY && (r->handed_out || complete(m, r))) move(m, r, READY);
  return outcome;
}

static reference *model_next(model *m, int64_t now) {
  reference *r = oldest(m, READY, false);
  if (r != NULL) return r;
  r = oldest(m, LIVE, true);
  return r != NULL && now - r->sent > TIMEOUT ? r : NULL;
}

static size_t model_in_flight(const model *m) {
  size_t count = 0;
  for (size_t i = 0; i < m->count; i++)
    count += m->known[i].where == LIVE;
  return count;
}

static void make_id(char out[PSPROBE_ID_SIZE], int id) {
  snprintf(out, PSPROBE_ID_SIZE, "%016x%016x", (unsigned)id, (unsigned)id * 7);
}

/* Compares what was handed out with what the model hands out, and does so in the model. */
static void check_hand_out(model *m, reference *r, const psprobe_finished *f) {
  char id[PSPROBE_ID_SIZE];
  make_id(id, r->id);
  assert_string_equal(f->result.id, id);
  assert_int_equal(f->update, r->handed_out);
  assert_int_equal(f->result.publish_ns, r->publish);
  for (int i = 0; i < SOURCES; i++) {
    const psprobe_answer *a = &f->result.answers[i];
    psprobe_status status = !r->answers[i].there              ? PSPROBE_LOST
                            : r->answers[i].elapsed > TIMEOUT ? PSPROBE_LATE
                                                              : PSPROBE_ANSWERED;
    assert_int_equal(a->status, status);
    assert_int_equal(a->elapsed_ns, r->answers[i].there ? r->answers[i].elapsed : 0);
    assert_int_equal(a->duplicates, r->answers[i].duplicates);
    assert_int_equal(f->fresh >> i & 1, r->answers[i].there && !r->answers[i].told);
    r->answers[i].told = r->answers[i].there;
  }
  r->handed_out = true;
  move(m, r, answered_by_all(r) ? SPENT : GONE_LATE);
}

static uint64_t state;

static uint64_t next_random(void) {
  /* xorshift64* (Vigna, 2016) */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * UINT64_C(2685821657736338717);
}

static int below(int bound) {
  return (int)(next_random() % (uint64_t)bound);
}

/* An id that was likely begun not long ago, and now and then any. */
static int some_id(int newest) {
  int id = below(10) == 0 ? below(ID_SPACE) : newest - below(40);
  return id < 0 ? 0 : id;
}

typedef struct run {
  model *model;
  psprobe_registry *registry;
  int64_t now;
  int newest;
  bool one_shard; /* then the order is exact too */
} run;

static void step_begin(run *r) {
  char id[PSPROBE_ID_SIZE];
  int number = below(20) == 0 ? some_id(r->newest) : r->newest++;
  int64_t sent = r->now - below(3); /* threads do not come in order */
  make_id(id, number);
  assert_int_equal(psprobe_registry_begin(r->registry, id, sent, sent, 0, PSPROBE_CADENCE_STEADY),
                   model_begin(r->model, number, sent));
}

static void step_answer(run *r) {
  char id[PSPROBE_ID_SIZE];
  int number = some_id(r->newest), source = below(SOURCES);
  make_id(id, number);
  assert_int_equal(
      psprobe_registry_answer(r->registry, id, (size_t)source, r->now, false, -1, NULL),
      model_answer(r->model, number, source, r->now));
}

static void step_published(run *r) {
  char id[PSPROBE_ID_SIZE];
  int number = some_id(r->newest);
  bool ok = below(8) != 0;
  make_id(id, number);
  psprobe_registry_published(r->registry, id, r->now, ok);
  model_published(r->model, number, r->now, ok);
}

static void step_collect(run *r) {
  psprobe_finished finished[64];
  size_t max = r->one_shard ? (size_t)below(6) : 64, i = 0;
  size_t got = psprobe_registry_collect(r->registry, r->now, finished, max);
  for (; i < max; i++) {
    reference *ref = model_next(r->model, r->now);
    if (ref == NULL) break;
    size_t at = i;
    char id[PSPROBE_ID_SIZE];
    make_id(id, ref->id);
    while (!r->one_shard && at < got && strcmp(finished[at].result.id, id) != 0)
      at++;
    assert_true(at < got);
    check_hand_out(r->model, ref, &finished[at]);
    if (at != i) finished[at] = finished[i];
  }
  assert_int_equal(got, i);
}

static void walk(uint64_t seed, size_t capacity, bool await) {
  psprobe_registry_options options = {.source_count = SOURCES,
                                      .capacity = capacity,
                                      .timeout_ns = TIMEOUT,
                                      .late_window_ns = WINDOW,
                                      .await_published = await};
  static model m;
  run r = {.model = &m, .now = 1000, .one_shard = capacity < 256};
  m = (model){.capacity = capacity, .await = await};
  state = seed;
  assert_int_equal(psprobe_registry_new(&options, &r.registry, NULL), PSPROBE_OK);
  /* The order is exact with one shard; with more, the bound must not be met, since which shard
   * gives up a slot for another is not the model's business. */
  int steps = r.one_shard ? 20000 : 6000;
  for (int i = 0; i < steps && (r.one_shard || m.count + 1 < m.capacity); i++) {
    int kind = below(100);
    if (kind < 25)
      step_begin(&r);
    else if (kind < 80)
      step_answer(&r);
    else if (kind < 90)
      step_published(&r);
    else
      step_collect(&r);
    assert_int_equal(psprobe_registry_in_flight(r.registry), model_in_flight(&m));
    if (below(3) == 0) r.now += below(8);
    if (below(500) == 0) r.now += 3 * TIMEOUT; /* nobody came for a while */
  }
  psprobe_registry_free(r.registry);
}

static void test_model(void **unused) {
  (void)unused;
  static const size_t capacities[] = {1, 2, 7, 40, 200, 2000};
  for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++)
    for (uint64_t seed = 1; seed <= 6; seed++)
      walk(seed * 7919, capacities[c], seed % 2 == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
