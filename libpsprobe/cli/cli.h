/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLI_CLI_H
#define PSP_CLI_CLI_H
/** @file What the parser and the writers of help share. */
#include <psprobe/cli.h>

#include "base/buf.h"

/** PSPROBE_NAME of an option. */
void psp_cli_env_name(psp_buf *out, const psprobe_option *option);
/** The --help text, lines of at most 80 columns. */
void psp_cli_help(psp_buf *out, const psprobe_program *program);
/** The man page, roff with the man macros. */
void psp_cli_man(psp_buf *out, const psprobe_program *program);
/**
 * Opens /dev/null for each of standard input, output and error that is closed: else a socket gets
 * that number, and what is printed goes to whoever is at its other end.
 */
void psp_cli_open_standard(void);
/**
 * Before a program holds keys and tokens: what OpenSSL frees is wiped, and there are no core dumps,
 * nor may other processes of the user look into this one (PR_SET_DUMPABLE, as ssh-agent does).
 * PSPROBE_CORE_DUMPS=1 in the environment leaves the second out, for who looks for a fault.
 */
void psp_cli_guard(void);

#endif
