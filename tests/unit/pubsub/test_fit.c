/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/fit.h"

#define TOPIC "projects/p/topics/probes"

static void test_fits(void **state) {
  char name[] = "projects/p/subscriptions/s", mine[] = TOPIC, other[] = "projects/p/topics/other",
       deleted[] = PSP_DELETED_TOPIC, url[] = "https://me:hush@h/";
  const struct {
    psprobe_subscription_info info;
    const char *topic;
    psp_fit fit;
    const char *says;
  } cases[] = {
      {{.name = name, .config.topic = mine}, TOPIC, PSP_FITS, NULL},
      {{.name = name, .config.topic = other}, NULL, PSP_FITS, NULL},
      {{.name = name, .config.topic = deleted}, TOPIC, PSP_CUT_OFF, "its topic was deleted"},
      {{.name = name, .config.topic = deleted}, NULL, PSP_CUT_OFF, "its topic was deleted"},
      {{.name = name, .config.topic = other},
       TOPIC,
       PSP_OTHER_TOPIC,
       "topics/other, not to " TOPIC},
      {{.name = name, .config.topic = mine, .config.push_endpoint = url},
       TOPIC,
       PSP_PUSHES,
       "https://***@h/"},
      {{.name = name, .config.topic = deleted, .config.push_endpoint = url},
       TOPIC,
       PSP_CUT_OFF,
       "deleted"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psp_fit fit = psp_subscription_fit(&cases[i].info, cases[i].topic);
    assert_int_equal(fit, cases[i].fit);
    if (fit == PSP_FITS) continue;
    assert_int_equal(psp_subscription_unfit(fit, &cases[i].info, cases[i].topic, &error),
                     PSPROBE_FAILED_PRECONDITION);
    assert_memory_equal(error.message, name, strlen(name));
    if (strstr(error.message, cases[i].says) == NULL) fail_msg("%s", error.message);
    assert_null(strstr(error.message, "hush"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
