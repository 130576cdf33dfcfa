/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "results/columns/import.h"

#define HEAD \
  "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time,saved_at\n"

/* A text in memory, as a file would be read. */
static psprobe_code take(psp_import *import, const char *text, size_t len, psprobe_error *error) {
  psp_text in;
  psp_text_of(&in, import->what, text, len);
  psprobe_code code = psp_import_text(import, &in, false, error);
  if (code == PSPROBE_OK) code = psp_import_finish(import, error);
  psp_import_free(import);
  return code;
}

static psprobe_code csv(const char *text, psp_columns *c, psprobe_error *error) {
  psp_import import = {.columns = c, .what = "x.csv"};
  *c = (psp_columns){0};
  return take(&import, text, strlen(text), error);
}

static psprobe_code json(const char *text, psp_columns *c, psprobe_error *error) {
  psp_import import = {.columns = c, .what = "x"};
  *c = (psp_columns){0};
  return take(&import, text, strlen(text), error);
}

static void refuses(psprobe_code (*read)(const char *text, psp_columns *c, psprobe_error *error),
                    const char *text, const char *said) {
  psp_columns c = {0};
  psprobe_error error = {0};
  assert_int_equal(read(text, &c, &error), PSPROBE_INVALID_ARGUMENT);
  if (strstr(error.message, said) == NULL) fail_msg("%s\nsaid: %s", text, error.message);
  psp_columns_free(&c);
}

/* Nor does a difference of two times, as the pauses and the length of a plot are. */
static void test_times(void **state) {
  (void)state;
  const int64_t first_ns = psp_time_bound(INT64_MIN), last_ns = psp_time_bound(INT64_MAX);
  int64_t ns;
  const char *why;
  assert_true(first_ns < 0 && last_ns <= INT64_MAX + first_ns);
  assert_true(psp_row_parse_time("2115-01-01T00:00:00Z", &ns, &why) && ns < last_ns);
  assert_false(psp_row_parse_time("2116-01-01T00:00:00Z", &ns, &why));
  assert_false(psp_row_parse_time("1823-01-01T00:00:00Z", &ns, &why));
}

/* The longest that is taken, and one nanosecond more: no sum or difference of them overflows. */
static void test_longest(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool taken;
  } cases[] = {{"576460752303423488", true},
               {"576460752303423489", false},
               {"-576460752303423488", true},
               {"9223372036854775807", false},
               {"-9223372036854775808", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_import_row row;
    const char *why = NULL;
    psp_import_begin(&row, 1);
    assert_int_equal(psp_import_set(&row, PSP_ROLE_ELAPSED, 0, cases[i].text, &why),
                     cases[i].taken);
    if (!cases[i].taken) assert_string_equal(why, "longer than eighteen years in nanoseconds");
  }
}

static void the_five_fields_are_read(void **state) {
  psp_columns c;
  psprobe_error error = {0};
  (void)state;
  assert_int_equal(csv(HEAD "a,2019-04-16T01:22:53Z,69289647,70914588,2019-04-16T01:22:53Z\n"
                            "b,2019-04-16T01:22:58.5Z,,12,\n",
                       &c, &error),
                   PSPROBE_OK);
  assert_int_equal(c.count, 2);
  assert_int_equal(c.source_count, 2);
  assert_string_equal(c.sources[0].name, "cloud_function");
  assert_string_equal(c.sources[1].name, "regular_service");
  assert_string_equal(c.id[1], "b");
  assert_int_equal(c.sent_wall_ns[0], 1555377773000000000);
  assert_int_equal(c.sent_wall_ns[1], 1555377778500000000);
  assert_int_equal(c.sources[0].elapsed_ns[0], 69289647);
  assert_int_equal(c.sources[0].status[0], PSPROBE_ANSWERED);
  assert_int_equal(c.sources[0].status[1], PSPROBE_LOST);
  assert_int_equal(c.sources[1].elapsed_ns[1], 12);
  psp_columns_free(&c);
}

static void forms_of_the_same_table_are_the_same(void **state) {
  static const char *const forms[] = {
      HEAD "a,2019-04-16T01:22:53Z,5,6,\n",
      "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time,saved_at"
      "\r\na,2019-04-16T01:22:53Z,5,6,\r\n\r\n",
      HEAD "\"a\",\"2019-04-16T01:22:53Z\",\"5\",6,\"\"",
      "saved_at,whatever,reg_service_response_time,probe_sent,cloud_func_response_time,"
      "arbitrary_message_id\n,\"x, \"\"y\"\"\nz\",6,2019-04-16T01:22:53Z,5,a\n",
  };
  (void)state;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    psp_columns c;
    psprobe_error error = {0};
    if (csv(forms[i], &c, &error) != PSPROBE_OK) fail_msg("form %zu: %s", i, error.message);
    assert_int_equal(c.count, 1);
    size_t service = strcmp(c.sources[0].name, "regular_service") == 0 ? 0 : 1;
    assert_int_equal(c.sources[service].elapsed_ns[0], 6);
    assert_int_equal(c.sources[1 - service].elapsed_ns[0], 5);
    assert_string_equal(c.id[0], "a");
    psp_columns_free(&c);
  }
}

