/* SPDX-License-Identifier: MIT */
/** @file Answering one message: attempts, what they come to, what is told with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_prober.h"
#include "raw_http.h"
#include "responder/parts.h"

#define MS INT64_C(1000000)
#define ID "0123456789abcdef0123456789abcdef"

static psprobe_client *client;

static int set_up(void **state) {
  (void)state;
  client = fake_prober_client();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psprobe_client_free(client);
  return 0;
}

static psprobe_responder *make(psprobe_responder_options options) {
  psprobe_responder *responder = NULL;
  psprobe_error error = {0};
  if (psprobe_responder_new(client, &options, &responder, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return responder;
}

static psprobe_code answer(psprobe_responder *responder, const char *id, psprobe_error *error) {
  psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, id};
  psprobe_message message = {
      .attributes = &attribute, .attribute_count = id != NULL, .message_id = "17"};
  return psprobe_responder_answer(responder, &message, psprobe_clock_monotonic(), error);
}

static void test_what_the_prober_says(void **state) {
  (void)state;
  static const struct {
    int script[6];
    int64_t timeout_ns;
    psprobe_code code;
    size_t least, most; /* requests */
    const char *says;
  } cases[] = {
      {{200, 0}, 0, PSPROBE_OK, 1, 1, NULL},
      {{204, 0}, 0, PSPROBE_OK, 1, 1, NULL},
      {{500, 200, 0}, 0, PSPROBE_OK, 2, 2, NULL},
      {{503, 502, 504, 200, 0}, 0, PSPROBE_OK, 4, 4, NULL},
      {{429, 200, 0}, 0, PSPROBE_OK, 2, 2, NULL},
      {{404, 0}, 0, PSPROBE_OK, 1, 1, NULL},
      {{500, 404, 0}, 0, PSPROBE_OK, 2, 2, NULL},
      {{500, 0}, 1000 * MS, PSPROBE_UNAVAILABLE, 2, 50, "as the script says"},
      {{429, 0}, 1000 * MS, PSPROBE_UNAVAILABLE, 2, 50, "429"},
      {{500, FAKE_HOLD, 0}, 1000 * MS, PSPROBE_DEADLINE_EXCEEDED, 2, 2, "as the script says"},
      {{400, 0}, 0, PSPROBE_FAILED_PRECONDITION, 1, 1, "400"},
      {{401, 0}, 0, PSPROBE_UNAUTHENTICATED, 1, 1, "401"},
      {{403, 0}, 0, PSPROBE_PERMISSION_DENIED, 1, 1, "403"},
      {{405, 0}, 0, PSPROBE_FAILED_PRECONDITION, 1, 1, "405"},
      {{500, 403, 0}, 0, PSPROBE_PERMISSION_DENIED, 2, 2, "403"},
      {{FAKE_STRANGER, 0}, 0, PSPROBE_NOT_FOUND, 1, 1, "not the prober's word"},
      {{FAKE_LOGIN, 0}, 0, PSPROBE_FAILED_PRECONDITION, 1, 1, "with a page"},
      {{302, 0}, 0, PSPROBE_UNKNOWN, 1, 1, "sends us to https://elsewhere.example/x: is"},
      {{FAKE_HOLD, 200, 0}, 3000 * MS, PSPROBE_OK, 2, 2, NULL}, /* silent: half of the time */
      {{FAKE_HOLD, 0}, 300 * MS, PSPROBE_DEADLINE_EXCEEDED, 1, 1, "127.0.0.1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fake_prober *prober = fake_prober_new(0, cases[i].script);
    psprobe_responder *responder = make((psprobe_responder_options){
        .prober = fake_prober_url(prober), .timeout_ns = cases[i].timeout_ns});
    psprobe_error error = {0};
    int64_t start_ns = psprobe_clock_monotonic();
    psprobe_code code = answer(responder, ID, &error);
    int64_t took_ns = psprobe_clock_monotonic() - start_ns;
    size_t count = fake_prober_count(prober);
    /* The last attempt's time may run out before its answer. */
    const bool meant =
        code == cases[i].code || (cases[i].most == 50 && code == PSPROBE_DEADLINE_EXCEEDED);
    if (!meant || count < cases[i].least || count > cases[i].most)
      fail_msg("case %zu: code %d after %zu requests: %s", i, (int)code, count, error.message);
    if (cases[i].says != NULL && strstr(error.message, cases[i].says) == NULL)
      fail_msg("case %zu: \"%s\" does not say \"%s\"", i, error.message, cases[i].says);
    if (cases[i].timeout_ns > 0) assert_true(took_ns < cases[i].timeout_ns + 5000 * MS);
    assert_int_equal(psprobe_responder_answered(responder), code == PSPROBE_OK);
    assert_int_equal(psprobe_responder_rejected(responder), 0);
    psprobe_responder_free(responder);
    fake_prober_free(prober);
  }
}

