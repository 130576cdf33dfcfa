/* SPDX-License-Identifier: MIT */
/** @file Reading the token of an external account's subject, from a file, a URL or a command. */
#include <string.h>

#include "auth/sources/subject.h"
#include "base/error.h"
#include "base/json_view.h"

psprobe_code psp_subject_read(const char *text, size_t len, const char *json_field,
                              const char *what, psp_secret *token, psprobe_error *error) {
  psp_view object;
  const char *why;
  if (json_field == NULL) {
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL && text[len - 1] != 0)
      len--;
    psp_secret_add(token, text, len);
  } else if (!psp_view_object(text, len, &object, &why)) {
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: no proper JSON: %s", what, why);
  } else if (!psp_view_secret(psp_view_get(object, json_field), token)) {
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: it has no field %.60s", what, json_field);
  }
  if (token->failed) return psp_fail_memory(error, what);
  if (token->len == 0) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: it is empty", what);
  return PSPROBE_OK;
}

/* {"success":false,"code":…,"message":…}: both must be there. */
static psp_executable_verdict read_failure(psp_view answer, const char *what,
                                           psprobe_error *error) {
  char code[64], message[200];
  if (!psp_view_string(psp_view_get(answer, "code"), code, sizeof code) ||
      !psp_view_string(psp_view_get(answer, "message"), message, sizeof message)) {
    psp_fail(error, PSPROBE_UNAUTHENTICATED, "%s: it failed, and does not say why", what);
    return PSP_EXECUTABLE_BROKEN;
  }
  psp_fail(error, PSPROBE_UNAUTHENTICATED, "%s: it failed: %s: %s", what, code, message);
  return PSP_EXECUTABLE_FAILED;
}

static psp_executable_verdict broken(const char *what, const char *why, psprobe_error *error) {
  psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: its answer %s", what, why);
  return PSP_EXECUTABLE_BROKEN;
}

static psp_executable_verdict read_success(psp_view answer, int64_t now_s, bool need_expiry,
                                           const char *what, psp_secret *token,
                                           psprobe_error *error) {
  static const char prefix[] = "urn:ietf:params:oauth:token-type:";
  char type[64];
  if (!psp_view_string(psp_view_get(answer, "token_type"), type, sizeof type) ||
      strncmp(type, prefix, strlen(prefix)) != 0)
    return broken(what, "has no token_type in it", error);
  const char *kind = type + strlen(prefix);
  const char *field = strcmp(kind, "saml2") == 0                                  ? "saml_response"
                      : strcmp(kind, "id_token") == 0 || strcmp(kind, "jwt") == 0 ? "id_token"
                                                                                  : NULL;
  if (field == NULL) return broken(what, "has a token_type that is not supported", error);
  psp_view expires = psp_view_get(answer, "expiration_time");
  int64_t expires_s;
  if (expires.type == PSP_VIEW_NONE && need_expiry)
    return broken(what, "has no expiration_time, which it needs with an output_file", error);
  if (expires.type != PSP_VIEW_NONE) {
    if (!psp_view_int64(expires, &expires_s))
      return broken(what, "has an expiration_time that is no number", error);
    if (expires_s <= now_s) {
      psp_fail(error, PSPROBE_UNAUTHENTICATED, "%s: its token has expired", what);
      return PSP_EXECUTABLE_EXPIRED;
    }
  }
  psp_view value = psp_view_get(answer, field);
  if (psp_view_length(value) == 0) return broken(what, "has no token in it", error);
  psp_view_secret(value, token);
  if (!token->failed) return PSP_EXECUTABLE_TOKEN;
  psp_fail_memory(error, what);
  return PSP_EXECUTABLE_BROKEN;
}

psp_executable_verdict psp_executable_read(const char *text, size_t len, int64_t now_s,
                                           bool need_expiry, const char *what, psp_secret *token,
                                           psprobe_error *error) {
  psp_view answer;
  const char *why;
  int64_t version;
  if (!psp_view_object(text, len, &answer, &why))
    return broken(what, "is no proper JSON object", error);
  if (!psp_view_int64(psp_view_get(answer, "version"), &version) || version < 1)
    return broken(what, "has no version in it", error);
  if (version > 1) return broken(what, "is of a version that is not supported", error);
  switch (psp_view_get(answer, "success").type) {
    case PSP_VIEW_TRUE:
      return read_success(answer, now_s, need_expiry, what, token, error);
    case PSP_VIEW_FALSE:
      return read_failure(answer, what, error);
    default:
      return broken(what, "does not say success", error);
  }
}
