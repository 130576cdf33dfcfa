/* SPDX-License-Identifier: MIT */
/** @file The registry by tables: what one probe, or a few, can go through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#define TIMEOUT 100
#define WINDOW  50
#define WALL    1000000

typedef enum op { END, BEGIN, PUBLISHED, FAILED, ANSWER, COLLECT, IN_FLIGHT } op;

/*
 * One call. `probe` stands for an id. What COLLECT wants is a word for each
 * finished probe: its number, ':' or for an update '~', each source's answer,
 * and how long the publish call took. A10 is answered after 10 ns, L120 late,
 * '-' lost, x2 two duplicates, '!' for an answer that is fresh.
 */
typedef struct step {
  op op;
  int probe;
  size_t source;
  int64_t at;
  int want; /* code, outcome or number */
  const char *finished;
} step;

#define FIRST     PSPROBE_ANSWER_FIRST
#define DUPLICATE PSPROBE_ANSWER_DUPLICATE
#define LATE      PSPROBE_ANSWER_LATE
#define UNKNOWN   PSPROBE_ANSWER_UNKNOWN
#define FULL      PSPROBE_RESOURCE_EXHAUSTED

typedef struct scenario {
  const char *name;
  size_t capacity;
  bool await_published;
  step steps[24];
} scenario;

