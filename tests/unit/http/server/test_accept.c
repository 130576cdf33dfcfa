/* SPDX-License-Identifier: MIT */
/** @file Connections that do not leave, that do not come to an end, and a server that stops taking
 * any. */
/* With it <poll.h> has a poll() of its own, which this file stands in for. */
#undef _FORTIFY_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "raw_http.h"
#include "server_fixture.h"

/* ---- libmicrohttpd and the listening socket ---- */

/* In place of the C library's, so that whoever takes a listening socket out of an epoll set first
 * is overtaken by the other who is about to: that is what made libmicrohttpd call abort(). */
static atomic_int in_sets, seen;
static atomic_bool quiescing;
static int prods[8];
static sem_t taken_out;
static pthread_t quiescer;

static bool is_listener(int fd) {
  int value = 0;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value != 0;
}

static void wait_for_the_other(void) {
  for (size_t i = 0; i < sizeof prods / sizeof *prods; i++)
    raw_send(prods[i], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n");
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 5;
  sem_timedwait(&taken_out, &until);
}

__attribute__((visibility("default"))) int epoll_ctl(int set, int what, int fd,
                                                     struct epoll_event *event) {
  static int (*real)(int, int, int, struct epoll_event *);
  if (real == NULL) {
    void *found = dlsym(RTLD_NEXT, "epoll_ctl");
    memcpy(&real, &found, sizeof real);
  }
  atomic_fetch_add(&seen, 1);
  bool removes = what == EPOLL_CTL_DEL && is_listener(fd);
  if (what == EPOLL_CTL_ADD && is_listener(fd)) atomic_fetch_add(&in_sets, 1);
  bool first = removes && atomic_load(&quiescing) && pthread_equal(pthread_self(), quiescer);
  if (first) wait_for_the_other();
  int rc = real(set, what, fd, event);
  if (removes && !first) sem_post(&taken_out);
  return rc;
}

static void test_quiesce_meets_its_threads(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){0});
  sem_init(&taken_out, 0, 0);
  quiescer = pthread_self();
  for (size_t i = 0; i < sizeof prods / sizeof *prods; i++) {
    prods[i] = raw_connect(psp_server_port(own));
    expect(prods[i], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  }
  atomic_store(&quiescing, true);
  psp_server_quiesce(own);
  atomic_store(&quiescing, false);
  assert_true(seen > 0);
  assert_int_equal(in_sets, 0); /* none of its threads ever sees the listener */
  psp_server_free(own);
  for (size_t i = 0; i < sizeof prods / sizeof *prods; i++)
    close(prods[i]);
  sem_destroy(&taken_out);
}

/* ---- who does not leave ---- */

/* What is counted here is counted to the last connection: on an address of its own no other
 * program's calls come in, which still try a port that was theirs. */
#define HOST "127.0.0.77"
#define ONE  "127.0.0.1"

static psp_server *start_apart(psp_server_options options) {
  options.listen = HOST ":0";
  return fixture_start(options);
}

