/* SPDX-License-Identifier: MIT */
/** @file Memory that runs out while findings are made and shown: told, and nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/parts.h"
#include "failing_malloc.h"

static bool find_things(void *arg) {
  (void)arg;
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  if (found == NULL) return false;
  psp_doctor d = {.found = found};
  for (int i = 0; i < 100; i++) {
    psp_doctor_mend(&d, "mend %d", i);
    psp_doctor_found(&d, PSPROBE_DOCTOR_FAILED, "topic", "projects/p/topics/t", "number %d", i);
  }
  for (size_t i = 0; i < d.mend_count; i++)
    free(d.mend[i]);
  assert_true(d.failed || found->count == 100);
  psprobe_diagnosis_free(found);
  return !d.failed;
}

static void test_findings(void **state) {
  (void)state;
  assert_true(failing_each(find_things, NULL) > 100);
}

static bool show_json(void *arg) {
  char *text = psprobe_diagnosis_json(arg);
  bool good = text != NULL;
  free(text);
  return good;
}

static bool show_line(void *arg) {
  (void)arg;
  static const char *const mend[] = {"chmod 600 key.json"};
  psprobe_finding finding = {
      .check = "topic", .text = "a text", .mend = mend, .mend_count = 1, .resource = NULL};
  char *text = psprobe_finding_text(&finding, true);
  bool good = text != NULL;
  free(text);
  return good;
}

static void test_texts(void **state) {
  (void)state;
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  psp_doctor d = {.found = found};
  for (int i = 0; i < 100; i++)
    psp_doctor_found(&d, PSPROBE_DOCTOR_OK, "topic", NULL, "a text that takes some room: %d", i);
  assert_true(failing_each(show_json, found) > 1);
  assert_true(failing_each(show_line, NULL) > 0);
  psprobe_diagnosis_free(found);
}

/* A word that cannot be written is no word: half a command would be another one. */
static bool quote(void *arg) {
  psp_word word;
  psp_word_of(&word, arg);
  assert_true(word.text[0] == 0 || strcmp(word.text, "'a b'") == 0);
  return word.text[0] != 0;
}

static void test_words(void **state) {
  (void)state;
  assert_true(failing_each(quote, (char[]){"a b"}) > 0);
}

static bool ask_and_read(void *arg) {
  (void)arg;
  static const char answer[] = "{\"permissions\":[\"a\"]}";
  psp_permissions may = {.names = {"a", "b"}, .count = 2};
  psp_buf body = {0};
  psp_permissions_body(&may, &body);
  bool good = !body.failed;
  psp_buf_free(&body);
  psprobe_error error = {0};
  psprobe_code code = psp_permissions_read(&may, answer, strlen(answer), &error);
  assert_true(code == PSPROBE_OK || code == PSPROBE_RESOURCE_EXHAUSTED);
  return good && code == PSPROBE_OK;
}

static void test_permissions(void **state) {
  (void)state;
  assert_true(failing_each(ask_and_read, NULL) > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_findings),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_words),
      cmocka_unit_test(test_permissions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