/* A time that is over before anything was sent: that is no answer, and it says so. */
static void test_no_time_at_all(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  fake_prober *prober = fake_prober_new(0, script);
  psprobe_responder *responder =
      make((psprobe_responder_options){.prober = fake_prober_url(prober), .timeout_ns = 1});
  psprobe_error error = {0};
  assert_int_equal(answer(responder, ID, &error), PSPROBE_DEADLINE_EXCEEDED);
  assert_int_equal(error.code, PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, fake_prober_url(prober)));
  assert_int_equal(psprobe_responder_answered(responder), 0);
  assert_int_equal(fake_prober_count(prober), 0);
  psprobe_responder_free(responder);
  fake_prober_free(prober);
}

static void test_what_is_told(void **state) {
  (void)state;
  static const int script[] = {500, 200, 0};
  fake_prober *prober = fake_prober_new(0, script);
  char url[100];
  snprintf(url, sizeof url, "%s/base/path///", fake_prober_url(prober));
  psprobe_responder *responder =
      make((psprobe_responder_options){.prober = url, .source = "regular_service"});
  assert_int_equal(answer(responder, ID, NULL), PSPROBE_OK);
  assert_int_equal(answer(responder, "fedcba9876543210fedcba9876543210", NULL), PSPROBE_OK);
  assert_int_equal(fake_prober_count(prober), 3);
  for (size_t i = 0; i < 3; i++) {
    const fake_prober_request *r = &prober->requests[i];
    assert_string_equal(r->method, "POST");
    assert_string_equal(r->path, i < 2 ? "/base/path/regular_service/" ID
                                       : "/base/path/regular_service/"
                                         "fedcba9876543210fedcba9876543210");
    assert_string_equal(r->cold, i < 2 ? "1" : ""); /* both attempts of the first event */
    int64_t handled_ns = strtoll(r->handled, NULL, 10);
    assert_true(handled_ns > 0 && handled_ns < 10000 * MS);
  }
  /* The wait between the attempts is part of it. */
  assert_true(strtoll(prober->requests[1].handled, NULL, 10) >
              strtoll(prober->requests[0].handled, NULL, 10));
  psprobe_responder_free(responder);
  fake_prober_free(prober);
}

static void test_prober_down(void **state) {
  (void)state;
  char url[60];
  psprobe_error error = {0};
  int port, held = raw_hold(&port);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
  psprobe_responder *responder =
      make((psprobe_responder_options){.prober = url, .timeout_ns = 300 * MS});
  const psprobe_code code = answer(responder, ID, &error);
  assert_true(code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, url + strlen("http://")));
  assert_non_null(strstr(error.message, "refused")); /* also where the last attempt timed out */
  assert_int_equal(error.retryable, code == PSPROBE_UNAVAILABLE);
  assert_int_equal(psprobe_responder_answered(responder), 0);
  psprobe_responder_free(responder);
  close(held);
}

typedef struct late_answer {
  psprobe_responder *responder;
  psprobe_code code;
} late_answer;

static void *answer_in_thread(void *arg) {
  late_answer *late = arg;
  late->code = answer(late->responder, ID, NULL);
  return NULL;
}

static void test_prober_comes_up(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  char url[60];
  int port, held = raw_hold(&port);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
  late_answer late = {make((psprobe_responder_options){.prober = url}), PSPROBE_UNKNOWN};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, answer_in_thread, &late), 0);
  psprobe_sleep_until(psprobe_clock_monotonic() + 100 * MS); /* some attempts fail */
  fake_prober *prober = fake_prober_new(port, script);
  close(held);
  pthread_join(thread, NULL);
  assert_int_equal(late.code, PSPROBE_OK);
  assert_int_equal(fake_prober_count(prober), 1);
  psprobe_responder_free(late.responder);
  fake_prober_free(prober);
}

