/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"

typedef struct seen {
  int lines;
  psprobe_log_level level;
  char text[1100];
} seen;

static void remember(void *arg, psprobe_log_level level, const char *line) {
  seen *last = arg;
  last->lines++;
  last->level = level;
  snprintf(last->text, sizeof last->text, "%s", line);
}

static void test_line(void **state) {
  (void)state;
  seen last = {0};
  psprobe_logger logger = {.sink = remember, .arg = &last, .level = PSPROBE_LOG_INFO};
  psp_log_line line;
  assert_true(psp_log_begin(&line, &logger, PSPROBE_LOG_WARNING, "published"));
  psp_log_text(&line, "topic", "projects/p/topics/t");
  psp_log_int(&line, "took_ns", -5);
  psp_log_text(&line, "nothing", NULL);
  psp_log_text(&line, "empty", "");
  psp_log_text(&line, "said", "a \"b\" \\ \n\x01é\xFF=");
  psp_log_end(&line);
  assert_int_equal(last.lines, 1);
  assert_int_equal(last.level, PSPROBE_LOG_WARNING);
  assert_string_equal(
      last.text,
      "level=warning event=published topic=projects/p/topics/t took_ns=-5 empty=\"\" "
      "said=\"a \\\"b\\\" \\\\ \\n\\x01é\\xFF=\"");
}

static void test_error(void **state) {
  (void)state;
  seen last = {0};
  psprobe_logger logger = {.sink = remember, .arg = &last, .level = PSPROBE_LOG_ERROR};
  psprobe_error error = {.code = PSPROBE_UNAVAILABLE,
                         .http_status = 503,
                         .retryable = true,
                         .reason = "DOWN",
                         .message = "try later"};
  psp_log_line line;
  assert_true(psp_log_begin(&line, &logger, PSPROBE_LOG_ERROR, "failed"));
  psp_log_error(&line, &error);
  psp_log_end(&line);
  assert_string_equal(last.text,
                      "level=error event=failed code=UNAVAILABLE http=503 "
                      "retryable=yes reason=DOWN error=\"try later\"");
}

static void test_nobody_listens(void **state) {
  (void)state;
  seen last = {0};
  psprobe_logger quiet = {.sink = remember, .arg = &last, .level = PSPROBE_LOG_WARNING};
  psprobe_logger silent = {0};
  psp_log_line line;
  assert_false(psp_log_begin(&line, NULL, PSPROBE_LOG_ERROR, "x"));
  assert_false(psp_log_begin(&line, &silent, PSPROBE_LOG_ERROR, "x"));
  assert_false(psp_log_begin(&line, &quiet, PSPROBE_LOG_INFO, "x"));
  assert_true(psp_log_begin(&line, &quiet, PSPROBE_LOG_WARNING, "x"));
}

/* A line that is full stays one line of valid UTF-8 with its quotes closed. */
static void test_full_line(void **state) {
  (void)state;
  seen last = {0};
  psprobe_logger logger = {.sink = remember, .arg = &last, .level = PSPROBE_LOG_DEBUG};
  char plain[2000], wide[2000] = "";
  memset(plain, 'p', sizeof plain - 1);
  plain[sizeof plain - 1] = '\0';
  for (size_t at = 0; at + 4 < sizeof wide; at += 4)
    memcpy(wide + at, "😀", 5);
  for (int shift = 0; shift < 5; shift++) {
    const char *const values[] = {plain, wide};
    for (size_t i = 0; i < 2; i++) {
      psp_log_line line;
      assert_true(psp_log_begin(&line, &logger, PSPROBE_LOG_DEBUG, "big"));
      psp_log_text(&line, "shift", plain + sizeof plain - 1 - shift);
      psp_log_text(&line, "value", values[i]);
      psp_log_text(&line, "after", "x");
      psp_log_end(&line);
      size_t len = strlen(last.text);
      assert_true(len < sizeof line.text && len > sizeof line.text - 20);
      assert_true(psp_text_ends(last.text, "…\""));
      assert_true(psp_utf8_valid(last.text, len));
    }
  }
}

static void test_levels(void **state) {
  (void)state;
  psprobe_log_level level = PSPROBE_LOG_WARNING;
  assert_int_equal(psprobe_log_level_parse("debug", &level), 0);
  assert_int_equal(level, PSPROBE_LOG_DEBUG);
  assert_int_equal(psprobe_log_level_parse("error", &level), 0);
  assert_int_equal(level, PSPROBE_LOG_ERROR);
  assert_int_equal(psprobe_log_level_parse("Info", &level), -1);
  assert_int_equal(psprobe_log_level_parse("", &level), -1);
  assert_int_equal(psprobe_log_level_parse(NULL, &level), -1);
  assert_int_equal(level, PSPROBE_LOG_ERROR);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_line),           cmocka_unit_test(test_error),
      cmocka_unit_test(test_nobody_listens), cmocka_unit_test(test_full_line),
      cmocka_unit_test(test_levels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
