/* SPDX-License-Identifier: MIT */
#include "auth/sources/claims.h"

#include <stddef.h>

#include "base/json.h"

static void put_times(psp_json_writer *w, int64_t now_s) {
  psp_json_put_int64_member(w, "iat", now_s);
  psp_json_put_int64_member(w, "exp", now_s + PSP_JWT_LIFE_S);
}

void psp_claims_self_signed(psp_buf *json, const char *email, const char *audience,
                            const char *scope, int64_t now_s) {
  psp_json_writer w = {.buf = json};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "iss", email);
  psp_json_put_member(&w, "sub", email);
  psp_json_put_member(&w, "aud", audience);
  psp_json_put_member(&w, "scope", scope);
  put_times(&w, now_s);
  psp_json_end_object(&w);
}

void psp_claims_exchange(psp_buf *json, const char *email, const char *audience, const char *scope,
                         const char *target_audience, int64_t now_s) {
  psp_json_writer w = {.buf = json};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "iss", email);
  psp_json_put_member(&w, "aud", audience);
  if (target_audience == NULL) psp_json_put_member(&w, "scope", scope);
  psp_json_put_member(&w, "target_audience", target_audience);
  put_times(&w, now_s);
  psp_json_end_object(&w);
}
