/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/verify/verifier.h"
#include "base/buf.h"
#include "fake_transport.h"
#include "keys.h"

#define S   INT64_C(1000000000)
#define URL "https://www.googleapis.com/oauth2/v3/certs"
#define NOW INT64_C(1800000000)
#define GOOD                                                                                    \
  "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":" \
  "1799999400,\"sub\":\"113\",\"email\":\"a@b\",\"email_verified\":true}"
#define OTHER                                                                                   \
  "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":" \
  "1799999400,\"sub\":\"114\",\"email\":\"c@d\",\"email_verified\":true}"
#define ELSEWHERE                                                                                  \
  "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://other\",\"exp\":1800003000,\"iat\":" \
  "1799999400,\"sub\":\"113\",\"email\":\"a@b\",\"email_verified\":true}"

static atomic_int_fast64_t clock_ns;

static int64_t boot_ns(void *arg) {
  (void)arg;
  return atomic_load(&clock_ns);
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return NOW;
}

/* Google's keys, which the test exchanges, or a server that is down. */
typedef struct key_server {
  pthread_mutex_t lock;
  char *keys;
  int status;
} key_server;

typedef struct fixture {
  fake_transport *fake;
  fake_call *call;
  key_server server;
  psprobe_verifier *verifier;
  pthread_mutex_t log_lock;
  psp_buf log;
  char *good, *other, *elsewhere, *rotated;
} fixture;

static void answer_keys(void *arg, const psp_http_request *request, fake_answer *answer) {
  (void)request;
  key_server *server = arg;
  pthread_mutex_lock(&server->lock);
  answer->status = server->status;
  answer->headers = "cache-control: max-age=1000";
  psp_buf_text(&answer->body, server->status == 200 ? server->keys : "<html>");
  pthread_mutex_unlock(&server->lock);
}

static void set_keys(fixture *f, int status, test_key key, const char *kid) {
  char *keys = test_jwks(key, kid);
  pthread_mutex_lock(&f->server.lock);
  free(f->server.keys);
  f->server.keys = keys;
  f->server.status = status;
  pthread_mutex_unlock(&f->server.lock);
}

static void write_log(void *arg, psprobe_log_level level, const char *line) {
  fixture *f = arg;
  (void)level;
  pthread_mutex_lock(&f->log_lock);
  psp_buf_text(&f->log, line);
  psp_buf_char(&f->log, '\n');
  pthread_mutex_unlock(&f->log_lock);
}

static void start(fixture *f) {
  static const char *const emails[] = {"x@y", "a@b"};
  psprobe_logger logger = {.sink = write_log, .arg = f, .level = PSPROBE_LOG_DEBUG};
  psprobe_verifier_options options = {
      .audience = "https://me", .emails = emails, .email_count = 2, .logger = &logger};
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  psp_http *http;
  f->fake = fake_transport_new(&http);
  f->call = fake_times(fake_expect(f->fake, "GET", URL), 0);
  fake_handle(f->call, answer_keys, &f->server);
  assert_int_equal(psp_verifier_new_with(&options, &clock, http, &f->verifier, NULL), PSPROBE_OK);
}

static char *bearer(test_key key, const char *kid, const char *claims) {
  char *token = test_jwt(key, kid, claims);
  char *header = malloc(strlen(token) + 8);
  sprintf(header, "Bearer %s", token);
  free(token);
  return header;
}

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  atomic_store(&clock_ns, 1000 * S);
  pthread_mutex_init(&f->server.lock, NULL);
  pthread_mutex_init(&f->log_lock, NULL);
  f->good = bearer(TEST_KEY_RSA, "k1", GOOD);
  f->other = bearer(TEST_KEY_RSA, "k1", OTHER);
  f->elsewhere = bearer(TEST_KEY_RSA, "k1", ELSEWHERE);
  f->rotated = bearer(TEST_KEY_RSA_OTHER, "k2", GOOD);
  set_keys(f, 200, TEST_KEY_RSA, "k1");
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_verifier_free(f->verifier);
  fake_transport_free(f->fake);
  /* At the most verbose level: no token, and nothing of one. */
  char *const tokens[] = {f->good, f->other, f->elsewhere, f->rotated};
  for (int i = 0; i < 4; i++) {
    if (f->log.data != NULL) assert_null(strstr(f->log.data, strrchr(tokens[i], '.') + 1));
    free(tokens[i]);
  }
  if (f->log.data != NULL) assert_null(strstr(f->log.data, "eyJ"));
  psp_buf_free(&f->log);
  free(f->server.keys);
  free(f);
  return 0;
}

