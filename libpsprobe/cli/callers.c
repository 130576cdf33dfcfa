/* SPDX-License-Identifier: MIT */
/** @file The options that say who may call a program. */
#include <string.h>

#include <psprobe/cli.h>

#include "auth/url.h"
#include "base/error.h"
#include "http/client/http.h"
#include "http/url.h"

psprobe_code psprobe_check_account(const char *text, psprobe_error *error) {
  const char *at = strchr(text, '@');
  if (at != NULL && at != text && at[1] != '\0' && strpbrk(text, " \t,\"<>") == NULL)
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "'%s' is no account's e-mail, such as NAME@PROJECT.iam.gserviceaccount.com",
                  text);
}

psprobe_code psprobe_check_prober_auth(const char *text, psprobe_error *error) {
  if (strcmp(text, "none") == 0 || strcmp(text, "oidc") == 0) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' is none of none, oidc", text);
}

psprobe_code psprobe_check_origin(const char *text, psprobe_error *error) {
  const char *why = NULL;
  if (!psp_http_url_check(text, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "'%s' is not a URL such as https://prober.example.com: %s", text, why);
  size_t len = psp_http_url_origin_len(text);
  if (text[len] == '\0') return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "'%s' has something after the host: tokens are made for %.*s", text, (int)len,
                  text);
}

int psprobe_cli_callers(const psprobe_program *program, const psprobe_callers *callers,
                        const char *account, const char *audience, const psprobe_logger *logger,
                        psprobe_verifier_options *verify) {
  char message[200];
  *verify = (psprobe_verifier_options){0};
  bool asked = callers->accounts.count > 0;
  if (!asked && callers->audience != NULL) {
    snprintf(message, sizeof message,
             "needs --%s too: an audience alone lets in every account that Google knows", account);
    return psprobe_cli_usage(program, audience, message);
  }
  if (asked && callers->audience == NULL) {
    snprintf(message, sizeof message,
             "needs --%s too: what the tokens must be made for, or one that was shown to anybody "
             "else would do",
             audience);
    return psprobe_cli_usage(program, account, message);
  }
  if (!asked && (callers->jwks != NULL || callers->platform_verified)) {
    snprintf(message, sizeof message, "is of no use without --%s: no tokens are asked for",
             account);
    return psprobe_cli_usage(program, callers->jwks != NULL ? "jwks" : "platform-verified",
                             message);
  }
  if (callers->jwks != NULL && !psp_url_is_safe(callers->jwks))
    return psprobe_cli_usage(program, "jwks",
                             "must be https (http is for this machine's loopback addresses only): "
                             "who can change the keys lets himself in");
  if (asked)
    *verify = (psprobe_verifier_options){.audience = callers->audience,
                                         .emails = callers->accounts.items,
                                         .email_count = callers->accounts.count,
                                         .jwks_url = callers->jwks,
                                         .platform_verified = callers->platform_verified,
                                         .logger = logger};
  return -1;
}
