/* SPDX-License-Identifier: MIT */
/** @file What Prometheus reads, byte for byte; tests/integration/test_metrics.sh asks promtool as
 * well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/live/metrics.h"

#define MS INT64_C(1000000)

static psprobe_prober_stats prober(void) {
  return (psprobe_prober_stats){.sent = 7,
                                .publish_failed = 1,
                                .refused = 2,
                                .overflowed = 3,
                                .in_flight = 4,
                                .max_lateness_ns = 1500000,
                                .answered = {5},
                                .late = {1},
                                .lost = {1},
                                .duplicates = {6},
                                .connections = {11, 12, 13, 14, 15, 16},
                                .in_doubt = {1},
                                .sent_late = 17,
                                .cold_sent = 18,
                                .filler_sent = 19,
                                .filler_failed = 20,
                                .malformed = 21,
                                .withheld = 22,
                                .facts_dropped = 22};
}

static psp_buf written(const char *source, const psprobe_prober_stats *stats,
                       const psprobe_uploader_stats *uploader, psp_metric_histogram (*h)[2]) {
  psp_buf out = {0};
  psp_metrics_write(&out, &(psp_metrics){.prober = stats,
                                         .uploader = uploader,
                                         .source_count = 1,
                                         .sources = &source,
                                         .histograms = h,
                                         .started_wall_ns = INT64_C(1795558728773000000),
                                         .interval_ns = INT64_C(5000000000)});
  assert_false(out.failed);
  return out;
}

static void expect(const psp_buf *out, const char *lines) {
  if (strstr(out->data, lines) == NULL)
    fail_msg("these lines are not there:\n%s\nin\n%s", lines, out->data);
}

static void test_golden(void **state) {
  (void)state;
  psp_metric_histogram h[1][2] = {0};
  psprobe_prober_stats stats = prober();
  psprobe_uploader_stats uploader = {.uploaded = 8, .failures = 9, .backlog = 10};
  psp_buf out = written("regular_service", &stats, &uploader, h);
  /* Behind the version, which changes. */
  const char *rest = strstr(out.data, "# HELP psprobe_start_time_seconds");
  static const char head[] =
      "# HELP psprobe_start_time_seconds When the run began, in seconds since 1970.\n"
      "# TYPE psprobe_start_time_seconds gauge\n"
      "psprobe_start_time_seconds 1795558728.773\n"
      "# HELP psprobe_sent_total Publish calls begun.\n"
      "# TYPE psprobe_sent_total counter\n"
      "psprobe_sent_total 7\n"
      "# HELP psprobe_publish_failures_total Publish calls that failed.\n"
      "# TYPE psprobe_publish_failures_total counter\n"
      "psprobe_publish_failures_total 1\n"
      "# HELP psprobe_refused_total Answers with an unknown or finished id, from an unknown "
      "source, or without a token.\n"
      "# TYPE psprobe_refused_total counter\n"
      "psprobe_refused_total 2\n"
      "# HELP psprobe_overflowed_total Probes not sent because too many were in flight.\n"
      "# TYPE psprobe_overflowed_total counter\n"
      "psprobe_overflowed_total 3\n"
      "# HELP psprobe_withheld_total Probes not sent because they could not be kept in time.\n"
      "# TYPE psprobe_withheld_total counter\n"
      "psprobe_withheld_total 22\n"
      "# HELP psprobe_in_flight_probes Probes that wait for an answer.\n"
      "# TYPE psprobe_in_flight_probes gauge\n"
      "psprobe_in_flight_probes 4\n"
      "# HELP psprobe_sent_late_total Probes sent more than 0.1 s after their time: the machine is "
      "too "
      "busy.\n"
      "# TYPE psprobe_sent_late_total counter\n"
      "psprobe_sent_late_total 17\n"
      "# HELP psprobe_pacer_lateness_max_seconds The longest that a probe was sent after its "
      "intended time.\n"
      "# TYPE psprobe_pacer_lateness_max_seconds gauge\n"
      "psprobe_pacer_lateness_max_seconds 0.001500000\n"
      "# HELP psprobe_interval_seconds From probe to probe, as set.\n"
      "# TYPE psprobe_interval_seconds gauge\n"
      "psprobe_interval_seconds 5.000000000\n"
      "# HELP psprobe_connections_open Connections to the port that answers come in at.\n"
      "# TYPE psprobe_connections_open gauge\n"
      "psprobe_connections_open 11\n"
      "# HELP psprobe_connections_refused_total Not taken: all places were busy.\n"
      "# TYPE psprobe_connections_refused_total counter\n"
      "psprobe_connections_refused_total 12\n"
      "# HELP psprobe_connections_made_room_total Closed for another: idle the longest, or half "
      "asked.\n"
      "# TYPE psprobe_connections_made_room_total counter\n"
      "psprobe_connections_made_room_total 13\n"
      "# HELP psprobe_connections_overdue_total Closed because they took too long.\n"
      "# TYPE psprobe_connections_overdue_total counter\n"
      "psprobe_connections_overdue_total 14\n"
      "# HELP psprobe_connections_starved_total Times that no file descriptor or memory was left "
      "for one.\n"
      "# TYPE psprobe_connections_starved_total counter\n"
      "psprobe_connections_starved_total 15\n"
      "# HELP psprobe_untaken_total Requests that the prober turned away: answers may have been "
      "among them.\n"
      "# TYPE psprobe_untaken_total counter\n"
      "psprobe_untaken_total 16\n"
      "# HELP psprobe_cold_sent_total Rare probes sent, on a topic of their own.\n"
      "# TYPE psprobe_cold_sent_total counter\n"
      "psprobe_cold_sent_total 18\n"
      "# HELP psprobe_filler_sent_total Messages without a probe.\n"
      "# TYPE psprobe_filler_sent_total counter\n"
      "psprobe_filler_sent_total 19\n"
      "# HELP psprobe_filler_failures_total Of them, not published.\n"
      "# TYPE psprobe_filler_failures_total counter\n"
      "psprobe_filler_failures_total 20\n"
      "# HELP psprobe_malformed_facts_total What answers told of their responder and was not of "
      "its "
      "form.\n"
      "# TYPE psprobe_malformed_facts_total counter\n"
      "psprobe_malformed_facts_total 21\n"
      "# HELP psprobe_facts_dropped_total Answers whose facts had no room.\n"
      "# TYPE psprobe_facts_dropped_total counter\n"
      "psprobe_facts_dropped_total 22\n"
      "# HELP psprobe_answers_total Answers that came, in time or late.\n"
      "# TYPE psprobe_answers_total counter\n"
      "psprobe_answers_total{source=\"regular_service\",status=\"answered\"} 5\n"
      "psprobe_answers_total{source=\"regular_service\",status=\"late\"} 1\n"
      "# HELP psprobe_lost_total Probes that no answer came to within the timeout.\n"
      "# TYPE psprobe_lost_total counter\n"
      "psprobe_lost_total{source=\"regular_service\"} 1\n"
      "# HELP psprobe_lost_in_doubt_total Of the lost: in flight as the prober turned somebody "
      "away, "
      "and so maybe its own loss.\n"
      "# TYPE psprobe_lost_in_doubt_total counter\n"
      "psprobe_lost_in_doubt_total{source=\"regular_service\"} 1\n"
      "# HELP psprobe_duplicates_total Further answers after the first.\n"
      "# TYPE psprobe_duplicates_total counter\n"
      "psprobe_duplicates_total{source=\"regular_service\"} 6\n";
  assert_non_null(rest);
  if (strncmp(rest, head, sizeof head - 1) != 0) fail_msg("got\n%s", rest);
  expect(&out, "# TYPE psprobe_upload_backlog_results gauge\npsprobe_upload_backlog_results 10\n");
  expect(&out, "# TYPE psprobe_uploads_total counter\npsprobe_uploads_total 8\n");
  expect(&out, "# TYPE psprobe_upload_failures_total counter\npsprobe_upload_failures_total 9\n");
  assert_int_equal(out.data[out.len - 1], '\n');
  psp_buf_free(&out);
}

