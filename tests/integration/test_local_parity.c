/* SPDX-License-Identifier: MIT */
/** @file The stand-in's broker against Google's emulator: the same requests, one after the other,
 * have answers of one shape: status, names, order, white space, values and the words of errors. And
 * the way of a message through both, whose ids the file of requests cannot know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/local.h>

#include "base/id.h"
#include "emulator.h"
#include "files.h"
#include "os/random.h"
#include "raw_http.h"
#include "rest_call.h"
#include "shape.h"

static const char requests[] = "tests/data/pubsub/alike.requests";
static char project[64]; /* "projects/…": what @ stands for */

static psprobe_local *local;
static const char *ours, *google;

static int setup(void **state) {
  (void)state;
  char id[PSP_ID_SIZE];
  psprobe_error error = {0};
  assert_true(psp_id_new(id));
  snprintf(project, sizeof project, "projects/alike-%.8s", id);
  google = test_emulator_host(TEST_PUBSUB);
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  ours = psprobe_local_pubsub_host(local);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psprobe_local_free(local);
  return 0;
}

/* A copy with the project put in, to free(). */
static char *fill_in(const char *text) {
  psp_buf out = {0};
  for (; *text; text++) {
    if (*text == '@')
      psp_buf_text(&out, project);
    else
      psp_buf_char(&out, *text);
  }
  return psp_buf_take(&out, NULL);
}

static bool is_alike(const char *what, const raw_answer *a, const raw_answer *b) {
  psp_buf x = test_shape(a->body.data != NULL ? a->body.data : "", a->body.len);
  psp_buf y = test_shape(b->body.data != NULL ? b->body.data : "", b->body.len);
  bool same = a->status == b->status && strcmp(x.data, y.data) == 0;
  if (!same)
    print_error("%.300s\n--- the stand-in: %d\n%.900s\n--- Google's emulator: %d\n%.900s\n", what,
                a->status, x.data, b->status, y.data);
  psp_buf_free(&x);
  psp_buf_free(&y);
  return same;
}

/* One line of the file: method, URL, body. */
static bool line_is_alike(char *line) {
  bool typed = *line != '^';
  char *whole = fill_in(typed ? line : line + 1), *method = whole;
  char *url = strchr(whole, ' '), *body = url != NULL ? strchr(url + 1, ' ') : NULL;
  if (url == NULL) fail_msg("%s: %s", requests, line);
  *url++ = '\0';
  if (body != NULL) *body++ = '\0';
  const char *more = typed ? NULL : "Content-Type: text/plain\r\n";
  raw_answer a = test_rest(ours, method, url, body, more);
  raw_answer b = test_rest(google, method, url, body, more);
  bool same = is_alike(line, &a, &b);
  raw_free(&a);
  raw_free(&b);
  free(whole);
  return same;
}

static void answers_alike(void **state) {
  (void)state;
  int count = 0, differ = 0;
  psp_buf file = test_file(requests);
  for (char *line = file.data, *next; line != NULL && *line; line = next) {
    char *end = strchr(line, '\n');
    next = end != NULL ? end + 1 : NULL;
    if (end != NULL) *end = '\0';
    if (*line == '#' || !*line) continue;
    differ += !line_is_alike(line);
    count++;
  }
  psp_buf_free(&file);
  print_message("%d requests, %d answered in another way\n", count, differ);
  assert_true(count > 200);
  assert_int_equal(differ, 0);
}

/* The same call to both. What they answer is alike; `ids[0]` and `ids[1]` receive the first ack
 * ids, where there are some. */
static void both(const char *method, const char *url, const char *ours_body,
                 const char *google_body, char ids[2][300]) {
  const char *const hosts[] = {ours, google}, *const bodies[] = {ours_body, google_body};
  raw_answer answers[2];
  char *path = fill_in(url);
  for (int i = 0; i < 2; i++) {
    char *body = bodies[i] != NULL ? fill_in(bodies[i]) : NULL;
    answers[i] = test_rest(hosts[i], method, path, body, NULL);
    free(body);
    const char *id =
        strstr(answers[i].body.data != NULL ? answers[i].body.data : "", "\"ackId\": \"");
    if (id != NULL && ids != NULL)
      snprintf(ids[i], 300, "%.*s", (int)strcspn(id + 10, "\""), id + 10);
  }
  assert_true(is_alike(url, &answers[0], &answers[1]));
  raw_free(&answers[0]);
  raw_free(&answers[1]);
  free(path);
}

static void both_with_id(const char *url, const char *format, char ids[2][300]) {
  char bodies[2][400];
  for (int i = 0; i < 2; i++) {
    const char *hole = strchr(format, '%');
    snprintf(bodies[i], sizeof bodies[i], "%.*s%s%s", (int)(hole - format), format, ids[i],
             hole + 1);
  }
  both("POST", url, bodies[0], bodies[1], NULL);
}