static void mistakes_name_line_and_column(void **state) {
  static const struct {
    const char *text, *said;
  } cases[] = {
      {"", "no column arbitrary_message_id"},
      {"a,b\n1,2\n", "line 1: there is no column arbitrary_message_id"},
      {"arbitrary_message_id,cloud_func_response_time\n", "no column probe_sent"},
      {"arbitrary_message_id,probe_sent\n", "no column NAME_response_time"},
      {HEAD "a,2019-04-16T01:22:53Z,5,x,\n",
       "line 2, column reg_service_response_time: 'x' is not"},
      {HEAD "a,2019-04-16T01:22:53Z,5.5,6,\n", "line 2, column cloud_func_response_time: '5.5'"},
      {HEAD "a,2019-04-16T01:22:53Z,99999999999999999999,6,\n", "column cloud_func_response_time"},
      {HEAD "a,2019-04-16T01:22:53Z,\x1b[31m\xff,6,\n", "response_time: '\\x1B[31m\\xFF' is not"},
      {HEAD "a,yesterday,5,6,\n", "line 2, column probe_sent: 'yesterday' is not an RFC 3339"},
      {HEAD "a,2019-04-16T01:22:53Z,5,6,\n,2019-04-16T01:22:53Z,5,6,\n",
       "line 3: arbitrary_message_id is missing"},
      {HEAD "a,2019-04-16T01:22:53Z,5\n", "line 2: 3 fields for 5 columns"},
      {HEAD "a,2019-04-16T01:22:53Z,5,6,,7\n", "line 2: more fields than columns"},
      {HEAD "\"a,2019\n", "line 2: a quote is opened and never closed"},
      {HEAD "\"a\"b,2019-04-16T01:22:53Z,5,6,\n", "line 2: text behind a closing quote"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuses(csv, cases[i].text, cases[i].said);
}

/* What other programs write, and mean the same by. */
static void strangers_forms_are_read(void **state) {
  static const char *const forms[] = {
      HEAD "a,2019-04-16t01:22:53z,5,6,\n",
      HEAD "a,2019-04-16 01:22:53Z,5,6.0,\n",
      HEAD "a,2019-04-16T03:22:53+02:00,5,6e0,\n,,,,\n\n",
      "sep=;\narbitrary_message_id;probe_sent;cloud_func_response_time;reg_service_response_time\n"
      "a;2019-04-16T01:22:53Z;5;6\n",
      "arbitrary_message_id\tprobe_sent\tcloud_func_response_time\treg_service_response_time\n"
      "a\t2019-04-16T01:22:53Z\t5\t6\n",
      " arbitrary_message_id , probe_sent , cloud_func_response_time , reg_service_response_time\n"
      "a,2019-04-16T01:22:53Z,5,6\n",
      "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time\r"
      "a,2019-04-16T01:22:53Z,5,6\r",
      "arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time\r\r\n"
      "a,2019-04-16T01:22:53Z,5,6\r\r\n",
  };
  (void)state;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    psp_columns c;
    psprobe_error error = {0};
    if (csv(forms[i], &c, &error) != PSPROBE_OK) fail_msg("form %zu: %s", i, error.message);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.sent_wall_ns[0], 1555377773000000000);
    assert_int_equal(c.sources[0].elapsed_ns[0], 5);
    assert_int_equal(c.sources[1].elapsed_ns[0], 6);
    psp_columns_free(&c);
  }
}

#define ONE "arbitrary_message_id,probe_sent,"
#define ROW "a,2019-04-16T01:22:53Z,"

