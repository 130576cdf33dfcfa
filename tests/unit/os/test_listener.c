/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/listener.h"

/* Of the process that listens, and of no other; at an address of either family. */
static void check_whose(const struct sockaddr *name, socklen_t size) {
  struct sockaddr_storage bound;
  socklen_t len = sizeof bound;
  int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, name, size) != 0) skip(); /* a machine without IPv6 */
  assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
  int port = ntohs(((struct sockaddr_in *)&bound)->sin_port); /* at one place in both */
  assert_false(psp_listener_is_of(port, getpgrp()));          /* bound alone */
  assert_int_equal(listen(fd, 1), 0);
  assert_true(psp_listener_is_of(port, getpgrp()));
  assert_false(psp_listener_is_of(port, 1));
  close(fd);
  assert_false(psp_listener_is_of(port, getpgrp()));
}

static void test_ipv4(void **state) {
  (void)state;
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  check_whose((struct sockaddr *)&name, sizeof name);
}

static void test_ipv6(void **state) {
  (void)state;
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  check_whose((struct sockaddr *)&name, sizeof name);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_ipv4), cmocka_unit_test(test_ipv6)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
