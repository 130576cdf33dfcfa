/* SPDX-License-Identifier: MIT */
/** @file An answer that is taken as it comes, from our own server. */
/* threads meet here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "client/flow.h"
#include "raw_http.h"
#include "raw_server.h"

#define S INT64_C(1000000000)

#define LARGE ((size_t)40 << 20) /* more than an answer that is kept may have */

/* What the server sends: its head says so many bytes, and so many come. */
typedef struct plan {
  const char *status;
  size_t says, sends;
  _Atomic size_t sent;
} plan;

/* The body is letters that begin anew after each 23; its bytes from n on, at most PIECE of them. */
#define PIECE ((size_t)64 << 10)
static char letters[PIECE + 23];
static const char *bytes_at(size_t n) {
  return letters + n % 23;
}

static void talk(void *arg, int fd, int nth) {
  plan *p = arg;
  psp_buf head = {0}, body = {0}, answer = {0};
  (void)nth;
  if (raw_read_request(fd, &head, &body)) {
    psp_buf_printf(&answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", p->status, p->says);
    raw_send(fd, answer.data);
    for (size_t at = 0; at < p->sends; at = p->sent) {
      size_t len = p->sends - at < PIECE ? p->sends - at : PIECE;
      if (send(fd, bytes_at(at), len, MSG_NOSIGNAL) < 0) break;
      p->sent = at + len;
    }
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
  psp_buf_free(&answer);
}

/* What is taken. */
typedef struct taker {
  size_t count, most; /* then enough; 0: never */
  size_t largest;
  const plan *plan;
  size_t ahead; /* how far the server was ahead of us at most */
} taker;

static bool take(void *arg, const char *data, size_t len) {
  taker *t = arg;
  for (size_t at = 0, n; at < len; at += n) {
    n = len - at < PIECE ? len - at : PIECE;
    if (memcmp(data + at, bytes_at(t->count + at), n) != 0)
      fail_msg("a byte after %zu is another", t->count + at);
  }
  t->count += len;
  if (len > t->largest) t->largest = len;
  size_t ahead = t->plan->sent > t->count ? t->plan->sent - t->count : 0;
  if (ahead > t->ahead) t->ahead = ahead;
  return t->most == 0 || t->count < t->most;
}

static psprobe_code run(plan *p, taker *t, psprobe_error *error) {
  raw_server *server = raw_server_start(talk, p);
  psprobe_client *client = NULL;
  char host[32];
  snprintf(host, sizeof host, "127.0.0.1:%d", raw_server_port(server));
  psprobe_client_options options = {.project = "demo-p", .firestore_emulator = host};
  assert_int_equal(psprobe_client_new(&options, &client, error), PSPROBE_OK);
  psp_call call = {.service = PSP_FIRESTORE,
                   .method = "POST",
                   .path = "/v1/x",
                   .body = "{}",
                   .body_len = 2,
                   .attempt_ns = 60 * S,
                   .retry = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .max_attempts = 3},
                   .what = "a flow"};
  t->plan = p;
  psprobe_code code = psp_call_flow(client, &call, take, t, error);
  psprobe_client_free(client);
  raw_server_stop(server);
  return code;
}

/* All of a large answer comes, in its order, and the server waits for us. */
static void a_large_answer_stays_small_here(void **state) {
  (void)state;
  plan p = {.status = "200 OK", .says = LARGE, .sends = LARGE};
  taker t = {0};
  psprobe_error error = {0};
  if (run(&p, &t, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(t.count, LARGE);
  assert_true(t.largest <= 256 << 10);
  assert_true(t.ahead < LARGE / 2); /* sockets hold some megabytes */
}

static void enough_ends_it(void **state) {
  (void)state;
  plan p = {.status = "200 OK", .says = LARGE, .sends = LARGE};
  taker t = {.most = 1 << 20};
  psprobe_error error = {0};
  if (run(&p, &t, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_true(t.count >= t.most && t.count < LARGE);
  assert_true(p.sent < LARGE);
}

/* What was taken cannot be taken again: no further attempt is made. */
static void an_answer_cut_off_is_told_after_what_came(void **state) {
  (void)state;
  plan p = {.status = "200 OK", .says = 1000, .sends = 600};
  taker t = {0};
  psprobe_error error = {0};
  assert_int_equal(run(&p, &t, &error), PSPROBE_UNAVAILABLE);
  assert_int_equal(t.count, 600);
}

static void one_that_did_not_begin_is_tried_again(void **state) {
  (void)state;
  plan p = {.status = "200 OK", .says = 1000, .sends = 0};
  taker t = {0};
  psprobe_error error = {0};
  assert_int_equal(run(&p, &t, &error), PSPROBE_UNAVAILABLE);
  assert_int_equal(t.count, 0);
}

/* The body of an answer that is no success says why, and is not taken. */
static void an_error_is_no_answer(void **state) {
  (void)state;
  plan p = {.status = "403 Forbidden", .says = 5, .sends = 5};
  taker t = {0};
  psprobe_error error = {0};
  assert_int_equal(run(&p, &t, &error), PSPROBE_PERMISSION_DENIED);
  assert_int_equal(t.count, 0);
  assert_non_null(strstr(error.message, "abcde"));
}

int main(void) {
  for (size_t i = 0; i < sizeof letters; i++)
    letters[i] = (char)('a' + i % 23);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_large_answer_stays_small_here),
      cmocka_unit_test(enough_ends_it),
      cmocka_unit_test(an_answer_cut_off_is_told_after_what_came),
      cmocka_unit_test(one_that_did_not_begin_is_tried_again),
      cmocka_unit_test(an_error_is_no_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
