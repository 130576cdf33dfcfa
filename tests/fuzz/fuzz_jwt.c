/* SPDX-License-Identifier: MIT */
/**
 * @file
 * ID tokens: the bytes as a token, as an Authorization header, and, so that what stands behind the
 * signature is reached too, as header and payload (parted by a zero byte) of a token whose
 * signature the platform removed.
 */
#include <string.h>

#include "auth/verify/idtoken.h"
#include "base/buf.h"
#include "base64url.h"
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

static void as_parts(const char *text, size_t len) {
  static const char removed[] = ".SIGNATURE_REMOVED_BY_GOOGLE";
  const char *zero = memchr(text, 0, len);
  if (zero == NULL) return;
  psp_buf token = {0};
  test_base64url(&token, text, (size_t)(zero - text));
  psp_buf_char(&token, '.');
  test_base64url(&token, zero + 1, len - (size_t)(zero - text) - 1);
  psp_buf_text(&token, removed);
  if (!token.failed) {
    FUZZ_ASSERT(check(token.data, token.len, false) != PSP_IDTOKEN_GOOD);
    check(token.data, token.len, true);
  }
  psp_buf_free(&token);
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
