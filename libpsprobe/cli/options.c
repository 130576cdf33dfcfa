/* SPDX-License-Identifier: MIT */
/** @file The option parser: arguments, then the environment, then defaults. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/parts.h"
#include "os/limit.h"

/* What one run of the parser knows. Its steps say whether to go on; if not, `status` is set. */
typedef struct parser {
  const psprobe_program *program;
  const psprobe_option *options; /* the program's and the common ones */
  size_t count;
  bool *seen; /* by an argument, one for each option */
  int status;
} parser;

static bool mistake(parser *p, const char *where, const char *message) {
  p->status = psp_cli_complain(p->program, where, message);
  return false;
}

/* Without its value: it may be a key, whose option is mistyped. */
static bool unknown(parser *p, const char *argument) {
  char name[80];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
  return mistake(p, name, "unknown option");
}

static bool misused(parser *p, const psprobe_option *option, const char *message) {
  p->status = psprobe_cli_usage(p->program, option->name, message);
  return false;
}

/* Applies the environment, or the default, to one option that no argument named. */
static bool take_outside(parser *p, const psprobe_option *option) {
  psp_buf name = {0};
  psprobe_error error = {0};
  const char *text = psp_cli_env_text(option, &name);
  psprobe_code code = name.failed ? psp_fail_memory(&error, option->name) : PSPROBE_OK;
  if (text == NULL) text = option->fallback;
  if (code == PSPROBE_OK && text != NULL) code = psp_cli_set_whole(option, text, &error);
  if (code != PSPROBE_OK) mistake(p, name.failed ? option->name : name.data, error.message);
  psp_buf_free(&name);
  return code == PSPROBE_OK;
}

static const psprobe_option *find(const parser *p, const char *name, size_t len) {
  for (size_t i = 0; i < p->count; i++)
    if (strlen(p->options[i].name) == len && strncmp(p->options[i].name, name, len) == 0)
      return &p->options[i];
  return NULL;
}

/* Takes the values of an option: `value` (after a =; may be NULL), then arguments. */
static bool take_values(parser *p, const psprobe_option *option, const char *value, char **argv,
                        int left, int *used) {
  const int wanted = option->kind == PSPROBE_OPTION_PAIR ? 2 : 1, given = value != NULL ? 1 : 0;
  psprobe_error error = {0};
  psprobe_code code = PSPROBE_OK;
  if (left - 1 < wanted - given)
    return misused(p, option, wanted == 2 ? "needs two values" : "needs a value");
  for (int i = 0; i < wanted && code == PSPROBE_OK; i++)
    code = psp_cli_set_value(option, i < given ? value : argv[(*used)++], &error);
  return code == PSPROBE_OK || misused(p, option, error.message);
}

/* Takes one `--name[=value]`; `*used` counts the arguments it took. */
static bool take_option(parser *p, char **argv, int left, int *used) {
  const char *name = argv[0] + 2;
  size_t len = strcspn(name, "=");
  const char *value = name[len] == '=' ? name + len + 1 : NULL;
  const psprobe_option *option = find(p, name, len);
  if (option == NULL) return unknown(p, argv[0]);
  p->seen[option - p->options] = true;
  if (option->kind != PSPROBE_OPTION_FLAG) return take_values(p, option, value, argv, left, used);
  if (value != NULL) return misused(p, option, "takes no value");
  *(bool *)option->value = true;
  return true;
}

static bool take_operand(parser *p, const char *text) {
  if (p->program->operand == NULL) return mistake(p, text, "unexpected argument");
  if (*p->program->operand_value != NULL) return mistake(p, text, "one argument too many");
  *p->program->operand_value = text;
  return true;
}

/* Ends the program with what was printed. */
static bool print(parser *p, void (*write)(psp_buf *, const psprobe_program *)) {
  psp_buf out = {0};
  write(&out, p->program);
  p->status = psprobe_cli_put(psp_buf_take(&out, NULL), NULL, NULL) == PSPROBE_OK ? 0 : 1;
  return false;
}

static void version(psp_buf *out, const psprobe_program *program) {
  psp_buf_printf(out, "psprobe-%s %s\n", program->name, psprobe_version());
}

/* Takes one argument that begins with a dash. */
static bool take_dashed(parser *p, char **argv, int left, int *used) {
  const char *argument = argv[0];
  if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) return print(p, psp_cli_help);
  if (strcmp(argument, "--man") == 0) return print(p, psp_cli_man);
  if (strcmp(argument, "--version") == 0) return print(p, version);
  if (argument[1] != '-') return unknown(p, argument);
  return take_option(p, argv, left, used);
}

static bool take_arguments(parser *p, int argc, char **argv) {
  bool only_operands = false, on = true;
  for (int i = 1, used; i < argc && on; i += used) {
    used = 1;
    bool operand = only_operands || argv[i][0] != '-' || argv[i][1] == '\0';
    if (operand && p->program->command_value != NULL) {
      *p->program->command_value = (const char *const *)argv + i;
      return true;
    }
    if (operand)
      on = take_operand(p, argv[i]);
    else if (strcmp(argv[i], "--") == 0)
      only_operands = true;
    else
      on = take_dashed(p, argv + i, argc - i, &used);
  }
  return on;
}

static bool parse(parser *p, int argc, char **argv) {
  if (!take_arguments(p, argc, argv)) return false;
  for (size_t i = 0; i < p->count; i++)
    if (!p->seen[i] && !take_outside(p, &p->options[i])) return false;
  if (p->program->operand_required && *p->program->operand_value == NULL)
    return mistake(p, p->program->operand, "is missing");
  return true;
}

static psprobe_code check_level(const char *text, psprobe_error *error) {
  psprobe_log_level level;
  if (psprobe_log_level_parse(text, &level) == 0) return PSPROBE_OK;
  return psp_cli_refuse(error, text, "is none of error, warning, info, debug");
}

/* Parses with the common options beside the program's. */
static bool parse_all(parser *p, int argc, char **argv, const char **level) {
  const psprobe_program *program = p->program;
  psprobe_option *options = calloc(program->option_count + 1, sizeof *options);
  bool on = false;
  p->seen = calloc(program->option_count + 1, sizeof *p->seen);
  if (options == NULL || p->seen == NULL) {
    psprobe_cli_print(stderr, "psprobe-%s: out of memory\n", program->name);
  } else {
    while (p->count < program->option_count) {
      options[p->count] = program->options[p->count];
      p->count++;
    }
    options[p->count++] = (psprobe_option){.name = "log-level",
                                           .kind = PSPROBE_OPTION_TEXT,
                                           .value = level,
                                           .fallback = "warning",
                                           .check = check_level};
    p->options = options;
    on = parse(p, argc, argv);
  }
  free(options);
  free(p->seen);
  return on;
}

bool psprobe_cli_parse(const psprobe_program *program, int argc, char **argv,
                       psprobe_logger *logger, int *status) {
  const char *level = NULL;
  parser p = {.program = program, .status = 1};
  psp_cli_open_standard();
  if (!parse_all(&p, argc, argv, &level)) {
    psprobe_cli_free(program);
    *status = p.status;
    return false;
  }
  if (logger != NULL) {
    *logger = (psprobe_logger){.sink = psprobe_log_stderr};
    psprobe_log_level_parse(level, &logger->level);
  }
  psp_cli_guard();
  psp_limit_files_raise();
  return true;
}
