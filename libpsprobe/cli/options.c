/* SPDX-License-Identifier: MIT */
/** @file The option parser: arguments, then the environment, then defaults. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "http/client/http.h"

void psp_cli_env_name(psp_buf *out, const psprobe_option *option) {
  psp_buf_text(out, option->env != NULL ? option->env : "PSPROBE_");
  for (const char *at = option->env != NULL ? "" : option->name; *at != '\0'; at++) {
    char c = *at;
    psp_buf_char(out, c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
}

static psprobe_code set_number(const psprobe_option *option, const char *text,
                               psprobe_error *error) {
  int64_t max = option->max != 0 ? option->max : INT64_MAX;
  int64_t value = 0;
  char bound[PSP_DURATION_SIZE];
  if (option->kind == PSPROBE_OPTION_INTEGER) {
    if (!psp_parse_int64(text, option->min, max, &value))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "'%s' is not a whole number from %lld to %lld", text, (long long)option->min,
                      (long long)max);
  } else {
    if (!psp_parse_duration(text, &value))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "'%s' is not a duration such as 5s, 250ms or 1m30s", text);
    if (value < option->min)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' is too short: at least %s", text,
                      psp_format_duration(bound, option->min));
    if (value > max)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' is too long: at most %s", text,
                      psp_format_duration(bound, max));
  }
  *(int64_t *)option->value = value;
  return PSPROBE_OK;
}

static psprobe_code set_text(const psprobe_option *option, const char *text, psprobe_error *error) {
  const char *why = NULL;
  if (text[0] == '\0') return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "must not be empty");
  if (option->kind == PSPROBE_OPTION_URL && !psp_http_url_check(text, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "'%s' is not a URL such as http://127.0.0.1:8080: %s", text, why);
  if (option->check != NULL) {
    psprobe_code code = option->check(text, error);
    if (code != PSPROBE_OK) return code;
  }
  if (option->kind != PSPROBE_OPTION_LIST && option->kind != PSPROBE_OPTION_PAIR) {
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

static psprobe_code set_list_from_env(const psprobe_option *option, const char *text,
                                      psprobe_error *error) {
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

static psprobe_code set_flag_from_env(const psprobe_option *option, const char *text,
                                      psprobe_error *error) {
  bool on = psp_text_equal(text, "1") || psp_text_equal(text, "true");
  if (!on && !psp_text_equal(text, "0") && !psp_text_equal(text, "false"))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' is none of 1, 0, true, false", text);
  *(bool *)option->value = on;
  return PSPROBE_OK;
}

/** Sets an option from a text of the environment or its default. */
static psprobe_code set_outside(const psprobe_option *option, const char *text,
                                psprobe_error *error) {
  if (option->kind == PSPROBE_OPTION_FLAG) return set_flag_from_env(option, text, error);
  if (option->kind == PSPROBE_OPTION_LIST || option->kind == PSPROBE_OPTION_PAIR)
    return set_list_from_env(option, text, error);
  if (option->kind == PSPROBE_OPTION_INTEGER || option->kind == PSPROBE_OPTION_DURATION)
    return set_number(option, text, error);
  return set_text(option, text, error);
}

static int complain(const psprobe_program *program, const char *where, const char *message) {
  fprintf(stderr, "psprobe-%s: %s: %s\nTry 'psprobe-%s --help'.\n", program->name, where, message,
          program->name);
  return 2;
}

int psprobe_cli_usage(const psprobe_program *program, const char *option, const char *message) {
  char where[80];
  snprintf(where, sizeof where, "--%s", option);
  return complain(program, where, message);
}

