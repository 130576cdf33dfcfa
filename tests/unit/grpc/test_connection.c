/* SPDX-License-Identifier: MIT */
/** @file A peer that is silent, by virtual time, and bytes that go slowly. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "grpc/connection.h"
#include "os/clock.h"
#include "rpc_pair.h"

#define T0 (1000 * PSP_SECOND_NS)

static psp_rpc_connection *ours, *peer;
static rpc_record record;
static unsigned pongs;
static bool armed;
static psp_rpc *accepted;

static void on_pong(void *arg) {
  (void)arg;
  pongs++;
}

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  (void)arg;
  if (strcmp(path, "/answer") == 0) psp_rpc_finish(rpc, PSPROBE_OK, "");
  accepted = rpc;
}

static int setup(void **state) {
  (void)state;
  int ends[2];
  const int small = 4096;
  const psp_patience patience = {10 * PSP_SECOND_NS, 300 * PSP_SECOND_NS, 15 * PSP_SECOND_NS,
                                 &armed};
  const psp_patience none = {INT64_MAX, INT64_MAX, INT64_MAX, NULL};
  const psp_session_options client = {.authority = "a", .pong = on_pong};
  const psp_session_options server = {.server = true, .accept = on_accept};
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  for (int i = 0; i < 2; i++)
    setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  ours = psp_connection_new(psp_link_plain(ends[0]), &client, &patience, T0);
  peer = psp_connection_new(psp_link_plain(ends[1]), &server, &none, T0);
  assert_non_null(ours);
  assert_non_null(peer);
  record = (rpc_record){0};
  pongs = 0;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_connection_free(ours);
  psp_connection_free(peer);
  rpc_record_free(&record);
  return 0;
}

static int64_t tick(bool pongs_known, int64_t now_ns) {
  armed = pongs_known;
  return psp_connection_tick(ours, now_ns);
}

static void exchange(int64_t now_ns) {
  for (int i = 0; i < 50; i++) {
    psp_connection_write(ours);
    psp_connection_read(peer, now_ns);
    psp_connection_write(peer);
    psp_connection_read(ours, now_ns);
  }
}

static psp_rpc *make(const char *path, const char *message, int64_t deadline_ns) {
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){.path = path,
                                                .deadline_ns = deadline_ns,
                                                .message = message,
                                                .len = strlen(message),
                                                .events = &rpc_recording,
                                                .arg = &record});
  assert_non_null(rpc);
  return rpc;
}

static void begin_until(const char *message, int64_t now_ns, int64_t deadline_ns) {
  assert_true(psp_session_begin(ours->session, make("/hold", message, deadline_ns), now_ns));
}

static void begin(const char *message, int64_t now_ns) {
  begin_until(message, now_ns, INT64_MAX);
}

/* A call that is answered, and with it a ping. */
static int64_t answer_first(void) {
  exchange(T0);
  assert_true(psp_session_begin(ours->session, make("/answer", "x", INT64_MAX), T0));
  const int64_t due_ns = tick(true, T0);
  exchange(T0);
  assert_int_equal(record.ends, 1);
  assert_int_equal(pongs, 1);
  tick(true, T0);
  return due_ns;
}

static void test_says_nothing(void **state) {
  (void)state;
  assert_int_equal(tick(false, T0), T0 + 10 * PSP_SECOND_NS);
  assert_false(ours->over);
  tick(false, T0 + 10 * PSP_SECOND_NS);
  assert_true(ours->over);
  assert_int_equal(ours->code, PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(ours->why, "says nothing"));
}

/* No ping without a call; one with the first, then each five minutes. */
static void test_pings(void **state) {
  (void)state;
  exchange(T0);
  assert_int_equal(tick(false, T0), INT64_MAX);
  begin("x", T0);
  tick(false, T0);
  exchange(T0);
  assert_int_equal(pongs, 1);
  assert_int_equal(tick(true, T0 + 1), T0 + 300 * PSP_SECOND_NS);
  exchange(T0 + 1);
  tick(true, T0 + 300 * PSP_SECOND_NS);
  exchange(T0 + 300 * PSP_SECOND_NS);
  assert_int_equal(pongs, 2);
  assert_false(ours->over);
}

