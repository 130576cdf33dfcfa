/* SPDX-License-Identifier: MIT */
/** @file The experiment made and taken down on a Google of our own, each step failing in turn, with
 * somebody else's things beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup_fixture.h"

#define P       "projects/" FAKE_ADMIN_PROJECT
#define L       P "/locations/europe-west1"
#define ACCOUNT "@" FAKE_ADMIN_PROJECT ".iam.gserviceaccount.com"

/* Part of a text that is freed. */
static bool holds(char *text, const char *part) {
  bool does = text != NULL && strstr(text, part) != NULL;
  free(text);
  return does;
}

/* All that bears our name but the database, which holds results. */
static size_t left(const setup_fixture *f) {
  char *policy = fake_admin_get_policy(f->google, P);
  size_t count = fake_admin_count(f->google, "/probes") + (strstr(policy, "probes-") != NULL);
  free(policy);
  return count;
}

static void all_is_made_and_nothing_is_left(void **state) {
  setup_fixture *f = *state;
  size_t made = setup_fixture_apply(f);
  assert_true(made > 15);
  assert_int_equal(fake_admin_count(f->google, "/serviceAccounts/"), 4);
  assert_int_equal(fake_admin_count(f->google, "/subscriptions/"), 2);
  assert_int_equal(fake_admin_count(f->google, L "/services/"), 2);
  assert_int_equal(fake_admin_count(f->google, "/workerPools/"), 1);
  assert_int_equal(fake_admin_count(f->google, "/triggers/"), 0);
  unsigned changes = fake_admin_changes(f->google);
  assert_int_equal(setup_fixture_apply(f), 0); /* again: nothing, by its word and by Google's */
  assert_int_equal(fake_admin_changes(f->google), changes);
  setup_fixture_destroy(f);
  assert_int_equal(left(f), 0);
  assert_int_equal(fake_admin_count(f->google, "/databases/(default)"), 1);
  assert_int_equal(setup_fixture_destroy(f), 0);
  assert_int_equal(fake_admin_requests(f->google, "/keys"), 0);
}

static void six_sources_with_their_trigger(void **state) {
  setup_fixture *f = *state;
  f->options.all = true;
  fake_admin_set_polls(f->google, 2);
  setup_fixture_apply(f);
  assert_int_equal(fake_admin_count(f->google, L "/services/"), 4);
  assert_int_equal(fake_admin_count(f->google, "/workerPools/"), 2);
  assert_int_equal(fake_admin_count(f->google, "/subscriptions/"), 5);
  static const char unary[] = "\"--mode\",\"unary\",\"--pulls\",\"1\"";
  assert_true(holds(fake_admin_get(f->google, L "/workerPools/probes-worker-pull"), unary));
  assert_false(holds(fake_admin_get(f->google, L "/workerPools/probes-worker-stream"), "--mode"));
  assert_int_equal(fake_admin_count(f->google, L "/triggers/probes-function-eventarc"), 1);
  assert_true(holds(fake_admin_get_policy(f->google, P), "roles/eventarc.eventReceiver"));
  assert_true(holds(psprobe_setup_next(f->setup),
                    "psprobe-subscriber --project demo-project "
                    "--subscription probes-vm-stream"));
  assert_int_equal(setup_fixture_apply(f), 0);
  f->options.all = false; /* a destroy takes it all, however it was made */
  f->options.image = NULL;
  setup_fixture_destroy(f);
  assert_int_equal(left(f), 0);
}

/* What the prober of `f` was told, as a list of JSON strings. */
static bool prober_has(const setup_fixture *f, const char *arguments) {
  char *body = fake_admin_get(f->google, L "/services/probes-prober");
  return holds(body, arguments);
}

static void rare_probes_find_functions_of_their_own(void **state) {
  setup_fixture *f = *state;
  setup_fixture_apply(f);
  assert_false(prober_has(f, "--cold-topic"));
  f->options.cold_every_ns = INT64_C(1200000000000);
  assert_true(setup_fixture_apply(f) > 5); /* goes on from what is there */
  assert_int_equal(fake_admin_count(f->google, "/topics/"), 2);
  assert_int_equal(fake_admin_count(f->google, "/subscriptions/"), 4);
  assert_int_equal(fake_admin_count(f->google, L "/services/probes-cloud-function-cold"), 1);
  assert_int_equal(fake_admin_count(f->google, "/workerPools/probes-regular-service-cold"), 1);
  assert_int_equal(fake_admin_count(f->google, "/serviceAccounts/"), 4); /* the same accounts */
  assert_true(prober_has(f, "\"--cold-topic\",\"probes-cold\",\"--cold-every\",\"1200000ms\""));
  assert_true(holds(fake_admin_get(f->google, P "/subscriptions/probes-cloud-function-cold"),
                    "\"topic\":\"" P "/topics/probes-cold\""));
  assert_true(holds(fake_admin_get_policy(f->google, P "/topics/probes-cold"),
                    "roles/pubsub.publisher\",\"members\":[\"serviceAccount:probes-prober"));
  assert_true(holds(psprobe_setup_cost(f->setup), "a rare one each 1200 s"));
  assert_int_equal(setup_fixture_apply(f), 0);
  f->options.image = NULL; /* a destroy minds no apply's options */
  setup_fixture_destroy(f);
  assert_int_equal(left(f), 0);
}

