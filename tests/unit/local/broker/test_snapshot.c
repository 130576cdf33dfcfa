/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

#define SNAP    "projects/p/snapshots/snap"
#define WEEK_NS (7 * 86400 * S)
#define HOUR_NS (3600 * S)

static psprobe_code create(const char *name, const char *sub, psprobe_error *error) {
  psp_snapshot_settings settings = {.name = psp_strdup(name)};
  psp_pairs_put(&settings.labels, "a", "b");
  psprobe_code code = psp_broker_snapshot_create(broker, &settings, sub, now, error);
  psp_snapshot_settings_free(&settings);
  return code;
}

static void test_create(void **state) {
  (void)state;
  psprobe_error error = {0};
  make_sub((psp_subscription_settings){0});
  assert_int_equal(create(SNAP, SUB, &error), PSPROBE_OK);
  const psp_snapshot_settings *made = psp_broker_snapshot(broker, SNAP);
  assert_string_equal(made->topic, TOPIC);
  assert_string_equal(made->labels.items[0].value, "b");
  assert_int_equal(made->expires_ns, now.wall_ms * MS + WEEK_NS);
  assert_int_equal(create(SNAP, SUB, &error), PSPROBE_ALREADY_EXISTS);
  assert_string_equal(error.message, "Snapshot already exists");
  assert_int_equal(create("projects/p/snapshots/x", SUB, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(create("projects/p/snapshots/two", "projects/p/subscriptions/none", &error),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(create("projects/p/snapshots/two", NULL, &error), PSPROBE_NOT_FOUND);
  assert_string_equal(psp_broker_snapshot_at(broker, 0)->name, SNAP);
  assert_null(psp_broker_snapshot_at(broker, 1));
  assert_int_equal(psp_broker_snapshot_delete(broker, SNAP, &error), PSPROBE_OK);
  assert_int_equal(psp_broker_snapshot_delete(broker, SNAP, &error), PSPROBE_NOT_FOUND);
  assert_null(psp_broker_snapshot(broker, SNAP));
}

/* 7 days less the age of the oldest that is not acknowledged, an hour at the least. */
static void test_life(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retention = {true, 31 * 86400, 0}});
  publish("a");
  later(WEEK_NS - 2 * HOUR_NS);
  assert_int_equal(create(SNAP, SUB, NULL), PSPROBE_OK);
  later(2 * HOUR_NS - 1);
  assert_non_null(psp_broker_snapshot(broker, SNAP));
  psprobe_error error = {0};
  assert_int_equal(create("projects/p/snapshots/two", SUB, &error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "an hour"));
  later(MS);
  assert_null(psp_broker_snapshot(broker, SNAP));
}

static void test_update(void **state) {
  (void)state;
  psprobe_error error = {0};
  make_sub((psp_subscription_settings){0});
  create(SNAP, SUB, NULL);
  psp_snapshot_settings to = {.expires_ns = now.wall_ms * MS + HOUR_NS};
  psp_pairs_put(&to.labels, "c", "d");
  assert_int_equal(psp_broker_snapshot_update(broker, SNAP, &to, PSP_SNAPSHOT_LABELS, now, &error),
                   PSPROBE_OK);
  const psp_snapshot_settings *made = psp_broker_snapshot(broker, SNAP);
  assert_int_equal(made->labels.count, 1);
  assert_string_equal(made->labels.items[0].key, "c");
  assert_int_equal(made->expires_ns, now.wall_ms * MS + WEEK_NS); /* not in the mask */
  assert_int_equal(psp_broker_snapshot_update(broker, SNAP, &to, PSP_SNAPSHOT_EXPIRES, now, &error),
                   PSPROBE_OK);
  to.expires_ns = now.wall_ms * MS - 1;
  assert_int_equal(psp_broker_snapshot_update(broker, SNAP, &to, PSP_SNAPSHOT_EXPIRES, now, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_broker_snapshot_update(broker, "none", &to, 0, now, &error),
                   PSPROBE_NOT_FOUND);
  later(HOUR_NS - MS);
  assert_non_null(psp_broker_snapshot(broker, SNAP));
  later(MS);
  assert_null(psp_broker_snapshot(broker, SNAP));
}

/* It keeps messages without a subscription, and the topic forgets them with it. */
static void test_outlives_its_subscription(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  create(SNAP, SUB, NULL);
  assert_int_equal(psp_broker_subscription_delete(broker, SUB, NULL), PSPROBE_OK);
  publish("b");
  make_sub((psp_subscription_settings){0});
  assert_int_equal(psp_broker_seek_snapshot(broker, SUB, SNAP, now, NULL), PSPROBE_OK);
  assert_string_equal(pull(10), "a b");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_create),
      TEST(test_life),
      TEST(test_update),
      TEST(test_outlives_its_subscription),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