/* clang-format off */
static const scenario scenarios[] = {
    {"all goes well", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {IN_FLIGHT, 0, 0, 0, 1, 0},
        {PUBLISHED, 0, 0, 5, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {COLLECT, 0, 0, 15, 0, ""},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {IN_FLIGHT, 0, 0, 0, 0, 0},
        {COLLECT, 0, 0, 25, 0, "0:!A10,!A20,5"},
        {COLLECT, 0, 0, 1000, 0, ""}}},
    {"both answers before the publish call returns", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {COLLECT, 0, 0, 25, 0, "0:!A10,!A20,-1"},
        {PUBLISHED, 0, 0, 30, 0, 0},
        {COLLECT, 0, 0, 35, 0, ""},
        {ANSWER, 0, 1, 40, DUPLICATE, 0},
        {COLLECT, 0, 0, 45, 0, "0~A10,A20x1,30"}}},
    {"the same, held until it returns", 0, true, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {IN_FLIGHT, 0, 0, 0, 1, 0},
        {COLLECT, 0, 0, 25, 0, ""},
        {ANSWER, 0, 1, 26, DUPLICATE, 0},
        {COLLECT, 0, 0, 27, 0, ""},
        {PUBLISHED, 0, 0, 30, 0, 0},
        {IN_FLIGHT, 0, 0, 0, 0, 0},
        {COLLECT, 0, 0, 35, 0, "0:!A10,!A20x1,30"}}},
    {"held, and the publish call fails after all", 0, true, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {FAILED, 0, 0, 30, 0, 0},
        {COLLECT, 0, 0, 35, 0, "0:!A10,!A20,-1"}}},
    {"held, and the publish call never returns", 0, true, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {COLLECT, 0, 0, 100, 0, ""},
        {COLLECT, 0, 0, 101, 0, "0:!A10,!A20,-1"},
        {PUBLISHED, 0, 0, 102, 0, 0},
        {COLLECT, 0, 0, 103, 0, ""}}},
    {"held, published first", 0, true, {
        {BEGIN, 0, 0, 0, 0, 0},
        {PUBLISHED, 0, 0, 5, 0, 0},
        {ANSWER, 0, 1, 10, FIRST, 0},
        {ANSWER, 0, 0, 20, FIRST, 0},
        {COLLECT, 0, 0, 25, 0, "0:!A20,!A10,5"}}},
    {"a failed publish leaves it to time out", 0, true, {
        {BEGIN, 0, 0, 0, 0, 0},
        {FAILED, 0, 0, 5, 0, 0},
        {COLLECT, 0, 0, 100, 0, ""},
        {IN_FLIGHT, 0, 0, 0, 1, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"},
        {IN_FLIGHT, 0, 0, 0, 0, 0}}},
    {"a failed publish whose message came through", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {FAILED, 0, 0, 5, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 11, FIRST, 0},
        {COLLECT, 0, 0, 12, 0, "0:!A10,!A11,-1"}}},
    {"twice, before it is handed out", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 0, 11, DUPLICATE, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {ANSWER, 0, 0, 21, DUPLICATE, 0},
        {COLLECT, 0, 0, 25, 0, "0:!A10x2,!A20,-1"}}},
    {"twice, after it was handed out: one update however many", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 20, FIRST, 0},
        {COLLECT, 0, 0, 25, 0, "0:!A10,!A20,-1"},
        {ANSWER, 0, 0, 30, DUPLICATE, 0},
        {ANSWER, 0, 0, 31, DUPLICATE, 0},
        {ANSWER, 0, 1, 120, DUPLICATE, 0},
        {COLLECT, 0, 0, 121, 0, "0~A10x2,A20x1,-1"},
        {COLLECT, 0, 0, 121, 0, ""}}},
    {"probes answered out of order", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 1, 0, 1, 0, 0},
        {BEGIN, 2, 0, 2, 0, 0},
        {ANSWER, 2, 1, 10, FIRST, 0},
        {ANSWER, 1, 1, 11, FIRST, 0},
        {ANSWER, 2, 0, 12, FIRST, 0},
        {ANSWER, 1, 0, 13, FIRST, 0},
        {COLLECT, 0, 0, 20, 0, "2:!A10,!A8,-1 1:!A12,!A10,-1"},
        {IN_FLIGHT, 0, 0, 0, 1, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"}}},
    {"begun out of order by two threads", 0, false, {
        {BEGIN, 0, 0, 7, 0, 0},
        {BEGIN, 1, 0, 5, 0, 0},
        {BEGIN, 2, 0, 6, 0, 0},
        {COLLECT, 0, 0, 106, 0, "1:-,-,-1"},
        {COLLECT, 0, 0, 107, 0, "2:-,-,-1"},
        {COLLECT, 0, 0, 108, 0, "0:-,-,-1"}}},
    {"the timeout to the nanosecond", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 100, FIRST, 0},
        {ANSWER, 0, 1, 101, LATE, 0},
        {COLLECT, 0, 0, 101, 0, "0:!A100,!L101,-1"}}},
    {"late for both, before anybody collected", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 120, LATE, 0},
        {IN_FLIGHT, 0, 0, 0, 1, 0},
        {ANSWER, 0, 1, 121, LATE, 0},
        {IN_FLIGHT, 0, 0, 0, 0, 0},
        {COLLECT, 0, 0, 122, 0, "0:!L120,!L121,-1"}}},
    {"late after it was handed out as lost", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 1, 10, FIRST, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,!A10,-1"},
        {ANSWER, 0, 0, 110, LATE, 0},
        {ANSWER, 0, 0, 111, DUPLICATE, 0},
        {COLLECT, 0, 0, 112, 0, "0~!L110x1,A10,-1"},
        {ANSWER, 0, 1, 113, DUPLICATE, 0},
        {COLLECT, 0, 0, 114, 0, "0~L110x1,A10x1,-1"}}},
    {"late one after the other: an update each", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"},
        {ANSWER, 0, 0, 110, LATE, 0},
        {COLLECT, 0, 0, 111, 0, "0~!L110,-,-1"},
        {ANSWER, 0, 1, 150, LATE, 0},
        {COLLECT, 0, 0, 151, 0, "0~L110,!L150,-1"}}},
    {"in time by the clock, noted after it was handed out as lost", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"},
        {ANSWER, 0, 0, 99, FIRST, 0},
        {COLLECT, 0, 0, 102, 0, "0~!A99,-,-1"}}},
    {"the late window to the nanosecond", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 1, 0, 0, 0, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1 1:-,-,-1"},
        {ANSWER, 0, 0, 150, LATE, 0},
        {ANSWER, 1, 0, 151, UNKNOWN, 0},
        {ANSWER, 0, 0, 151, UNKNOWN, 0},
        {COLLECT, 0, 0, 152, 0, "0~!L150,-,-1"}}},
    {"a complete one is known as long", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 10, FIRST, 0},
        {COLLECT, 0, 0, 11, 0, "0:!A10,!A10,-1"},
        {ANSWER, 0, 1, 150, DUPLICATE, 0},
        {COLLECT, 0, 0, 151, 0, "0~A10,A10x1,-1"},
        {ANSWER, 0, 1, 151, UNKNOWN, 0},
        {COLLECT, 0, 0, 152, 0, ""}}},
    {"nobody collected for very long: handed out all the same", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 1, 0, 0, 0, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 10, FIRST, 0},
        {ANSWER, 1, 1, 5000, UNKNOWN, 0},
        {COLLECT, 0, 0, 5000, 0, "0:!A10,!A10,-1 1:-,-,-1"}}},
    {"after a restart: an answer to a probe of an earlier run", 0, false, {
        {ANSWER, 0, 0, 10, UNKNOWN, 0},
        {PUBLISHED, 0, 0, 10, 0, 0},
        {COLLECT, 0, 0, 1000, 0, ""}}},
    {"the same id twice", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 0, 0, 1, PSPROBE_ALREADY_EXISTS, 0},
        {ANSWER, 0, 0, 10, FIRST, 0},
        {ANSWER, 0, 1, 10, FIRST, 0},
        {BEGIN, 0, 0, 11, PSPROBE_ALREADY_EXISTS, 0},
        {COLLECT, 0, 0, 11, 0, "0:!A10,!A10,-1"},
        {BEGIN, 0, 0, 12, PSPROBE_ALREADY_EXISTS, 0},
        {IN_FLIGHT, 0, 0, 0, 0, 0}}},
    {"no such source", 0, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {ANSWER, 0, 2, 10, UNKNOWN, 0},
        {ANSWER, 0, SIZE_MAX, 10, UNKNOWN, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"}}},
    {"the bound: what is complete makes room once it is handed out", 2, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 1, 0, 1, 0, 0},
        {BEGIN, 2, 0, 2, FULL, 0},
        {IN_FLIGHT, 0, 0, 0, 2, 0},
        {ANSWER, 2, 0, 3, UNKNOWN, 0},
        {ANSWER, 1, 0, 10, FIRST, 0},
        {ANSWER, 1, 1, 10, FIRST, 0},
        {BEGIN, 2, 0, 11, FULL, 0},
        {COLLECT, 0, 0, 12, 0, "1:!A9,!A9,-1"},
        {ANSWER, 1, 1, 13, DUPLICATE, 0},
        {BEGIN, 2, 0, 14, FULL, 0},
        {COLLECT, 0, 0, 15, 0, "1~A9,A9x1,-1"},
        {BEGIN, 2, 0, 16, 0, 0},
        {ANSWER, 1, 1, 17, UNKNOWN, 0},
        {ANSWER, 0, 0, 18, FIRST, 0},
        {COLLECT, 0, 0, 101, 0, "0:!A18,-,-1"}}},
    {"the bound: one in its late window is not given up for another", 1, false, {
        {BEGIN, 0, 0, 0, 0, 0},
        {BEGIN, 1, 0, 101, FULL, 0},
        {COLLECT, 0, 0, 101, 0, "0:-,-,-1"},
        {BEGIN, 1, 0, 150, FULL, 0},
        {BEGIN, 1, 0, 151, 0, 0},
        {ANSWER, 0, 0, 152, UNKNOWN, 0},
        {ANSWER, 1, 0, 152, FIRST, 0}}},
};