static void all_six_may_be_rare(void **state) {
  setup_fixture *f = *state;
  f->options.all = true;
  f->options.cold_every_ns = INT64_C(1200000000000);
  setup_fixture_apply(f);
  assert_int_equal(fake_admin_count(f->google, L "/services/"), 7);
  assert_int_equal(fake_admin_count(f->google, "/workerPools/"), 4);
  assert_int_equal(fake_admin_count(f->google, "/triggers/"), 2);
  assert_true(holds(fake_admin_get(f->google, L "/triggers/probes-function-eventarc-cold"),
                    P "/topics/probes-cold"));
  assert_true(holds(psprobe_setup_next(f->setup), "--subscription probes-vm-stream-cold"));
  assert_int_equal(setup_fixture_apply(f), 0);
  setup_fixture_destroy(f);
  assert_int_equal(left(f), 0);
}

static void each_may_do_what_he_must(void **state) {
  setup_fixture *f = *state;
  setup_fixture_apply(f);
  static const struct {
    const char *name, *policy;
  } want[] = {
      {P,
       "\"bindings\":[{\"role\":\"roles/datastore.user\",\"members\":[\"serviceAccount:probes-"
       "prober" ACCOUNT "\"]}]"},
      {P "/topics/probes",
       "\"bindings\":[{\"role\":\"roles/pubsub.publisher\",\"members\":["
       "\"serviceAccount:probes-prober" ACCOUNT "\"]}]"},
      {P "/subscriptions/probes-regular-service",
       "\"bindings\":[{\"role\":\"roles/pubsub.subscriber\",\"members\":[\"serviceAccount:probes-"
       "regular-service" ACCOUNT "\"]}]"},
      {P "/subscriptions/probes-cloud-function", "\"bindings\":[]"},
      {L "/services/probes-cloud-function",
       "\"bindings\":[{\"role\":\"roles/run.invoker\",\"members\":[\"serviceAccount:probes-"
       "push" ACCOUNT "\"]}]"},
      {L "/services/probes-prober",
       "\"bindings\":[{\"role\":\"roles/run.invoker\",\"members\":[\"serviceAccount:probes-cloud-"
       "function" ACCOUNT "\",\"serviceAccount:probes-regular-service" ACCOUNT "\"]}]"},
  };
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    char *policy = fake_admin_get_policy(f->google, want[i].name);
    if (strstr(policy, want[i].policy) == NULL)
      fail_msg("%s: %s\nwithout\n%s", want[i].name, policy, want[i].policy);
    free(policy);
  }
}

/* The n-th change fails, having been made or not: apply completes it, destroy removes it. */
static void fail_each(setup_fixture *f, bool done) {
  unsigned failed = 0;
  for (unsigned n = 1;; n++) {
    setup_fixture_renew(f);
    fake_admin_set_polls(f->google, n % 3);
    fake_admin_fail_change(f->google, n, done);
    if (setup_fixture_go(f, PSPROBE_SETUP_APPLY, false) == PSPROBE_OK) break;
    failed++;
    assert_int_equal(f->error.code, PSPROBE_INTERNAL);
    setup_fixture_apply(f);
    assert_int_equal(setup_fixture_apply(f), 0);
    fake_admin_fail_change(f->google, n % 9 + 1, done);
    if (setup_fixture_go(f, PSPROBE_SETUP_DESTROY, false) != PSPROBE_OK) setup_fixture_destroy(f);
    assert_int_equal(left(f), 0);
  }
  assert_true(failed > 15);
}

static void each_change_that_fails_is_made_later(void **state) {
  fail_each(*state, false);
}

static void each_change_whose_answer_is_lost_is_known_later(void **state) {
  fail_each(*state, true);
}

static void what_was_half_made_is_taken_down(void **state) {
  setup_fixture *f = *state;
  for (unsigned n = 1; n < 60; n++) {
    setup_fixture_renew(f);
    fake_admin_fail_change(f->google, n, n % 2 == 0);
    if (setup_fixture_go(f, PSPROBE_SETUP_APPLY, false) == PSPROBE_OK) break;
    setup_fixture_destroy(f);
    assert_int_equal(left(f), 0);
  }
}

static void operations_that_fail_are_begun_again(void **state) {
  setup_fixture *f = *state;
  static const char *const parts[] = {"/databases/", "/services/probes-cloud-function",
                                      "/workerPools/", "/services/probes-prober", "/triggers/"};
  f->options.all = false;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    setup_fixture_renew(f);
    f->options.all = i == 4;
    fake_admin_set_polls(f->google, 1);
    fake_admin_fail_operation(f->google, parts[i], 13, "the image was not found");
    assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_INTERNAL);
    assert_non_null(strstr(f->error.message, "the image was not found"));
    assert_true(setup_fixture_apply(f) > 0);
    assert_int_equal(setup_fixture_apply(f), 0);
  }
}

