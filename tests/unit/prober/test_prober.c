/* SPDX-License-Identifier: MIT */
/** @file A prober from end to end: what it publishes, counts, hands to the sink, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "lab.h"

#define MS   INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

static void test_a_run(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.count = 3});
  assert_int_equal(psprobe_prober_source_count(l->prober), 2);
  assert_string_equal(psprobe_prober_source(l->prober, 0), "cloud_function");
  assert_string_equal(psprobe_prober_source(l->prober, 1), "regular_service");
  assert_null(psprobe_prober_source(l->prober, 2));
  for (size_t i = 0; i < 3; i++)
    lab_answer_both(l, lab_published(l, i));
  lab_join(l);
  assert_int_equal(l->finished_count, 3);
  for (size_t i = 0; i < 3; i++) {
    const psprobe_finished *f = &l->finished[i];
    assert_false(f->update);
    assert_true(f->result.publish_ns > 0);
    assert_true(f->result.lateness_ns >= 0);
    assert_true(f->result.sent_wall_ns > INT64_C(1700000000000000000));
    for (size_t k = 0; k < 2; k++) {
      assert_int_equal(f->result.answers[k].status, PSPROBE_ANSWERED);
      assert_true(f->result.answers[k].elapsed_ns > 0);
      assert_int_equal(f->result.answers[k].handled_ns, -1);
    }
    assert_true(f->result.answers[0].elapsed_ns < f->result.answers[1].elapsed_ns);
  }
  psprobe_prober_stats s = lab_stats(l);
  psprobe_prober_settings settings;
  psprobe_prober_get_settings(l->prober, &settings);
  assert_int_equal(settings.count, 3);
  assert_int_equal(settings.interval_ns, MS);
  assert_int_equal(s.sent, 3);
  assert_int_equal(s.completed, 3);
  assert_int_equal(s.answered[0], 3);
  assert_int_equal(s.answered[1], 3);
  assert_int_equal(s.lost[0] + s.lost[1] + s.late[0] + s.late[1], 0);
  assert_int_equal(s.publish_failed + s.refused + s.overflowed + s.in_flight, 0);
  assert_true(s.last_ns[0] > 0 && s.last_ns[1] > 0);
  assert_int_equal(psprobe_prober_run(l->prober, NULL), PSPROBE_FAILED_PRECONDITION);
}

static void test_the_message(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.count = 1});
  const char *id = lab_published(l, 0);
  assert_int_equal(strlen(id), PSPROBE_ID_LENGTH);
  psp_json *json = NULL;
  psp_buf data = {0};
  assert_int_equal(psp_json_parse(l->body.data, l->body.len, "publish", &json, NULL), PSPROBE_OK);
  const psp_json *message = psp_json_first(psp_json_get(json, "messages"));
  assert_int_equal(psp_json_count(psp_json_get(json, "messages")), 1);
  assert_int_equal(psp_json_count(psp_json_get(message, "attributes")), 1);
  const char *text = psp_json_string(psp_json_get(message, "data"));
  assert_true(psp_base64_decode(&data, text, strlen(text)));
  char want[100];
  snprintf(want, sizeof want, "{\"probe_id\":\"%s\"}", id);
  assert_string_equal(data.data, want);
  psp_buf_free(&data);
  psp_json_free(json);
  lab_answer_both(l, id);
  lab_join(l);
}

static void test_what_a_responder_tells(void **state) {
  lab *l = *state;
  static const struct {
    const char *headers;
    bool cold;
    int64_t handled_ns;
  } cases[] = {
      {NULL, false, -1},
      {"Psprobe-Cold: 1\r\nPsprobe-Handled-Ns: 1234567\r\n", true, 1234567},
      {"psprobe-COLD: 1\r\n", true, -1},
      {"Psprobe-Cold: 0\r\nPsprobe-Handled-Ns: 0\r\n", false, 0},
      {"Psprobe-Cold: yes\r\nPsprobe-Handled-Ns: -5\r\n", false, -1},
      {"Psprobe-Cold:\r\nPsprobe-Handled-Ns: 12ms\r\n", false, -1},
      {"Psprobe-Handled-Ns: 99999999999999999999\r\n", false, -1},
      {"Psprobe-Handled-Ns: 9223372036854775807\r\n", false,
       -1}, /* our own CSV could not hold it */
      {"Psprobe-Handled-Ns: 86400000000000\r\n", false, INT64_C(86400000000000)},
  };
  size_t count = sizeof cases / sizeof *cases;
  const char *sources[] = {"only"};
  lab_run(l, (psprobe_prober_options){.count = count, .sources = sources, .source_count = 1});
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(lab_answer(l, "only", lab_published(l, i), cases[i].headers), 200);
    const psprobe_answer *a = &lab_finished(l, i)->result.answers[0];
    if (a->cold != cases[i].cold || a->handled_ns != cases[i].handled_ns)
      fail_msg("%s: cold %d, handled %lld", cases[i].headers, a->cold, (long long)a->handled_ns);
  }
  lab_join(l);
}

