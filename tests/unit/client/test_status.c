/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/call.h"
#include "http/client/date.h"

static psprobe_error parse(int status, const char *body, int64_t retry_after) {
  psprobe_error error;
  memset(&error, 0xee, sizeof error);
  psprobe_code code = psp_status_parse(status, body, strlen(body), retry_after, "get x", &error);
  assert_int_equal(code, error.code);
  assert_int_equal(error.http_status, status);
  assert_non_null(memchr(error.message, 0, sizeof error.message));
  assert_non_null(memchr(error.reason, 0, sizeof error.reason));
  return error;
}

static const struct {
  int status;
  const char *body;
  psprobe_code code;
  bool retryable;
  const char *message;
} cases[] = {
    {404, "{\"error\":{\"code\":404,\"message\":\"Topic not found\",\"status\":\"NOT_FOUND\"}}",
     PSPROBE_NOT_FOUND, false, "get x: NOT_FOUND (HTTP 404): Topic not found"},
    /* The status decides, not the HTTP code: 409 is two things. */
    {409, "{\"error\":{\"code\":409,\"message\":\"m\",\"status\":\"ALREADY_EXISTS\"}}",
     PSPROBE_ALREADY_EXISTS, false, "get x: ALREADY_EXISTS (HTTP 409): m"},
    {409, "{\"error\":{\"code\":409,\"message\":\"m\",\"status\":\"ABORTED\"}}", PSPROBE_ABORTED,
     true, "get x: ABORTED (HTTP 409): m"},
    /* Without a message, without a status, with a status of tomorrow. */
    {500, "{\"error\":{\"code\":500,\"status\":\"UNKNOWN\"}}", PSPROBE_UNKNOWN, false,
     "get x: UNKNOWN (HTTP 500)"},
    {403, "{\"error\":{\"code\":403,\"message\":\"no\"}}", PSPROBE_PERMISSION_DENIED, false,
     "get x: PERMISSION_DENIED (HTTP 403): no"},
    {503, "{\"error\":{\"status\":\"OVERLOADED\",\"message\":\"m\"}}", PSPROBE_UNAVAILABLE, true,
     "get x: UNAVAILABLE (HTTP 503): m"},
    {503, "{\"error\":{\"status\":\"OK\"}}", PSPROBE_UNAVAILABLE, true,
     "get x: UNAVAILABLE (HTTP 503)"},
    /* The first item of an array, as the streaming methods answer. */
    {400, "[{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"FAILED_PRECONDITION\"}}]",
     PSPROBE_FAILED_PRECONDITION, false, "get x: FAILED_PRECONDITION (HTTP 400): m"},
    /* No JSON of the API's. */
    {404, "Not Found\n", PSPROBE_NOT_FOUND, false, "get x: NOT_FOUND (HTTP 404): Not Found"},
    {502, "<!DOCTYPE html><title>502</title>", PSPROBE_UNAVAILABLE, true,
     "get x: UNAVAILABLE (HTTP 502), an HTML or XML page, not an answer of the API"},
    {413, "", PSPROBE_INVALID_ARGUMENT, false,
     "get x: INVALID_ARGUMENT (HTTP 413): the request is too large"},
    {429, "", PSPROBE_RESOURCE_EXHAUSTED, true,
     "get x: RESOURCE_EXHAUSTED (HTTP 429), an answer without a body"},
    {503, " \r\n\t", PSPROBE_UNAVAILABLE, true,
     "get x: UNAVAILABLE (HTTP 503), an answer without a body"},
    {504, "upstream timed out", PSPROBE_DEADLINE_EXCEEDED, true,
     "get x: DEADLINE_EXCEEDED (HTTP 504): upstream timed out"},
    {400, "{\"error\":\"invalid_request\"}", PSPROBE_INVALID_ARGUMENT, false,
     "get x: INVALID_ARGUMENT (HTTP 400), JSON that is no error of the API"},
    {400, "{\"error\":{\"message\":\"cut", PSPROBE_INVALID_ARGUMENT, false,
     "get x: INVALID_ARGUMENT (HTTP 400), JSON that is no error of the API"},
    {400, "[]", PSPROBE_INVALID_ARGUMENT, false,
     "get x: INVALID_ARGUMENT (HTTP 400), JSON that is no error of the API"},
    {302, "", PSPROBE_UNKNOWN, false, "get x: UNKNOWN (HTTP 302), an answer without a body"},
};

static void test_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = parse(cases[i].status, cases[i].body, 0);
    assert_string_equal(error.message, cases[i].message);
    assert_int_equal(error.code, cases[i].code);
    assert_int_equal(error.retryable, cases[i].retryable);
    assert_int_equal(error.retry_after_ns, 0);
    assert_string_equal(error.reason, "");
  }
}

