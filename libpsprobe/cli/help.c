/* SPDX-License-Identifier: MIT */
/** @file --help and the man page, from the same table as the parser. */
#include <string.h>

#include "base/wrap.h"
#include "cli/parts.h"

#define HELP_WIDTH 79

static const char log_level_help[] = "error, warning, info or debug";
static const char log_level_fallback[] = "warning";

static void usage(psp_buf *out, const psprobe_program *program) {
  psp_buf_printf(out, "psprobe-%s [OPTION]...", program->name);
  if (program->operand != NULL && program->operand_required)
    psp_buf_printf(out, " %s", program->operand);
  else if (program->operand != NULL)
    psp_buf_printf(out, " [%s]", program->operand);
  if (program->command_value != NULL) psp_buf_text(out, " [-- COMMAND [ARGUMENT]...]");
}

/* The column of the texts: after the longest option, as far as 80 columns allow. */
static int help_column(const psprobe_program *program) {
  size_t longest = 22;
  for (size_t i = 0; i < program->option_count; i++) {
    const psprobe_option *o = &program->options[i];
    size_t len = 4 + strlen(o->name) + (o->metavar != NULL ? 1 + strlen(o->metavar) : 0);
    if (!o->man_only && len > longest && len <= 24) longest = len;
  }
  return (int)longest;
}

static void help_line(psp_buf *out, int column, const char *name, const char *metavar,
                      const char *help, const char *fallback) {
  char left[64];
  snprintf(left, sizeof left, "  --%s%s%s", name, metavar != NULL ? " " : "",
           metavar != NULL ? metavar : "");
  psp_buf_printf(out, "%-*s %s", column, left, help);
  if (fallback != NULL) psp_buf_printf(out, " [%s]", fallback);
  psp_buf_char(out, '\n');
}

/* The names of the options that the man page alone explains, on as many lines as they need. */
static void man_only_lines(psp_buf *out, int column, const psprobe_program *program) {
  size_t begins = 0; /* of the line; 0: none yet */
  for (size_t i = 0; i < program->option_count; i++) {
    const char *name = program->options[i].name;
    if (!program->options[i].man_only) continue;
    bool fits = begins > 0 && out->len - begins + strlen(", --,") + strlen(name) <= HELP_WIDTH;
    if (begins > 0) psp_buf_text(out, fits ? ", " : ",\n");
    if (!fits) {
      const char *left = begins == 0 ? "  see the man page" : "";
      begins = out->len;
      psp_buf_printf(out, "%-*s ", column, left);
    }
    psp_buf_printf(out, "--%s", name);
  }
  if (begins > 0) psp_buf_char(out, '\n');
}