static void test_lost_then_late(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR, .timeout_ns = 2000 * MS});
  const char *id = lab_published(l, 0);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  const psprobe_finished *f = lab_finished(l, 0);
  assert_false(f->update);
  assert_int_equal(f->result.answers[0].status, PSPROBE_LOST);
  assert_int_equal(f->result.answers[1].status, PSPROBE_ANSWERED);
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.lost[0], 1);
  assert_int_equal(s.lost[1], 0);
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
  f = lab_finished(l, 1);
  assert_true(f->update);
  assert_int_equal(f->fresh, 1);
  assert_int_equal(f->result.answers[0].status, PSPROBE_LATE);
  assert_true(f->result.answers[0].elapsed_ns > 2000 * MS);
  s = lab_stats(l);
  assert_int_equal(s.lost[0], 0);
  assert_int_equal(s.late[0], 1);
  assert_int_equal(s.answered[1], 1);
  assert_int_equal(s.completed, 1);
}

static void test_duplicates(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR});
  const char *id = lab_published(l, 0);
  lab_answer_both(l, id);
  assert_int_equal(lab_finished(l, 0)->result.answers[0].duplicates, 0);
  lab_answer_both(l, id);
  const psprobe_finished *f = lab_finished(l, 1);
  assert_true(f->update);
  assert_int_equal(f->fresh, 0);
  while (f->result.answers[1].duplicates == 0)
    f = lab_finished(l, (size_t)(f - l->finished) + 1);
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.duplicates[0], 1);
  assert_int_equal(s.duplicates[1], 1);
  assert_int_equal(s.answered[0], 1);
  assert_int_equal(s.completed, 1);
}

static void test_answered_before_publish_returns(void **state) {
  lab *l = *state;
  l->hold = true;
  lab_run(l, (psprobe_prober_options){.count = 1});
  lab_answer_both(l, lab_published(l, 0));
  assert_int_equal(lab_stats(l).in_flight, 1);
  lab_hold(l, &l->hold, false);
  const psprobe_finished *f = lab_finished(l, 0);
  assert_true(f->result.publish_ns > f->result.answers[1].elapsed_ns);
  lab_join(l);
}

static void test_publish_fails_and_recovers(void **state) {
  lab *l = *state;
  l->refuse = 2;
  lab_run(l, (psprobe_prober_options){.count = 4, .timeout_ns = 2000 * MS});
  lab_published(l, 3);
  size_t lost = 0;
  for (size_t i = 2; i < 4; i++)
    lab_answer_both(l, lab_published(l, i));
  lab_join(l);
  assert_int_equal(l->finished_count, 4);
  for (size_t i = 0; i < 4; i++) {
    const psprobe_result *r = &l->finished[i].result;
    if (r->publish_ns >= 0) continue;
    assert_int_equal(r->answers[0].status, PSPROBE_LOST);
    assert_int_equal(r->answers[1].status, PSPROBE_LOST);
    lost++;
  }
  assert_int_equal(lost, 2);
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.sent, 4);
  assert_int_equal(s.publish_failed, 2);
  assert_int_equal(s.lost[0], 2);
  assert_int_equal(s.answered[0], 2);
}

