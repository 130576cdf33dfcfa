/* SPDX-License-Identifier: MIT */
/** @file Shows a results file: in words, as rows, as figures, as a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/report.h>

static struct settings {
  const char *file, *run, *html;
  bool csv, json, ascii;
} o;

static const psprobe_option options[] = {
    {"html", PSPROBE_OPTION_TEXT, &o.html, "OUT", .help = "write the page with the graphs"},
    {"csv", PSPROBE_OPTION_FLAG, &o.csv, NULL, .help = "one row a probe, its id first"},
    {"json", PSPROBE_OPTION_FLAG, &o.json, NULL, .help = "the figures, for programs"},
    {"ascii", PSPROBE_OPTION_FLAG, &o.ascii, NULL, .help = "no block characters"},
    {"run", PSPROBE_OPTION_TEXT, &o.run, "ID",
     .help = "one run alone: (the beginning of) its id, or last"},
};

static const psprobe_program program = {
    .name = "report",
    .summary = "show the results of a prober",
    .about =
        "Reads a results file, also while a prober writes it, and prints what came of all its "
        "runs.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .operand = "FILE",
    .operand_value = &o.file,
    .operand_required = true,
    .example = "psprobe-report --run last psprobe.db",
};

/** Prints the form that was asked for, or writes the page. */
static psprobe_code show(const psprobe_report *report, psprobe_error *error) {
  psprobe_text_options style = psprobe_cli_text_options(stdout, o.ascii);
  char *text = o.html != NULL ? psprobe_report_html(report)
               : o.csv        ? psprobe_report_csv(report)
               : o.json       ? psprobe_report_json(report)
                              : psprobe_report_text(report, &style);
  psprobe_code code = text == NULL ? PSPROBE_RESOURCE_EXHAUSTED : PSPROBE_OK;
  if (text != NULL && o.html != NULL)
    code = psprobe_cli_write_file(o.html, text, strlen(text), error);
  else if (text != NULL && (fputs(text, stdout) == EOF || fflush(stdout) != 0))
    code = PSPROBE_UNAVAILABLE;
  if (code == PSPROBE_OK && o.html != NULL) printf("%s\n", o.html);
  free(text);
  return code;
}

int main(int argc, char **argv) {
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_store *store = NULL;
  psprobe_report *report = NULL;
  int status = psprobe_cli_parse(&program, argc, argv, &logger);
  if (status != -1) return status;
  if (o.csv + o.json + (o.html != NULL) > 1)
    return psprobe_cli_usage(&program, o.json ? "json" : "csv", "one form at a time");

  psprobe_store_options how = {.read_only = true, .logger = &logger};
  psprobe_filter filter = {.run = o.run};
  psprobe_code code = psprobe_store_open(o.file, &how, &store, &error);
  if (code == PSPROBE_OK) code = psprobe_report_load(store, &filter, &report, &error);
  if (code == PSPROBE_OK) code = show(report, &error);
  error.code = code;
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_report_free(report);
  psprobe_store_free(store);
  return status;
}
