/* SPDX-License-Identifier: MIT */
/** @file What a token endpoint's refusal means, in words (RFC 6749, section 5.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/sources/oauth.h"
#include "base/error.h"
#include "base/text.h"

/* Remote text that is shown: at most `size`, and no word so long that it could be a token that the
 * server sent back to us, but for accounts and URLs. */
static void show(psp_view text, char *out, size_t size) {
  char whole[512];
  out[0] = 0;
  if (!psp_view_string(text, whole, sizeof whole)) return;
  size_t used = 0;
  for (const char *word = whole; *word != 0;) {
    size_t len = strcspn(word, " "), after = strspn(word + len, " ");
    bool shown = len <= 40 || memchr(word, '@', len) != NULL ||
                 (len <= 200 && psp_text_starts(word, "https://"));
    size_t take = shown ? len : 1;
    if (used + take + after >= size) break;
    memcpy(out + used, shown ? word : "?", take);
    memcpy(out + used + take, word + len, after);
    used += take + after;
    word += len + after;
  }
  out[used] = 0;
}

static psprobe_code code_of(const char *name, int status) {
  static const struct {
    const char *name;
    psprobe_code code;
  } names[] = {{"invalid_grant", PSPROBE_UNAUTHENTICATED},
               {"invalid_client", PSPROBE_UNAUTHENTICATED},
               {"unauthorized_client", PSPROBE_PERMISSION_DENIED},
               {"access_denied", PSPROBE_PERMISSION_DENIED},
               {"invalid_scope", PSPROBE_INVALID_ARGUMENT},
               {"invalid_request", PSPROBE_INVALID_ARGUMENT},
               {"invalid_target", PSPROBE_INVALID_ARGUMENT},
               {"internal_failure", PSPROBE_UNAVAILABLE},
               {"server_error", PSPROBE_UNAVAILABLE},
               {"temporarily_unavailable", PSPROBE_UNAVAILABLE}};
  if (status == 408 || status == 429 || status >= 500) return PSPROBE_UNAVAILABLE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i].name) == 0) return names[i].code;
  psprobe_code code = psp_code_from_http(status);
  return code != PSPROBE_OK ? code : PSPROBE_UNKNOWN;
}

/* What to do about it, where the text gives it away. */
static const char *advice(const char *name, const char *description, const char *subtype) {
  if (strcmp(subtype, "invalid_rapt") == 0)
    return "; log in again: gcloud auth application-default login";
  if (strcmp(name, "invalid_grant") != 0) return "";
  if (strstr(description, "reasonable timeframe") != NULL)
    return "; this machine's clock is wrong, it seems: set it right";
  if (strstr(description, "Invalid JWT Signature") != NULL)
    return "; the key was deleted or disabled (Google disables keys that it finds in public "
           "repositories): make a new one";
  if (strstr(description, "disabled") != NULL)
    return "; Google disables keys that it finds in public repositories: make a new one";
  if (strstr(description, "expired or revoked") != NULL)
    return "; log in again: gcloud auth application-default login";
  return "";
}

/* By how much our clock is off, when the server showed its own and that is minutes. */
static void clock_note(const psp_answer *answer, int64_t wall_s, char *out, size_t size) {
  int64_t off = answer->date_s > 0 ? wall_s - answer->date_s : 0;
  out[0] = 0;
  if (llabs(off) < 120) return;
  snprintf(out, size, "; this machine's clock is %lld s %s the server's", (long long)llabs(off),
           off > 0 ? "ahead of" : "behind");
}

static psprobe_code fail_plain(const psp_answer *answer, const char *what, const char *note,
                               psprobe_error *error) {
  int status = answer->status;
  const char *body = answer->body.len > 0 ? answer->body.data : "";
  const char *kind = answer->html || *body == '<' ? "an HTML page"
                     : *body == '{'               ? "JSON without an error in it"
                     : *body == 0                 ? "an empty answer"
                                                  : "an answer that is no JSON";
  if (status >= 300 && status < 400) kind = "a redirect, which is not followed";
  return psp_fail(error, code_of("", status), "%s: HTTP %d, %s%s", what, status, kind, note);
}

psprobe_code psp_oauth_fail(const psp_answer *answer, int64_t wall_s, const char *what,
                            psprobe_error *error) {
  psp_view object = {0};
  const char *why;
  char name[64], description[240], subtype[40], note[96];
  clock_note(answer, wall_s, note, sizeof note);
  if (answer->body.len > 0) psp_view_object(answer->body.data, answer->body.len, &object, &why);
  psp_view cause = psp_view_get(object, "error");
  psprobe_code code;
  if (cause.type == PSP_VIEW_STRING) {
    show(cause, name, sizeof name);
    show(psp_view_get(object, "error_description"), description, sizeof description);
    show(psp_view_get(object, "error_subtype"), subtype, sizeof subtype);
    code = psp_fail(error, code_of(name, answer->status), "%s: %s (HTTP %d)%s%s%s%s", what, name,
                    answer->status, description[0] != 0 ? ": " : "", description,
                    advice(name, description, subtype), note);
  } else if (cause.type == PSP_VIEW_OBJECT) {
    show(psp_view_get(cause, "status"), name, sizeof name);
    show(psp_view_get(cause, "message"), description, sizeof description);
    code = psp_code_parse(name);
    if (code == PSPROBE_OK || code == PSPROBE_UNKNOWN) code = code_of("", answer->status);
    psp_fail(error, code, "%s: %s (HTTP %d)%s%s%s", what, psprobe_code_name(code), answer->status,
             description[0] != 0 ? ": " : "", description, note);
  } else {
    code = fail_plain(answer, what, note, error);
  }
  if (error != NULL) {
    error->http_status = answer->status;
    error->retry_after_ns = answer->retry_after_ns;
  }
  return code;
}
