/* SPDX-License-Identifier: MIT */
/** @file The options that say who may call a program. */
#include <string.h>

#include "auth/url.h"
#include "cli/parts.h"
#include "http/url.h"

psprobe_code psprobe_check_account(const char *text, psprobe_error *error) {
  const char *at = strchr(text, '@');
  if (at != NULL && at != text && at[1] != '\0' && strpbrk(text, " \t,\"<>") == NULL)
    return PSPROBE_OK;
  return psp_cli_refuse(error, text,
                        "is no account's e-mail, such as NAME@PROJECT.iam.gserviceaccount.com");
}

psprobe_code psprobe_check_prober_auth(const char *text, psprobe_error *error) {
  if (strcmp(text, "none") == 0 || strcmp(text, "oidc") == 0) return PSPROBE_OK;
  return psp_cli_refuse(error, text, "is none of none, oidc");
}

psprobe_code psprobe_check_mode(const char *text, psprobe_error *error) {
  if (strcmp(text, "streaming") == 0 || strcmp(text, "unary") == 0) return PSPROBE_OK;
  return psp_cli_refuse(error, text, "is none of streaming, unary");
}

psprobe_code psprobe_check_publish_by(const char *text, psprobe_error *error) {
  if (strcmp(text, "grpc") == 0 || strcmp(text, "rest") == 0) return PSPROBE_OK;
  return psp_cli_refuse(error, text, "is none of grpc, rest");
}

psprobe_code psprobe_check_origin(const char *text, psprobe_error *error) {
  const char *why = NULL;
  if (!psp_http_url_check(text, &why))
    return psp_cli_refuse(error, text, "is not a URL such as https://prober.example.com: %s", why);
  size_t len = psp_http_url_origin_len(text);
  if (text[len] == '\0') return PSPROBE_OK;
  return psp_cli_refuse(error, text, "has something after the host: tokens are made for %.*s",
                        (int)len, text);
}

/* The option that sets `value`. */
static const char *option_of(const psprobe_program *program, const void *value) {
  for (size_t i = 0; i < program->option_count; i++)
    if (program->options[i].value == value) return program->options[i].name;
  return "?";
}

/* What is amiss with them together, in `message`. @return the option at fault; NULL: nothing is */
static const void *fault_of(const psprobe_callers *callers, const char *account,
                            const char *audience, char *message, size_t size) {
  const bool asked = callers->accounts.count > 0;
  if (!asked && callers->audience != NULL) {
    snprintf(message, size,
             "needs --%s too: an audience alone lets in every account that Google knows", account);
    return &callers->audience;
  }
  if (asked && callers->audience == NULL) {
    snprintf(message, size,
             "needs --%s too: what the tokens must be made for, or one that was shown to anybody "
             "else would do",
             audience);
    return &callers->accounts;
  }
  const bool keys = callers->jwks != NULL;
  if (!asked && (keys || callers->platform_verified)) {
    snprintf(message, size, "is of no use without --%s: no tokens are asked for", account);
    return keys ? (const void *)&callers->jwks : &callers->platform_verified;
  }
  if (!keys || psp_url_is_safe(callers->jwks)) return NULL;
  snprintf(message, size,
           "must be https (http is for this machine's loopback addresses only): who can change "
           "the keys lets himself in");
  return &callers->jwks;
}

bool psprobe_cli_callers(const psprobe_program *program, const psprobe_callers *callers,
                         const psprobe_logger *logger, psprobe_verifier_options *verify,
                         int *status) {
  char message[200];
  *verify = (psprobe_verifier_options){0};
  const void *fault = fault_of(callers, option_of(program, &callers->accounts),
                               option_of(program, &callers->audience), message, sizeof message);
  if (fault != NULL) {
    *status = psprobe_cli_usage(program, option_of(program, fault), message);
    return false;
  }
  if (callers->accounts.count > 0)
    *verify = (psprobe_verifier_options){.audience = callers->audience,
                                         .emails = callers->accounts.items,
                                         .email_count = callers->accounts.count,
                                         .jwks_url = callers->jwks,
                                         .platform_verified = callers->platform_verified,
                                         .logger = logger};
  return true;
}
