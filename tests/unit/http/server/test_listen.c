/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server/listen.h"

static void test_parse(void **state) {
  (void)state;
  static const struct {
    const char *text, *host;
    int port;
  } good[] = {
      {"127.0.0.1:8080", "127.0.0.1", 8080},
      {"localhost:0", "localhost", 0},
      {":8080", "", 8080},
      {"8080", "", 8080},
      {"0", "", 0},
      {"127.0.0.1", "127.0.0.1", -1},
      {"[::1]", "::1", -1},
      {"[::1]:65535", "::1", 65535},
      {"[::]:80", "::", 80},
      {"example.com:1", "example.com", 1},
  };
  psp_listen_address address;
  const char *why;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    if (!psp_listen_parse(good[i].text, &address, &why)) fail_msg("%s: %s", good[i].text, why);
    assert_string_equal(address.host, good[i].host);
    assert_int_equal(address.port, good[i].port);
  }
  char endless[400];
  memset(endless, 'a', sizeof endless - 1);
  strcpy(endless + 300, ":80");
  const struct {
    const char *text, *word;
  } bad[] = {
      {"", "host:port"},
      {"80800", "port of"},
      {"http://localhost:80", "not a URL"},
      {"tcp://10.0.0.1:8", "not a URL"},
      {"::1:8080", "bracket"},
      {"[::1:8080", "host:"},
      {"[]x:80", "host:"},
      {"[:80", "host:"},
      {"host:", "port of"},
      {"host:65536", "port of"},
      {"host:-1", "port of"},
      {"host:http", "port of"},
      {"host: 80", "port of"},
      {endless, "host:port"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (psp_listen_parse(bad[i].text, &address, &why)) fail_msg("%s passes", bad[i].text);
    if (strstr(why, bad[i].word) == NULL) fail_msg("%s: %s", bad[i].text, why);
  }
}

static void test_sockets(void **state) {
  (void)state;
  int fd, port, second_fd = -1, second_port;
  char url[PSP_LISTEN_URL], want[PSP_LISTEN_URL];
  psprobe_error error = {0};
  assert_int_equal(psp_listen("127.0.0.1:0", "--listen", &fd, &port, url, &error), PSPROBE_OK);
  snprintf(want, sizeof want, "http://127.0.0.1:%d", port);
  assert_string_equal(url, want);
  assert_in_range(port, 1, 65535);

  char again[64];
  snprintf(again, sizeof again, "127.0.0.1:%d", port);
  assert_int_equal(psp_listen(again, "--listen", &second_fd, &second_port, url, &error),
                   PSPROBE_UNAVAILABLE);
  snprintf(want, sizeof want, "--listen 127.0.0.1:%d: the address is in use", port);
  assert_memory_equal(error.message, want, strlen(want));
  assert_int_equal(second_fd, -1);
  close(fd);

  /* What one has left, the next can have at once. */
  assert_int_equal(psp_listen(again, "--listen", &fd, &port, url, &error), PSPROBE_OK);
  close(fd);

  assert_int_equal(psp_listen(":0", "--listen", &fd, &port, url, &error), PSPROBE_OK);
  snprintf(want, sizeof want, "http://127.0.0.1:%d", port);
  assert_string_equal(url, want);
  close(fd);

  assert_int_equal(psp_listen("192.0.2.1:0", "--listen", &fd, &port, url, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "--listen 192.0.2.1:0: this machine has no such address"));
  assert_int_equal(psp_listen("no.such.host.invalid:0", "PORT", &fd, &port, url, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "PORT \"no.such.host.invalid:0\": "));
  assert_int_equal(psp_listen("localhost", "--listen", &fd, &port, url, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message,
                      "--listen \"localhost\": it needs a port, as in 127.0.0.1:8080");
  assert_int_equal(psp_listen(NULL, "--listen", &fd, &port, url, &error), PSPROBE_INVALID_ARGUMENT);
}

static void test_ipv6(void **state) {
  (void)state;
  int fd, port;
  char url[PSP_LISTEN_URL], want[PSP_LISTEN_URL];
  psprobe_error error = {0};
  if (psp_listen("[::1]:0", "listen", &fd, &port, url, &error) != PSPROBE_OK) {
    print_message("no IPv6 loopback here: %s\n", error.message);
    skip();
  }
  snprintf(want, sizeof want, "http://[::1]:%d", port);
  assert_string_equal(url, want);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_sockets),
                                     cmocka_unit_test(test_ipv6)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