static void test_no_probe_in_it(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  static const char *const ids[] = {NULL, "", "17", "0123456789ABCDEF0123456789ABCDEF", ID "0"};
  log_counter lines = {.word = "message_without_probe"};
  psprobe_logger logger = log_counter_logger(&lines);
  fake_prober *prober = fake_prober_new(0, script);
  psprobe_responder *responder =
      make((psprobe_responder_options){.prober = fake_prober_url(prober), .logger = &logger});
  for (size_t i = 0; i < 5; i++) {
    psprobe_error error = {0};
    assert_int_equal(answer(responder, ids[i], &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "probe_id"));
    assert_non_null(strstr(error.message, "17"));
  }
  assert_int_equal(psprobe_responder_rejected(responder), 5);
  assert_int_equal(psprobe_responder_answered(responder), 0);
  assert_int_equal(fake_prober_count(prober), 0);
  assert_int_equal(lines.count, 1);
  psprobe_responder_free(responder);
  fake_prober_free(prober);
}

static void test_logs_little(void **state) {
  (void)state;
  static const int gone[] = {404, 0}, refused[] = {403, 0};
  static const struct {
    const int *script;
    const char *word;
  } cases[] = {{gone, "answer_not_wanted"}, {refused, "answer_failed"}};
  for (size_t i = 0; i < 2; i++) {
    log_counter lines = {.word = cases[i].word};
    psprobe_logger logger = log_counter_logger(&lines);
    fake_prober *prober = fake_prober_new(0, cases[i].script);
    psprobe_responder *responder =
        make((psprobe_responder_options){.prober = fake_prober_url(prober), .logger = &logger});
    for (int k = 0; k < 20; k++)
      answer(responder, ID, NULL);
    assert_int_equal(lines.count, 1);
    psprobe_responder_free(responder);
    fake_prober_free(prober);
  }
}

static void test_free_gives_up_what_waits(void **state) {
  (void)state;
  static const int script[] = {500, 0};
  fake_prober *prober = fake_prober_new(0, script);
  late_answer late = {make((psprobe_responder_options){.prober = fake_prober_url(prober),
                                                       .timeout_ns = 3600000 * MS}),
                      PSPROBE_OK};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, answer_in_thread, &late), 0);
  fake_prober_wait(prober, 3);
  int64_t start_ns = psprobe_clock_monotonic();
  psprobe_responder_free(late.responder);
  assert_true(psprobe_clock_monotonic() - start_ns < 5000 * MS);
  pthread_join(thread, NULL);
  assert_int_equal(late.code, PSPROBE_UNAVAILABLE);
  fake_prober_free(prober);
}

static void *run(void *arg) {
  psprobe_responder_run(arg, 0);
  return NULL;
}

static void test_run_and_stop(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  fake_prober *prober = fake_prober_new(0, script);
  psprobe_responder *responder =
      make((psprobe_responder_options){.prober = fake_prober_url(prober)});
  assert_int_equal(answer(responder, ID, NULL), PSPROBE_OK);
  psprobe_responder_run(responder, 1); /* answered already */
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run, responder), 0);
  psprobe_responder_stop(responder);
  pthread_join(thread, NULL);
  psprobe_responder_run(responder, 0);
  psprobe_responder_free(responder);
  fake_prober_free(prober);
}

