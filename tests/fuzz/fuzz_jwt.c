/* SPDX-License-Identifier: MIT */
/**
 * @file
 * ID tokens: the bytes as a token, as an Authorization header, and, so that what stands behind the
 * signature is reached too, as header and payload (parted by a zero byte) of a token whose
 * signature the platform removed. The strict reader is held against the library's other JSON
 * parser.
 */
#include <string.h>

#include "auth/verify/idtoken.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/json_view.h"
#include "base/text.h"
#include "fuzz.h"

#define NOW INT64_C(1800000000)

static const char *const emails[] = {"a@b", "pusher@my-project.iam.gserviceaccount.com"};

static psp_idtoken_verdict check(const char *token, size_t len, bool platform) {
  psp_idtoken_rules rules = {.audience = "https://me",
                             .emails = emails,
                             .email_count = 2,
                             .leeway_s = 60,
                             .platform_verified = platform};
  psp_idtoken_claims claims;
  psp_idtoken_verdict verdict = psp_idtoken_check(token, len, NULL, &rules, NOW, &claims);
  FUZZ_ASSERT(verdict < PSP_IDTOKEN_VERDICTS);
  FUZZ_ASSERT(memchr(claims.email, 0, sizeof claims.email) != NULL);
  return verdict;
}

/* What the strict reader takes, the other one takes as well, and sees the same in it. */
static void compare(const char *text, size_t len) {
  psp_view object, name, value;
  const char *why = NULL;
  if (!psp_view_object(text, len, &object, &why)) {
    FUZZ_ASSERT(why != NULL);
    return;
  }
  psp_json *json = NULL;
  FUZZ_ASSERT(psp_json_parse(text, len, "fuzz", &json, NULL) == PSPROBE_OK);
  size_t members = 0;
  for (psp_view_cursor c = {0}; psp_view_next_member(object, &c, &name, &value); members++) {
    char key[256], mine[256];
    if (!psp_view_string(name, key, sizeof key)) continue;
    const psp_json *other = psp_json_get(json, key);
    FUZZ_ASSERT(other != NULL);
    FUZZ_ASSERT((value.type == PSP_VIEW_STRING) == psp_json_is_string(other));
    FUZZ_ASSERT((value.type == PSP_VIEW_NUMBER) == psp_json_is_number(other));
    FUZZ_ASSERT((value.type == PSP_VIEW_OBJECT) == psp_json_is_object(other));
    FUZZ_ASSERT((value.type == PSP_VIEW_NULL) == psp_json_is_null(other));
    if (psp_view_string(value, mine, sizeof mine))
      FUZZ_ASSERT(strcmp(mine, psp_json_string(other)) == 0);
  }
  FUZZ_ASSERT(members == psp_json_count(json));
  psp_json_free(json);
}

static void as_parts(const char *text, size_t len) {
  static const char removed[] = ".SIGNATURE_REMOVED_BY_GOOGLE";
  const char *zero = memchr(text, 0, len);
  if (zero == NULL) return;
  psp_buf token = {0};
  psp_base64url_encode(&token, text, (size_t)(zero - text));
  psp_buf_char(&token, '.');
  psp_base64url_encode(&token, zero + 1, len - (size_t)(zero - text) - 1);
  psp_buf_text(&token, removed);
  if (!token.failed) {
    FUZZ_ASSERT(check(token.data, token.len, false) != PSP_IDTOKEN_GOOD);
    check(token.data, token.len, true);
  }
  psp_buf_free(&token);
  compare(text, (size_t)(zero - text));
  compare(zero + 1, len - (size_t)(zero - text) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  /* Without keys nothing is good. */
  FUZZ_ASSERT(check(text, size, false) != PSP_IDTOKEN_GOOD);
  as_parts(text, size);
  psp_buf header = {0};
  psp_buf_add(&header, text, size);
  psp_buf_char(&header, 0);
  size_t len;
  const char *token = header.failed ? NULL : psp_idtoken_bearer(header.data, &len);
  if (token != NULL) FUZZ_ASSERT(len > 0 && token + len <= header.data + header.len);
  psp_buf_free(&header);
  return 0;
}