/* Who has answered a ping before, and is silent now, is gone after 15 s. */
static void test_silence(void **state) {
  (void)state;
  const int64_t later_ns = T0 + 300 * PSP_SECOND_NS;
  exchange(T0);
  begin("x", T0);
  tick(true, T0);
  exchange(T0);
  tick(true, later_ns);
  assert_int_equal(tick(true, later_ns + 1), later_ns + 15 * PSP_SECOND_NS);
  tick(true, later_ns + 15 * PSP_SECOND_NS - 1);
  assert_false(ours->over);
  tick(true, later_ns + 15 * PSP_SECOND_NS);
  assert_true(ours->over);
  assert_string_equal(ours->why, "the server has said nothing for 315 s");
}

/* Who has never answered one, as each server of HTTP/2 must, is alive while anything else comes:
 * until that has stopped for 45 s. */
static void test_silence_from_the_beginning(void **state) {
  (void)state;
  exchange(T0);
  begin("x", T0);
  tick(false, T0);
  ours->heard_ns = T0 + 40 * PSP_SECOND_NS;
  const int64_t until_ns = T0 + 85 * PSP_SECOND_NS;
  assert_int_equal(tick(false, T0 + 84 * PSP_SECOND_NS), until_ns);
  assert_false(ours->over);
  tick(false, until_ns);
  assert_true(ours->over);
  assert_string_equal(ours->why, "the server has said nothing for 45 s");
}

/* A call that its caller has begun in the thread's place is on its way as any other. */
static void test_silence_under_the_callers(void **state) {
  (void)state;
  const int64_t begun_ns = T0 + 100 * PSP_SECOND_NS, until_ns = begun_ns + 45 * PSP_SECOND_NS;
  int64_t due_ns = 0;
  answer_first();
  tick(false, begun_ns);
  assert_true(psp_connection_begin(ours, make("/hold", "x", INT64_MAX), begun_ns, &due_ns));
  assert_int_equal(due_ns, until_ns);
  tick(false, until_ns);
  assert_true(ours->over);
}

/* Who answers pings and has answered calls is asked after 30 s of silence under a call, and gone
 * after 45; but asked out of turn once. */
static void test_early_ping(void **state) {
  (void)state;
  const int64_t begun_ns = T0 + 100 * PSP_SECOND_NS, asked_ns = begun_ns + 30 * PSP_SECOND_NS;
  for (int answers = 0; answers < 2; answers++) {
    answer_first();
    begin("x", begun_ns);
    assert_int_equal(tick(true, begun_ns), asked_ns);
    assert_int_equal(tick(true, asked_ns), asked_ns + 15 * PSP_SECOND_NS);
    if (answers == 1) exchange(asked_ns);
    tick(true, asked_ns + 15 * PSP_SECOND_NS);
    assert_int_equal(ours->over, answers == 0);
    assert_string_equal(ours->why, answers == 0 ? "the server has said nothing for 45 s" : "");
    if (answers == 0) {
      teardown(state);
      setup(state);
    }
  }
  assert_true(psp_session_begin(ours->session, make("/answer", "x", INT64_MAX), asked_ns));
  exchange(asked_ns + 1);
  assert_int_equal(tick(true, asked_ns + 2), asked_ns + 300 * PSP_SECOND_NS);
}

/* What a call has asked for is looked at after its end too: the next need not ask again. */
static void test_look(void **state) {
  (void)state;
  const int64_t look_ns = answer_first();
  assert_int_equal(tick(true, T0 + 1), look_ns);
  assert_int_equal(tick(true, look_ns), INT64_MAX);
}