static void test_sink_that_blocks(void **state) {
  lab *l = *state;
  l->hold_sink = true;
  lab_run(l, (psprobe_prober_options){.count = 50});
  for (size_t i = 0; i < 50; i++) /* sending and answering go on */
    lab_answer_both(l, lab_published(l, i));
  while (lab_stats(l).in_flight > 0) { /* the last publish call may not have returned yet */
  }
  lab_hold(l, &l->hold_sink, false);
  lab_join(l);
  assert_int_equal(l->finished_count, 50);
}

/* The last answer comes while the sink has the one before it: nobody waits for a timeout then. */
static void test_last_answer_while_the_sink_is_busy(void **state) {
  lab *l = *state;
  const char *sources[] = {"only"};
  l->hold_sink = true;
  lab_run(l, (psprobe_prober_options){
                 .count = 2, .timeout_ns = HOUR, .sources = sources, .source_count = 1});
  lab_published(l, 1);
  assert_int_equal(lab_answer(l, "only", l->ids[0], NULL), 200);
  lab_finished(l, 0);
  assert_int_equal(lab_answer(l, "only", l->ids[1], NULL), 200);
  lab_hold(l, &l->hold_sink, false);
  lab_join(l);
  assert_int_equal(l->finished_count, 2);
}

static void test_options(void **state) {
  lab *l = *state;
  const char *twice[] = {"a", "b", "a"}, *bad[] = {"A"};
  const struct {
    psprobe_prober_options options;
    const char *says;
  } cases[] = {
      {{.topic = NULL}, "topic"},
      {{.topic = "x"}, "3 to 255"},
      {{.topic = "probes", .interval_ns = -1}, "interval"},
      {{.topic = "probes", .timeout_ns = -1}, "timeout"},
      {{.topic = "probes", .sources = twice, .source_count = 3}, "\"a\": it is given twice"},
      {{.topic = "probes", .sources = bad, .source_count = 1}, "\"A\""},
      {{.topic = "probes", .sources = bad, .source_count = 0}, "1 to 16"},
      {{.topic = "probes", .sources = bad, .source_count = 17}, "1 to 16"},
      {{.topic = "probes", .capacity = SIZE_MAX}, "capacity"},
      {{.topic = "probes", .listen = "nonsense"}, "--listen"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_prober *prober = NULL;
    assert_int_equal(psprobe_prober_new(l->google->client, &cases[i].options, &prober, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].says) == NULL)
      fail_msg("\"%s\" does not say \"%s\"", error.message, cases[i].says);
    assert_null(prober);
  }
  psprobe_prober_free(NULL);
}

static void test_address_in_use(void **state) {
  lab *l = *state;
  psprobe_prober *second = NULL;
  psprobe_error error = {0};
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR});
  psprobe_prober_options options = {.topic = "probes",
                                    .listen = psprobe_prober_url(l->prober) + strlen("http://")};
  assert_int_equal(psprobe_prober_new(l->google->client, &options, &second, &error),
                   PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, options.listen));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_run),
      TEST(test_the_message),
      TEST(test_what_a_responder_tells),
      TEST(test_lost_then_late),
      TEST(test_duplicates),
      TEST(test_answered_before_publish_returns),
      TEST(test_publish_fails_and_recovers),
      TEST(test_sink_that_blocks),
      TEST(test_last_answer_while_the_sink_is_busy),
      TEST(test_options),
      TEST(test_address_in_use),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
