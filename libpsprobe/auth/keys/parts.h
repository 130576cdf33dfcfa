/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_KEYS_PARTS_H
#define PSP_AUTH_KEYS_PARTS_H
/** @file What the readers of credentials files share. */
#include "auth/keys/key_file.h"
#include "base/json_view.h"

/** Where a parser stands; `at` names the object in messages ("", "source_credentials."). */
typedef struct psp_key_parse {
  const char *path, *at;
  psp_view object;
  psp_key_file *file;
  bool allow_other_hosts;
  psprobe_error *error;
} psp_key_parse;

/** Leaves the function with the code of a call that failed. */
#define PSP_KEY_TRY(call)                        \
  do {                                           \
    psprobe_code try_code = (call);              \
    if (try_code != PSPROBE_OK) return try_code; \
  } while (0)

/* ---- fields (key_field.c) ---- */

/** INVALID_ARGUMENT: "credentials file PATH: field AT.name RULE". */
psprobe_code psp_key_fail(const psp_key_parse *p, const char *field, const char *rule);
/** A text field of `object` into *out; missing, null or "" is NULL unless `must`. */
psprobe_code psp_key_text(const psp_key_parse *p, psp_view object, const char *field, bool must,
                          char **out);
/** A list of texts; a missing one is empty. */
psprobe_code psp_key_texts(const psp_key_parse *p, const char *field, char ***out, size_t *count);
/** A secret field, as psp_key_text. */
psprobe_code psp_key_secret(const psp_key_parse *p, const char *field, bool must, psp_secret *out);
/** Refuses a URL that a secret must not be sent to: https within the universe's domain, port 443,
 * no user part, no fragment; or loopback. */
psprobe_code psp_key_google_url(const psp_key_parse *p, const char *field, const char *url);
/** impersonated_email from impersonation_url. */
psprobe_code psp_key_impersonated_email(const psp_key_parse *p);
/** Whether an e-mail may stand in a URL: it has no letter that means something there. */
bool psp_key_is_account(const char *email);
/** token_url; where there is none, v1/PATH of the universe's token service. */
psprobe_code psp_key_token_url(const psp_key_parse *p, const char *path);
/** A lifetime in whole seconds from 1 (600 for external accounts) to 43200. */
psprobe_code psp_key_lifetime(const psp_key_parse *p, psp_view value, const char *field,
                              int64_t least);

/* ---- a type (key_external.c) ---- */

/** The fields of type external_account. */
psprobe_code psp_key_external(const psp_key_parse *p);

#endif