/* What a proxy or some other server says in the service's place is not its word. */
static void test_whose_word(void **state) {
  (void)state;
  static const struct {
    const char *body;
    bool from_service;
  } words[] = {
      {"{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\"}}", true},
      {"[{\"error\":{\"code\":400}}]", true},
      {"{\"error\":{}}", false},
      {"{\"error\":\"invalid_request\"}", false},
      {"{\"error\":{\"message\":\"cut", false},
      {"<html><h1>400</h1></html>", false},
      {"Bad Request", false},
      {"", false},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (parse(400, words[i].body, 0).from_service != words[i].from_service)
      fail_msg("%s", words[i].body);
}

static void test_details(void **state) {
  (void)state;
  static const char body[] =
      "{\"error\":{\"code\":429,\"message\":\"quota\",\"status\":\"RESOURCE_EXHAUSTED\","
      "\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.Help\"},7,null,"
      "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"RATE_LIMIT_EXCEEDED\","
      "\"domain\":\"googleapis.com\"},"
      "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.250s\"}]}}";
  psprobe_error error = parse(429, body, 0);
  assert_string_equal(error.reason, "RATE_LIMIT_EXCEEDED");
  assert_int_equal(error.retry_after_ns, 1250000000);
  assert_true(error.retryable);
  /* The header and the body both ask for a wait: the longer one. */
  assert_int_equal(parse(429, body, 2000000000).retry_after_ns, 2000000000);
  assert_int_equal(parse(429, body, 1000).retry_after_ns, 1250000000);
}

static void test_broken_delay(void **state) {
  (void)state;
  static const char *const delays[] = {"\"1\"", "\"-1s\"", "\"s\"", "1", "\"1.5\"", "null"};
  for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"error\":{\"status\":\"UNAVAILABLE\",\"details\":[{\"@type\":"
             "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":%s}]}}",
             delays[i]);
    assert_int_equal(parse(503, body, 0).retry_after_ns, 0);
  }
}

static void test_long_delay(void **state) {
  (void)state;
  static const char *const delays[] = {"60s", "7200s", "60.5s", "99999999999999s",
                                       "99999999999999999999999999999s"};
  for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"error\":{\"status\":\"UNAVAILABLE\",\"details\":[{\"@type\":"
             "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"%s\"}]}}",
             delays[i]);
    assert_int_equal(parse(503, body, 0).retry_after_ns, PSP_RETRY_AFTER_MOST_NS);
  }
}

static void test_hostile(void **state) {
  (void)state;
  char body[2048] = "{\"error\":{\"status\":\"NOT_FOUND\",\"message\":\"line\\nbreak %s%n ";
  size_t len = strlen(body);
  memset(body + len, 'x', 1500);
  strcpy(body + len + 1500, "\",\"details\":[{\"@type\":\"a/google.rpc.ErrorInfo\",\"reason\":\"");
  len = strlen(body);
  memset(body + len, 'R', 200);
  strcpy(body + len + 200, "\"}]}}");
  psprobe_error error = parse(404, body, 0);
  assert_null(strchr(error.message, '\n'));
  assert_int_equal(strlen(error.reason), sizeof error.reason - 1);
  /* Without an error to fill in. */
  assert_int_equal(psp_status_parse(404, "", 0, 0, "x", NULL), PSPROBE_NOT_FOUND);
}

/* Bodies as Google's emulators sent them. */
static void test_captured(void **state) {
  (void)state;
  static const struct {
    const char *file;
    int status;
    psprobe_code code;
  } files[] = {
      {"tests/data/pubsub/error-400-bad-name.json", 400, PSPROBE_INVALID_ARGUMENT},
      {"tests/data/pubsub/error-400-empty-message.json", 400, PSPROBE_INVALID_ARGUMENT},
      {"tests/data/pubsub/error-400-malformed.json", 400, PSPROBE_INVALID_ARGUMENT},
      {"tests/data/pubsub/error-400-out-of-range.json", 400, PSPROBE_OUT_OF_RANGE},
      {"tests/data/pubsub/error-404-topic.json", 404, PSPROBE_NOT_FOUND},
      {"tests/data/pubsub/error-409-topic-exists.json", 409, PSPROBE_ALREADY_EXISTS},
      {"tests/data/pubsub/not-found-plain.txt", 404, PSPROBE_NOT_FOUND},
      {"tests/data/firestore/error-400-update-time.json", 400, PSPROBE_FAILED_PRECONDITION},
      {"tests/data/firestore/error-404-commit-missing.json", 404, PSPROBE_NOT_FOUND},
      {"tests/data/firestore/error-404-document.json", 404, PSPROBE_NOT_FOUND},
      {"tests/data/firestore/error-409-commit-exists.json", 409, PSPROBE_ALREADY_EXISTS},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    FILE *file = fopen(files[i].file, "rb");
    if (file == NULL) fail_msg("%s is missing", files[i].file);
    char body[4096];
    size_t len = fread(body, 1, sizeof body - 1, file);
    body[len] = 0;
    fclose(file);
    psprobe_error error = parse(files[i].status, body, 0);
    assert_int_equal(error.code, files[i].code);
    assert_true(strlen(error.message) > strlen("get x: NOT_FOUND (HTTP 404): "));
  }
}

/* A token that a server repeats is not shown; a resource's long name is. */
static void test_no_token_is_shown(void **state) {
  (void)state;
#define PART "abcdefghij-klmnopqrst_uvwxyz.0123456789~"
#define NAME "projects/my-project-of-some-length/databases/(default)/documents/pubsub_results/x"
  psprobe_error error =
      parse(401, "{\"error\":{\"message\":\"Bearer " PART PART " is not for " NAME "\"}}", 0);
  assert_string_equal(error.message,
                      "get x: UNAUTHENTICATED (HTTP 401): Bearer ? is not for " NAME);
  error = parse(401, "refused: " PART PART PART PART PART, 0);
  assert_string_equal(error.message, "get x: UNAUTHENTICATED (HTTP 401): refused: ?");
  /* Nor is the beginning of one that goes on where what is shown ends. */
#define FORTY "no, not with this, not with that either "
  error = parse(401, FORTY FORTY FORTY PART PART PART, 0);
  assert_string_equal(error.message, "get x: UNAUTHENTICATED (HTTP 401): " FORTY FORTY FORTY "?");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),      cmocka_unit_test(test_whose_word),
      cmocka_unit_test(test_details),    cmocka_unit_test(test_broken_delay),
      cmocka_unit_test(test_long_delay), cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_captured),   cmocka_unit_test(test_no_token_is_shown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
