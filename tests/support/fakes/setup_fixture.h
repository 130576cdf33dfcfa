/* SPDX-License-Identifier: MIT */
#ifndef TEST_SETUP_FIXTURE_H
#define TEST_SETUP_FIXTURE_H
/** @file A setup in front of a Google of the tests' own, a key in hand. */
#include <psprobe/setup.h>

#include "fake_admin.h"

#define SETUP_IMAGE "europe-west1-docker.pkg.dev/demo-project/psprobe/psprobe:1"

typedef struct setup_fixture {
  fake_admin *google;
  psprobe_setup_options options;
  psprobe_setup *setup; /**< of the last run, until the next */
  psprobe_error error;
} setup_fixture;

/** cmocka's setup and teardown; *state is a setup_fixture with the image given. */
int setup_fixture_new(void **state);
int setup_fixture_free(void **state);
/** Puts an empty Google in the place of the old one. */
void setup_fixture_renew(setup_fixture *f);
/** A plan, and (unless `plan_only`) a run. */
psprobe_code setup_fixture_go(setup_fixture *f, psprobe_setup_verb verb, bool plan_only);
/** The same, which must succeed. @return how many steps changed something */
size_t setup_fixture_apply(setup_fixture *f);
size_t setup_fixture_destroy(setup_fixture *f);
/** The state of a step by its kind and name; fails the test when there is none. */
psprobe_setup_step setup_fixture_step(const setup_fixture *f, const char *kind, const char *name);

#endif