void psp_cli_help(psp_buf *out, const psprobe_program *program) {
  const int column = help_column(program);
  psp_buf_text(out, "usage: ");
  usage(out, program);
  psp_buf_char(out, '\n');
  psp_wrap(out, program->about, HELP_WIDTH);
  for (size_t i = 0; i < program->option_count; i++) {
    const psprobe_option *o = &program->options[i];
    if (!o->man_only) help_line(out, column, o->name, o->metavar, o->help, o->fallback);
  }
  man_only_lines(out, column, program);
  help_line(out, column, "log-level", "LEVEL", log_level_help, log_level_fallback);
  psp_buf_printf(out, "%-*s %s\n", column, "  --help, --version",
                 "each option is a variable too, as PSPROBE_LOG_LEVEL");
  psp_buf_text(out, "Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}

/* Text with roff's own characters escaped. */
static void roff(psp_buf *out, const char *text) {
  bool line_start = true;
  for (; *text != '\0'; text++) {
    if (line_start && (*text == '.' || *text == '\'')) psp_buf_text(out, "\\&");
    if (*text == '\\')
      psp_buf_text(out, "\\e");
    else if (*text == '-')
      psp_buf_text(out, "\\-");
    else
      psp_buf_char(out, *text);
    line_start = *text == '\n';
  }
}

static void man_option(psp_buf *out, const psprobe_option *o) {
  psp_buf_text(out, ".TP\n.B \\-\\-");
  roff(out, o->name);
  if (o->metavar != NULL) {
    psp_buf_text(out, " \\fI");
    roff(out, o->metavar);
    psp_buf_text(out, "\\fR");
  }
  psp_buf_char(out, '\n');
  roff(out, o->help);
  psp_buf_text(out, ".\n");
  if (o->fallback != NULL) {
    psp_buf_text(out, "Default: ");
    roff(out, o->fallback);
    psp_buf_text(out, ".\n");
  }
  psp_buf_text(out, "Environment: ");
  psp_cli_env_name(out, o);
  if (o->also_env != NULL) psp_buf_printf(out, ", then %s", o->also_env);
  psp_buf_text(out, ".\n");
}

/* What is no option's, of programs that call Google: those that have a project. */
static void man_environment(psp_buf *out, const psprobe_program *program) {
  static const char *const variables[][2] = {
      {"PUBSUB_EMULATOR_HOST, FIRESTORE_EMULATOR_HOST",
       "Host and port of an emulator, or of psprobe-local. No credentials are sent there."},
      {"GOOGLE_APPLICATION_CREDENTIALS",
       "A credentials file. Without it: that of gcloud auth application-default login, then the "
       "metadata server."},
      {"PSPROBE_PUBSUB_ENDPOINT, PSPROBE_FIRESTORE_ENDPOINT",
       "Other base URLs than Google's, with credentials."},
      {"https_proxy, no_proxy", "As curl understands them."},
  };
  bool calls = false;
  for (size_t i = 0; i < program->option_count; i++)
    calls |= strcmp(program->options[i].name, "project") == 0;
  if (!calls) return;
  psp_buf_text(out, ".SH ENVIRONMENT\n");
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    psp_buf_printf(out, ".TP\n.B %s\n", variables[i][0]);
    roff(out, variables[i][1]);
    psp_buf_char(out, '\n');
  }
}

void psp_cli_man(psp_buf *out, const psprobe_program *program) {
  psp_buf_printf(out, ".TH psprobe-%s 1 \"\" \"libpsprobe %s\" \"User Commands\"\n", program->name,
                 psprobe_version());
  psp_buf_printf(out, ".SH NAME\npsprobe-%s \\- ", program->name);
  roff(out, program->summary);
  psp_buf_text(out, "\n.SH SYNOPSIS\n.B ");
  usage(out, program);
  psp_buf_text(out, "\n.SH DESCRIPTION\n");
  roff(out, program->about);
  psp_buf_text(out, "\n.SH OPTIONS\n");
  for (size_t i = 0; i < program->option_count; i++)
    man_option(out, &program->options[i]);
  psprobe_option level = {.name = "log-level",
                          .metavar = "LEVEL",
                          .help = log_level_help,
                          .fallback = log_level_fallback};
  man_option(out, &level);
  psp_buf_text(out, ".TP\n.B \\-\\-help\nPrints the options.\n");
  psp_buf_text(out, ".TP\n.B \\-\\-version\nPrints the version.\n");
  man_environment(out, program);
  psp_buf_text(out, ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage.\n");
  if (program->example != NULL) {
    psp_buf_text(out, ".SH EXAMPLE\n.nf\n");
    roff(out, program->example);
    psp_buf_text(out, "\n.fi\n");
  }
  static const char *const others[] = {"prober", "subscriber", "responder", "local",
                                       "report", "demo",       "doctor"};
  psp_buf_text(out, ".SH SEE ALSO\n");
  const char *between = "";
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (strcmp(others[i], program->name) == 0) continue;
    psp_buf_printf(out, "%spsprobe\\-%s(1)", between, others[i]);
    between = ", ";
  }
  psp_buf_char(out, '\n');
}
