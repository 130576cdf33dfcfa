/* SPDX-License-Identifier: MIT */
/** @file What the prober's two routes answer, over real sockets, to what they were not made for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"
#include "raw_http.h"

#define HOUR   INT64_C(3600000000000)
#define NO_ID  "0123456789abcdef0123456789abcdef"
#define END    " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
#define BODY_5 " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"

static lab *begin(void **state, const char **id) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR});
  *id = lab_published(l, 0);
  return l;
}

static void test_what_is_refused(void **state) {
  const char *id;
  lab *l = begin(state, &id);
  static const struct {
    const char *method, *path, *end; /* ID stands for the probe's */
    int status;
    bool counted;
  } cases[] = {
      {"POST", "/cloud_function/" NO_ID, END, 404, true},
      {"POST", "/cloud_function/short", END, 404, true},
      {"POST", "/cloud_function/%00", END, 400, false},
      {"POST", "/cloud_function/%zz", END, 400, false},
      {"POST", "/cloud_function/..%2f..%2fetc%2fpasswd", END, 404, true},
      {"POST", "/cloud_function/ID0", END, 404, true},
      {"POST", "/no_such_source/ID", END, 404, true},
      {"POST", "/Cloud_function/ID", END, 404, true},
      {"POST", "/cloud_function/ID/more", END, 404, false},
      {"POST", "/cloud_function", END, 404, false},
      {"POST", "/", END, 404, false},
      {"GET", "/cloud_function/ID", END, 405, false},
      {"PUT", "/cloud_function/ID", END, 405, false},
      {"DELETE", "/cloud_function/ID", END, 405, false},
      {"post", "/cloud_function/ID", END, 405, false},
      {"POST", "/cloud_function/ID", " HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413,
       false},
      {"POST", "/cloud_function/ID", BODY_5, 200, false}, /* a body is read and let go */
      {"POST", "/%63loud_function/ID?x=1", END, 200, false},
  };
  uint64_t refused = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char request[512], path[256];
    const char *at = strstr(cases[i].path, "ID");
    if (at == NULL)
      snprintf(path, sizeof path, "%s", cases[i].path);
    else
      snprintf(path, sizeof path, "%.*s%s%s", (int)(at - cases[i].path), cases[i].path, id, at + 2);
    snprintf(request, sizeof request, "%s %s%s", cases[i].method, path, cases[i].end);
    int status = lab_ask(l, request);
    if (status != cases[i].status) fail_msg("%s %s: %d", cases[i].method, cases[i].path, status);
    refused += cases[i].counted;
  }
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.refused, refused);
  assert_int_equal(s.duplicates[0], 1); /* the two that were 200 */
  assert_int_equal(s.duplicates[1], 0);
}

static void test_finished_for_good(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.count = 2, .capacity = 1, .timeout_ns = 10000000});
  const char *first = lab_published(l, 0);
  lab_published(l, 1); /* there was room for it only when the first was past its late window */
  assert_int_equal(lab_answer(l, "cloud_function", first, NULL), 404);
  assert_int_equal(lab_stats(l).refused, 1);
}

static void test_half_a_request(void **state) {
  const char *id;
  lab *l = begin(state, &id);
  static const char *const halves[] = {
      "",
      "POS",
      "POST /cloud_function/",
      "POST /cloud_function/" NO_ID " HTTP/1.1\r\nHost: x\r\n",
      "POST /cloud_function/ID HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123",
      "\x16\x03\x01\x02",
  };
  int port = (int)strtol(strrchr(psprobe_prober_url(l->prober), ':') + 1, NULL, 10);
  int open[6];
  for (size_t i = 0; i < 6; i++) { /* some stay open, to the end of the test */
    char text[256];
    const char *at = strstr(halves[i], "/ID ");
    if (at != NULL)
      snprintf(text, sizeof text, "%.*s/%s%s", (int)(at - halves[i]), halves[i], id, at + 3);
    open[i] = raw_connect(port);
    raw_send(open[i], at != NULL ? text : halves[i]);
  }
  /* None of that is an answer, and nobody waits for the rest of it. */
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  const psprobe_finished *f = lab_finished(l, 0);
  assert_int_equal(f->result.answers[0].duplicates, 0);
  for (size_t i = 0; i < 6; i++)
    close(open[i]);
  assert_int_equal(lab_stats(l).refused, 0);
}

