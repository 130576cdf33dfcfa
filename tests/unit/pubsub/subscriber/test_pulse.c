/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pubsub/subscriber/lease.h"
#include "pubsub/subscriber/pulse.h"

#define S INT64_C(1000000000)

/* A ping each 30 s; each is answered, and so it goes on. */
static void test_pings(void **state) {
  (void)state;
  psp_pulse pulse;
  bool pongs = false;
  psp_pulse_open(&pulse, 0);
  assert_int_equal(psp_pulse_due(&pulse, pongs), 30 * S);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 30 * S - 1), PSP_BEAT_NONE);
  for (int64_t now = 30 * S; now < 3600 * S; now += 30 * S) {
    assert_int_equal(psp_pulse_next(&pulse, pongs, now), PSP_BEAT_PING);
    psp_pulse_heard(&pulse, true, &pongs, now + S);
    assert_true(pongs);
    assert_int_equal(psp_pulse_due(&pulse, pongs), now + 30 * S);
    assert_int_equal(psp_pulse_next(&pulse, pongs, now + 29 * S), PSP_BEAT_NONE);
  }
}

/* Who has never answered a ping is not dead for want of an answer: Google's emulators do not, and
 * neither do proxies. But a stream that brings nothing for five minutes may be dead all the same.
 */
static void test_a_server_that_never_pongs(void **state) {
  (void)state;
  psp_pulse pulse;
  bool pongs = false;
  psp_pulse_open(&pulse, 0);
  for (int64_t now = 30 * S; now < 300 * S; now += 30 * S)
    assert_int_equal(psp_pulse_next(&pulse, pongs, now), PSP_BEAT_PING);
  assert_int_equal(psp_pulse_due(&pulse, pongs), 300 * S);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 300 * S - 1), PSP_BEAT_NONE);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 300 * S), PSP_BEAT_STALE);
  psp_pulse_open(&pulse, 0);
  psp_pulse_heard(&pulse, false, &pongs, 290 * S); /* a message */
  assert_int_equal(psp_pulse_next(&pulse, pongs, 300 * S), PSP_BEAT_PING);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 590 * S), PSP_BEAT_STALE);
  assert_false(pongs);
}

/* An endpoint that has answered once: silence after a ping is death, on this stream or the next. */
static void test_silence(void **state) {
  (void)state;
  psp_pulse pulse;
  bool pongs = true;
  psp_pulse_open(&pulse, 0);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 30 * S), PSP_BEAT_PING);
  assert_int_equal(psp_pulse_due(&pulse, pongs), 45 * S); /* noticed within 45 s */
  assert_int_equal(psp_pulse_next(&pulse, pongs, 45 * S - 1), PSP_BEAT_NONE);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 45 * S), PSP_BEAT_DEAD);
  /* It may be a long answer that comes slowly, of which only the connection knows. */
  assert_int_equal(psp_pulse_due(&pulse, pongs), 60 * S);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 60 * S), PSP_BEAT_DEAD);
  psp_pulse_open(&pulse, 100 * S);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 130 * S), PSP_BEAT_PING);
  psp_pulse_heard(&pulse, false, &pongs, 144 * S); /* a message is a sign of life, too */
  assert_int_equal(psp_pulse_next(&pulse, pongs, 145 * S), PSP_BEAT_NONE);
}

/* An empty answer before any ping is none to it: the emulator tells of the subscription so. */
static void test_what_is_no_pong(void **state) {
  (void)state;
  psp_pulse pulse;
  bool pongs = false;
  psp_pulse_open(&pulse, 0);
  psp_pulse_heard(&pulse, true, &pongs, S);
  assert_false(pongs);
  assert_int_equal(psp_pulse_next(&pulse, pongs, 30 * S), PSP_BEAT_PING);
  psp_pulse_heard(&pulse, false, &pongs, 31 * S);
  assert_false(pongs);
}

static void test_what_has_lived(void **state) {
  (void)state;
  psp_pulse pulse;
  psp_pulse_open(&pulse, 5 * S);
  assert_false(psp_pulse_lived(&pulse, 35 * S - 1));
  assert_true(psp_pulse_lived(&pulse, 35 * S));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pings),          cmocka_unit_test(test_a_server_that_never_pongs),
      cmocka_unit_test(test_silence),        cmocka_unit_test(test_what_is_no_pong),
      cmocka_unit_test(test_what_has_lived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