static void test_no_upload(void **state) {
  (void)state;
  psp_metric_histogram h[1][2] = {0};
  psprobe_prober_stats stats = prober();
  psp_buf out = written("a", &stats, NULL, h);
  assert_null(strstr(out.data, "upload"));
  psp_buf_free(&out);
}

/* Each bound counts all that is at most as long, and the last bound all. */
static void test_cumulative(void **state) {
  (void)state;
  psp_metric_histogram h[1][2] = {0};
  psprobe_prober_stats stats = prober();
  static const int64_t took[] = {0, MS, MS + 1, 50 * MS, 60 * MS, 31000 * MS};
  for (size_t i = 0; i < sizeof took / sizeof *took; i++)
    psp_metric_record(&h[0][i == 5], took[i]); /* the last is cold */
  psp_buf out = written("a", &stats, NULL, h);
  expect(&out,
         "# TYPE psprobe_answer_seconds histogram\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.001\"} 2\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.0025\"} 3\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.005\"} 3\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.01\"} 3\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.025\"} 3\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.05\"} 4\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"0.075\"} 5\n");
  expect(&out,
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"30\"} 5\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"warm\",le=\"+Inf\"} 5\n"
         "psprobe_answer_seconds_sum{source=\"a\",start=\"warm\"} 0.112000001\n"
         "psprobe_answer_seconds_count{source=\"a\",start=\"warm\"} 5\n");
  expect(&out,
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"cold\",le=\"30\"} 0\n"
         "psprobe_answer_seconds_bucket{source=\"a\",start=\"cold\",le=\"+Inf\"} 1\n"
         "psprobe_answer_seconds_sum{source=\"a\",start=\"cold\"} 31.000000000\n"
         "psprobe_answer_seconds_count{source=\"a\",start=\"cold\"} 1\n");
  psp_buf_free(&out);
}

static void test_labels(void **state) {
  (void)state;
  psp_metric_histogram h[1][2] = {0};
  psprobe_prober_stats stats = prober();
  psp_buf out = written("a\"b\\c\nd<%s>", &stats, NULL, h);
  expect(&out, "psprobe_lost_total{source=\"a\\\"b\\\\c\\nd<%s>\"} 1\n");
  psp_buf_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
      cmocka_unit_test(test_no_upload),
      cmocka_unit_test(test_cumulative),
      cmocka_unit_test(test_labels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
