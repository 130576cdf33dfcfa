/* SPDX-License-Identifier: MIT */
#ifndef BROKER_FIXTURE_H
#define BROKER_FIXTURE_H
/** @file A broker at a time that the test sets, with short words for what tests do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "local/broker/broker.h"

#define TOPIC "projects/p/topics/topic"
#define SUB   "projects/p/subscriptions/sub"
/* The settings own their texts; make_sub copies what a test gives it. */
#define TEXT(text) ((char *)(uintptr_t)(text))
#define MS         INT64_C(1000000)
#define S          INT64_C(1000000000)

static psp_broker *broker;
static psp_instant now;

static inline void later(int64_t ns) {
  now.mono_ns += ns;
  now.wall_ms += ns / MS;
  psp_broker_tick(broker, now);
}

static inline void make_topic(const char *name) {
  psp_topic_settings settings = {.name = psp_strdup(name)};
  assert_int_equal(psp_broker_topic_create(broker, &settings, NULL), PSPROBE_OK);
}

/* With the settings given; name, topic and the rest are copied. */
static inline psprobe_code make_sub_on(const char *name, const char *topic,
                                       psp_subscription_settings settings, psprobe_error *error) {
  settings.name = psp_strdup(name);
  settings.topic = psp_strdup(topic);
  settings.push.endpoint = psp_strdup(settings.push.endpoint);
  settings.dead_letter_topic = psp_strdup(settings.dead_letter_topic);
  psprobe_code code = psp_broker_subscription_create(broker, &settings, error);
  psp_subscription_settings_free(&settings);
  return code;
}

static inline void make_sub(psp_subscription_settings settings) {
  assert_int_equal(make_sub_on(SUB, TOPIC, settings, NULL), PSPROBE_OK);
}

static inline uint64_t publish_key(const char *topic, const char *text, const char *key) {
  psp_letter *letter = psp_letter_new(text, strlen(text), NULL, 0, key);
  uint64_t id = 0;
  assert_int_equal(psp_broker_publish(broker, topic, &letter, 1, now, &id, NULL), PSPROBE_OK);
  psp_letter_unref(letter);
  return id;
}
static inline uint64_t publish(const char *text) {
  return publish_key(TOPIC, text, NULL);
}

/* What a pull was given, until `given_clear`. */
static psp_broker_waiter given;
static inline void given_clear(void) {
  psp_broker_waiter_clear(&given);
  given = (psp_broker_waiter){0};
}

/* Pulls at once. @return the data in one text, as "a b c" (valid until the next call) */
static inline const char *pull_from(const char *sub, size_t max) {
  static char text[4096];
  given_clear();
  given = (psp_broker_waiter){.max = max, .immediate = true};
  psp_broker_pull(broker, sub, &given, now);
  psp_broker_mail box = psp_broker_outbox(broker);
  assert_ptr_equal(box.pulls, &given);
  assert_null(given.next);
  size_t at = 0;
  text[0] = '\0';
  for (size_t i = 0; i < given.count; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? " " : "",
                           (int)given.deliveries[i].letter->data_len,
                           (const char *)given.deliveries[i].letter->data);
  return text;
}
static inline const char *pull(size_t max) {
  return pull_from(SUB, max);
}

static inline void ack(uint64_t id) {
  assert_int_equal(psp_broker_acknowledge(broker, SUB, &id, 1, NULL, now, NULL), PSPROBE_OK);
}
static inline void deadline(uint64_t id, int seconds) {
  assert_int_equal(psp_broker_modify_deadline(broker, SUB, &id, 1, seconds, NULL, now, NULL),
                   PSPROBE_OK);
}
static inline size_t held(void) {
  size_t all, leased;
  assert_true(psp_broker_held(broker, SUB, &all, &leased));
  return all;
}
static inline size_t leased(void) {
  size_t all, out;
  assert_true(psp_broker_held(broker, SUB, &all, &out));
  return out;
}

static inline int fixture_setup(void **state) {
  (void)state;
  broker = psp_broker_new();
  now = (psp_instant){.mono_ns = 1000 * S, .wall_ms = INT64_C(1795558728773)};
  make_topic(TOPIC);
  return 0;
}
static inline int fixture_teardown(void **state) {
  (void)state;
  given_clear();
  psp_broker_close(broker);
  psp_broker_free(broker);
  return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

#endif