#define STRANGE "{\"labels\":{\"team\":\"other\"},\"description\":\"somebody's\"}"

static void a_name_that_is_taken_is_refused(void **state) {
  setup_fixture *f = *state;
  static const char *const names[][3] = {
      {P "/topics/probes", "topic", "probes"},
      {P "/subscriptions/probes-cloud-function", "subscription", "probes-cloud-function"},
      {P "/serviceAccounts/probes-push" ACCOUNT, "service account", "probes-push"},
      {L "/services/probes-prober", "Cloud Run service", "probes-prober"},
      {L "/workerPools/probes-regular-service", "Cloud Run worker pool", "probes-regular-service"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    setup_fixture_renew(f);
    fake_admin_put(f->google, names[i][0], STRANGE);
    assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_FAILED_PRECONDITION);
    assert_non_null(strstr(f->error.message, "somebody else's"));
    assert_int_equal(fake_admin_changes(f->google), 0); /* nothing at all, not even around it */
    psprobe_setup_step step = setup_fixture_step(f, names[i][1], names[i][2]);
    assert_int_equal(step.action, PSPROBE_SETUP_REFUSE);
    setup_fixture_destroy(f);
    assert_true(holds(fake_admin_get(f->google, names[i][0]), "somebody's"));
    assert_int_equal(fake_admin_changes(f->google), 0);
  }
}

static void strangers_beside_ours_are_not_touched(void **state) {
  setup_fixture *f = *state;
  static const char policy[] =
      "{\"version\":3,\"bindings\":[{\"role\":\"roles/datastore.user\",\"members\":[\"user:a@b\"]},"
      "{\"role\":\"roles/"
      "datastore.user\",\"members\":[\"user:c@d\"],\"condition\":{\"title\":\"t\","
      "\"expression\":\"true\"}},{\"role\":\"roles/owner\",\"members\":[\"user:o@b\"]}],"
      "\"auditConfigs\":[{\"service\":\"allServices\"}]}";
  static const char *const names[] = {P "/topics/probes2", P "/subscriptions/probes-mine",
                                      P "/serviceAccounts/other" ACCOUNT, L "/services/other",
                                      L "/workerPools/probes-other"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    fake_admin_put(f->google, names[i], STRANGE);
  fake_admin_put_policy(f->google, P, policy);
  setup_fixture_apply(f);
  assert_true(holds(fake_admin_get_policy(f->google, P),
                    "[\"user:a@b\",\"serviceAccount:probes-prober" ACCOUNT "\"]"));
  setup_fixture_destroy(f);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_true(holds(fake_admin_get(f->google, names[i]), "somebody's"));
  char *after = fake_admin_get_policy(f->google, P);
  assert_null(strstr(after, "probes"));
  assert_non_null(strstr(after, "{\"role\":\"roles/datastore.user\",\"members\":[\"user:a@b\"]}"));
  assert_non_null(strstr(after, "\"members\":[\"user:c@d\"],\"condition\":{\"title\":\"t\""));
  assert_non_null(strstr(after, "\"auditConfigs\":[{\"service\":\"allServices\"}]"));
  assert_non_null(strstr(after, "\"version\":3"));
  free(after);
}

static void what_was_changed_is_changed_back(void **state) {
  setup_fixture *f = *state;
  setup_fixture_apply(f);
  f->options.image = "europe-west1-docker.pkg.dev/demo-project/psprobe/psprobe:2";
  assert_int_equal(setup_fixture_apply(f), 3);
  assert_true(holds(fake_admin_get(f->google, L "/services/probes-prober"), "psprobe:2"));
  /* A topic that was deleted and made anew: its subscriptions are of the old one, for ever. */
  fake_admin_put(f->google, P "/subscriptions/probes-regular-service",
                 "{\"topic\":\"_deleted-topic_\",\"labels\":{\"psprobe\":\"probes\"}}");
  assert_true(setup_fixture_apply(f) > 0);
  assert_true(holds(fake_admin_get(f->google, P "/subscriptions/probes-regular-service"),
                    P "/topics/probes\""));
  assert_int_equal(fake_admin_requests(f->google, "DELETE /v1/"), 1);
}

static void the_topic_knows_the_region(void **state) {
  setup_fixture *f = *state;
  setup_fixture_apply(f);
  f->options.region = "us-central1";
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_DESTROY, true), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(f->error.message, "in europe-west1, not in us-central1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup_fixture_new, setup_fixture_free)
      T(all_is_made_and_nothing_is_left),
      T(six_sources_with_their_trigger),
      T(rare_probes_find_functions_of_their_own),
      T(all_six_may_be_rare),
      T(each_may_do_what_he_must),
      T(each_change_that_fails_is_made_later),
      T(each_change_whose_answer_is_lost_is_known_later),
      T(what_was_half_made_is_taken_down),
      T(operations_that_fail_are_begun_again),
      T(a_name_that_is_taken_is_refused),
      T(strangers_beside_ours_are_not_touched),
      T(what_was_changed_is_changed_back),
      T(the_topic_knows_the_region),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
