/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "fake_client.h"
#include "firestore/get_many.h"
#include "values.h"

#define ROOT        FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents"
#define NAME        "projects/" FAKE_PROJECT "/databases/(default)/documents/"
#define FOUND(id)   "{\"found\":{\"name\":\"" NAME "c/" id "\",\"fields\":{}}}"
#define MISSING(id) "{\"missing\":\"" NAME "c/" id "\"}"
#define LATER       "{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}"

static const char *const paths[] = {"c/x", "c/b", "c/a", "c/b"};

static int set_up(void **state) {
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

static fake_call *expect(fake_client *f, const char *answer) {
  fake_call *call = fake_expect(f->fake, "POST", ROOT ":batchGet");
  fake_reply(call, 200, NULL, answer);
  return call;
}

/* "0-1+" : the first path's document is missing, the second's is there. */
static bool note(void *arg, size_t index, const psprobe_document *document) {
  char *seen = arg;
  sprintf(seen + strlen(seen), "%zu%c", index, document != NULL ? '+' : '-');
  return index != 9;
}

static void each_path_is_told_once(void **state) {
  fake_client *f = *state;
  char seen[64] = "";
  psprobe_error error = {0};
  static const char *const mask[] = {"n"};
  psprobe_read read = {.mask = mask, .mask_count = 1, .read_time = {1704164645, 5000}};
  fake_call *call =
      expect(f, "[{\"transaction\":\"AA==\"}," FOUND("b") "," MISSING("x") "," FOUND("a") "]");
  test_ok(psprobe_document_get_many(f->client, paths, 4, &read, note, seen, &error), &error);
  assert_string_equal(seen, "1+3+0-2+");
  assert_string_equal(fake_request(call, 0)->body,
                      "{\"documents\":[\"" NAME "c/a\",\"" NAME "c/b\",\"" NAME
                      "c/x\"],"
                      "\"mask\":{\"fieldPaths\":[\"n\"]},"
                      "\"readTime\":\"2024-01-02T03:04:05.000005Z\"}");
  test_ok(psprobe_document_get_many(f->client, paths, 0, NULL, note, seen, &error), &error);
}

/* What broke off is asked for again, without what came already. */
static void goes_on_with_the_rest(void **state) {
  fake_client *f = *state;
  char seen[64] = "";
  psprobe_error error = {0};
  expect(f, "[" FOUND("b") "," LATER "]");
  fake_call *rest = expect(f, "[" FOUND("a") "," MISSING("x") "]");
  test_ok(psprobe_document_get_many(f->client, paths, 4, NULL, note, seen, &error), &error);
  assert_string_equal(seen, "1+3+2+0-");
  assert_string_equal(fake_request(rest, 0)->body,
                      "{\"documents\":[\"" NAME "c/a\",\"" NAME "c/x\"]}");
  expect(f, "[" LATER "]");
  test_code(psprobe_document_get_many(f->client, paths, 4, NULL, note, seen, &error),
            PSPROBE_UNAVAILABLE, &error);
}

static void refuses_other_answers(void **state) {
  fake_client *f = *state;
  static const struct {
    const char *answer, *rule;
  } cases[] = {
      {"[]", "it tells nothing of 4 documents"},
      {"[" FOUND("a") "]", "it tells nothing of 3 documents"},
      {"[" FOUND("a") "," FOUND("a") "]", "c/a, which was not asked for"},
      {"[" FOUND("y") "]", "c/y, which was not asked for"},
      {"[{\"missing\":5}]", "a missing one without a name"},
      {"[{\"found\":{}}]", "a document without a name"},
      {"[5]", "no object"},
      {"[" FOUND("a"), "ends in its middle"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char seen[64] = "";
    psprobe_error error = {0};
    expect(f, cases[i].answer);
    test_code(psprobe_document_get_many(f->client, paths, 4, NULL, note, seen, &error),
              PSPROBE_INTERNAL, &error);
    if (strstr(error.message, cases[i].rule) == NULL) fail_msg("%s", error.message);
  }
}

static void refuses_what_is_no_path(void **state) {
  fake_client *f = *state;
  static const char *const bad[] = {"c/a", "c"}, *const bad_mask[] = {"a-b"};
  psprobe_read read = {.mask = bad_mask, .mask_count = 1};
  psprobe_error error = {0};
  test_code(psprobe_document_get_many(f->client, bad, 2, NULL, note, NULL, &error),
            PSPROBE_INVALID_ARGUMENT, &error);
  assert_non_null(strstr(error.message, "get 2 documents: document path \"c\""));
  test_code(psprobe_document_get_many(f->client, paths, 2, &read, note, NULL, &error),
            PSPROBE_INVALID_ARGUMENT, &error);
}

/* More names than a request may hold are not sent. */
static void keeps_to_the_size_of_a_request(void **state) {
  fake_client *f = *state;
  enum { MANY = 7000 };
  static char names[MANY][1520];
  static const char *list[MANY];
  psprobe_error error = {0};
  for (int i = 0; i < MANY; i++) {
    sprintf(names[i], "c/%06d", i);
    memset(names[i] + 8, 'x', 1490);
    list[i] = names[i];
  }
  test_code(psprobe_document_get_many(f->client, list, MANY, NULL, note, NULL, &error),
            PSPROBE_INVALID_ARGUMENT, &error);
  assert_non_null(strstr(error.message, "and the service takes 10 MiB: send fewer at a time"));
}

/* A single document with a mask or a time goes the same way. */
static void gets_one_as_it_was(void **state) {
  fake_client *f = *state;
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  static const char *const none;
  psprobe_read names_alone = {.mask = &none};
  fake_call *call = expect(f, "[" FOUND("a") "]");
  test_ok(psprobe_document_get(f->client, "c/a", &names_alone, &document, &error), &error);
  assert_string_equal(psprobe_document_name(document), NAME "c/a");
  psprobe_document_free(document);
  assert_non_null(strstr(fake_request(call, 0)->body, "\"mask\":{\"fieldPaths\":[]}"));
  expect(f, "[" MISSING("a") "]");
  test_code(psprobe_document_get(f->client, "c/a", &names_alone, NULL, &error), PSPROBE_NOT_FOUND,
            &error);
  assert_string_equal(error.message, "get document c/a: there is none");
}

/* When they were last changed: one attempt, which can be called off. */
static void tells_when_they_were_changed(void **state) {
  fake_client *f = *state;
  psprobe_timestamp times[4] = {{9, 9}, {9, 9}, {9, 9}, {9, 9}};
  psprobe_error error = {0};
  psp_stopper stopper;
  psp_stopper_init(&stopper);
  fake_call *call = expect(
      f, "[{\"found\":{\"name\":\"" NAME
         "c/b\",\"updateTime\":\"2024-01-02T03:04:05.000005Z\"}}," MISSING("x") "," FOUND("a") "]");
  test_ok(psp_document_times(f->client, paths, 4, 1000000000, &stopper, times, &error), &error);
  assert_non_null(strstr(fake_request(call, 0)->body, "\"mask\":{\"fieldPaths\":[]}"));
  assert_true(times[0].seconds == 0 && times[0].nanos == 0);
  assert_true(times[1].seconds == 1704164645 && times[1].nanos == 5000);
  assert_memory_equal(&times[1], &times[3], sizeof times[1]);
  fake_reply(fake_expect(f->fake, "POST", ROOT ":batchGet"), 503, NULL, ""); /* once */
  test_code(psp_document_times(f->client, paths, 4, 1000000000, &stopper, times, &error),
            PSPROBE_UNAVAILABLE, &error);
  psp_stopper_stop(&stopper);
  fake_expect(f->fake, "POST", ROOT ":batchGet"); /* and is never answered */
  test_code(psp_document_times(f->client, paths, 4, 1000000000, &stopper, times, &error),
            PSPROBE_CANCELLED, &error);
  psp_stopper_destroy(&stopper);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(each_path_is_told_once, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(goes_on_with_the_rest, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(refuses_other_answers, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(refuses_what_is_no_path, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(keeps_to_the_size_of_a_request, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(gets_one_as_it_was, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(tells_when_they_were_changed, set_up, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