/* What fails uses up nothing; what comes beyond is no failure of ours. */
static void test_limit(void **state) {
  (void)state;
  static const int script[] = {403, 200, 0};
  log_counter lines = {.word = "answer_failed"};
  psprobe_logger logger = log_counter_logger(&lines);
  fake_prober *prober = fake_prober_new(0, script);
  psprobe_responder *responder = make((psprobe_responder_options){
      .prober = fake_prober_url(prober), .logger = &logger, .limit = 1});
  assert_int_equal(answer(responder, NULL, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(answer(responder, ID, NULL), PSPROBE_PERMISSION_DENIED);
  assert_int_equal(answer(responder, ID, NULL), PSPROBE_OK);
  for (int i = 0; i < 3; i++)
    assert_int_equal(answer(responder, ID, NULL), PSPROBE_UNAVAILABLE);
  assert_int_equal(psprobe_responder_answered(responder), 1);
  assert_int_equal(fake_prober_count(prober), 2);
  assert_int_equal(lines.count, 1);
  psprobe_responder_free(responder);
  fake_prober_free(prober);
}

static void answer_at_last(void *arg, psprobe_code code, const psprobe_error *error) {
  (void)error;
  *(psprobe_code *)arg = code;
}

typedef struct second_try {
  psprobe_responder *responder;
  psprobe_code first, second;
} second_try;

static void try_again(void *arg, psprobe_code code, const psprobe_error *error) {
  (void)error;
  second_try *t = arg;
  t->first = code;
  const psprobe_message message = {.message_id = "18"};
  psp_responder_begin(t->responder, &message, 0, 0, answer_at_last, &t->second);
}

/* Who hears that an answer failed may try the next at once. */
static void test_limit_in_the_callback(void **state) {
  (void)state;
  second_try t = {make((psprobe_responder_options){.prober = "http://127.0.0.1:9", .limit = 1}),
                  PSPROBE_OK, PSPROBE_OK};
  const psprobe_message message = {.message_id = "17"};
  psp_responder_begin(t.responder, &message, 0, 0, try_again, &t);
  assert_int_equal(t.first, PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(t.second, PSPROBE_INVALID_ARGUMENT); /* not UNAVAILABLE */
  psprobe_responder_free(t.responder);
}

static void test_limit_while_under_way(void **state) {
  (void)state;
  static const int script[] = {FAKE_HOLD, 0};
  fake_prober *prober = fake_prober_new(0, script);
  late_answer late = {
      make((psprobe_responder_options){.prober = fake_prober_url(prober), .limit = 1}), PSPROBE_OK};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, answer_in_thread, &late), 0);
  fake_prober_wait(prober, 1);
  assert_int_equal(answer(late.responder, ID, NULL), PSPROBE_UNAVAILABLE);
  fake_prober_release(prober, 200);
  pthread_join(thread, NULL);
  assert_int_equal(late.code, PSPROBE_OK);
  assert_int_equal(fake_prober_count(prober), 1);
  psprobe_responder_free(late.responder);
  fake_prober_free(prober);
}

static void test_options(void **state) {
  (void)state;
  static const struct {
    psprobe_responder_options options;
    const char *says;
  } cases[] = {
      {{.prober = NULL}, "URL"},
      {{.prober = "localhost:8080"}, "localhost:8080"},
      {{.prober = "ftp://localhost"}, "ftp://localhost"},
      {{.prober = "http://"}, "http://"},
      {{.prober = "http://a/?x=1"}, "query"},
      {{.prober = "http://a/?key=hush"}, "a/?***"},
      {{.prober = "http://user:hush@a"}, "***@a"},
      {{.prober = "http://a/#x"}, "fragment"},
      {{.prober = "http://a", .source = "A"}, "\"A\""},
      {{.prober = "http://a", .timeout_ns = -1}, "timeout"},
      {{.direct = true, .collection = "a/b"}, "a/b"},
      {{.direct = true, .collection = " a"}, "collection \" a\": the name begins or ends"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_responder *responder = NULL;
    assert_int_equal(psprobe_responder_new(client, &cases[i].options, &responder, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].says) == NULL)
      fail_msg("\"%s\" does not say \"%s\"", error.message, cases[i].says);
    assert_null(strstr(error.message, "hush"));
    assert_null(responder);
  }
  psprobe_responder_free(NULL);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_the_prober_says),
      cmocka_unit_test(test_no_time_at_all),
      cmocka_unit_test(test_what_is_told),
      cmocka_unit_test(test_prober_down),
      cmocka_unit_test(test_prober_comes_up),
      cmocka_unit_test(test_no_probe_in_it),
      cmocka_unit_test(test_logs_little),
      cmocka_unit_test(test_free_gives_up_what_waits),
      cmocka_unit_test(test_run_and_stop),
      cmocka_unit_test(test_limit),
      cmocka_unit_test(test_limit_in_the_callback),
      cmocka_unit_test(test_limit_while_under_way),
      cmocka_unit_test(test_options),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
