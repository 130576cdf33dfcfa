/* SPDX-License-Identifier: MIT */
#include "auth/sources/claims.h"

#include <stddef.h>

#include "base/json.h"

static void put(psp_json_writer *w, const char *name, const char *value) {
  if (value == NULL) return;
  psp_json_put_key(w, name);
  psp_json_put_string(w, value);
}

static void put_times(psp_json_writer *w, int64_t now_s) {
  psp_json_put_key(w, "iat");
  psp_json_put_int64(w, now_s);
  psp_json_put_key(w, "exp");
  psp_json_put_int64(w, now_s + PSP_JWT_LIFE_S);
}

void psp_claims_self_signed(psp_buf *json, const char *email, const char *audience,
                            const char *scope, int64_t now_s) {
  psp_json_writer w = {.buf = json};
  psp_json_begin_object(&w);
  put(&w, "iss", email);
  put(&w, "sub", email);
  put(&w, "aud", audience);
  put(&w, "scope", scope);
  put_times(&w, now_s);
  psp_json_end_object(&w);
}

void psp_claims_exchange(psp_buf *json, const char *email, const char *audience, const char *scope,
                         const char *target_audience, int64_t now_s) {
  psp_json_writer w = {.buf = json};
  psp_json_begin_object(&w);
  put(&w, "iss", email);
  put(&w, "aud", audience);
  if (target_audience == NULL) put(&w, "scope", scope);
  put(&w, "target_audience", target_audience);
  put_times(&w, now_s);
  psp_json_end_object(&w);
}
