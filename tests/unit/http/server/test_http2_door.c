/* SPDX-License-Identifier: MIT */
/** @file Connections that begin with HTTP/2's preface, and the room that they take up. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_http.h"
#include "server_fixture.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static int handed[2]; /* what was taken comes through a pipe */

static void take(void *arg, psp_server *of, int fd) {
  (void)arg, (void)of;
  assert_int_equal(write(handed[1], &fd, sizeof fd), sizeof fd);
}

static int wait_for_one(void) {
  int fd = -1;
  struct pollfd ready = {.fd = handed[0], .events = POLLIN};
  assert_int_equal(poll(&ready, 1, 10000), 1);
  assert_int_equal(read(handed[0], &fd, sizeof fd), sizeof fd);
  return fd;
}

static uint64_t count_open(psp_server *of) {
  psp_server_stats stats;
  psp_server_get_stats(of, &stats);
  return stats.open;
}

static void test_taken(void **state) {
  (void)state;
  char bytes[64] = "";
  assert_int_equal(pipe(handed), 0);
  psp_server *of = fixture_start((psp_server_options){.http2 = take});
  int client = raw_connect(psp_server_port(of));
  raw_send(client, PREFACE "and more");
  int fd = wait_for_one();
  /* All of it is there to be read. */
  assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_WAITALL | MSG_DONTWAIT), 32);
  assert_string_equal(bytes, PREFACE "and more");
  assert_int_equal(count_open(of), 1);
  /* HTTP/1 is what it was. */
  int other = raw_connect(psp_server_port(of));
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  int near = raw_connect(psp_server_port(of));
  raw_answer answer = {0};
  assert_int_equal(raw_ask(near, "PROPFIND /get HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 405);
  raw_free(&answer);
  assert_int_equal(count_open(of), 3);
  psp_server_part(of, fd);
  close(fd);
  assert_int_equal(count_open(of), 2);
  close(client);
  close(other);
  close(near);
  psp_server_free(of);
  close(handed[0]);
  close(handed[1]);
}

/* One that nobody waits on makes room for others; one that is busy does not. */
static void test_room(void **state) {
  (void)state;
  assert_int_equal(pipe(handed), 0);
  psp_server *of = fixture_start((psp_server_options){.http2 = take, .max_connections = 4});
  int clients[3], fds[3];
  for (int i = 0; i < 3; i++) {
    clients[i] = raw_connect(psp_server_port(of));
    raw_send(clients[i], PREFACE);
    fds[i] = wait_for_one();
    psp_server_set_busy(of, fds[i], i != 1);
  }
  int fourth = raw_connect(psp_server_port(of));
  expect(fourth, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_true(raw_is_closed(clients[1]));
  struct pollfd quiet[2] = {{.fd = clients[0], .events = POLLIN},
                            {.fd = clients[2], .events = POLLIN}};
  assert_int_equal(poll(quiet, 2, 0), 0);
  for (int i = 0; i < 3; i++) {
    psp_server_part(of, fds[i]);
    close(fds[i]);
    close(clients[i]);
  }
  close(fourth);
  psp_server_free(of);
  close(handed[0]);
  close(handed[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
