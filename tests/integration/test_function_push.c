/* SPDX-License-Identifier: MIT */
/** @file A function behind real pushes, of Google's emulator and of the stand-in: the same message
 * wrapped, unwrapped with its metadata, and without. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <psprobe/function.h>

#include "rest_call.h"
#include "target.h"

#define DATA   "{\"n\":17}"
#define DATA64 "eyJuIjoxN30="

typedef struct received {
  sem_t came;
  atomic_int count;
  psprobe_event_form form;
  char data[64], kind[64], id[64], subscription[256];
  psprobe_code answer; /* of the first call; later ones are OK */
} received;

static psprobe_code receive(void *arg, psprobe_call *call, psprobe_error *error) {
  received *r = arg;
  const psprobe_message *m = psprobe_call_message(call);
  const char *kind = psprobe_message_attribute(m, "kind");
  r->form = psprobe_call_event(call)->form;
  snprintf(r->data, sizeof r->data, "%.*s", (int)m->data_len,
           m->data_len > 0 ? (const char *)m->data : "");
  snprintf(r->kind, sizeof r->kind, "%s", kind != NULL ? kind : "");
  snprintf(r->id, sizeof r->id, "%s", m->message_id != NULL ? m->message_id : "");
  snprintf(r->subscription, sizeof r->subscription, "%s",
           m->subscription != NULL ? m->subscription : "");
  (void)error;
  psprobe_code code = atomic_fetch_add(&r->count, 1) == 0 ? r->answer : PSPROBE_OK;
  sem_post(&r->came);
  return code;
}

static psprobe_function *serve(received *r, psprobe_target_kind kind) {
  const psprobe_target target = {
      .name = "receive", .kind = kind, .function = receive, .arg = r, .plain = true};
  const psprobe_function_options options = {.listen = "127.0.0.1:0"};
  psprobe_function *function = NULL;
  psprobe_error error = {0};
  sem_init(&r->came, 0, 0);
  if (psprobe_function_new(&target, &options, &function, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return function;
}

static void wait_for(received *r) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  if (sem_timedwait(&r->came, &until) != 0) fail_msg("no push came within twenty seconds");
}

/* Makes topic and subscription, publishes, and waits for the push; the names are in the answer. */
static void push(received *r, const psprobe_function *function, const char *wrapper,
                 char subscription[256]) {
  const char *host = test_target_host(TEST_PUBSUB);
  char name[64], topic[256], path[300], body[600];
  test_unique(name, "function");
  snprintf(topic, sizeof topic, "/v1/projects/demo-project/topics/%s", name);
  snprintf(subscription, 256, "projects/demo-project/subscriptions/%s", name);
  snprintf(path, sizeof path, "/v1/%s", subscription);
  snprintf(body, sizeof body,
           "{\"topic\":\"%s\",\"pushConfig\":{\"pushEndpoint\":\"http://127.0.0.1:%d/%s\"%s}}",
           topic + 4, psprobe_function_port(function), topic + 4, wrapper);
  assert_int_equal(test_rest_status(host, "PUT", topic, NULL), 200);
  assert_int_equal(test_rest_status(host, "PUT", path, body), 200);
  test_rest_publish(host, topic, "{\"data\":\"" DATA64 "\",\"attributes\":{\"kind\":\"paid\"}}");
  wait_for(r);
  if (r->answer != PSPROBE_OK) wait_for(r);
  assert_int_equal(test_rest_status(host, "DELETE", path, NULL), 200);
  assert_int_equal(test_rest_status(host, "DELETE", topic, NULL), 200);
}

static void test_wrapped(void **state) {
  (void)state;
  for (int kind = PSPROBE_TARGET_CLOUDEVENT; kind <= PSPROBE_TARGET_MESSAGE; kind++) {
    if (kind == PSPROBE_TARGET_EVENT) continue;
    received r = {.answer = PSPROBE_OK};
    char subscription[256];
    psprobe_function *function = serve(&r, (psprobe_target_kind)kind);
    push(&r, function, "", subscription);
    assert_int_equal(r.form, PSPROBE_EVENT_PUSH);
    assert_string_equal(r.data, DATA);
    assert_string_equal(r.kind, "paid");
    assert_string_equal(r.subscription, subscription);
    assert_true(strlen(r.id) > 0);
    psprobe_function_free(function);
    assert_int_equal(r.count, 1);
    sem_destroy(&r.came);
  }
}

static void test_unwrapped(void **state) {
  (void)state;
  received r = {.answer = PSPROBE_OK};
  char subscription[256];
  psprobe_function *function = serve(&r, PSPROBE_TARGET_MESSAGE);
  push(&r, function, ",\"noWrapper\":{\"writeMetadata\":true}", subscription);
  assert_int_equal(r.form, PSPROBE_EVENT_UNWRAPPED);
  assert_string_equal(r.data, DATA);
  assert_string_equal(r.kind, "paid");
  assert_string_equal(r.subscription, subscription);
  assert_true(strlen(r.id) > 0);
  psprobe_function_free(function);
  sem_destroy(&r.came);
}

static void test_without_metadata(void **state) {
  (void)state;
  received r = {.answer = PSPROBE_OK};
  char subscription[256];
  psprobe_function *function = serve(&r, PSPROBE_TARGET_MESSAGE);
  push(&r, function, ",\"noWrapper\":{}", subscription);
  assert_int_equal(r.form, PSPROBE_EVENT_PLAIN);
  assert_string_equal(r.data, DATA);
  assert_string_equal(r.kind, "");
  psprobe_function_free(function);
  sem_destroy(&r.came);
}

/* What fails comes again. */
static void test_again(void **state) {
  (void)state;
  received r = {.answer = PSPROBE_INTERNAL};
  char subscription[256];
  psprobe_function *function = serve(&r, PSPROBE_TARGET_MESSAGE);
  push(&r, function, "", subscription);
  assert_true(r.count >= 2);
  psprobe_function_free(function);
  sem_destroy(&r.came);
}

static int suite(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wrapped), cmocka_unit_test(test_unwrapped),
      cmocka_unit_test(test_without_metadata), cmocka_unit_test(test_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  return test_on_targets(suite);
}
