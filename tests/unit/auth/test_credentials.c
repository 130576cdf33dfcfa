/* SPDX-License-Identifier: MIT */
/** @file The cache at work: one fetch for all, refreshes behind the scenes, failures. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/parts.h"
#include "base/text.h"
#include "fake_transport.h"
#include "keys.h"

#define S         INT64_C(1000000000)
#define TOKEN_URL "https://oauth2.googleapis.com/token"

/* A clock that stands still until it is told otherwise. */
static atomic_int_fast64_t clock_ns;
static atomic_uint clock_readings;

static int64_t boot_ns(void *arg) {
  (void)arg;
  atomic_fetch_add(&clock_readings, 1);
  return atomic_load(&clock_ns);
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return 1795556815;
}

/* A token endpoint: a new token for each request, "ya29.1", "ya29.2"…, which lives for life_s. */
typedef struct endpoint {
  atomic_uint requests;
  atomic_int life_s;
  atomic_int status; /* other than 200: a failure */
} endpoint;

static void answer_token(void *arg, const psp_http_request *request, fake_answer *answer) {
  (void)request;
  endpoint *e = arg;
  unsigned number = atomic_fetch_add(&e->requests, 1) + 1;
  answer->status = atomic_load(&e->status);
  if (answer->status == 200)
    psp_buf_printf(&answer->body,
                   "{\"access_token\":\"ya29.%u\",\"expires_in\":%d,\"token_type\":\"Bearer\"}",
                   number, atomic_load(&e->life_s));
  else
    psp_buf_text(&answer->body, "{\"error\":\"invalid_grant\"}");
}

typedef struct fixture {
  fake_transport *fake;
  fake_call *call;
  endpoint endpoint;
  psprobe_credentials *credentials;
} fixture;

#define USER                                                                    \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\"," \
  "\"refresh_token\":\"1//r\"}"

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  test_auth_environment();
  atomic_store(&clock_ns, 1000 * S);
  atomic_store(&f->endpoint.life_s, 3599);
  atomic_store(&f->endpoint.status, 200);
  psp_http *http;
  f->fake = fake_transport_new(&http);
  f->call = fake_times(fake_expect(f->fake, "POST", TOKEN_URL), 0);
  fake_handle(f->call, answer_token, &f->endpoint);
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  psprobe_credentials_options options = {.file =
                                             test_write(test_directory(), "adc.json", 0600, USER)};
  assert_int_equal(psp_credentials_new_with(&options, &clock, http, &f->credentials, NULL),
                   PSPROBE_OK);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_credentials_free(f->credentials);
  fake_transport_free(f->fake);
  free(f);
  return 0;
}

typedef struct outcome {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool heard;
  psprobe_code code;
} outcome;

static void on_ready(void *arg, const psprobe_error *error) {
  outcome *o = arg;
  pthread_mutex_lock(&o->lock);
  o->heard = true;
  o->code = error != NULL ? error->code : PSPROBE_OK;
  pthread_cond_signal(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

static psprobe_code wait_for_token(psprobe_credentials *c, psp_service service) {
  outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  psp_token_waiter waiter = {.ready = on_ready, .arg = &o};
  assert_int_equal(psp_credentials_wait(c, service, &waiter, NULL), PSPROBE_OK);
  pthread_mutex_lock(&o.lock);
  while (!o.heard)
    pthread_cond_wait(&o.changed, &o.lock);
  pthread_mutex_unlock(&o.lock);
  assert_false(psp_credentials_unwait(c, &waiter));
  return o.code;
}

/* From the cache, or after a wait. "" when it failed. */
static const char *token(psprobe_credentials *c, psp_service service) {
  static _Thread_local char out[4096];
  uint64_t generation;
  size_t len = psp_token_slot_authorization(c, psp_credentials_slot(c, service), out, sizeof out,
                                            &generation);
  if (len == 0 && wait_for_token(c, service) == PSPROBE_OK)
    len = psp_token_slot_authorization(c, psp_credentials_slot(c, service), out, sizeof out,
                                       &generation);
  return len > 0 ? out : "";
}

/* What is in the cache just now. */
static const char *cached(psprobe_credentials *c) {
  static char out[4096];
  uint64_t generation;
  size_t len = psp_token_slot_authorization(c, psp_credentials_slot(c, PSP_PUBSUB), out, sizeof out,
                                            &generation);
  return len > 0 ? out : "";
}

enum { THREADS = 32, EACH = 313 };

static pthread_barrier_t begin;

static void *ask(void *arg) {
  fixture *f = arg;
  pthread_barrier_wait(&begin);
  for (int i = 0; i < EACH; i++)
    assert_string_equal(token(f->credentials, (psp_service)(i % 2)), "Bearer ya29.1");
  return NULL;
}

static void test_one_fetch_for_all(void **state) {
  fixture *f = *state;
  pthread_t threads[THREADS];
  pthread_barrier_init(&begin, NULL, THREADS);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, ask, f), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&begin);
  assert_int_equal(f->endpoint.requests, 1);
}

