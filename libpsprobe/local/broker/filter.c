/* SPDX-License-Identifier: MIT */
#include "local/broker/filter.h"

#include <string.h>

#include "base/error.h"
#include "pubsub/parts.h"

/* A text that is read from left to right; once something is wrong, `at` stays there. */
typedef struct reader {
  const char *at;
  const psp_letter *letter; /* NULL: the form alone is looked at */
  const char *wrong;        /* what was expected at `at`; NULL: all is well */
} reader;

static bool expression(reader *r);

static void expect(reader *r, const char *what) {
  if (r->wrong == NULL) r->wrong = what;
}

static void skip(reader *r) {
  r->at += strspn(r->at, " \t\r\n");
}

static bool is_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/* A word, and nothing that would go on with it. */
static bool word(reader *r, const char *text) {
  size_t len = strlen(text);
  skip(r);
  if (strncmp(r->at, text, len) != 0 || is_key(r->at[len])) return false;
  r->at += len;
  return true;
}

static bool sign(reader *r, const char *text) {
  size_t len = strlen(text);
  skip(r);
  if (strncmp(r->at, text, len) != 0) return false;
  r->at += len;
  return true;
}

static void need(reader *r, const char *text) {
  if (r->wrong == NULL && !sign(r, text)) expect(r, text);
}

/* In quotes; a backslash before a quote or a backslash. */
static void quoted(reader *r, char out[PSP_FILTER_BYTES + 1]) {
  size_t len = 0;
  need(r, "\"");
  while (r->wrong == NULL && *r->at != '"') {
    if (*r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\')) r->at++;
    if (*r->at == 0)
      expect(r, "a quotation mark");
    else
      out[len++] = *r->at++;
  }
  out[len] = 0;
  need(r, "\"");
}

static void key(reader *r, char out[PSP_FILTER_BYTES + 1]) {
  size_t len = 0;
  skip(r);
  if (*r->at == '"') {
    quoted(r, out);
    return;
  }
  while (is_key(r->at[len]))
    len++;
  memcpy(out, r->at, len);
  out[len] = 0;
  if (len == 0) expect(r, "a key");
  r->at += len;
}

static const char *value_of(const reader *r, const char *name) {
  for (size_t i = 0; r->letter != NULL && i < r->letter->attribute_count; i++)
    if (strcmp(r->letter->attributes[i].key, name) == 0) return r->letter->attributes[i].value;
  return NULL;
}

static bool has_prefix(reader *r) {
  char name[PSP_FILTER_BYTES + 1], prefix[PSP_FILTER_BYTES + 1];
  need(r, "(");
  need(r, "attributes");
  need(r, ".");
  key(r, name);
  need(r, ",");
  skip(r);
  quoted(r, prefix);
  need(r, ")");
  const char *value = value_of(r, name);
  return value != NULL && strncmp(value, prefix, strlen(prefix)) == 0;
}

static bool comparison(reader *r) {
  char name[PSP_FILTER_BYTES + 1], wanted[PSP_FILTER_BYTES + 1];
  const bool there_alone = sign(r, ":");
  if (!there_alone) need(r, ".");
  key(r, name);
  const char *value = value_of(r, name);
  if (there_alone) return value != NULL;
  const bool differs = sign(r, "!=");
  if (!differs) need(r, "=");
  skip(r);
  quoted(r, wanted);
  return value != NULL && (strcmp(value, wanted) != 0) == differs;
}

/* Both sides are always read: what follows must be of the form, too. */
static bool term(reader *r) {
  bool passes = false;
  bool negated = false;
  while (sign(r, "-") || word(r, "NOT"))
    negated = !negated;
  if (sign(r, "(")) {
    passes = expression(r);
    need(r, ")");
  } else if (word(r, "hasPrefix")) {
    passes = has_prefix(r);
  } else if (word(r, "attributes")) {
    passes = comparison(r);
  } else {
    expect(r, "attributes, hasPrefix, NOT or a parenthesis");
  }
  return passes != negated;
}

static bool expression(reader *r) {
  bool passes = term(r), all = false, any = false;
  while (r->wrong == NULL) {
    const bool both = word(r, "AND");
    if (!both && !word(r, "OR")) break;
    all = all || both;
    any = any || !both;
    if (all && any) {
      expect(r, "parentheses around AND or OR");
      break;
    }
    const bool other = term(r);
    passes = both ? passes && other : passes || other;
  }
  return passes;
}

psprobe_code psp_broker_filter_check(const char *filter, psprobe_error *error) {
  reader r = {.at = filter};
  if (strlen(filter) > PSP_FILTER_BYTES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid filter: it has more than %d bytes",
                    PSP_FILTER_BYTES);
  expression(&r);
  skip(&r);
  if (*r.at != 0) expect(&r, "AND, OR or the end");
  if (r.wrong == NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid filter: at character %zu, %s expected",
                  (size_t)(r.at - filter) + 1, r.wrong);
}

bool psp_broker_filter_passes(const char *filter, const psp_letter *letter) {
  reader r = {.at = filter, .letter = letter};
  return filter == NULL || *filter == 0 || expression(&r);
}