int psprobe_cli_fail(const psprobe_program *program, const psprobe_error *error) {
  fprintf(stderr, "psprobe-%s: %s\n", program->name,
          error->message[0] != '\0' ? error->message : psprobe_code_name(error->code));
  return 1;
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

/** Kubernetes sets NAME_PORT=tcp://ADDRESS:PORT for each service, and one may be called psprobe:
 * not ours. */
static bool of_kubernetes(const char *name, const char *text) {
  static const char *const schemes[] = {"tcp://", "udp://", "sctp://"};
  bool any = false;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    any |= psp_text_starts(text, schemes[i]);
  return any && psp_text_ends(name, "_PORT");
}

/** Applies the environment, or the default, to one option that no argument named. */
static int apply_outside(const psprobe_program *program, const psprobe_option *option) {
  psp_buf name = {0};
  psprobe_error error = {0};
  psp_cli_env_name(&name, option);
  const char *where = name.failed ? option->name : name.data;
  const char *text = name.failed ? NULL : getenv(name.data);
  if (text != NULL && of_kubernetes(where, text)) text = NULL;
  if ((text == NULL || text[0] == '\0') && option->also_env != NULL) {
    where = option->also_env;
    text = getenv(option->also_env);
  }
  if (text == NULL || text[0] == '\0') text = option->fallback;
  int status = -1;
  if (text != NULL && set_outside(option, text, &error) != PSPROBE_OK)
    status = complain(program, where, error.message);
  psp_buf_free(&name);
  return status;
}

static int print(void (*write)(psp_buf *, const psprobe_program *),
                 const psprobe_program *program) {
  psp_buf out = {0};
  write(&out, program);
  int status = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0;
  psp_buf_free(&out);
  return status;
}

/** What one run of the parser knows. */
typedef struct parser {
  const psprobe_program *program;
  const psprobe_option *options; /**< the program's and the common ones */
  size_t count;
  bool *seen; /**< by an argument, one for each option */
} parser;

static const psprobe_option *find(const parser *p, const char *name, size_t len) {
  for (size_t i = 0; i < p->count; i++)
    if (strlen(p->options[i].name) == len && strncmp(p->options[i].name, name, len) == 0)
      return &p->options[i];
  return NULL;
}

/** Takes one `--name[=value]`; `*used` counts the arguments it took. */
static int take_option(parser *p, char **argv, int left, int *used) {
  const char *name = argv[0] + 2;
  size_t len = strcspn(name, "=");
  const char *value = name[len] == '=' ? name + len + 1 : NULL;
  psprobe_error error = {0};
  const psprobe_option *option = find(p, name, len);
  if (option == NULL) return complain(p->program, argv[0], "unknown option");
  p->seen[option - p->options] = true;
  if (option->kind == PSPROBE_OPTION_FLAG) {
    if (value != NULL) return psprobe_cli_usage(p->program, option->name, "takes no value");
    *(bool *)option->value = true;
    return -1;
  }
  bool pair = option->kind == PSPROBE_OPTION_PAIR;
  if (value == NULL) {
    if (left < (pair ? 3 : 2))
      return psprobe_cli_usage(p->program, option->name,
                               pair ? "needs two values" : "needs a value");
    value = argv[1];
    *used = pair ? 3 : 2;
  } else if (pair) {
    if (left < 2) return psprobe_cli_usage(p->program, option->name, "needs two values");
    *used = 2;
  }
  bool listed = pair || option->kind == PSPROBE_OPTION_LIST;
  psprobe_code code = listed ? set_text(option, value, &error) : set_outside(option, value, &error);
  if (code == PSPROBE_OK && pair) code = set_text(option, argv[*used - 1], &error);
  return code == PSPROBE_OK ? -1 : psprobe_cli_usage(p->program, option->name, error.message);
}

static int take_operand(const psprobe_program *program, const char *text) {
  if (program->operand == NULL) return complain(program, text, "unexpected argument");
  if (*program->operand_value != NULL) return complain(program, text, "one argument too many");
  *program->operand_value = text;
  return -1;
}

/** --help, --version and --man, which end the program: their exit status, else -1. */
static int take_last_word(const psprobe_program *program, const char *argument) {
  if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
    return print(psp_cli_help, program);
  if (strcmp(argument, "--man") == 0) return print(psp_cli_man, program);
  if (strcmp(argument, "--version") != 0) return -1;
  printf("psprobe-%s %s\n", program->name, psprobe_version());
  return fflush(stdout) != 0;
}

static int parse(parser *p, int argc, char **argv) {
  const psprobe_program *program = p->program;
  int status = -1;
  bool only_operands = false;
  for (int i = 1, used = 1; i < argc && status == -1; i += used) {
    used = 1;
    if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
      status = take_operand(program, argv[i]);
    } else if (strcmp(argv[i], "--") == 0) {
      only_operands = true;
    } else if ((status = take_last_word(program, argv[i])) != -1) {
      return status;
    } else if (argv[i][1] != '-') {
      status = complain(program, argv[i], "unknown option");
    } else {
      status = take_option(p, argv + i, argc - i, &used);
    }
  }
  for (size_t i = 0; i < p->count && status == -1; i++)
    if (!p->seen[i]) status = apply_outside(program, &p->options[i]);
  if (status == -1 && program->operand_required && *program->operand_value == NULL)
    status = complain(program, program->operand, "is missing");
  return status;
}

static psprobe_code check_level(const char *text, psprobe_error *error) {
  psprobe_log_level level;
  if (psprobe_log_level_parse(text, &level) == 0) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' is none of error, warning, info, debug",
                  text);
}

int psprobe_cli_parse(const psprobe_program *program, int argc, char **argv,
                      psprobe_logger *logger) {
  const char *level = NULL;
  size_t count = program->option_count + 1;
  psprobe_option *options = calloc(count, sizeof *options);
  bool *seen = calloc(count, sizeof *seen);
  int status = 1;
  psp_cli_open_standard();
  if (options == NULL || seen == NULL) {
    fprintf(stderr, "psprobe-%s: out of memory\n", program->name);
  } else {
    if (program->option_count > 0)
      memcpy(options, program->options, program->option_count * sizeof *options);
    options[count - 1] = (psprobe_option){.name = "log-level",
                                          .kind = PSPROBE_OPTION_TEXT,
                                          .value = &level,
                                          .fallback = "warning",
                                          .check = check_level};
    parser p = {program, options, count, seen};
    status = parse(&p, argc, argv);
  }
  if (status == -1 && logger != NULL) {
    *logger = (psprobe_logger){.sink = psprobe_log_stderr};
    psprobe_log_level_parse(level, &logger->level);
  }
  if (status == -1) psp_cli_guard();
  free(options);
  free(seen);
  return status;
}
