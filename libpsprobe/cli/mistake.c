/* SPDX-License-Identifier: MIT */
/** @file What a program says on standard error of what is wrong, and the status it ends with. */
#include "cli/cli.h"

int psp_cli_complain(const psprobe_program *program, const char *where, const char *message) {
  fprintf(stderr, "psprobe-%s: %s: %s\nTry 'psprobe-%s --help'.\n", program->name, where, message,
          program->name);
  return 2;
}

int psprobe_cli_usage(const psprobe_program *program, const char *option, const char *message) {
  char where[80];
  snprintf(where, sizeof where, "--%s", option);
  return psp_cli_complain(program, where, message);
}

int psprobe_cli_fail(const psprobe_program *program, const psprobe_error *error) {
  fprintf(stderr, "psprobe-%s: %s\n", program->name,
          error->message[0] != '\0' ? error->message : psprobe_code_name(error->code));
  return 1;
}