/* Waits until a refresh that runs by itself has put in `text`. */
static void await_cached(psprobe_credentials *c, const char *text) {
  while (strcmp(cached(c), text) != 0)
    sched_yield();
}

static void test_refresh_in_background(void **state) {
  fixture *f = *state;
  assert_string_equal(token(f->credentials, PSP_PUBSUB), "Bearer ya29.1");
  /* 3599 s of life: at 3373 s there is nothing to do yet, at 3374 s there is. */
  atomic_store(&clock_ns, 1000 * S + 3374 * S - 1);
  assert_string_equal(cached(f->credentials), "Bearer ya29.1");
  assert_int_equal(f->endpoint.requests, 1);
  atomic_store(&clock_ns, 1000 * S + 3374 * S);
  assert_string_equal(cached(f->credentials), "Bearer ya29.1"); /* and no wait */
  await_cached(f->credentials, "Bearer ya29.2");
  assert_int_equal(f->endpoint.requests, 2);
  /* The second and the third refresh go the same way. */
  for (unsigned i = 3; i < 6; i++) {
    char text[32];
    snprintf(text, sizeof text, "Bearer ya29.%u", i);
    atomic_fetch_add(&clock_ns, 3400 * S);
    await_cached(f->credentials, text);
    assert_int_equal(f->endpoint.requests, i);
  }
}

/* Waits until the credentials' thread has looked at everything as it is now, and waits again. */
static void await_rest(psprobe_credentials *c) {
  pthread_mutex_lock(&c->lock);
  unsigned before = atomic_load(&clock_readings);
  pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->lock);
  while (atomic_load(&clock_readings) == before)
    sched_yield();
  pthread_mutex_lock(&c->lock);
  pthread_mutex_unlock(&c->lock);
}

/* Whoever read the old token and loses the processor before it asks for the next one comes when
 * that one is there: the one after it is fetched all the same when its time has come. */
static void test_refresh_after_a_slow_reader(void **state) {
  fixture *f = *state;
  token(f->credentials, PSP_PUBSUB);
  atomic_store(&clock_ns, 1000 * S + 3374 * S);
  psp_token_slot *slot = psp_credentials_slot(f->credentials, PSP_PUBSUB);
  char out[64];
  uint64_t generation;
  bool refresh;
  psp_token_cache_read(&slot->cache, atomic_load(&clock_ns), out, sizeof out, &generation,
                       &refresh);
  assert_string_equal(out, "Bearer ya29.1");
  assert_true(refresh);
  await_cached(f->credentials, "Bearer ya29.2");
  psp_token_slot_renew(f->credentials, slot, generation);
  await_rest(f->credentials);
  atomic_fetch_add(&clock_ns, 3400 * S);
  assert_string_equal(cached(f->credentials), "Bearer ya29.2");
  fake_wait(f->call, 3);
  await_cached(f->credentials, "Bearer ya29.3");
}

