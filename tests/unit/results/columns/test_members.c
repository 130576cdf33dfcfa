/* SPDX-License-Identifier: MIT */
/** @file Lines of our own: what a run and a probe tell, and what is refused of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "results/columns/members.h"

#define RUN_A                                                                                      \
  "{\"kind\":\"run\",\"run_id\":\"aaa1\",\"run_started\":\"2026-11-24T10:00:00Z\",\"run_ending\":" \
  "\"stopped\",\"run_settings\":{\"untaken\":{\"in_doubt\":{\"x\":3}}},\"run_sources\":[\"x\"]}\n"
#define RUN_B \
  "{\"kind\":\"run\",\"run_id\":\"bbb\",\"run_host\":\"h\",\"run_sources\":[\"x\",\"y\"]}\n"
#define PROBE(id, run, sources)                                               \
  "{\"kind\":\"probe\",\"arbitrary_message_id\":\"" id "\",\"run_id\":\"" run \
  "\",\"probe_sent\":"                                                        \
  "\"2026-11-24T10:00:01Z\",\"sources\":{" sources "}}\n"
#define LOST      "{\"elapsed_ns\":null,\"status\":\"lost\"}"
#define ANSWER(n) "{\"elapsed_ns\":" n ",\"status\":\"answered\",\"exchange\":[1,2,3,4]}"

static psprobe_code read_as(const char *text, const char *run, psp_columns *c,
                            psprobe_error *error) {
  psprobe_filter filter = {.run = run};
  psp_import import = {.columns = c, .what = "x", .filter = &filter};
  psp_text in;
  *c = (psp_columns){0};
  psp_text_of(&in, "x", text, strlen(text));
  psprobe_code code = psp_import_text(&import, &in, false, error);
  if (code == PSPROBE_OK) code = psp_import_finish(&import, error);
  psp_import_free(&import);
  return code;
}

static const char two_runs[] = PROBE("p1", "aaa1", "\"x\":" ANSWER("5"))
    RUN_A RUN_B PROBE("p2", "bbb", "\"x\":" LOST ",\"y\":" ANSWER("7"));

/* As a results file: the newest run's sources, unless another run is asked for. */
static void test_runs_tell_the_sources(void **state) {
  static const struct {
    const char *run;
    size_t sources, left_out;
    const char *id;
  } cases[] = {{NULL, 2, 1, "p2"}, {"last", 2, 0, "p2"}, {"bb", 2, 0, "p2"}, {"aaa1", 1, 0, "p1"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_columns c;
    psprobe_error error = {0};
    if (read_as(two_runs, cases[i].run, &c, &error) != PSPROBE_OK) fail_msg("%s", error.message);
    assert_int_equal(c.count, 1);
    assert_string_equal(c.id[0], cases[i].id);
    assert_int_equal(c.source_count, cases[i].sources);
    assert_int_equal(c.left_out, cases[i].left_out);
    assert_int_equal(c.run_count, 1);
    psp_columns_free(&c);
  }
}

static void test_what_is_told_of_a_run(void **state) {
  psp_columns c;
  (void)state;
  assert_int_equal(read_as(two_runs, "aaa", &c, NULL), PSPROBE_OK);
  const psprobe_run *run = &c.runs[0].run;
  assert_int_equal(run->started_wall_ns, INT64_C(1795514400000000000));
  assert_int_equal(run->ending, PSPROBE_ENDING_STOPPED);
  assert_null(run->host);
  assert_string_equal(run->settings, "{\"untaken\":{\"in_doubt\":{\"x\":3}}}");
  assert_int_equal(c.sources[0].told[0].exchange_ns[3], 4);
  psp_columns_free(&c);
  psprobe_error error = {0};
  assert_int_equal(read_as(two_runs, "ccc", &c, &error), PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "no run in x has an id that begins with \"ccc\"");
  psp_columns_free(&c);
}

static void test_what_is_refused(void **state) {
  static const struct {
    const char *text, *said;
  } cases[] = {
      {"{\"kind\":\"run\",\"run_id\":\"a\"}", "x: line 1: a run without run_sources"},
      {"{\"kind\":\"run\",\"run_id\":\"a\\u0007\",\"run_sources\":[\"x\"]}",
       "x: line 1, run_id: no run's id"},
      {"{\"kind\":\"run\",\"run_id\":\"a\",\"run_sources\":[\"x\",\"x\"]}", "named twice"},
      {"{\"kind\":\"run\",\"run_id\":\"a\",\"run_sources\":[\"\\u001b[2J\"]}",
       "x: line 1: source \""},
      {"{\"kind\":\"run\",\"run_id\":\"a\",\"run_started\":\"\\u001b\",\"run_sources\":[\"x\"]}",
       "x: line 1, run_started: '\\x1B' is not an RFC 3339 time"},
      {"{\"kind\":\"run\",\"run_id\":\"a\",\"run_settings\":[],\"run_sources\":[\"x\"]}\n"
       "{\"kind\":\"run\",\"run_id\":\"a\",\"run_settings\":\"[1]\",\"run_sources\":[\"x\"]}",
       "x: line 2, run_settings: '[1]' is no JSON object"},
      {RUN_A
       "{\"kind\":\"run\",\"run_id\":\"aaa1\",\"run_ending\":\"finished\",\"run_sources\":[\"x\"]}",
       "x: line 2, run_ending: an earlier line tells something else of this run"},
      {RUN_A PROBE("p", "aaa1", "\"y\":" LOST), "x: line 2: an earlier line has other sources"},
      {RUN_A PROBE("p", "aaa1", "\"x\":" LOST ",\"y\":" LOST), "x: line 2: an earlier line has"},
      {RUN_A PROBE("p", "aaa1", "\"x\":5"), "x: line 2: an earlier line has other sources"},
      {RUN_A "{\"kind\":\"probe\",\"run_id\":\"aaa1\",", "x: line 2"},
      {PROBE("p", "a", "\"x\":{\"status\":\"answered\"}"),
       "it is 'answered', and there is no time"},
      {PROBE("p", "a", "\"x\":{\"elapsed_ns\":-5.5,\"status\":\"late\"}"),
       "x: line 1, x.elapsed_ns: '' is neither text nor a whole number"},
      {PROBE("p", "a", "\"x\":{\"elapsed_ns\":1,\"cold\":7}"), "x.cold: '7' is neither 0 nor 1"},
      {PROBE("p", "a",
             "\"x\":{\"elapsed_ns\":1,\"further\":[{\"delivery\":1,\"status\":\"lost\"}]}"),
       "x: line 1, x.further: a delivery from 2 on"},
      {PROBE("p", "a", "\"x\":{\"elapsed_ns\":1,\"further\":[[[]]]}"),
       "x: line 1, x.further: a delivery from 2 on"},
      {PROBE("p", "a", "\"x\":{\"elapsed_ns\":1,\"further\":{\"a\":[[[]]]}}"),
       "x: line 1, x.further: no array"},
      {PROBE("p\\u001b", "a", "\"x\":{\"elapsed_ns\":1}"),
       "x: line 1, arbitrary_message_id: 'p\\x1B' is an id with a character that cannot be seen"},
      {PROBE("p", "a", "\"x\":{\"elapsed_ns\":1,\"exchange\":[1,2]}"),
       "x.exchange: '1 2' is nothing"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_columns c;
    psprobe_error error = {0};
    psprobe_code code = read_as(cases[i].text, NULL, &c, &error);
    if (code != PSPROBE_INVALID_ARGUMENT || strstr(error.message, cases[i].said) == NULL)
      fail_msg("%s\nsaid: %s", cases[i].text, error.message);
    psp_columns_free(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_tell_the_sources),
      cmocka_unit_test(test_what_is_told_of_a_run),
      cmocka_unit_test(test_what_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
