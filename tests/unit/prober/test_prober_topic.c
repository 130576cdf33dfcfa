/* SPDX-License-Identifier: MIT */
/** @file A topic that is not there when a probe is published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"

#define HOUR INT64_C(3600000000000)

static void on_topic(void *arg, const psp_http_request *request, fake_answer *answer) {
  lab *l = arg;
  (void)request;
  lab_hold(l, &l->no_topic, false);
  psp_buf_text(&answer->body, "{}");
}

/* The broker has lost the topic: it is made, and the probes get through again. */
static void test_topic_made_again(void **state) {
  lab *l = *state;
  const char *sources[] = {"only"};
  fake_call *put = fake_expect(l->google->fake, "PUT",
                               FAKE_PUBSUB "/v1/projects/" FAKE_PROJECT "/topics/probes");
  fake_handle(fake_times(put, 0), on_topic, l);
  l->no_topic = true;
  lab_run(l, (psprobe_prober_options){
                 .create_topic = true, .timeout_ns = HOUR, .sources = sources, .source_count = 1});
  fake_wait(put, 1);
  size_t n = 0;
  do {
    lab_answer(l, "only", lab_published(l, n), NULL);
  } while (lab_finished(l, n++)->result.publish_ns < 0);
  assert_true(lab_stats(l).publish_failed > 0);
}

/* Nobody has asked for that: a PUT that is not expected fails the test. */
static void test_topic_is_not_made(void **state) {
  lab *l = *state;
  l->no_topic = true;
  lab_run(l, (psprobe_prober_options){.timeout_ns = HOUR});
  while (lab_stats(l).publish_failed < 3)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_topic_made_again),
      TEST(test_topic_is_not_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
