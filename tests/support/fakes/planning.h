/* SPDX-License-Identifier: MIT */
#ifndef TEST_PLANNING_H
#define TEST_PLANNING_H
/** @file An uploader's plan in a world with a clock of its own, and a service that answers as a
 * test has it. */
#include "results/upload/plan.h"

#define PLANNING_SECOND INT64_C(1000000000)
#define PLANNING_TAKES  (PLANNING_SECOND / 100) /**< a request, where nothing else is said */
#define PLANNING_ROWS   300000

/** What the service says of a request of so many rows (code OK: it is answered). */
typedef psprobe_error planning_service(size_t first, size_t count);

/** A request in flight. */
typedef struct planning_flight {
  psp_plan_step step;
  size_t rows[PSP_PLAN_MOST], count;
  psprobe_error answer;
  int64_t lands;
} planning_flight;

typedef struct planning {
  psp_plan plan;
  int64_t now;
  uint64_t chance;
  planning_service *answer;
  size_t rows; /**< added so far */
  bool there[PLANNING_ROWS], flies[PLANNING_ROWS];
  planning_flight flights[PSP_PLAN_FLIGHTS];
  size_t flying, most_flying;
  int64_t takes;        /**< a request */
  psprobe_error of_row; /**< what a bad row is told by itself */
  size_t bad_from, bad_to;
  size_t uploaded, requests, largest;
  int64_t sent_at[PLANNING_ROWS]; /**< of each write that was tried, in order */
  size_t writes;
} planning;

extern planning planning_world;

/** cmocka's setup: a service with Firestore's ramp that answers all. */
int planning_setup(void **state);
#define PLANNING_TEST(name) cmocka_unit_test_setup(name, planning_setup)
psprobe_error planning_all_well(size_t first, size_t count);
void planning_add(size_t rows);
/** Runs the world for a while. @return true: it came to rest before */
bool planning_run(int64_t ns);

#endif
