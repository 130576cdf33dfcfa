/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLI_CLI_H
#define PSP_CLI_CLI_H
/** @file What the parser and the writers of help share. */
#include <psprobe/cli.h>

#include "base/buf.h"

/** PSPROBE_NAME of an option. */
void psp_cli_env_name(psp_buf *out, const char *option);
/** The --help text, lines of at most 80 columns. */
void psp_cli_help(psp_buf *out, const psprobe_program *program);
/** The man page, roff with the man macros. */
void psp_cli_man(psp_buf *out, const psprobe_program *program);

#endif
