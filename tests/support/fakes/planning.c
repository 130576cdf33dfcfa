/* SPDX-License-Identifier: MIT */
#include "planning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

planning planning_world;

static uint64_t chance(void) {
  planning_world.chance = planning_world.chance * 6364136223846793005u + 1442695040888963407u;
  return planning_world.chance;
}

psprobe_error planning_all_well(size_t first, size_t count) {
  (void)first, (void)count;
  return (psprobe_error){.code = PSPROBE_OK};
}

int planning_setup(void **state) {
  (void)state;
  memset(&planning_world, 0, sizeof planning_world);
  planning_world.now = 7 * PLANNING_SECOND;
  planning_world.answer = planning_all_well;
  planning_world.takes = PLANNING_TAKES;
  psp_plan_init(&planning_world.plan, true);
  return 0;
}

static bool is_bad(size_t row) {
  return row >= planning_world.bad_from && row < planning_world.bad_to;
}

/* Takes and sends the rows of a request, as the outbox has them: seq is the index plus one. None
 * may be in flight already. */
static void send_now(const psp_plan_step *step) {
  assert_true(planning_world.flying < PSP_PLAN_FLIGHTS);
  planning_flight *f = &planning_world.flights[planning_world.flying++];
  *f = (planning_flight){.step = *step, .lands = planning_world.now};
  for (size_t i = (size_t)step->after; i < planning_world.rows && f->count < step->most; i++) {
    if (planning_world.there[i]) continue;
    assert_false(planning_world.flies[i]);
    planning_world.flies[i] = true;
    planning_world.sent_at[planning_world.writes++ % PLANNING_ROWS] = planning_world.now;
    f->rows[f->count++] = i;
  }
  psp_plan_taken(&planning_world.plan, step, f->count, 0,
                 f->count > 0 ? (int64_t)f->rows[f->count - 1] + 1 : step->after);
  if (f->count == 0) return;
  planning_world.requests++;
  if (f->count > planning_world.largest) planning_world.largest = f->count;
  if (planning_world.flying > planning_world.most_flying)
    planning_world.most_flying = planning_world.flying;
  f->answer = planning_world.answer(f->rows[0], f->count);
  f->lands = planning_world.now + planning_world.takes;
}

/* A request comes back. */
static void land(size_t which) {
  planning_flight f = planning_world.flights[which];
  psp_batch batch = {.rows = f.count};
  planning_world.flights[which] = planning_world.flights[--planning_world.flying];
  for (size_t i = 0; i < f.count; i++)
    planning_world.flies[f.rows[i]] = false;
  for (size_t i = 0; f.answer.code == PSPROBE_OK && i < f.count; i++) {
    if (planning_world.of_row.code != PSPROBE_OK && is_bad(f.rows[i])) {
      if (batch.again++ == 0) batch.failure = planning_world.of_row;
      continue;
    }
    planning_world.there[f.rows[i]] = true;
    batch.moved++;
    batch.uploaded++;
    planning_world.uploaded++;
  }
  psp_plan_outcome(&planning_world.plan, &f.step, &batch,
                   f.answer.code == PSPROBE_OK ? NULL : &f.answer, planning_world.now, chance());
}

static size_t first_to_land(void) {
  size_t first = 0;
  for (size_t i = 1; i < planning_world.flying; i++)
    if (planning_world.flights[i].lands < planning_world.flights[first].lands) first = i;
  return first;
}

bool planning_run(int64_t ns) {
  int64_t until = planning_world.now + ns;
  while (planning_world.now < until) {
    psp_plan_step step = psp_plan_next(&planning_world.plan, planning_world.now);
    if (step.act == PSP_PLAN_SEND) {
      send_now(&step);
      continue;
    }
    if (step.act == PSP_PLAN_WAIT)
      assert_true(step.until > planning_world.now); /* else it turns for ever */
    int64_t next = step.act == PSP_PLAN_WAIT ? step.until : INT64_MAX;
    int64_t landing =
        planning_world.flying > 0 ? planning_world.flights[first_to_land()].lands : INT64_MAX;
    if (next == INT64_MAX && landing == INT64_MAX) return true;
    int64_t due = landing <= next ? landing : next;
    planning_world.now = due < until ? due : until;
    if (due == landing && due <= until) land(first_to_land());
  }
  return false;
}

void planning_add(size_t rows) {
  planning_world.rows += rows;
  assert_true(planning_world.rows <= PLANNING_ROWS);
  psp_plan_rows(&planning_world.plan);
}
