/* SPDX-License-Identifier: MIT */
/** @file What a program says on standard error of what is wrong, and the status it ends with. */
#include <stdarg.h>

#include "base/error.h"
#include "base/shown.h"
#include "cli/parts.h"

psprobe_code psp_cli_refuse(psprobe_error *error, const char *text, const char *format, ...) {
  char shown[PSP_SHOWN_SIZE], why[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, sizeof why, format, arguments);
  va_end(arguments);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' %s",
                  psp_setting_shown(shown, sizeof shown, text), why);
}

int psp_cli_complain(const psprobe_program *program, const char *where, const char *message) {
  char shown[PSP_SHOWN_SIZE];
  psprobe_cli_print(stderr, "psprobe-%s: %s: %s\nTry 'psprobe-%s --help'.\n", program->name,
                    psp_setting_shown(shown, sizeof shown, where), message, program->name);
  return 2;
}

int psprobe_cli_usage(const psprobe_program *program, const char *option, const char *message) {
  char where[80];
  snprintf(where, sizeof where, "--%s", option);
  return psp_cli_complain(program, where, message);
}

int psprobe_cli_fail(const psprobe_program *program, const psprobe_error *error) {
  psprobe_cli_print(stderr, "psprobe-%s: %s\n", program->name,
                    error->message[0] != '\0' ? error->message : psprobe_code_name(error->code));
  return 1;
}
