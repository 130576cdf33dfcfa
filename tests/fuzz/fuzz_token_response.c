/* SPDX-License-Identifier: MIT */
/** @file What token endpoints, subject files and executables answer. */
#include <string.h>

#include "auth/sources/oauth.h"
#include "auth/sources/subject.h"
#include "auth/verify/jwks.h"
#include "fuzz.h"

#define NOW INT64_C(1795556815)

/* What was taken for a token can stand in a header, and lives for a while that can be. */
static void check(psprobe_code code, const psp_secret *token, int64_t life_s,
                  const psprobe_error *error) {
  if (code == PSPROBE_OK) {
    FUZZ_ASSERT(psp_oauth_token_is_clean(token->data, token->len));
    FUZZ_ASSERT(life_s >= 1 && life_s <= PSP_TOKEN_LIFE_MAX_S);
  } else {
    FUZZ_ASSERT(error->code == code && error->message[0] != 0);
    for (const char *c = error->message; *c != 0; c++)
      FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int statuses[] = {200, 200, 200, 200, 400, 401, 403, 404, 500, 503, 302, 204};
  if (size == 0) return 0;
  /* The first byte chooses status and clock; the rest is the body. */
  psp_answer answer = {.status = statuses[data[0] % 12], .html = (data[0] & 16) != 0};
  if ((data[0] & 32) != 0) answer.date_s = NOW + 7200;
  data++;
  size--;
  psp_secret_add(&answer.body, data, size);
  for (int kind = 0; kind < 4; kind++) {
    psp_secret token = {0};
    int64_t life_s = 0;
    psprobe_error error;
    psprobe_error_clear(&error);
    psprobe_code code =
        kind == 0   ? psp_oauth_access_token(&answer, NOW, "fuzz", &token, &life_s, &error)
        : kind == 1 ? psp_oauth_id_token(&answer, NOW, "id_token", "fuzz", &token, &life_s, &error)
        : kind == 2 ? psp_oauth_bare_id_token(&answer, NOW, "fuzz", &token, &life_s, &error)
                    : psp_oauth_impersonated(&answer, NOW, "fuzz", &token, &life_s, &error);
    check(code, &token, life_s, &error);
    psp_secret_free(&token);
  }
  psp_secret token = {0};
  psp_executable_read((const char *)data, size, NOW, size % 2 != 0, "fuzz", &token, NULL);
  psp_secret_reset(&token);
  psp_subject_read((const char *)data, size, size % 2 != 0 ? "id_token" : NULL, "fuzz", &token,
                   NULL);
  psp_secret_free(&token);
  int64_t fresh_s = psp_jwks_fresh_s(answer.body.data, answer.body.data);
  FUZZ_ASSERT(fresh_s >= 60 && fresh_s <= 86400);
  psp_answer_free(&answer);
  return 0;
}
