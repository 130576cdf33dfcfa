/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"

static const char *const levels[] = {"error", "warning", "info", "debug"};

int psprobe_log_level_parse(const char *text, psprobe_log_level *level) {
  for (int i = 0; i < 4; i++) {
    if (!psp_text_equal(text, levels[i])) continue;
    *level = (psprobe_log_level)i;
    return 0;
  }
  return -1;
}

/* Adds a piece whole or not at all, leaving room for what closes a line that is full. */
static bool add(psp_log_line *line, const char *text, size_t len) {
  static const size_t reserve = sizeof "…\"";
  if (line->len + len + reserve >= sizeof line->text) return false;
  memcpy(line->text + line->len, text, len);
  line->len += len;
  line->text[line->len] = '\0';
  return true;
}

bool psp_log_begin(psp_log_line *line, const psprobe_logger *logger, psprobe_log_level level,
                   const char *event) {
  if (logger == NULL || logger->sink == NULL || level > logger->level) return false;
  line->logger = logger;
  line->level = level;
  line->len = 0;
  add(line, "level=", 6);
  add(line, levels[level], strlen(levels[level]));
  psp_log_text(line, "event", event);
  return true;
}

static bool is_plain(const char *value) {
  static const char others[] = "_-./:@+,~%*()[]{}<>!?&;$^|";
  for (const char *s = value; *s != '\0'; s++) {
    bool alnum = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');
    if (!alnum && strchr(others, *s) == NULL) return false;
  }
  return *value != '\0';
}

static bool add_quoted(psp_log_line *line, const char *value) {
  size_t len = strlen(value);
  bool fits = add(line, "\"", 1);
  for (size_t i = 0; fits && i < len;) {
    size_t n = psp_printable_char(value + i, len - i);
    char escape[PSP_ESCAPED_SIZE];
    if (value[i] == '"' || value[i] == '\\' || value[i] == '\n') {
      char pair[2] = {'\\', value[i] == '\n' ? 'n' : value[i]};
      fits = add(line, pair, 2);
    } else if (n == 0) {
      fits = add(line, psp_escaped_byte(escape, value[i]), PSP_ESCAPED_SIZE - 1);
    } else {
      fits = add(line, value + i, n);
    }
    i += n == 0 ? 1 : n;
  }
  return fits && add(line, "\"", 1);
}

void psp_log_text(psp_log_line *line, const char *key, const char *value) {
  if (value == NULL) return;
  size_t key_len = strlen(key), before = line->len;
  bool fits = add(line, " ", 1) && add(line, key, key_len) && add(line, "=", 1);
  if (!fits) { /* no half key */
    line->len = before;
    line->text[before] = '\0';
    return;
  }
  if (is_plain(value) && add(line, value, strlen(value))) return;
  if (add_quoted(line, value)) return;
  memcpy(line->text + line->len, "…\"", sizeof "…\"");
  line->len += sizeof "…\"" - 1;
}

void psp_log_int(psp_log_line *line, const char *key, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  psp_log_text(line, key, text);
}

void psp_log_error(psp_log_line *line, const psprobe_error *error) {
  if (error == NULL) return;
  psp_log_text(line, "code", psprobe_code_name(error->code));
  if (error->http_status != 0) psp_log_int(line, "http", error->http_status);
  psp_log_text(line, "retryable", error->retryable ? "yes" : "no");
  if (error->reason[0] != '\0') psp_log_text(line, "reason", error->reason);
  psp_log_text(line, "error", error->message);
}

void psp_log_end(psp_log_line *line) {
  line->logger->sink(line->logger->arg, line->level, line->text);
}