static psprobe_code check(fixture *f, const char *authorization) {
  psprobe_identity identity = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = psprobe_verifier_check(f->verifier, authorization, &identity, &error);
  assert_int_equal(code, error.code);
  if (code == PSPROBE_OK) assert_string_equal(identity.email, "a@b");
  /* The sender hears what to do, never what was wrong. */
  if (code == PSPROBE_UNAUTHENTICATED) assert_string_equal(error.message, "token refused");
  if (code == PSPROBE_PERMISSION_DENIED) assert_string_equal(error.message, "this account may not");
  return code;
}

static void test_verdicts(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  assert_int_equal(check(f, f->good), PSPROBE_OK); /* the same again: Pub/Sub does that */
  assert_int_equal(check(f, f->other), PSPROBE_PERMISSION_DENIED);
  assert_int_equal(check(f, f->elsewhere), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(check(f, NULL), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(check(f, "Bearer x"), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(check(f, "Basic eDp5"), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(fake_count(f->call), 1);
  pthread_mutex_lock(&f->log_lock);
  assert_non_null(strstr(f->log.data, "expected=https://me"));
  /* A sender that shows none is told of once, too: a subscription without oidcToken. */
  const char *none = strstr(f->log.data, "no bearer token");
  assert_non_null(none);
  assert_non_null(strstr(f->log.data, "aud=https://other"));
  assert_non_null(strstr(f->log.data, "email=c@d"));
  pthread_mutex_unlock(&f->log_lock);
}

/* A key that we do not know: one fetch, and it is there; with the next such key the limit of one a
 * minute holds. */
static void test_rotation(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  set_keys(f, 200, TEST_KEY_RSA_OTHER, "k2");
  assert_int_equal(check(f, f->rotated), PSPROBE_OK);
  assert_int_equal(fake_count(f->call), 2);
  /* The old key has left the set. */
  for (int i = 0; i < 100; i++)
    assert_int_equal(check(f, f->good), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(fake_count(f->call), 2);
  set_keys(f, 200, TEST_KEY_RSA, "k1");
  atomic_fetch_add(&clock_ns, 60 * S);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  assert_int_equal(fake_count(f->call), 3);
}

/* No keys, nobody comes in: 503, not 401, and not "could not check, so yes". */
static void test_outage_at_start(void **state) {
  fixture *f = *state;
  set_keys(f, 404, TEST_KEY_RSA, "k1");
  start(f);
  assert_int_equal(check(f, f->good), PSPROBE_UNAVAILABLE);
  /* What is wrong by its form needs no keys to be refused. */
  assert_int_equal(check(f, "Bearer a.b"), PSPROBE_UNAUTHENTICATED);
  unsigned asked = fake_count(f->call);
  for (int i = 0; i < 100; i++)
    assert_int_equal(check(f, f->good), PSPROBE_UNAVAILABLE);
  assert_int_equal(fake_count(f->call), asked); /* the pause after a failure */
  set_keys(f, 200, TEST_KEY_RSA, "k1");
  atomic_fetch_add(&clock_ns, 60 * S);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
}

/* Old keys serve through an outage, for a day. */
static void test_outage_later(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  set_keys(f, 404, TEST_KEY_RSA, "k1");
  atomic_store(&clock_ns, (1000 + 86400) * S - 1);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  /* An unknown key while nobody can be asked: cannot tell. */
  assert_int_equal(check(f, f->rotated), PSPROBE_UNAVAILABLE);
  atomic_store(&clock_ns, (1000 + 86400) * S + 100 * S);
  assert_int_equal(check(f, f->good), PSPROBE_UNAVAILABLE);
}

#define THREADS 16

static void *check_once(void *arg) {
  fixture *f = arg;
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  return NULL;
}

static void test_many_wait_for_one_fetch(void **state) {
  fixture *f = *state;
  pthread_mutex_lock(&f->server.lock); /* the answer is held back */
  start(f);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, check_once, f);
  fake_wait(f->call, 1);
  pthread_mutex_unlock(&f->server.lock);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(fake_count(f->call), 1);
}

static void count(void *arg, void *subject, const psprobe_identity *identity,
                  const psprobe_error *error) {
  assert_ptr_equal(subject, arg);
  assert_true((identity == NULL) != (error == NULL));
  atomic_fetch_add((atomic_uint *)arg, 1);
}

static void note_good(void *arg, void *subject, const psprobe_identity *identity,
                      const psprobe_error *error) {
  (void)error;
  if (identity != NULL) atomic_fetch_add((atomic_uint *)arg, 1);
  sem_post(subject);
}

/* Answers come together: the first with a new key asks for it, the others wait with it. */
static void test_many_wait_for_a_new_key(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(check(f, f->good), PSPROBE_OK);
  set_keys(f, 200, TEST_KEY_RSA_OTHER, "k2");
  pthread_mutex_lock(&f->server.lock); /* the answer is held back */
  atomic_uint good = 0;
  sem_t heard;
  sem_init(&heard, 0, 0);
  for (int i = 0; i < THREADS; i++) {
    psp_verifier_start(f->verifier, f->rotated, note_good, &good, &heard);
    if (i == 0) fake_wait(f->call, 2);
  }
  pthread_mutex_unlock(&f->server.lock);
  for (int i = 0; i < THREADS; i++)
    while (sem_wait(&heard) != 0) {
    }
  sem_destroy(&heard);
  assert_int_equal(good, THREADS);
  assert_int_equal(fake_count(f->call), 2);
}

typedef struct heard_on {
  sem_t over;
  pthread_t thread;
  psprobe_code code;
} heard_on;

static void note_thread(void *arg, void *subject, const psprobe_identity *identity,
                        const psprobe_error *error) {
  (void)subject, (void)identity;
  heard_on *h = arg;
  h->thread = pthread_self();
  h->code = error != NULL ? error->code : PSPROBE_OK;
  sem_post(&h->over);
}

/* @return whether it was told on the thread that asked, which had nothing to compute then */
static bool told_at_once(fixture *f, const char *authorization, psprobe_code code) {
  heard_on h;
  sem_init(&h.over, 0, 0);
  psp_verifier_start(f->verifier, authorization, note_thread, &h, NULL);
  while (sem_wait(&h.over) != 0) {
  }
  sem_destroy(&h.over);
  assert_int_equal(h.code, code);
  return pthread_equal(h.thread, pthread_self()) != 0;
}

/* The thread that asks is the server's, on which the next answer's arrival is measured. */
static void test_no_signature_on_the_asker(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(check(f, f->other), PSPROBE_PERMISSION_DENIED); /* the keys are there */
  assert_false(told_at_once(f, f->good, PSPROBE_OK));
  assert_true(told_at_once(f, f->good, PSPROBE_OK)); /* known by now */
  char *bad = strdup(f->good);
  char *letter = strrchr(bad, '.') + 9;
  *letter = *letter == 'A' ? 'B' : 'A';
  for (int i = 0; i < 3; i++)
    assert_false(told_at_once(f, bad, PSPROBE_UNAUTHENTICATED));
  free(bad);
  assert_true(told_at_once(f, f->elsewhere + 1, PSPROBE_UNAUTHENTICATED));
}

static void test_free_while_waiting(void **state) {
  fixture *f = *state;
  psp_http *http;
  f->fake = fake_transport_new(&http);
  f->call = fake_expect(f->fake, "GET", URL); /* no answer */
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  psprobe_verifier_options options = {.audience = "https://me"};
  assert_int_equal(psp_verifier_new_with(&options, &clock, http, &f->verifier, NULL), PSPROBE_OK);
  fake_wait(f->call, 1);
  atomic_uint done = 0;
  /* More than have room to wait: the rest hear at once. */
  for (int i = 0; i < 300; i++)
    psp_verifier_start(f->verifier, f->good, count, &done, &done);
  assert_int_equal(done, 300 - 256);
  psprobe_verifier_free(f->verifier);
  f->verifier = NULL;
  assert_int_equal(done, 300);
}

/* Anybody's account may come, but an address that Google has not verified is nobody's. */
static void test_unverified_email(void **state) {
  fixture *f = *state;
  static const char *const claims[] = {"\"email_verified\":true", "\"email_verified\":false",
                                       "\"email_verified\":\"true\"", "\"hd\":\"b\""};
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  psprobe_verifier_options options = {.audience = "https://me"};
  psp_http *http;
  f->fake = fake_transport_new(&http);
  f->call = fake_times(fake_expect(f->fake, "GET", URL), 0);
  fake_handle(f->call, answer_keys, &f->server);
  assert_int_equal(psp_verifier_new_with(&options, &clock, http, &f->verifier, NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
    char text[300];
    snprintf(text, sizeof text,
             "{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,"
             "\"iat\":1799999400,\"sub\":\"113\",\"email\":\"a@b\",%s}",
             claims[i]);
    char *header = bearer(TEST_KEY_RSA, "k1", text);
    psprobe_identity identity = {.email = "x"};
    assert_int_equal(psprobe_verifier_check(f->verifier, header, &identity, NULL), PSPROBE_OK);
    assert_string_equal(identity.subject, "113");
    assert_string_equal(identity.email, i == 0 ? "a@b" : "");
    free(header);
  }
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_verdicts),
      TEST(test_rotation),
      TEST(test_outage_at_start),
      TEST(test_outage_later),
      TEST(test_many_wait_for_one_fetch),
      TEST(test_many_wait_for_a_new_key),
      TEST(test_no_signature_on_the_asker),
      TEST(test_free_while_waiting),
      TEST(test_unverified_email),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