/* clang-format on */

static void make_id(char id[PSPROBE_ID_SIZE], int probe) {
  snprintf(id, PSPROBE_ID_SIZE, "%032x", (unsigned)probe + 0xf00);
}

static void describe(const psprobe_finished *finished, char *out, size_t size) {
  const psprobe_result *r = &finished->result;
  size_t len = (size_t)snprintf(out, size, "%d%c", (int)strtol(r->id, NULL, 16) - 0xf00,
                                finished->update ? '~' : ':');
  assert_int_equal(r->source_count, 2);
  for (size_t i = 0; i < r->source_count; i++) {
    const psprobe_answer *a = &r->answers[i];
    if (finished->fresh >> i & 1) out[len++] = '!';
    if (a->status == PSPROBE_LOST)
      len += (size_t)snprintf(out + len, size - len, "-");
    else
      len += (size_t)snprintf(out + len, size - len, "%c%lld",
                              a->status == PSPROBE_LATE ? 'L' : 'A', (long long)a->elapsed_ns);
    if (a->duplicates > 0) len += (size_t)snprintf(out + len, size - len, "x%u", a->duplicates);
    len += (size_t)snprintf(out + len, size - len, ",");
  }
  snprintf(out + len, size - len, "%lld", (long long)r->publish_ns);
}

static void collect(psprobe_registry *registry, int64_t now_ns, char *out, size_t size) {
  psprobe_finished finished[8];
  size_t count = psprobe_registry_collect(registry, now_ns, finished, 8);
  size_t len = 0;
  out[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    if (i > 0) out[len++] = ' ';
    describe(&finished[i], out + len, size - len);
    len = strlen(out);
  }
}

static int do_step(psprobe_registry *registry, const step *s) {
  char id[PSPROBE_ID_SIZE];
  make_id(id, s->probe);
  switch (s->op) {
    case BEGIN:
      return (int)psprobe_registry_begin(registry, id, s->at, s->at, WALL + s->at,
                                         PSPROBE_CADENCE_STEADY);
    case ANSWER:
      return (int)psprobe_registry_answer(registry, id, s->source, s->at, false, -1, NULL);
    case IN_FLIGHT:
      return (int)psprobe_registry_in_flight(registry);
    case PUBLISHED:
    case FAILED:
      psprobe_registry_published(registry, id, s->at, s->op == PUBLISHED);
      return 0;
    default:
      return 0;
  }
}

static void test_scenarios(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    const scenario *sc = &scenarios[i];
    psprobe_registry_options options = {.source_count = 2,
                                        .capacity = sc->capacity ? sc->capacity : 8,
                                        .timeout_ns = TIMEOUT,
                                        .late_window_ns = WINDOW,
                                        .await_published = sc->await_published};
    psprobe_registry *registry;
    assert_int_equal(psprobe_registry_new(&options, &registry, NULL), PSPROBE_OK);
    for (const step *s = sc->steps; s->op != END; s++) {
      char seen[512] = "";
      int got = do_step(registry, s);
      if (s->op == COLLECT) collect(registry, s->at, seen, sizeof seen);
      if (got != s->want || (s->op == COLLECT && strcmp(seen, s->finished) != 0))
        fail_msg("%s, step %d: want %d \"%s\", got %d \"%s\"", sc->name, (int)(s - sc->steps),
                 s->want, s->finished != NULL ? s->finished : "", got, seen);
    }
    psprobe_registry_free(registry);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
