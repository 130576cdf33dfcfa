/* SPDX-License-Identifier: MIT */
/** @file An option's value, read from text as its kind has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "cli/parts.h"
#include "http/url.h"

static bool is_list(const psprobe_option *option) {
  return option->kind == PSPROBE_OPTION_LIST || option->kind == PSPROBE_OPTION_PAIR;
}

/* "10/s", "6/m", "1/5s": how many in what time. */
static bool parse_rate(const char *text, int64_t *ns) {
  char count[16], time[32];
  const char *slash = strchr(text, '/');
  int64_t n;
  if (slash == NULL || (size_t)(slash - text) >= sizeof count || strlen(slash) >= sizeof time)
    return false;
  memcpy(count, text, (size_t)(slash - text));
  count[slash - text] = '\0';
  bool one = slash[1] < '0' || slash[1] > '9'; /* a unit alone is one of it */
  snprintf(time, sizeof time, "%s%s", one ? "1" : "", slash + 1);
  if (!psp_parse_int64(count, 1, 1000000000, &n) || !psp_parse_duration(time, ns) || *ns < n)
    return false;
  *ns /= n;
  return true;
}

static psprobe_code set_rate(const psprobe_option *option, const char *text, psprobe_error *error) {
  int64_t ns;
  if (!parse_rate(text, &ns))
    return psp_cli_refuse(error, text, "is not a rate such as 1/s, 10/s or 1/5s");
  if (ns < option->min) return psp_cli_refuse(error, text, "is too often");
  *(int64_t *)option->value = ns;
  return PSPROBE_OK;
}

static psprobe_code set_number(const psprobe_option *option, const char *text,
                               psprobe_error *error) {
  int64_t max = option->max != 0 ? option->max : INT64_MAX;
  int64_t value = 0;
  char bound[PSP_DURATION_SIZE];
  if (option->kind == PSPROBE_OPTION_INTEGER) {
    if (!psp_parse_int64(text, option->min, max, &value))
      return psp_cli_refuse(error, text, "is not a whole number from %lld to %lld",
                            (long long)option->min, (long long)max);
  } else {
    if (!psp_parse_duration(text, &value))
      return psp_cli_refuse(error, text, "is not a duration such as 5s, 250ms or 1m30s");
    if (value < option->min)
      return psp_cli_refuse(error, text, "is too short: at least %s",
                            psp_format_duration(bound, option->min));
    if (value > max)
      return psp_cli_refuse(error, text, "is too long: at most %s",
                            psp_format_duration(bound, max));
  }
  *(int64_t *)option->value = value;
  return PSPROBE_OK;
}

/* What a check says is told, unless it shows what is not to be shown. */
static psprobe_code check(const psprobe_option *option, const char *text, psprobe_error *error) {
  char shown[PSP_SHOWN_SIZE];
  psprobe_code code = option->check(text, error);
  psp_setting_shown(shown, sizeof shown, text);
  if (code == PSPROBE_OK || strcmp(shown, text) == 0 || strstr(error->message, shown) != NULL)
    return code;
  return psp_cli_refuse(error, text, "is not what it takes");
}

static psprobe_code set_text(const psprobe_option *option, const char *text, psprobe_error *error) {
  const char *why = NULL;
  if (text[0] == '\0') return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "must not be empty");
  if (option->kind == PSPROBE_OPTION_URL && !psp_http_url_check(text, &why))
    return psp_cli_refuse(error, text, "is not a URL such as http://127.0.0.1:8080: %s", why);
  if (option->check != NULL) {
    psprobe_code code = check(option, text, error);
    if (code != PSPROBE_OK) return code;
  }
  if (!is_list(option)) {
    *(const char **)option->value = text;
    return PSPROBE_OK;
  }
  psprobe_text_list *list = option->value;
  if (option->kind == PSPROBE_OPTION_PAIR && list->count == 2)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "takes two values");
  if (list->count == PSPROBE_LIST_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "given more than %d times", PSPROBE_LIST_MAX);
  list->items[list->count++] = text;
  return PSPROBE_OK;
}

static psprobe_code set_list(const psprobe_option *option, const char *text, psprobe_error *error) {
  psprobe_text_list *list = option->value;
  list->storage = psp_strdup(text);
  if (list->storage == NULL) return psp_fail_memory(error, option->name);
  char *rest = list->storage, *item;
  while ((item = strsep(&rest, ",")) != NULL) {
    psprobe_code code = set_text(option, item, error);
    if (code != PSPROBE_OK) return code;
  }
  if (option->kind == PSPROBE_OPTION_PAIR && list->count != 2)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "takes two values with a comma between");
  return PSPROBE_OK;
}

static psprobe_code set_flag(const psprobe_option *option, const char *text, psprobe_error *error) {
  bool on = psp_text_equal(text, "1") || psp_text_equal(text, "true");
  if (!on && !psp_text_equal(text, "0") && !psp_text_equal(text, "false"))
    return psp_cli_refuse(error, text, "is none of 1, 0, true, false");
  *(bool *)option->value = on;
  return PSPROBE_OK;
}

psprobe_code psp_cli_set_value(const psprobe_option *option, const char *text,
                               psprobe_error *error) {
  bool number = option->kind == PSPROBE_OPTION_INTEGER || option->kind == PSPROBE_OPTION_DURATION;
  if (option->kind == PSPROBE_OPTION_RATE) return set_rate(option, text, error);
  return number ? set_number(option, text, error) : set_text(option, text, error);
}

psprobe_code psp_cli_set_whole(const psprobe_option *option, const char *text,
                               psprobe_error *error) {
  if (option->kind == PSPROBE_OPTION_FLAG) return set_flag(option, text, error);
  if (is_list(option)) return set_list(option, text, error);
  return psp_cli_set_value(option, text, error);
}

void psprobe_cli_free(const psprobe_program *program) {
  for (size_t i = 0; i < program->option_count; i++) {
    if (!is_list(&program->options[i])) continue;
    psprobe_text_list *list = program->options[i].value;
    free(list->storage);
    *list = (psprobe_text_list){0};
  }
}
