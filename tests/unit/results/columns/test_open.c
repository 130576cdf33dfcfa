/* SPDX-License-Identifier: MIT */
/** @file Whatever holds results is told apart by what is in it, also where it can be read but once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "results/columns/columns.h"
#include "scratch.h"

#define CSV "arbitrary_message_id,probe_sent,x_response_time\na,2026-11-24T10:00:00Z,5\n"
#define LINE \
  "{\"arbitrary_message_id\":\"a\",\"probe_sent\":\"2026-11-24T10:00:00Z\",\"x_response_time\":5}"
#define BOM "\xEF\xBB\xBF"

static psprobe_code open_path(const char *path, psp_columns *columns, psprobe_error *error) {
  psp_columns_source source = {.path = path};
  *columns = (psp_columns){0};
  psprobe_error_clear(error);
  return psp_columns_open(columns, &source, error);
}

static void expect_read(const char *path) {
  psp_columns c;
  psprobe_error error;
  if (open_path(path, &c, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(c.count, 1);
  assert_int_equal(c.sources[0].elapsed_ns[0], 5);
  psp_columns_free(&c);
}

static void write_file(const char *path, const char *text, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_int_equal(fwrite(text, 1, len, file), len);
  fclose(file);
}

static void test_forms(void **state) {
  static const char *const forms[] = {CSV,      BOM CSV,      LINE "\n",
                                      BOM LINE, "[" LINE "]", BOM "\n[" LINE "]\n"};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    const char *path = scratch_file(state, "x");
    char pipe_path[40];
    int ends[2];
    write_file(path, forms[i], strlen(forms[i]));
    expect_read(path);
    assert_int_equal(pipe(ends), 0); /* as a shell's <(...) */
    assert_int_equal(write(ends[1], forms[i], strlen(forms[i])), strlen(forms[i]));
    close(ends[1]);
    snprintf(pipe_path, sizeof pipe_path, "/dev/fd/%d", ends[0]);
    expect_read(pipe_path);
    close(ends[0]);
  }
}

/* An array of many pieces. */
static void test_long_array(void **state) {
  enum { ITEMS = 4000 };
  const char *path = scratch_file(state, "x");
  psp_buf text = {0};
  psp_columns c;
  psprobe_error error;
  for (int i = 0; i < ITEMS; i++)
    psp_buf_printf(&text,
                   "%s{\"arbitrary_message_id\":\"%d\",\"probe_sent\":\"2026-11-24T10:00:00Z\","
                   "\"x_response_time\":%d,\"note\":\"]},[\\\"\"}\n",
                   i > 0 ? "," : "[", i, i);
  psp_buf_text(&text, "]\n");
  write_file(path, text.data, text.len);
  if (open_path(path, &c, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(c.count, ITEMS);
  for (int i = 0; i < ITEMS; i++)
    assert_int_equal(c.sources[0].elapsed_ns[i], i);
  psp_columns_free(&c);
  psp_buf_free(&text);
}

static void test_what_cannot_be_read_is_named(void **state) {
  static const struct {
    const char *text;
    size_t len;
    const char *said;
  } cases[] = {
      {"\xFF\xFE"
       "a\0r\0",
       6, "it is UTF-16"},
      {"\xFE\xFF\0a\0r", 6, "it is UTF-16"},
      {"arbitrary_message_id,caf\xE9\n", 25, "it is not UTF-8"},
      {"\0\1\2 no database", 16, "not a results file"},
      {"", 0, "is empty"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_columns c;
    psprobe_error error;
    const char *path = scratch_file(state, "x");
    write_file(path, cases[i].text, cases[i].len);
    assert_int_not_equal(open_path(path, &c, &error), PSPROBE_OK);
    if (strstr(error.message, cases[i].said) == NULL) fail_msg("case %zu: %s", i, error.message);
    psp_columns_free(&c);
  }
}

/* A results file is read too, also by the process that writes it: then it is not opened a second
 * time and closed, which would drop SQLite's locks. */
static void test_results_file(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_run run = scratch_run(1);
  psprobe_finished finished = scratch_finished(1);
  psp_columns c;
  psprobe_error error;
  psprobe_store *store = scratch_store(path, false);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(open_path(path, &c, &error), PSPROBE_OK);
    assert_int_equal(c.count, 1);
    psp_columns_free(&c);
    psprobe_store_free(store);
    store = NULL;
  }
  assert_int_equal(open_path(scratch_file(state, "none"), &c, &error), PSPROBE_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_forms),
      TEST(test_long_array),
      TEST(test_what_cannot_be_read_is_named),
      TEST(test_results_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