static int connect_from(const char *address, int port) {
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
  inet_pton(AF_INET, address, &from.sin_addr);
  inet_pton(AF_INET, HOST, &to.sin_addr);
  to.sin_port = htons((uint16_t)port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

#define HALVES 200

static void test_half_requests_make_room(void **state) {
  (void)state;
  psp_server *own = start_apart((psp_server_options){.max_connections = 20});
  int port = psp_server_port(own), halves[HALVES];
  int64_t begun_ns = psprobe_clock_monotonic();
  assert_false(psp_server_has_missed(own, 0));
  int other = connect_from("127.0.0.2", port);
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  for (int i = 0; i < HALVES; i++) {
    halves[i] = connect_from(ONE, port);
    if (i % 2 == 0) raw_send(halves[i], "GET /get HTTP/1.1\r\nHost: h\r\nX-A: ");
  }
  /* Another address does not notice, and a new one of the same is let in. */
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  int late = connect_from(ONE, port), fresh = connect_from("127.0.0.3", port);
  expect(late, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  expect(fresh, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_true(raw_is_closed(halves[0]));
  psp_server_stats stats;
  psp_server_get_stats(own, &stats);
  assert_true(stats.made_room >= HALVES + 1 - 15);
  assert_int_equal(stats.untaken, stats.made_room); /* none of them had an answer */
  assert_true(psp_server_has_missed(own, begun_ns));
  assert_false(psp_server_has_missed(own, psprobe_clock_monotonic()));
  assert_int_equal(stats.refused, 0);
  for (int i = 0; i < HALVES; i++)
    close(halves[i]);
  close(late);
  close(fresh);
  close(other);
  psp_server_free(own);
}

static void test_streams_make_room(void **state) {
  (void)state;
  psp_server *own = start_apart((psp_server_options){.max_connections = 4});
  int port = psp_server_port(own), fds[3];
  psp_stream *streams[3];
  raw_answer answer = {0};
  for (int i = 0; i < 3; i++) {
    fds[i] = connect_from(ONE, port);
    raw_send(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    streams[i] = psp_exchange_stream_begin(take_held(), 200, "text/event-stream");
    assert_true(raw_read_head(fds[i], &answer));
  }
  int late = connect_from(ONE, port);
  expect(late, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_true(raw_is_closed(fds[0]));
  assert_true(psp_stream_is_gone(streams[0]));
  assert_true(psp_stream_append(streams[1], "x", 1));
  for (int i = 0; i < 3; i++) {
    psp_stream_free(streams[i]);
    close(fds[i]);
  }
  close(late);
  raw_free(&answer);
  psp_server_free(own);
}

static void test_busy_ones_stay(void **state) {
  (void)state;
  psp_server *own = start_apart((psp_server_options){.max_connections = 4});
  int port = psp_server_port(own), fds[3];
  psp_exchange *held[3];
  for (int i = 0; i < 3; i++) {
    fds[i] = connect_from(ONE, port);
    raw_send(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    held[i] = take_held();
  }
  int late = connect_from(ONE, port), other = connect_from("127.0.0.2", port);
  assert_true(raw_is_closed(late));
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL); /* the reserve */
  psp_server_stats stats;
  psp_server_get_stats(own, &stats);
  assert_int_equal(stats.refused, 1);
  assert_int_equal(stats.untaken, 1);
  assert_int_equal(stats.open, 4);
  for (int i = 0; i < 3; i++) {
    raw_answer answer = {0};
    psp_exchange_reply(held[i], 200, NULL, "x", 1);
    assert_true(raw_read(fds[i], &answer));
    raw_free(&answer);
    close(fds[i]);
  }
  close(late);
  close(other);
  psp_server_free(own);
}

/* A busy machine: every short wait of the acceptor's is a long one. */
static atomic_bool machine_is_busy;

__attribute__((visibility("default"))) int poll(struct pollfd *fds, nfds_t count, int timeout) {
  int (*real)(struct pollfd *, nfds_t, int);
  void *found = dlsym(RTLD_NEXT, "poll");
  memcpy(&real, &found, sizeof real);
  return real(fds, count, atomic_load(&machine_is_busy) && timeout == 2 ? 200 : timeout);
}

static void wait_at_the_head(void *arg, psp_exchange *x) {
  sem_post((sem_t *)arg);
  sem_wait((sem_t *)arg + 1);
  psp_exchange_admit(x);
}

/* The server's thread stands still, so that nobody who was let in begins: who waits for it is told
 * so after a time, however many or few rounds of the acceptor's that is. */
static void test_nobody_begins(void **state) {
  (void)state;
  sem_t stands[2];
  sem_init(&stands[0], 0, 0);
  sem_init(&stands[1], 0, 0);
  psp_server *own = start_apart((psp_server_options){
      .max_connections = 4, .threads = 1, .admit = wait_at_the_head, .admit_arg = stands});
  int port = psp_server_port(own), fds[4];
  fds[0] = connect_from(ONE, port);
  raw_send(fds[0], "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  sem_wait(&stands[0]);
  atomic_store(&machine_is_busy, true);
  for (int i = 1; i < 4; i++)
    fds[i] = connect_from(ONE, port);
  assert_true(raw_is_closed(fds[3]));
  psp_server_stats stats;
  psp_server_get_stats(own, &stats);
  assert_int_equal(stats.open, 3);
  assert_true(stats.refused >= 1);
  atomic_store(&machine_is_busy, false);
  sem_post(&stands[1]);
  for (int i = 0; i < 4; i++)
    close(fds[i]);
  psp_server_free(own);
  sem_destroy(&stands[0]);
  sem_destroy(&stands[1]);
}

/* A byte now and then keeps a connection from being idle; the whole request has its time. */
static void test_dripping_request(void **state) {
  (void)state;
  psp_server *own = start_apart((psp_server_options){.request_timeout_ns = 500000000});
  int head = connect_from(ONE, psp_server_port(own)),
      body = connect_from(ONE, psp_server_port(own));
  raw_send(head, "GET /get HTTP/1.1\r\nHost: h\r\nX-A: ");
  raw_send(body, "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  bool head_over = false, body_over = false;
  /* By the clock: what has been closed is not silent any more, and holds no round up. */
  int64_t until_ns = psprobe_clock_monotonic() + INT64_C(10000000000);
  while (!(head_over && body_over) && psprobe_clock_monotonic() < until_ns) {
    head_over = head_over || send(head, "a", 1, MSG_NOSIGNAL) < 0;
    body_over = body_over || send(body, "a", 1, MSG_NOSIGNAL) < 0;
    raw_is_silent(head_over ? body : head, 25);
  }
  assert_true(head_over && body_over);
  psp_server_stats stats;
  psp_server_get_stats(own, &stats);
  assert_int_equal(stats.overdue, 2);
  assert_int_equal(stats.untaken, 2);
  close(head);
  close(body);
  psp_server_free(own);
}

/* No descriptors are left: an idle connection gives its own. */
static void test_no_descriptors(void **state) {
  (void)state;
  struct rlimit before, low;
  psp_server *own = start_apart((psp_server_options){0});
  int port = psp_server_port(own), fds[32];
  for (int i = 0; i < 16; i++) {
    fds[i] = connect_from(ONE, port);
    expect(fds[i], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  }
  getrlimit(RLIMIT_NOFILE, &before);
  int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  low = (struct rlimit){.rlim_cur = (rlim_t)late + 1, .rlim_max = before.rlim_max};
  for (int fd = dup(0); fd >= 0 && fd < late; fd = dup(0)) {
  } /* fills holes below */
  setrlimit(RLIMIT_NOFILE, &low);
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = inet_addr(HOST)};
  assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof to), 0);
  expect(late, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  setrlimit(RLIMIT_NOFILE, &before);
  psp_server_stats stats;
  psp_server_get_stats(own, &stats);
  assert_int_equal(stats.starved, 1); /* however often it was tried */
  assert_true(stats.untaken >= 1);
  assert_true(stats.made_room >= 1);
  for (int i = 0; i < 16; i++)
    close(fds[i]);
  close(late);
  psp_server_free(own);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_quiesce_meets_its_threads),
      FIXTURE_TEST(test_half_requests_make_room),
      FIXTURE_TEST(test_streams_make_room),
      FIXTURE_TEST(test_busy_ones_stay),
      FIXTURE_TEST(test_nobody_begins),
      FIXTURE_TEST(test_dripping_request),
      FIXTURE_TEST(test_no_descriptors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
