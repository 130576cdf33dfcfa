/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"
#include "report/live/parts.h"
#include "scratch.h"

/* Only names that lead nowhere else may show the page: not one that somebody's DNS points here. */
static void test_hosts(void **state) {
  static const char *const names[] = {"Probes.example.com"};
  static const struct {
    const char *listen, *host;
    bool ok;
  } rows[] = {{"127.0.0.1:0", "127.0.0.1:8090", true},
              {"127.0.0.1:0", "localhost", true},
              {"127.0.0.1:0", "LOCALHOST:1", true},
              {"127.0.0.1:0", "[::1]:8090", true},
              {"127.0.0.1:0", "probes.EXAMPLE.com:8090", true},
              {"127.0.0.1:0", "evil.example", false},
              {"127.0.0.1:0", "127.0.0.1.evil.example", false},
              {"127.0.0.1:0", "localhost.evil.example:80", false},
              {"127.0.0.1:0", "127.evil.example", false},
              {"127.0.0.1:0", "10.0.0.1", false},
              {"127.0.0.1:0", "", false},
              {"127.0.0.1:0", "[::1", false},
              {"0.0.0.0:0", "10.0.0.1:8090", true},
              {"0.0.0.0:0", "evil.example:8090", false}};
  lab *l = *state;
  psprobe_run run = scratch_run(1);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    psprobe_dashboard *d = NULL;
    psprobe_dashboard_options options = {.listen = rows[i].listen, .hosts = names, .host_count = 1};
    assert_int_equal(psprobe_dashboard_new(l->prober, NULL, &run, &options, &d, NULL), PSPROBE_OK);
    if (psp_dashboard_host_ok(d, rows[i].host) != rows[i].ok)
      fail_msg("%s on %s", rows[i].host, rows[i].listen);
    assert_true(psp_dashboard_host_ok(d, NULL));
    psprobe_dashboard_free(d);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_hosts, lab_setup, lab_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