/* Two things said of one: neither is taken. */
static void contradictions_are_refused(void **state) {
  static const struct {
    const char *text, *said;
  } cases[] = {
      {ONE "x_response_time,x_status\n" ROW ",answered\n",
       "line 2: column x_status: it is 'answered', and there is no time"},
      {ONE "x_status,x_response_time\n" ROW "late,\n", "it is 'late', and there is no time"},
      {ONE "x_status,x_response_time\n" ROW "lost,5\n", "it is 'lost', and there is a time"},
      {ONE "x_response_time,x_response_time\n" ROW "5,6\n",
       "line 1: columns 3 and 4, x_response_time and x_response_time, mean the same"},
      {ONE "cloud_func_response_time,cloud_function_response_time\n" ROW "5,6\n", "mean the same"},
      {ONE "x_response_time,probe_sent\n" ROW "5,\n", "columns 2 and 4"},
      {ONE "\"two\nlines_response_time\"\n" ROW "5\n", "x.csv: source \""},
      {ONE "\x1b[2J_response_time\n" ROW "5\n", "x.csv: source \""},
      {ONE "x_response_time,run_id\n" ROW "5,a\x07\n", "line 2, column run_id"},
      {ONE "x_response_time\n" ROW "5\n" ROW "6\n", "probes 1 and 2 have the same id, 'a'"},
      {ONE "x_response_time\na\r,2019-04-16T01:22:53Z,5\n", "line 2: 1 fields for 3 columns"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuses(csv, cases[i].text, cases[i].said);
}

static psprobe_code runs(const char *wanted, psp_columns *c, psprobe_error *error) {
  static const char text[] = ONE
      "x_response_time,run_id\n"
      "a,2019-04-16T01:22:53Z,5,aaa1\nb,2019-04-16T01:22:55Z,6,bbb\n"
      "c,2019-04-16T01:22:54Z,7,aaa2\nd,2019-04-16T01:22:54Z,8,bbb\n";
  psprobe_filter filter = {.run = wanted};
  psp_import import = {.columns = c, .what = "x", .filter = &filter};
  *c = (psp_columns){0};
  return take(&import, text, strlen(text), error);
}

static void a_run_is_chosen(void **state) {
  psp_columns c;
  psprobe_error error = {0};
  (void)state;
  assert_int_equal(runs(NULL, &c, NULL), PSPROBE_OK);
  assert_int_equal(c.count, 4);
  assert_int_equal(c.run_count, 3);
  psp_columns_free(&c);
  const char *const names[] = {"b", "last"};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(runs(names[i], &c, NULL), PSPROBE_OK);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.run_count, 1);
    assert_string_equal(c.runs[c.run[1]].run.id, "bbb");
    assert_string_equal(c.id[0], "d"); /* which was sent before b */
    assert_int_equal(c.sources[0].elapsed_ns[0], 8);
    psp_columns_free(&c);
  }
  assert_int_equal(runs("aaa", &c, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "the ids of 2 runs in x begin with \"aaa\""));
  psp_columns_free(&c);
  assert_int_equal(runs("ccc", &c, &error), PSPROBE_NOT_FOUND);
  psp_columns_free(&c);
}

static void a_cut_short_table_never_crashes(void **state) {
  static const char whole[] = HEAD "\"a\",2019-04-16T01:22:53Z,5,6,2019-04-16T01:22:53Z\r\n";
  (void)state;
  for (size_t len = 0; len < sizeof whole; len++) {
    psp_columns c = {0};
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, whole, len);
    copy[len] = '\0';
    psp_import import = {.columns = &c, .what = "x.csv"};
    take(&import, copy, len, NULL);
    psp_columns_free(&c);
    free(copy);
  }
}

