/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "results/columns/text.h"
#include "scratch.h"

/* More than a piece of a file, and characters of three bytes at every edge. */
#define CHARACTERS 100000
#define CHARACTER  "\xE6\x97\xA5"

static FILE *written(void **state, const char *text, size_t len) {
  FILE *file = fopen(scratch_file(state, "x"), "w+b");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, len, file), len);
  assert_int_equal(fflush(file), 0);
  assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
  return file;
}

static char *long_text(size_t *len) {
  char *text = malloc(CHARACTERS * 3 + 1);
  assert_non_null(text);
  for (size_t i = 0; i < CHARACTERS; i++)
    memcpy(text + i * 3, CHARACTER, 3);
  *len = CHARACTERS * 3;
  return text;
}

/* All that is left. False: it is not as it must be. */
static bool take_rest(psp_text *text, psp_buf *rest) {
  psp_buf_reset(rest);
  while (text->at < text->end || psp_text_more(text)) {
    psp_buf_add(rest, text->data + text->at, text->end - text->at);
    text->at = text->end;
  }
  return text->error.code == PSPROBE_OK;
}

/* Read twice from a file, and from a pipe that whoever writes fills meanwhile. */
static void expect_rest(psp_text *text, const char *want, size_t len) {
  psp_buf rest = {0};
  for (int i = 0; i < 2; i++) {
    assert_true(take_rest(text, &rest));
    assert_int_equal(rest.len, len);
    assert_memory_equal(rest.data, want, len);
    assert_int_equal(psp_text_rewind(text, NULL), PSPROBE_OK);
  }
  psp_buf_free(&rest);
}

static void test_as_often_as_wanted(void **state) {
  size_t len = 0;
  char *bytes = long_text(&len);
  FILE *file = written(state, bytes, len);
  psp_text text;
  assert_int_equal(psp_text_open(&text, "x", fileno(file), NULL), PSPROBE_OK);
  assert_int_equal(psp_text_keep(&text, NULL), PSPROBE_OK);
  expect_rest(&text, bytes, len);
  psp_text_close(&text);
  fclose(file);
  psp_text_of(&text, "x", bytes, len);
  expect_rest(&text, bytes, len);
  psp_text_close(&text);
  free(bytes);
}

static void test_a_pipe_is_kept(void **state) {
  size_t len = 0;
  char *bytes = long_text(&len), line[100];
  FILE *file = written(state, bytes, len);
  snprintf(line, sizeof line, "exec cat '%s'", scratch_file(state, "x"));
  FILE *pipe = popen(line, "r");
  assert_non_null(pipe);
  psp_text text;
  assert_int_equal(psp_text_open(&text, "x", fileno(pipe), NULL), PSPROBE_OK);
  assert_int_equal(psp_text_keep(&text, NULL), PSPROBE_OK);
  expect_rest(&text, bytes, len);
  psp_text_close(&text);
  assert_int_equal(pclose(pipe), 0);
  fclose(file);
  free(bytes);
}

static void test_lines(void **state) {
  static const char bytes[] = "\xEF\xBB\xBF\n one \r\n\ntwo";
  static const char *const lines[] = {"", " one \r", "", "two"};
  FILE *file = written(state, bytes, sizeof bytes - 1);
  psp_buf line = {0};
  psp_text text;
  assert_int_equal(psp_text_open(&text, "x", fileno(file), NULL), PSPROBE_OK);
  assert_int_equal(psp_text_first(&text), 'o');
  for (size_t i = 0; i < 4; i++) {
    assert_true(psp_text_line(&text, &line));
    assert_string_equal(line.data, lines[i]);
  }
  assert_false(psp_text_line(&text, &line));
  assert_int_equal(psp_text_failed(&text, NULL), PSPROBE_OK);
  psp_buf_free(&line);
  psp_text_close(&text);
  fclose(file);
}

/* A wrong byte far behind what was good, half a character at the end, and a line without an end. */
static void test_what_is_wrong_later(void **state) {
  static const struct {
    size_t at;
    char byte;
    const char *said;
  } cases[] = {{CHARACTERS * 3 - 4, '\xE9', "x: it is not UTF-8"},
               {CHARACTERS * 3 - 1, '\n', "x: it is not UTF-8"},
               {70000, '\xFF', "x: it is not UTF-8"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t len = 0;
    char *bytes = long_text(&len);
    psp_buf rest = {0};
    psprobe_error error = {0};
    psp_text text;
    bytes[cases[i].at] = cases[i].byte;
    FILE *file = written(state, bytes, len);
    assert_int_equal(psp_text_open(&text, "x", fileno(file), &error), PSPROBE_OK);
    assert_false(take_rest(&text, &rest));
    assert_int_equal(psp_text_failed(&text, &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, cases[i].said));
    psp_buf_free(&rest);
    psp_text_close(&text);
    fclose(file);
    free(bytes);
  }
}

static void test_an_endless_line(void **state) {
  char *bytes = calloc(1, PSP_TEXT_MOST + 2);
  psp_buf line = {0};
  psp_text text;
  psprobe_error error = {0};
  (void)state;
  assert_non_null(bytes);
  psp_text_of(&text, "x", bytes, PSP_TEXT_MOST + 2);
  assert_false(psp_text_line(&text, &line));
  assert_int_equal(psp_text_failed(&text, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "x: a line of more than 16 MiB");
  psp_buf_free(&line);
  free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_as_often_as_wanted),  TEST(test_a_pipe_is_kept),  TEST(test_lines),
      TEST(test_what_is_wrong_later), TEST(test_an_endless_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
