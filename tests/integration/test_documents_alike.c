/* SPDX-License-Identifier: MIT */
/** @file The stand-in's documents against Google's emulator: the same requests, one after the
 * other, have answers of one shape: status, names, order, white space, values and the words of
 * errors. */
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
#include "shape.h"

static const char requests[] = "tests/data/firestore/alike.requests";
static char documents[128]; /* what @ stands for; a project that no other test has used */

/* Who is asked: over a connection, and with the last transaction that it told of, for which a ~
 * stands. */
typedef struct asked {
  int fd;
  char transaction[64];
} asked;

static void keep_transaction(asked *a, const raw_answer *answer) {
  static const char key[] = "\"transaction\": \"";
  const char *at = answer->body.data != NULL ? strstr(answer->body.data, key) : NULL;
  if (at != NULL)
    snprintf(a->transaction, sizeof a->transaction, "%.*s", (int)strcspn(at + sizeof key - 1, "\""),
             at + sizeof key - 1);
}

/* One line of the file as bytes to send. */
static psp_buf make_request(const char *line, const asked *of) {
  psp_buf text = {0}, request = {0};
  bool owner = line[0] != '!';
  for (const char *at = owner ? line : line + 1; *at; at++) {
    if (*at == '@')
      psp_buf_text(&text, documents);
    else if (*at == '~')
      psp_buf_text(&text, of->transaction);
    else
      psp_buf_char(&text, *at);
  }
  char *url = strchr(text.data, ' '), *body = url != NULL ? strchr(url + 1, ' ') : NULL;
  if (url == NULL) fail_msg("%s: %s", requests, line);
  *url++ = '\0';
  if (body != NULL) *body++ = '\0';
  psp_buf_printf(&request, "%s /v1/%s HTTP/1.1\r\nHost: localhost\r\n", text.data, url);
  if (owner) psp_buf_text(&request, "Authorization: Bearer owner\r\n");
  if (body != NULL) psp_buf_text(&request, "Content-Type: application/json\r\n");
  if (body != NULL || strcmp(text.data, "GET") != 0)
    psp_buf_printf(&request, "Content-Length: %zu\r\n", body != NULL ? strlen(body) : 0);
  psp_buf_printf(&request, "\r\n%s", body != NULL ? body : "");
  assert_false(request.failed);
  psp_buf_free(&text);
  return request;
}

static bool is_alike(const char *line, const raw_answer *ours, const raw_answer *google) {
  psp_buf a = test_shape(ours->body.data != NULL ? ours->body.data : "", ours->body.len);
  psp_buf b = test_shape(google->body.data != NULL ? google->body.data : "", google->body.len);
  bool same = ours->status == google->status && strcmp(a.data, b.data) == 0;
  if (!same)
    print_error("%.300s\n--- the stand-in: %d\n%.700s\n--- Google's emulator: %d\n%.700s\n", line,
                ours->status, a.data, google->status, b.data);
  psp_buf_free(&a);
  psp_buf_free(&b);
  return same;
}

static void ask(asked *of, const char *line, raw_answer *answer) {
  psp_buf request = make_request(line, of);
  raw_ask(of->fd, request.data, answer);
  keep_transaction(of, answer);
  psp_buf_free(&request);
}

static int port_of(const char *host) {
  return atoi(strrchr(host, ':') + 1);
}

static void answers_alike(void **state) {
  (void)state;
  char id[PSP_ID_SIZE];
  psprobe_local *local = NULL;
  psprobe_error error = {0};
  int count = 0, differ = 0;
  assert_true(psp_id_new(id));
  snprintf(documents, sizeof documents, "projects/alike-%.8s/databases/(default)/documents", id);
  asked google = {.fd = raw_connect(port_of(test_emulator_host(TEST_FIRESTORE)))};
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  asked ours = {.fd = raw_connect(port_of(psprobe_local_firestore_host(local)))};
  psp_buf file = test_file(requests);
  for (char *line = file.data, *next; line != NULL && *line; line = next) {
    char *end = strchr(line, '\n');
    next = end != NULL ? end + 1 : NULL;
    if (end != NULL) *end = '\0';
    if (*line == '#') continue;
    raw_answer a = {0}, b = {0};
    ask(&ours, line, &a);
    ask(&google, line, &b);
    differ += !is_alike(line, &a, &b);
    count++;
    raw_free(&a);
    raw_free(&b);
  }
  psp_buf_free(&file);
  psprobe_local_free(local);
  print_message("%d requests, %d answered in another way\n", count, differ);
  assert_true(count > 480);
  assert_int_equal(differ, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers_alike)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