#define SAME(method, url, body) both(method, url, body, body, NULL)
#define PULL(ids) \
  both("POST", "/v1/@/subscriptions/way:pull", "{\"maxMessages\":1}", "{\"maxMessages\":1}", ids)
#define PULL_NONE() \
  SAME("POST", "/v1/@/subscriptions/way:pull", "{\"maxMessages\":1,\"returnImmediately\":true}")

/* Published, refused, redelivered with an attempt more, acknowledged, gone. */
static void message_goes_alike(void **state) {
  (void)state;
  char first[2][300] = {"", ""}, second[2][300] = {"", ""};
  SAME("PUT", "/v1/@/topics/way", NULL);
  SAME("PUT", "/v1/@/topics/dead", NULL);
  SAME("PUT", "/v1/@/subscriptions/way",
       "{\"topic\":\"@/topics/way\",\"deadLetterPolicy\":{\"deadLetterTopic\":\"@/topics/dead\"}}");
  SAME("POST", "/v1/@/topics/way:publish",
       "{\"messages\":[{\"data\":\"YQ==\",\"attributes\":{\"k\":\"v\"},\"orderingKey\":\"o\"}]}");
  PULL(first);
  assert_true(first[0][0] && first[1][0]);
  PULL_NONE();
  both_with_id("/v1/@/subscriptions/way:modifyAckDeadline",
               "{\"ackIds\":[\"%\"],\"ackDeadlineSeconds\":0}", first);
  PULL(second); /* "deliveryAttempt": 2 */
  assert_true(strcmp(first[0], second[0]) != 0);
  both_with_id("/v1/@/subscriptions/way:acknowledge", "{\"ackIds\":[\"%\"]}", first); /* in vain */
  both_with_id("/v1/@/subscriptions/way:modifyAckDeadline",
               "{\"ackIds\":[\"%\"],\"ackDeadlineSeconds\":0}", second);
  PULL(second);
  both_with_id("/v1/@/subscriptions/way:acknowledge", "{\"ackIds\":[\"%\"]}", second);
  both_with_id("/v1/@/subscriptions/way:acknowledge", "{\"ackIds\":[\"%\"]}", second);
  PULL_NONE();
  both_with_id("/v1/@/subscriptions/other:acknowledge", "{\"ackIds\":[\"%\"]}", second);
}

#define WAY_PULL "{\"maxMessages\":10,\"returnImmediately\":true}"

/* Acknowledged, brought back by a time and by a snapshot, acknowledged by a time that is to come.
 */
static void seeks_alike(void **state) {
  (void)state;
  char id[2][300] = {"", ""};
  SAME("PUT", "/v1/@/topics/seek", NULL);
  SAME("PUT", "/v1/@/subscriptions/seek",
       "{\"topic\":\"@/topics/seek\",\"retainAckedMessages\":true}");
  SAME("PUT", "/v1/@/snapshots/before", "{\"subscription\":\"@/subscriptions/seek\"}");
  SAME("POST", "/v1/@/topics/seek:publish", "{\"messages\":[{\"data\":\"YQ==\"}]}");
  both("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL, WAY_PULL, id);
  both_with_id("/v1/@/subscriptions/seek:acknowledge", "{\"ackIds\":[\"%\"]}", id);
  SAME("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL);
  SAME("POST", "/v1/@/subscriptions/seek:seek", "{\"time\":\"2020-01-01T00:00:00Z\"}");
  both("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL, WAY_PULL, id);
  both_with_id("/v1/@/subscriptions/seek:acknowledge", "{\"ackIds\":[\"%\"]}", id);
  SAME("PUT", "/v1/@/snapshots/after", "{\"subscription\":\"@/subscriptions/seek\"}");
  SAME("POST", "/v1/@/subscriptions/seek:seek", "{\"snapshot\":\"@/snapshots/before\"}");
  SAME("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL);
  SAME("POST", "/v1/@/subscriptions/seek:seek", "{\"snapshot\":\"@/snapshots/after\"}");
  SAME("POST", "/v1/@/topics/seek:publish", "{\"messages\":[{\"data\":\"Yg==\"}]}");
  SAME("POST", "/v1/@/subscriptions/seek:seek", "{\"time\":\"2100-01-01T00:00:00Z\"}");
  SAME("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL);
  SAME("POST", "/v1/@/topics/seek:publish", "{\"messages\":[{\"data\":\"Yw==\"}]}");
  SAME("POST", "/v1/@/subscriptions/seek:pull", WAY_PULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers_alike),
                                     cmocka_unit_test(message_goes_alike),
                                     cmocka_unit_test(seeks_alike)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