static void test_many_answers_on_one_connection(void **state) {
  const char *id;
  lab *l = begin(state, &id);
  int port = (int)strtol(strrchr(psprobe_prober_url(l->prober), ':') + 1, NULL, 10);
  int fd = raw_connect(port);
  for (int i = 0; i < 100; i++) {
    raw_answer answer = {0};
    char request[256];
    snprintf(request, sizeof request, "POST /cloud_function/%s" END, i == 50 ? NO_ID : id);
    assert_int_equal(raw_ask(fd, request, &answer), i == 50 ? 404 : 200);
    if (i == 50) assert_non_null(strstr(answer.body.data, "\"code\":404"));
    raw_free(&answer);
  }
  close(fd);
  assert_int_equal(lab_stats(l).duplicates[0], 98);
}

static int64_t stamp_of(const raw_answer *answer, const char *name) {
  const char *at = strstr(answer->head.data, name);
  assert_non_null(at);
  return strtoll(at + strlen(name) + 1, NULL, 10);
}

/* A responder that tells when it sent is told when that came and went, by the clock of the run. */
static void test_facts_and_stamps(void **state) {
  const char *id;
  lab *l = begin(state, &id);
  int fd = raw_connect((int)strtol(strrchr(psprobe_prober_url(l->prober), ':') + 1, NULL, 10));
  raw_answer answer = {0}, plain = {0};
  char request[512];
  snprintf(request, sizeof request,
           "POST /cloud_function/%s HTTP/1.1\r\nHost: x\r\nPsprobe-Instance: rev-1\r\n"
           "Psprobe-Invocation: 0\r\nPsprobe-Age-Ns: 12\r\nPsprobe-Sent-Ns: 1796000000000000002\r\n"
           "Content-Length: 0\r\n\r\n",
           id);
  int64_t before = psprobe_clock_wall();
  assert_int_equal(raw_ask(fd, request, &answer), 200);
  int64_t after = psprobe_clock_wall(), received = stamp_of(&answer, PSPROBE_HEADER_RECEIVED ":"),
          answered = stamp_of(&answer, PSPROBE_HEADER_ANSWERED ":");
  assert_true(received >= before - 1000000000 && received <= answered &&
              answered <= after + 1000000000);
  snprintf(request, sizeof request, "POST /regular_service/%s" END, id);
  assert_int_equal(raw_ask(fd, request, &plain), 200);
  assert_null(strstr(plain.head.data, "Psprobe-"));
  close(fd);
  const psprobe_finished *f = lab_finished(l, 0);
  assert_string_equal(f->result.answers[0].facts.instance, "rev-1");
  assert_int_equal(f->result.answers[0].facts.invocation, 0); /* was not of its form */
  assert_int_equal(f->result.answers[0].facts.age_ns, 12);
  assert_int_equal(f->result.answers[0].facts.sent_wall_ns, INT64_C(1796000000000000002));
  assert_int_equal(f->result.answers[0].received_wall_ns, received);
  assert_string_equal(f->result.answers[1].facts.instance, "");
  assert_int_equal(lab_stats(l).malformed, 1);
  assert_int_equal(lab_stats(l).facts_dropped, 0);
  raw_free(&answer);
  raw_free(&plain);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_is_refused),  TEST(test_finished_for_good),
      TEST(test_half_a_request),   TEST(test_many_answers_on_one_connection),
      TEST(test_facts_and_stamps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