/* A call's time is over, and not a byte has come for as long as a pong may take: others would fare
 * no better. What came before the call began, or did not, says nothing. */
static void test_no_answer(void **state) {
  (void)state;
  static const struct {
    int idle_s, patience_s;
    bool over;
  } cases[] = {{0, 14, false}, {0, 15, true}, {100, 14, false}, {100, 15, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int64_t begun_ns = T0 + cases[i].idle_s * PSP_SECOND_NS;
    const int64_t late_ns = begun_ns + cases[i].patience_s * PSP_SECOND_NS;
    exchange(T0);
    tick(true, T0);
    begin_until("x", begun_ns, late_ns);
    begin("y", begun_ns);
    tick(true, begun_ns);
    exchange(begun_ns);
    tick(true, late_ns);
    assert_int_equal(record.ends, 1);
    assert_int_equal(record.code, PSPROBE_DEADLINE_EXCEEDED);
    assert_int_equal(ours->over, cases[i].over);
    teardown(state);
    setup(state);
  }
}

/* More than the socket takes at once arrives all the same. */
static void test_slowly(void **state) {
  (void)state;
  char *large = malloc(500001);
  assert_non_null(large);
  memset(large, 'x', 500000);
  large[500000] = 0;
  exchange(T0);
  begin(large, T0);
  psp_connection_write(ours);
  /* It waits for room, and says so. */
  assert_true((psp_connection_events(ours) & POLLOUT) != 0);
  for (int i = 0; i < 20; i++)
    exchange(T0);
  assert_int_equal(psp_connection_events(ours), POLLIN);
  assert_false(ours->over || peer->over);
  free(large);
}

/* Cut off within the first frame: that is no word of another protocol. */
static void test_half_a_greeting(void **state) {
  (void)state;
  static const char half[] = "\0\0\6\4\0";
  assert_int_equal(send(peer->link->fd, half, 5, 0), 5);
  psp_connection_read(ours, T0);
  shutdown(peer->link->fd, SHUT_RDWR);
  psp_connection_read(ours, T0);
  assert_true(ours->over);
  assert_int_equal(ours->code, PSPROBE_UNAVAILABLE);
}

static void on_busy(void *arg, int fd, bool busy) {
  (void)fd;
  *(bool *)arg = busy;
}

static bool is_peer_busy(void) {
  exchange(T0);
  psp_connection_tick(peer, T0);
  return peer->busy;
}

/* A place is kept for who has asked and waits, not for half a request, nor for who leaves an answer
 * lie. */
static void test_busy(void **state) {
  (void)state;
  bool busy = false;
  peer->link->host = (psp_link_host){.busy = on_busy, .arg = &busy};
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){
      .path = "/hold", .deadline_ns = INT64_MAX, .events = &rpc_recording, .arg = &record});
  assert_non_null(rpc);
  assert_true(psp_session_begin(ours->session, rpc, T0));
  assert_false(is_peer_busy());
  psp_rpc_send(rpc, "x", 1);
  assert_true(is_peer_busy());
  assert_true(busy);
  psp_rpc_finish(accepted, PSPROBE_OK, "");
  psp_connection_tick(peer, T0);
  assert_int_equal(psp_session_calls(peer->session), 1);
  assert_false(busy);
}

static void test_end(void **state) {
  (void)state;
  exchange(T0);
  shutdown(peer->link->fd, SHUT_RDWR);
  psp_connection_read(ours, T0);
  assert_true(ours->over);
  assert_non_null(strstr(ours->why, "closed"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_says_nothing),
                                     TEST(test_pings),
                                     TEST(test_silence),
                                     TEST(test_silence_from_the_beginning),
                                     TEST(test_no_answer),
                                     TEST(test_slowly),
                                     TEST(test_half_a_greeting),
                                     TEST(test_busy),
                                     TEST(test_end),
                                     TEST(test_silence_under_the_callers),
                                     TEST(test_early_ping),
                                     TEST(test_look)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