static void json_lines_are_read(void **state) {
  static const char text[] =
      "{\"arbitrary_message_id\":\"a\",\"probe_sent\":\"2019-04-16T01:22:53Z\","
      "\"cloud_func_response_time\":69289647,\"reg_service_response_time\":\"70914588\"}\n\n"
      "{\"arbitrary_message_id\":7,\"probe_sent\":\"2019-04-16T01:22:58Z\","
      "\"cloud_func_response_time\":null,\"warm_response_time\":3,\"extra\":[1,2]}\r\n";
  psp_columns c = {0};
  psprobe_error error = {0};
  (void)state;
  if (json(text, &c, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(c.count, 2);
  assert_int_equal(c.source_count, 3);
  assert_string_equal(c.sources[2].name, "warm");
  assert_string_equal(c.id[1], "7");
  assert_int_equal(c.sources[0].elapsed_ns[0], 69289647);
  assert_int_equal(c.sources[1].elapsed_ns[0], 70914588);
  assert_int_equal(c.sources[0].status[1], PSPROBE_LOST);
  assert_int_equal(c.sources[2].elapsed_ns[1], 3);
  psp_columns_free(&c);
}

static void mistakes_in_json_name_line_and_member(void **state) {
  static const struct {
    const char *text, *said;
  } cases[] = {
      {"{\"a_response_time\":1}\n", "line 1: arbitrary_message_id is missing"},
      {"{\"arbitrary_message_id\":\"a\"}\n", "no line has a NAME_response_time"},
      {"{\"arbitrary_message_id\":\"a\",\"probe_sent\":\"2019-04-16T01:22:53Z\","
       "\"a_response_time\":1.5}\n",
       "line 1, a_response_time"},
      {"{\"a_response_time\":1}\n{\n", "line 2"},
      {"{\"a_response_time\":1}\n[]\n", "line 2: not an object"},
      {"[{\"a_response_time\":1}]", "item 1: arbitrary_message_id is missing"},
      {"[{\"a_response_time\":1}, 7]", "item 2: not an object"},
      {"[{\"a_response_time\":1}, {]", "item 2 is not good JSON"},
      {"[{\"a_response_time\":1}, {\"a\":x}]", "item 2"},
      {"[{\"a_response_time\":1},,{}]", "item 2: what stands before it"},
      {"[{\"a_response_time\":1}] x", "item 2: what stands before it, or behind the last"},
      {"[{\"a_response_time\":1}", "item 2: the array ends in its middle"},
      {"[]", "no item has a NAME_response_time"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuses(json, cases[i].text, cases[i].said);
}

static void a_filter_holds_for_imports_too(void **state) {
  static const char text[] = HEAD
      "a,2019-04-16T01:22:53Z,5,6,\nb,2019-04-16T01:22:54Z,5,6,\nc,2019-04-16T01:22:55Z,5,6,\n";
  psprobe_filter filter = {.since_wall_ns = 1555377774000000000,
                           .until_wall_ns = 1555377775000000000};
  psp_columns c = {0};
  (void)state;
  psp_import import = {.columns = &c, .what = "x", .filter = &filter};
  assert_int_equal(take(&import, text, strlen(text), NULL), PSPROBE_OK);
  assert_int_equal(c.count, 1);
  assert_string_equal(c.id[0], "b");
  psp_columns_free(&c);
}

static void sources_can_be_selected(void **state) {
  psp_columns c;
  psprobe_error error = {0};
  const char *both[] = {"regular_service", "cloud_function"}, *none[] = {"nobody"};
  (void)state;
  assert_int_equal(csv(HEAD "a,2019-04-16T01:22:53Z,5,6,\n", &c, NULL), PSPROBE_OK);
  assert_int_equal(psp_columns_select(&c, both, 2, &error), PSPROBE_OK);
  assert_string_equal(c.sources[0].name, "regular_service");
  assert_int_equal(c.sources[0].elapsed_ns[0], 6);
  assert_int_equal(psp_columns_select(&c, both, 1, &error), PSPROBE_OK);
  assert_int_equal(c.source_count, 1);
  assert_int_equal(psp_columns_select(&c, none, 1, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "'nobody'"));
  psp_columns_free(&c);
}

/* Where nothing is told of publishing, what is lost is lost. */
static void what_was_not_published_is_told_apart(void **state) {
  psp_columns c;
  (void)state;
  assert_int_equal(csv(HEAD "a,2019-04-16T01:22:53Z,,,\n", &c, NULL), PSPROBE_OK);
  assert_false(c.unsent[0]);
  psp_columns_free(&c);
  assert_int_equal(csv("arbitrary_message_id,probe_sent,cloud_func_response_time,publish_ns\n"
                       "a,2019-04-16T01:22:53Z,,\n"
                       "b,2019-04-16T01:22:53Z,,7\n"
                       "c,2019-04-16T01:22:53Z,5,\n",
                       &c, NULL),
                   PSPROBE_OK);
  assert_true(c.unsent[0]);
  assert_false(c.unsent[1]);
  assert_false(c.unsent[2]);
  psp_columns_drop(&c, 1);
  assert_false(c.unsent[0]);
  psp_columns_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_longest),
      cmocka_unit_test(test_times),
      cmocka_unit_test(the_five_fields_are_read),
      cmocka_unit_test(forms_of_the_same_table_are_the_same),
      cmocka_unit_test(strangers_forms_are_read),
      cmocka_unit_test(contradictions_are_refused),
      cmocka_unit_test(a_run_is_chosen),
      cmocka_unit_test(mistakes_name_line_and_column),
      cmocka_unit_test(a_cut_short_table_never_crashes),
      cmocka_unit_test(json_lines_are_read),
      cmocka_unit_test(mistakes_in_json_name_line_and_member),
      cmocka_unit_test(a_filter_holds_for_imports_too),
      cmocka_unit_test(sources_can_be_selected),
      cmocka_unit_test(what_was_not_published_is_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
