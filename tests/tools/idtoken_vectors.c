/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Runs ID tokens with known outcomes through the verifier: idtoken_vectors JWKS.json CASES.json
 *
 * CASES is a list of {"name","token","audience","emails","now","expect","why"}. One line a case;
 * exit status 1 when any comes to something else than it should, 2 when the files cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verify/idtoken.h"
#include "base/buf.h"
#include "base/json.h"
#include "files.h"

#define MAX_EMAILS 16

/* 0: as it should be, 1: not. */
static int run_case(const psp_json *test, psp_jwks *keys) {
  const char *name = psp_json_string(psp_json_get(test, "name"));
  const char *expect = psp_json_string(psp_json_get(test, "expect"));
  psp_buf token = {0};
  const char *emails[MAX_EMAILS];
  psp_idtoken_rules rules = {.audience = psp_json_string(psp_json_get(test, "audience")),
                             .emails = emails,
                             .leeway_s = 60};
  int64_t now_s = 0;
  bool whole = name != NULL && expect != NULL && rules.audience != NULL &&
               psp_json_text(psp_json_get(test, "token"), &token) &&
               psp_json_int64(psp_json_get(test, "now"), &now_s);
  const psp_json *list = psp_json_get(test, "emails");
  for (const psp_json *e = psp_json_first(list); e != NULL && whole; e = psp_json_next(e)) {
    whole = rules.email_count < MAX_EMAILS && psp_json_is_string(e);
    if (whole) emails[rules.email_count++] = psp_json_string(e);
  }
  if (!whole) {
    printf("BROKEN   %s: a field is missing\n", name != NULL ? name : "(no name)");
    psp_buf_free(&token);
    return 1;
  }
  /* In a block of its own size, so that a sanitizer sees a byte read too far. */
  char *exact = malloc(token.len + (token.len == 0));
  if (token.len > 0) memcpy(exact, token.data, token.len);
  psp_idtoken_verdict verdict = psp_idtoken_check(exact, token.len, keys, &rules, now_s, NULL);
  bool accepted = verdict == PSP_IDTOKEN_GOOD;
  bool right = strcmp(expect, accepted ? "accept" : "refuse") == 0;
  printf("%s %s %s: %s\n", right ? "ok      " : "MISMATCH", accepted ? "accepted" : "refused ",
         name, psp_idtoken_reason(verdict));
  free(exact);
  psp_buf_free(&token);
  return right ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s JWKS.json CASES.json\n", argv[0]);
    return 2;
  }
  psp_buf key_text = {0}, case_text = {0};
  for (int i = 0; i < 2; i++) {
    if (!test_read_file(argv[1 + i], i == 0 ? &key_text : &case_text)) {
      fprintf(stderr, "%s: cannot be read\n", argv[1 + i]);
      return 2;
    }
  }
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_jwks *keys = NULL;
  psp_json *cases = NULL;
  if (psp_jwks_parse(key_text.data, key_text.len, &keys, &error) != PSPROBE_OK ||
      psp_json_parse(case_text.data, case_text.len, argv[2], &cases, &error) != PSPROBE_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 2;
  }
  unsigned total = 0, wrong = 0;
  for (const psp_json *test = psp_json_first(cases); test != NULL; test = psp_json_next(test)) {
    total++;
    wrong += (unsigned)run_case(test, keys);
  }
  printf("%u cases, %u as they should be, %u not\n", total, total - wrong, wrong);
  psp_json_free(cases);
  psp_jwks_unref(keys);
  psp_buf_free(&key_text);
  psp_buf_free(&case_text);
  return wrong > 0 || total == 0 ? 1 : 0;
}
