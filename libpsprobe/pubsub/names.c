/* SPDX-License-Identifier: MIT */
#include "pubsub/names.h"

#include <psprobe/pubsub.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

#define NAME_MIN 3
#define NAME_MAX 255

static bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || (c != '\0' && strchr("-_.~+%", c) != NULL);
}

psprobe_code psprobe_pubsub_name_check(const char *what, const char *name, psprobe_error *error) {
  if (name == NULL || !*name)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no %s is named", what);
  size_t len = strlen(name);
  if (len < NAME_MIN || len > NAME_MAX)
    return psp_setting_refuse(error, what, name, "a name has %d to %d characters, this one has %zu",
                              NAME_MIN, NAME_MAX, len);
  if (!is_letter(name[0]))
    return psp_setting_refuse(error, what, name, "a name begins with a letter");
  for (const char *at = name; *at; at++)
    if (!is_name_char(*at))
      return psp_setting_refuse(
          error, what, name,
          "a name is made of letters, digits and - _ . ~ + %%; character %zu is none of them",
          (size_t)(at - name) + 1);
  if (psp_text_starts(name, "goog"))
    return psp_setting_refuse(error, what, name, "names that begin with \"goog\" are Google's own");
  return PSPROBE_OK;
}

/* What each kind is called, in a path, and as what it is asked for. */
static const struct {
  const char *name, *collection, *placeholder;
} kinds[] = {
    [PSP_TOPIC] = {"topic", "/topics/", "TOPIC"},
    [PSP_SUBSCRIPTION] = {"subscription", "/subscriptions/", "SUBSCRIPTION"},
    [PSP_SNAPSHOT] = {"snapshot", "/snapshots/", "SNAPSHOT"},
};

const char *psp_pubsub_kind_name(psp_pubsub_kind kind) {
  return kinds[kind].name;
}

/* "projects/P/topics/T": P without a slash, not empty; T an id. What a project may be called is
 * left to the service: domain-scoped ones hold a colon. */
static psprobe_code check_full(psp_pubsub_kind kind, const char *name, psprobe_error *error) {
  const char *what = kinds[kind].name, *middle = kinds[kind].collection;
  const char *project = psp_text_starts(name, "projects/") ? name + strlen("projects/") : "/";
  size_t project_len = strcspn(project, "/");
  bool dots = strspn(project, ".") >= project_len; /* ".." would climb the path; also: nothing */
  if (dots || !psp_text_starts(project + project_len, middle))
    return psp_setting_refuse(error, what, name, "write an id or projects/PROJECT%s%s", middle,
                              kinds[kind].placeholder);
  for (size_t i = 0; i < project_len; i++)
    if ((unsigned char)project[i] <= ' ' || strchr("?#%\\\"\x7f", project[i]) != NULL)
      return psp_setting_refuse(error, what, name, "no project is called that");
  return psprobe_pubsub_name_check(what, project + project_len + strlen(middle), error);
}

psprobe_code psp_pubsub_full_name(psp_pubsub_kind kind, const char *project, const char *name,
                                  psp_buf *full, psprobe_error *error) {
  psprobe_code code;
  if (name != NULL && strchr(name, '/') != NULL) {
    code = check_full(kind, name, error);
    if (code == PSPROBE_OK) psp_buf_text(full, name);
  } else {
    code = psprobe_pubsub_name_check(kinds[kind].name, name, error);
    if (code == PSPROBE_OK)
      psp_buf_printf(full, "projects/%s%s%s", project != NULL ? project : "-",
                     kinds[kind].collection, name);
  }
  if (code == PSPROBE_OK && full->failed) return psp_fail_memory(error, "a name");
  return code;
}

void psp_pubsub_path(psp_buf *out, const char *full, const char *verb) {
  psp_buf_text(out, "/v1/");
  for (size_t len; *full; full += len) {
    len = strcspn(full, "%");
    psp_buf_add(out, full, len);
    if (full[len] == '%') {
      psp_buf_text(out, "%25");
      len++;
    }
  }
  psp_buf_text(out, verb);
}
