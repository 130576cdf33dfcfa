/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "scratch.h"

/* The CSV of columns alone: nothing else of a report is looked at. */
static char *csv_of(const psp_columns *columns) {
  psprobe_report report = {.columns = *columns};
  char *csv = psprobe_report_csv(&report);
  assert_non_null(csv);
  return csv;
}

static void test_rows(void **state) {
  (void)state;
  static const char *const names[] = {"cloud_function", "regular_service", "warm"};
  psp_columns columns = {0};
  psprobe_run run = scratch_run(1);
  psprobe_result result = scratch_finished(2).result;
  result.source_count = 3;
  result.answers[1] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  result.answers[2] = (psprobe_answer){.status = PSPROBE_LATE,
                                       .elapsed_ns = 31000000000,
                                       .cold = true,
                                       .duplicates = 4,
                                       .handled_ns = -1};
  psp_columns_set_sources(&columns, names, 3);
  uint32_t at = psp_columns_add_run(&columns, &run);
  psp_columns_add(&columns, at, &result, SCRATCH_SENT_NS + 1);
  result.publish_ns = -1;
  psp_columns_add(&columns, at, &result, SCRATCH_SENT_NS + 1);
  char *csv = csv_of(&columns);
  assert_string_equal(
      csv,
      "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time,"
      "warm_response_time,saved_at,run_id,lateness_ns,publish_ns,"
      "cloud_function_status,cloud_function_cold,cloud_function_duplicates,"
      "cloud_function_handled_ns,regular_service_status,regular_service_cold,"
      "regular_service_duplicates,regular_service_handled_ns,"
      "warm_status,warm_cold,warm_duplicates,warm_handled_ns,"
      "run_started,run_ended,run_ending,run_resumed,run_interval_ns,run_timeout_ns,run_project,"
      "run_topic,run_host,run_version,run_region,run_clock,run_settings\n"
      "3c6ef372fe94f82a0000000000000002,2026-11-24T22:18:58.773Z,60000002,,31000000000,"
      "2026-11-24T22:18:48.773000001Z,9e3779b97f4a7c150000000000000001,1000,20000000,"
      "answered,0,0,1000000,lost,0,0,,late,1,4,,"
      "2026-11-24T22:18:47.773Z,,,,5000000000,30000000000,demo-p,probes,here,,,,\n"
      "3c6ef372fe94f82a0000000000000002,2026-11-24T22:18:58.773Z,60000002,,31000000000,"
      "2026-11-24T22:18:48.773000001Z,9e3779b97f4a7c150000000000000001,1000,,"
      "answered,0,0,1000000,lost,0,0,,late,1,4,,,,,,,,,,,,,,\n");
  free(csv);
  psp_columns_free(&columns);
}

/* Cells of one line, by RFC 4180; written independently of what is tested. */
static size_t cells_of(const char *line, char cells[64][200]) {
  size_t count = 0, len = 0;
  bool quoted = false;
  memset(cells[0], 0, sizeof cells[0]);
  for (; quoted || (*line != '\n' && *line != '\0'); line++) {
    assert_int_not_equal(*line, '\0');
    if (*line == '"' && quoted && line[1] == '"') {
      cells[count][len++] = *line++;
    } else if (*line == '"') {
      quoted = !quoted;
    } else if (*line == ',' && !quoted) {
      count++;
      len = 0;
      memset(cells[count], 0, sizeof cells[count]);
    } else {
      cells[count][len++] = *line;
    }
  }
  return count + 1;
}

/* Our own names can hold none of these, but those of a foreign file's columns can. */
static void test_names_that_must_be_quoted(void **state) {
  (void)state;
  static const char *const bad[] = {"a,b",  "say \"hi\"", "two\nlines", "</script><script>x",
                                    "=1+1", "\"",         "é, or \"e\""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    psp_columns columns = {0};
    psprobe_run run = scratch_run(1);
    psprobe_result result = scratch_finished(2).result;
    static char cells[64][200];
    char want[100];
    result.source_count = 1;
    psp_columns_set_sources(&columns, &bad[i], 1);
    psp_columns_add(&columns, psp_columns_add_run(&columns, &run), &result, 0);
    char *csv = csv_of(&columns);
    assert_int_equal(cells_of(csv, cells), 11 + PSP_RUN_COLUMNS);
    strcat(strcpy(want, bad[i]), "_response_time");
    assert_string_equal(cells[2], want);
    strcat(strcpy(want, bad[i]), "_handled_ns");
    assert_string_equal(cells[10], want);
    free(csv);
    psp_columns_free(&columns);
  }
}

static void test_no_probes(void **state) {
  (void)state;
  static const char *const names[] = {"a"};
  psp_columns columns = {0};
  char *csv = csv_of(&columns);
  assert_string_equal(csv,
                      "arbitrary_message_id,probe_sent,saved_at,run_id,lateness_ns,"
                      "publish_ns\n");
  free(csv);
  psp_columns_set_sources(&columns, names, 1);
  csv = csv_of(&columns);
  assert_non_null(strstr(csv, ",a_response_time,saved_at,"));
  free(csv);
  psp_columns_free(&columns);
}

/* A stranger's texts of a run are looked at in a terminal. */
static void test_texts_of_a_run(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *cell;
  } cases[] = {{"run_host", "h\x1b[31m", "h\\x1B[31m"},
               {"run_region", "a\nb\x7f", "a\nb\\x7F"},
               {"run_clock", "\xc3\xa9 \xe2\x80\xae", "\xc3\xa9 \\xE2\\x80\\xAE"},
               {"run_settings", "{\"a\":\"\xc3\xa9\"}", "{\"a\":\"\xc3\xa9\"}"},
               {"run_settings", "{ \"a\" : [1,  2] }", "{\"a\":[1,2]}"},
               {"run_settings", "{\x1b", "{\\x1B"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_run run = {.host = NULL};
    psp_buf cell = {0};
    size_t column = 0;
    while (strcmp(psp_run_columns[column].name, cases[i].name) != 0)
      column++;
    *(const char **)(void *)((char *)&run + psp_run_columns[column].at) = cases[i].text;
    psp_run_put_cell(&cell, &run, column);
    assert_string_equal(cell.data, cases[i].cell);
    psp_buf_free(&cell);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_names_that_must_be_quoted),
      cmocka_unit_test(test_no_probes),
      cmocka_unit_test(test_texts_of_a_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
