/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLI_PARTS_H
#define PSP_CLI_PARTS_H
/** @file What the sources of this folder share. */
#include <psprobe/cli.h>

#include "base/buf.h"

/** PSPROBE_NAME of an option. */
void psp_cli_env_name(psp_buf *out, const psprobe_option *option);
/**
 * What the environment says of an option.
 * @param name receives the variable that says it, else psp_cli_env_name's
 * @return NULL: nothing, or (name->failed) out of memory
 */
const char *psp_cli_env_text(const psprobe_option *option, psp_buf *name);

/** Sets an option that takes values to one, or adds it to its list. */
psprobe_code psp_cli_set_value(const psprobe_option *option, const char *text,
                               psprobe_error *error);
/** Sets an option of any kind to all that the environment or its default says. */
psprobe_code psp_cli_set_whole(const psprobe_option *option, const char *text,
                               psprobe_error *error);

/**
 * Refuses a setting's text: "'TEXT' FORMAT", where the text is as psp_setting_shown has it.
 * @return INVALID_ARGUMENT
 */
psprobe_code psp_cli_refuse(psprobe_error *error, const char *text, const char *format, ...)
    PSPROBE_PRINTF(3, 4);
/** Prints `program: where: message` to standard error. @return exit status 2 */
int psp_cli_complain(const psprobe_program *program, const char *where, const char *message);

/** When the first signal came, CLOCK_MONOTONIC; 0: none has. */
int64_t psp_signals_first(psprobe_signals *signals);

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
