/* SPDX-License-Identifier: MIT */
/** @file Messages that are there to raise a topic's rate: acknowledged, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_prober.h"
#include "responder/parts.h"

static size_t lines;

static void count_line(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level, (void)line;
  lines++;
}

static void test_fillers_in_silence(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  psprobe_client *client = fake_prober_client();
  fake_prober *prober = fake_prober_new(0, script);
  psprobe_logger logger = {.sink = count_line, .level = PSPROBE_LOG_DEBUG};
  psprobe_responder_options options = {
      .prober = fake_prober_url(prober), .logger = &logger, .limit = 1};
  psprobe_responder *responder = NULL;
  assert_int_equal(psprobe_responder_new(client, &options, &responder, NULL), PSPROBE_OK);
  psprobe_attribute both[] = {
      {PSPROBE_ATTRIBUTE_FILLER, "1"},
      {PSPROBE_ATTRIBUTE_ID, "0123456789abcdef0123456789abcdef"},
  };
  psprobe_message message = {.attributes = both, .attribute_count = 1, .message_id = "17"};
  for (int i = 0; i < 3; i++) /* more than its limit: they are none of what it counts */
    assert_int_equal(psprobe_responder_answer(responder, &message, psprobe_clock_monotonic(), NULL),
                     PSPROBE_OK);
  assert_int_equal(psprobe_responder_answered(responder), 0);
  assert_int_equal(psprobe_responder_rejected(responder), 0);
  assert_int_equal(fake_prober_count(prober), 0);
  assert_int_equal(lines, 0);
  psprobe_message bare = {.data = PSPROBE_FILLER_DATA, .data_len = strlen(PSPROBE_FILLER_DATA)};
  assert_int_equal(psprobe_responder_answer(responder, &bare, psprobe_clock_monotonic(), NULL),
                   PSPROBE_OK);
  assert_int_equal(lines, 0);
  message.attribute_count = 2; /* a probe is a probe */
  assert_int_equal(psprobe_responder_answer(responder, &message, psprobe_clock_monotonic(), NULL),
                   PSPROBE_OK);
  assert_int_equal(fake_prober_count(prober), 1);
  psprobe_responder_free(responder);
  fake_prober_free(prober);
  psprobe_client_free(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_fillers_in_silence)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
