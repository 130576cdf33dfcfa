/* SPDX-License-Identifier: MIT */
/** @file A prober that takes answers with an ID token only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/verify/parts.h"
#include "fake_issuer.h"
#include "lab.h"
#include "prober/parts.h"
#include "raw_http.h"

#define HOUR     INT64_C(3600000000000)
#define AUDIENCE "https://prober.example"
#define ACCOUNT  "responder@p.iam.gserviceaccount.com"

static fake_issuer issuer;
static char certs[100];

static int set_up(void **state) {
  issuer = (fake_issuer){0};
  fake_issuer_start(&issuer, 0, ACCOUNT);
  snprintf(certs, sizeof certs, "%s/certs", fake_issuer_url(&issuer));
  return lab_setup(state);
}

static int tear_down(void **state) {
  lab_teardown(state);
  fake_issuer_stop(&issuer);
  return 0;
}

static const char *begin(lab *l) {
  static const char *const emails[] = {"other@p", ACCOUNT};
  psprobe_verifier_options verify = {
      .audience = AUDIENCE, .emails = emails, .email_count = 2, .jwks_url = certs};
  static const char *const sources[] = {"cloud_function"};
  lab_run(l, (psprobe_prober_options){
                 .sources = sources, .source_count = 1, .interval_ns = HOUR, .verify = &verify});
  return lab_published(l, 0);
}

/* The request of an answer with a token for which `email` and `audience` are right or not. */
static void put_request(char *request, size_t size, const char *id, const char *email,
                        const char *audience) {
  char *token = email != NULL ? fake_issuer_token(&issuer, email, audience) : NULL;
  snprintf(request, size,
           "POST /cloud_function/%s HTTP/1.1\r\nHost: x\r\n%s%s%sContent-Length: 0\r\n\r\n", id,
           token != NULL ? "Authorization: Bearer " : "", token != NULL ? token : "",
           token != NULL ? "\r\n" : "");
  free(token);
}

static int answer(lab *l, const char *id, const char *email, const char *audience) {
  char request[4096];
  put_request(request, sizeof request, id, email, audience);
  return lab_ask(l, request);
}

static void test_who_may(void **state) {
  lab *l = *state;
  const char *id = begin(l);
  assert_int_equal(answer(l, id, NULL, NULL), 401);
  assert_int_equal(answer(l, id, ACCOUNT, "https://another.example"), 401);
  assert_int_equal(answer(l, id, ACCOUNT, AUDIENCE "/"), 401);
  assert_int_equal(answer(l, id, "stranger@p", AUDIENCE), 403);
  psprobe_prober_stats stats = lab_stats(l);
  assert_int_equal(stats.answered[0] + stats.duplicates[0], 0);
  assert_int_equal(stats.refused, 4);
  assert_int_equal(answer(l, id, ACCOUNT, AUDIENCE), 200);
  assert_int_equal(answer(l, id, "other@p", AUDIENCE), 200);
  assert_int_equal(lab_stats(l).duplicates[0], 1);
  assert_int_equal(answer(l, "0123456789abcdef0123456789abcdef", ACCOUNT, AUDIENCE), 404);
}

/* Nobody is let in because he could not be checked. */
static void test_no_keys(void **state) {
  issuer.keys = 404;
  const char *id = begin(*state);
  assert_int_equal(answer(*state, id, ACCOUNT, AUDIENCE), 503);
  assert_int_equal(answer(*state, id, NULL, NULL), 401);
  assert_int_equal(lab_stats(*state).in_flight, 1);
}

static void wait_for_visitor(psprobe_verifier *verifier) {
  const struct timespec pause = {.tv_nsec = 1000000};
  unsigned waiting = 0;
  for (int i = 0; i < 10000 && waiting == 0; i++) {
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&verifier->lock);
    waiting = verifier->line.count;
    pthread_mutex_unlock(&verifier->lock);
  }
  assert_int_equal(waiting, 1);
}

static int open_connection(const lab *l) {
  return raw_connect((int)strtol(strrchr(psprobe_prober_url(l->prober), ':') + 1, NULL, 10));
}

/* An answer that had to wait for keys counts from when it came. */
static void test_time_of_arrival(void **state) {
  lab *l = *state;
  sem_t hold;
  sem_init(&hold, 0, 0);
  issuer.hold_keys = &hold;
  int64_t start_ns = psprobe_clock_monotonic();
  const char *id = begin(l);
  char request[4096];
  put_request(request, sizeof request, id, ACCOUNT, AUDIENCE);
  int fd = open_connection(l);
  raw_send(fd, request);
  wait_for_visitor(l->prober->gate.verifier);
  int64_t waiting_ns = psprobe_clock_monotonic();
  const struct timespec late = {.tv_nsec = 100000000}; /* what must not be counted */
  nanosleep(&late, NULL);
  sem_post(&hold);
  raw_answer answer_read = {0};
  assert_true(raw_read(fd, &answer_read));
  assert_int_equal(answer_read.status, 200);
  raw_free(&answer_read);
  close(fd);
  int64_t elapsed_ns = lab_finished(l, 0)->result.answers[0].elapsed_ns;
  assert_true(elapsed_ns > 0);
  assert_true(elapsed_ns < waiting_ns - start_ns);
  sem_post(&hold);
}

/* A prober that ends answers whoever waits for keys. */
static void test_end_while_waiting(void **state) {
  lab *l = *state;
  sem_t hold;
  sem_init(&hold, 0, 0);
  issuer.hold_keys = &hold;
  const char *id = begin(l);
  char request[4096];
  put_request(request, sizeof request, id, ACCOUNT, AUDIENCE);
  int fd = open_connection(l);
  raw_send(fd, request);
  wait_for_visitor(l->prober->gate.verifier);
  psprobe_prober_stop(l->prober);
  psprobe_prober_stop(l->prober);
  lab_join(l);
  psprobe_prober_free(l->prober);
  l->prober = NULL;
  raw_answer answer_read = {0};
  if (raw_read(fd, &answer_read)) assert_int_equal(answer_read.status, 503);
  raw_free(&answer_read);
  close(fd);
  for (int i = 0; i < 10; i++)
    sem_post(&hold);
}

static void test_audience_is_needed(void **state) {
  lab *l = *state;
  psprobe_verifier_options verify = {.audience = ""};
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0", .verify = &verify};
  psprobe_error error = {0};
  assert_int_equal(psprobe_prober_new(l->google->client, &options, &l->prober, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "audience"));
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_who_may),
      TEST(test_no_keys),
      TEST(test_time_of_arrival),
      TEST(test_end_while_waiting),
      TEST(test_audience_is_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
