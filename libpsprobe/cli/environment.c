/* SPDX-License-Identifier: MIT */
/** @file The environment as a source of settings: a variable for each option. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/parts.h"

void psp_cli_env_name(psp_buf *out, const psprobe_option *option) {
  psp_buf_text(out, option->env != NULL ? option->env : "PSPROBE_");
  for (const char *at = option->env != NULL ? "" : option->name; *at != '\0'; at++) {
    char c = *at;
    psp_buf_char(out, c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
}

/* Kubernetes sets NAME_PORT=tcp://ADDRESS:PORT for each service, and one may be called psprobe: not
 * ours. */
static bool of_kubernetes(const char *name, const char *text) {
  static const char *const schemes[] = {"tcp://", "udp://", "sctp://"};
  bool any = false;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    any |= psp_text_starts(text, schemes[i]);
  return any && psp_text_ends(name, "_PORT");
}

const char *psp_cli_env_text(const psprobe_option *option, psp_buf *name) {
  psp_cli_env_name(name, option);
  if (name->failed) return NULL;
  const char *text = getenv(name->data);
  if (text != NULL && text[0] != '\0' && !of_kubernetes(name->data, text)) return text;
  if (option->also_env == NULL) return NULL;
  text = getenv(option->also_env);
  if (text == NULL || text[0] == '\0') return NULL;
  psp_buf_reset(name);
  psp_buf_text(name, option->also_env);
  return text;
}

void psprobe_cli_forget_settings(void) {
  for (char **at = environ; *at != NULL;) {
    char name[64];
    size_t len = strcspn(*at, "=");
    bool setting = strncmp(*at, "PSPROBE_", 8) == 0 && len < sizeof name;
    if (setting) snprintf(name, sizeof name, "%.*s", (int)len, *at);
    /* What follows a variable that is taken out moves to its place. */
    if (!setting || unsetenv(name) != 0) at++;
  }
}
