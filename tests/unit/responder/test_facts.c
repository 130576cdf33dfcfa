/* SPDX-License-Identifier: MIT */
/** @file The headers in which an answer tells facts, and the stamps that come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/wire.h>

#include "responder/facts.h"

static psp_instance instance = {.id = "0123456789abcdef", .start_ns = 1000, .ready_ns = 7};

static const char *find(const psp_fact_headers *headers, const char *name) {
  for (size_t i = 0; i < headers->count; i++)
    if (strcmp(headers->list[i].name, name) == 0) return headers->list[i].value;
  return NULL;
}

static void test_all(void **state) {
  (void)state;
  const psp_event_facts facts = {.number = 3,
                                 .age_ns = 12345,
                                 .arrived_ns = INT64_C(1772600767089000000),
                                 .attempt = 2,
                                 .published = {1772600767, 89123456}};
  const psp_last_exchange last = {.at = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
  psp_fact_headers headers;
  psp_facts_write(&facts, &instance, &last, INT64_C(1772600767089000001), &headers);
  assert_string_equal(find(&headers, PSPROBE_HEADER_INSTANCE), "0123456789abcdef");
  assert_string_equal(find(&headers, PSPROBE_HEADER_INVOCATION), "3");
  assert_string_equal(find(&headers, PSPROBE_HEADER_AGE), "12345");
  assert_string_equal(find(&headers, PSPROBE_HEADER_READY), "7");
  assert_string_equal(find(&headers, PSPROBE_HEADER_ATTEMPT), "2");
  assert_string_equal(find(&headers, PSPROBE_HEADER_PUBLISHED), "2026-03-04T05:06:07.089123456Z");
  assert_string_equal(find(&headers, PSPROBE_HEADER_ARRIVED), "1772600767089000000");
  assert_string_equal(find(&headers, PSPROBE_HEADER_SENT), "1772600767089000001");
  assert_string_equal(find(&headers, PSPROBE_HEADER_EXCHANGE),
                      "9223372036854775807 9223372036854775807 9223372036854775807 "
                      "9223372036854775807");
  assert_null(find(&headers, PSPROBE_HEADER_COLD));
  assert_non_null(find(&headers, PSPROBE_HEADER_HANDLED));
}

/* Everything that can be told has room at once. */
static void test_first_event(void **state) {
  (void)state;
  psp_event_facts facts = {
      .number = 1, .age_ns = INT64_MAX, .arrived_ns = INT64_MAX, .attempt = 1, .published = {1, 1}};
  memset(facts.traceparent, 'p', sizeof facts.traceparent - 1);
  memset(facts.tracestate, 's', sizeof facts.tracestate - 1);
  const psp_last_exchange last = {.at = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
  psp_fact_headers headers;
  psp_facts_write(&facts, &instance, &last, INT64_MAX, &headers);
  assert_int_equal(headers.count, PSP_FACT_HEADERS);
  assert_string_equal(find(&headers, PSPROBE_HEADER_COLD), "1");
  assert_non_null(find(&headers, PSPROBE_HEADER_EXCHANGE));
}

static void test_unknown(void **state) {
  (void)state;
  psp_instance fresh = {.id = "0", .ready_ns = -1};
  const psp_event_facts facts = {.number = 2};
  const psp_last_exchange none = {.at = {0}};
  psp_fact_headers headers;
  psp_facts_write(&facts, &fresh, &none, 1, &headers);
  assert_null(find(&headers, PSPROBE_HEADER_READY));
  assert_null(find(&headers, PSPROBE_HEADER_ATTEMPT));
  assert_null(find(&headers, PSPROBE_HEADER_PUBLISHED));
  assert_null(find(&headers, PSPROBE_HEADER_EXCHANGE));
}

static void test_counting(void **state) {
  (void)state;
  psp_instance one;
  psp_event_facts facts;
  const psprobe_message message = {.delivery_attempt = 5};
  assert_true(psp_instance_init(&one));
  psp_facts_begin(&facts, &one, &message, one.start_ns + 10, 0);
  assert_int_equal(facts.number, 1);
  assert_int_equal(facts.age_ns, 10);
  assert_int_equal(facts.attempt, 5);
  psp_facts_begin(&facts, &one, &message, 0, 0);
  assert_int_equal(facts.number, 2);
  assert_int_equal(facts.age_ns, 0);
  psp_facts_begin(&facts, &one, &message, 0, 9);
  assert_int_equal(facts.number, 9);
}

/* A message's trace goes on to the prober, as its headers; one too long for them does not. */
static void test_trace(void **state) {
  (void)state;
  psp_event_facts facts;
  psp_fact_headers headers;
  psp_instance one = {.start_ns = 1};
  const psp_last_exchange none = {.at = {0}};
  static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  char state_text[513];
  memset(state_text, 'a', 512);
  state_text[512] = '\0';
  psprobe_message message = {.traceparent = parent, .tracestate = state_text};
  psp_facts_begin(&facts, &one, &message, 10, 0);
  psp_facts_write(&facts, &one, &none, 1, &headers);
  assert_string_equal(find(&headers, "traceparent"), parent);
  assert_string_equal(find(&headers, "tracestate"), state_text);
  message = (psprobe_message){.traceparent = state_text};
  psp_facts_begin(&facts, &one, &message, 10, 0);
  psp_facts_write(&facts, &one, &none, 1, &headers);
  assert_null(find(&headers, "traceparent"));
}

static void test_stamps(void **state) {
  (void)state;
  static const struct {
    const char *received, *answered;
    bool good;
  } cases[] = {{"17", "18", true},  {"17", NULL, false}, {NULL, "18", false}, {"0", "18", false},
               {"-1", "18", false}, {"17", "x", false},  {"17", "18 ", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_header list[2];
    size_t count = 0;
    if (cases[i].received != NULL)
      list[count++] = (psp_header){"psprobe-received-ns", cases[i].received};
    if (cases[i].answered != NULL)
      list[count++] = (psp_header){"psprobe-answered-ns", cases[i].answered};
    const psp_http_response response = {.status = 200, .headers = list, .header_count = count};
    psp_last_exchange stamps = {.at = {5, 5, 5, 5}};
    assert_int_equal(psp_last_exchange_read(&stamps, 1, &response, 4), cases[i].good);
    assert_int_equal(stamps.at[1], cases[i].good ? 17 : 5);
    assert_int_equal(stamps.at[3], cases[i].good ? 4 : 5);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all),     cmocka_unit_test(test_first_event),
      cmocka_unit_test(test_unknown), cmocka_unit_test(test_counting),
      cmocka_unit_test(test_trace),   cmocka_unit_test(test_stamps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