/* While it cannot be refreshed the old token serves, to its very end; then callers hear why. */
static void test_refresh_fails(void **state) {
  fixture *f = *state;
  token(f->credentials, PSP_PUBSUB);
  atomic_store(&f->endpoint.status, 400);
  atomic_store(&clock_ns, 1000 * S + 3400 * S);
  assert_string_equal(cached(f->credentials), "Bearer ya29.1");
  fake_wait(f->call, 2);
  atomic_store(&clock_ns, 1000 * S + 3599 * S - 1);
  for (int i = 0; i < 1000; i++)
    assert_string_equal(cached(f->credentials), "Bearer ya29.1");
  atomic_store(&clock_ns, 1000 * S + 3599 * S);
  assert_string_equal(cached(f->credentials), "");
  assert_int_equal(wait_for_token(f->credentials, PSP_PUBSUB), PSPROBE_UNAUTHENTICATED);
  /* It is well again: so are we, once the pause after a failure is over. */
  atomic_store(&f->endpoint.status, 200);
  atomic_fetch_add(&clock_ns, 60 * S);
  assert_int_equal(wait_for_token(f->credentials, PSP_PUBSUB), PSPROBE_OK);
}

/* A thousand calls with a key that Google does not take: a few questions, not a thousand. */
static void test_failure_is_remembered(void **state) {
  fixture *f = *state;
  atomic_store(&f->endpoint.status, 400);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(wait_for_token(f->credentials, PSP_PUBSUB), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(f->endpoint.requests, 1);
  atomic_fetch_add(&clock_ns, S);
  assert_int_equal(wait_for_token(f->credentials, PSP_PUBSUB), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(f->endpoint.requests, 2);
}

static void test_reject(void **state) {
  fixture *f = *state;
  char out[64];
  uint64_t generation;
  token(f->credentials, PSP_PUBSUB);
  psp_token_slot_authorization(f->credentials, psp_credentials_slot(f->credentials, PSP_PUBSUB),
                               out, sizeof out, &generation);
  psp_credentials_reject(f->credentials, PSP_PUBSUB, generation);
  assert_string_equal(token(f->credentials, PSP_PUBSUB), "Bearer ya29.2");
  /* Nine more calls that went out with the old token hear the same: the new one stays. */
  for (int i = 0; i < 9; i++)
    psp_credentials_reject(f->credentials, PSP_PUBSUB, generation);
  assert_string_equal(token(f->credentials, PSP_PUBSUB), "Bearer ya29.2");
  assert_int_equal(f->endpoint.requests, 2);
}

static void test_short_lives(void **state) {
  fixture *f = *state;
  atomic_store(&f->endpoint.life_s, 59);
  assert_string_equal(token(f->credentials, PSP_PUBSUB), "Bearer ya29.1");
  for (int i = 0; i < 100; i++)
    assert_string_equal(cached(f->credentials), "Bearer ya29.1");
  assert_int_equal(f->endpoint.requests, 1);
  atomic_store(&clock_ns, 1000 * S + 58 * S);
  assert_string_equal(cached(f->credentials), "Bearer ya29.1");
  await_cached(f->credentials, "Bearer ya29.2");
}

static void ignore(void *arg, const psprobe_error *error) {
  (void)error;
  atomic_fetch_add((atomic_uint *)arg, 1);
}

static void test_unwait(void **state) {
  fixture *f = *state;
  fake_call *silent = fake_expect(f->fake, "GET", "http://never/");
  fake_times(silent, 0);
  atomic_uint heard = 0;
  psp_token_waiter waiters[3] = {{.ready = ignore, .arg = &heard},
                                 {.ready = ignore, .arg = &heard},
                                 {.ready = ignore, .arg = &heard}};
  /* An ID token for a person is refused without a request, but only on the other thread. */
  for (int i = 0; i < 3; i++)
    assert_int_equal(psp_credentials_wait(f->credentials, PSP_PUBSUB, &waiters[i], NULL),
                     PSPROBE_OK);
  unsigned taken = psp_credentials_unwait(f->credentials, &waiters[1]);
  assert_string_equal(token(f->credentials, PSP_PUBSUB), "Bearer ya29.1");
  while (atomic_load(&heard) < 3 - taken)
    sched_yield();
  for (int i = 0; i < 3; i++)
    assert_false(psp_credentials_unwait(f->credentials, &waiters[i]));
}

static void test_free_while_waiting(void **state) {
  fixture *f = *state;
  (void)f;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_call *hangs = fake_expect(fake, "POST", TOKEN_URL); /* no answer */
  psprobe_credentials_options options = {.file =
                                             test_write(test_directory(), "adc.json", 0600, USER)};
  psprobe_credentials *c;
  assert_int_equal(psp_credentials_new_with(&options, NULL, http, &c, NULL), PSPROBE_OK);
  outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  psp_token_waiter waiter = {.ready = on_ready, .arg = &o};
  assert_int_equal(psp_credentials_wait(c, PSP_FIRESTORE, &waiter, NULL), PSPROBE_OK);
  fake_wait(hangs, 1);
  psprobe_credentials_free(c);
  assert_true(o.heard);
  assert_int_equal(o.code, PSPROBE_CANCELLED);
  fake_transport_free(fake);
}

/* A service account signs for each API by itself; nobody is asked. */
static void test_self_signed(void **state) {
  fixture *f = *state;
  char *text = test_service_account(NULL, ",\"quota_project_id\":\"quota\"");
  psprobe_credentials_options options = {.file =
                                             test_write(test_directory(), "adc.json", 0600, text)};
  free(text);
  psprobe_credentials *c;
  assert_int_equal(psprobe_credentials_new(&options, &c, NULL), PSPROBE_OK);
  assert_string_equal(psprobe_credentials_project(c), "file-project");
  static const char *const audiences[] = {"\"aud\":\"https://pubsub.googleapis.com/\"",
                                          "\"aud\":\"https://firestore.googleapis.com/\""};
  for (int api = 0; api < 2; api++) {
    char *first = psp_strdup(token(c, (psp_service)api));
    char *claims = test_jwt_part(first, 1);
    assert_non_null(strstr(claims, audiences[api]));
    assert_true(test_jwt_verifies(first + 7, TEST_KEY_RSA));
    assert_string_equal(token(c, (psp_service)api), first); /* the same again */
    free(claims);
    free(first);
  }
  assert_string_equal(psp_credentials_quota_project(c), "quota");
  psprobe_credentials_free(c);
  assert_int_equal(f->endpoint.requests, 0);
}

static void test_id_tokens_by_audience(void **state) {
  fixture *f = *state;
  psp_token_slot *a, *b, *again;
  assert_int_equal(psp_credentials_id_slot(f->credentials, "https://a", &a, NULL), PSPROBE_OK);
  assert_int_equal(psp_credentials_id_slot(f->credentials, "https://b", &b, NULL), PSPROBE_OK);
  assert_int_equal(psp_credentials_id_slot(f->credentials, "https://a", &again, NULL), PSPROBE_OK);
  assert_ptr_equal(a, again);
  assert_ptr_not_equal(a, b);
  assert_int_equal(psp_credentials_id_slot(f->credentials, "", &again, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  char audience[32];
  psprobe_code code = PSPROBE_OK;
  for (int i = 0; i < 300 && code == PSPROBE_OK; i++) {
    snprintf(audience, sizeof audience, "https://%d", i);
    code = psp_credentials_id_slot(f->credentials, audience, &again, NULL);
  }
  assert_int_equal(code, PSPROBE_RESOURCE_EXHAUSTED);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_one_fetch_for_all),
      TEST(test_refresh_in_background),
      TEST(test_refresh_after_a_slow_reader),
      TEST(test_refresh_fails),
      TEST(test_failure_is_remembered),
      TEST(test_reject),
      TEST(test_short_lives),
      TEST(test_unwait),
      TEST(test_free_while_waiting),
      TEST(test_self_signed),
      TEST(test_id_tokens_by_audience),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
