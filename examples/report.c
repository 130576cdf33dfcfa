/* SPDX-License-Identifier: MIT */
/** @file Shows results: in words, as rows, as figures, as pictures. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/client.h>
#include <psprobe/report.h>

static struct settings {
  psprobe_client_options client;
  psprobe_report_cloud cloud;
  psprobe_text_list sources, compare;
  const char *file, *run, *since, *until, *html, *svg, *png;
  bool csv, lines, json, markdown, ascii, recount;
} o;

static const psprobe_option options[] = {
    {"html", PSPROBE_OPTION_TEXT, &o.html, "FILE",
     .help = "write the page with the graphs (-: to standard output)"},
    {"svg", PSPROBE_OPTION_TEXT, &o.svg, "STEM",
     .help = "draw STEM-series.svg and others (gnuplot)"},
    {"png", PSPROBE_OPTION_TEXT, &o.png, "STEM", .help = "likewise as PNG"},
    {"csv", PSPROBE_OPTION_FLAG, &o.csv, NULL, .help = "one row a probe, its id first"},
    {"jsonl", PSPROBE_OPTION_FLAG, &o.lines, NULL,
     .help = "all that is kept: an object a line, runs and probes"},
    {"json", PSPROBE_OPTION_FLAG, &o.json, NULL, .help = "the figures, for programs"},
    {"markdown", PSPROBE_OPTION_FLAG, &o.markdown, NULL, .help = "for an issue or a pull request"},
    {"compare", PSPROBE_OPTION_PAIR, &o.compare, "A B", .help = "what changed from run A to run B"},
    {"run", PSPROBE_OPTION_TEXT, &o.run, "ID",
     .help = "one run: (the beginning of) its id, or last"},
    {"since", PSPROBE_OPTION_TEXT, &o.since, "TIME",
     .help = "sent since 2026-11-24, 2026-11-24T22:10:00Z, 2h (ago)",
     .check = psprobe_check_moment},
    {"until", PSPROBE_OPTION_TEXT, &o.until, "TIME", .help = "sent before",
     .check = psprobe_check_moment},
    {"source", PSPROBE_OPTION_LIST, &o.sources, "NAME", .help = "this one alone; repeatable",
     .env = "PSPROBE_REPORT_SOURCE"},
    {"recount", PSPROBE_OPTION_FLAG, &o.recount, NULL,
     .help = "sum up each row of a long history anew, not its file's own sums", .man_only = true},
    {"ascii", PSPROBE_OPTION_FLAG, &o.ascii, NULL, .help = "no block characters"},
    {"firestore", PSPROBE_OPTION_TEXT, &o.cloud.collection, "NAME",
     .help = "read this collection, in place of a file", .env = "PSPROBE_REPORT_FIRESTORE",
     .check = psprobe_check_collection},
    {"runs-collection", PSPROBE_OPTION_TEXT, &o.cloud.runs, "NAME",
     .help = "… and this of runs [as that one: pubsub_runs]", .check = psprobe_check_collection,
     .man_only = true},
    {"project", PSPROBE_OPTION_TEXT, &o.client.project, "ID", .help = "Google Cloud project of it",
     .also_env = "GOOGLE_CLOUD_PROJECT", .check = psprobe_check_project},
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take"},
};

static const psprobe_program program = {
    .name = "report",
    .summary = "show the results of a prober",
    .about =
        "Says which source answers faster and how sure that is, from a results file (also "
        "while a prober writes it), from CSV or JSON lines (- for standard input), or from what "
        "probers uploaded (--firestore).",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .operand = "FILE",
    .operand_value = &o.file,
    .example = "psprobe-report --run last --html report.html psprobe.db",
};

static atomic_uint_fast64_t rows_read;

static void count_rows(void *arg, uint64_t rows) {
  (void)arg;
  atomic_store(&rows_read, rows);
}

static void tell_rows(void *arg, char *line, size_t size) {
  (void)arg;
  snprintf(line, size, "%llu rows read", (unsigned long long)atomic_load(&rows_read));
}

static bool print_rows(void *arg, const char *text, size_t len) {
  (void)arg;
  return fwrite(text, 1, len, stdout) == len;
}

static psprobe_report_form form_of_rows(void) {
  return o.lines ? PSPROBE_REPORT_JSON_LINES : PSPROBE_REPORT_CSV;
}

/* A report, or all rows where `report` is NULL. */
static psprobe_code fetch(const psprobe_report_options *what, psprobe_report **report,
                          psprobe_error *error) {
  psprobe_client *client = NULL;
  psprobe_progress *progress = NULL;
  psprobe_client_options_from_environment(&o.client);
  o.client.logger = what->logger;
  o.cloud.progress = count_rows;
  psprobe_code code = psprobe_client_new(&o.client, &client, error);
  if (code == PSPROBE_OK) code = psprobe_progress_new(stderr, tell_rows, NULL, &progress, error);
  if (code == PSPROBE_OK && report != NULL)
    code = psprobe_report_fetch(client, &o.cloud, what, report, error);
  else if (code == PSPROBE_OK)
    code = psprobe_report_export_cloud(client, &o.cloud, what, form_of_rows(), print_rows, NULL,
                                       error);
  psprobe_progress_free(progress);
  psprobe_client_free(client);
  return code;
}

static psprobe_report_options asked(const char *run, const psprobe_logger *logger) {
  psprobe_report_options what = {.filter = {.run = run}, .logger = logger};
  if (o.since != NULL) what.filter.since_wall_ns = psprobe_cli_moment(o.since);
  if (o.until != NULL) what.filter.until_wall_ns = psprobe_cli_moment(o.until);
  what.sources = o.sources.items;
  what.source_count = o.sources.count;
  what.recount = o.recount;
  return what;
}

static psprobe_code read_run(const char *run, const psprobe_logger *logger, psprobe_report **report,
                             psprobe_error *error) {
  psprobe_report_options what = asked(run, logger);
  if (o.cloud.collection != NULL) return fetch(&what, report, error);
  return psprobe_report_read(o.file, &what, report, error);
}

static psprobe_code failed(psprobe_error *error, const char *what, const char *why) {
  snprintf(error->message, sizeof error->message, "%s: %s", what, why);
  return PSPROBE_UNAVAILABLE;
}

/* All rows, without holding them. */
static psprobe_code export_rows(const psprobe_logger *logger, psprobe_error *error) {
  psprobe_report_options what = asked(o.run, logger);
  psprobe_code code =
      o.cloud.collection != NULL
          ? fetch(&what, NULL, error)
          : psprobe_report_export(o.file, &what, form_of_rows(), print_rows, NULL, error);
  if (code == PSPROBE_OK && (fflush(stdout) != 0 || ferror(stdout) != 0))
    code = failed(error, "write standard output", strerror(errno));
  return code;
}

static psprobe_code compare(const psprobe_report *after, const psprobe_logger *logger,
                            psprobe_error *error) {
  psprobe_text_options style = psprobe_cli_text_options(stdout, o.ascii);
  psprobe_report *before = NULL;
  char *text = NULL;
  psprobe_code code = read_run(o.compare.items[0], logger, &before, error);
  if (code == PSPROBE_OK) code = psprobe_report_before_after(before, after, &style, &text, error);
  if (code == PSPROBE_OK) code = psprobe_cli_put(text, NULL, error);
  psprobe_report_free(before);
  return code;
}

static psprobe_code draw(const psprobe_report *report, const char *stem, const char *format,
                         psprobe_error *error) {
  /* A gnuplot that is not there reads nothing. */
  signal(SIGPIPE, SIG_IGN);
  psprobe_code code = psprobe_report_draw(report, stem, format, error);
  if (code == PSPROBE_OK) psprobe_cli_print(stdout, "%s-series.%s and its like\n", stem, format);
  return code;
}

static psprobe_code page(const psprobe_report *report, psprobe_error *error) {
  psprobe_code code = psprobe_cli_put(psprobe_report_html(report), o.html, error);
  if (code == PSPROBE_OK && strcmp(o.html, "-") != 0) psprobe_cli_print(stdout, "%s\n", o.html);
  return code;
}

/* The form that was asked for. */
static psprobe_code show(const psprobe_report *report, psprobe_error *error) {
  psprobe_text_options style = psprobe_cli_text_options(stdout, o.ascii);
  if (o.html != NULL) return page(report, error);
  if (o.svg != NULL) return draw(report, o.svg, "svg", error);
  if (o.png != NULL) return draw(report, o.png, "png", error);
  if (o.json) return psprobe_cli_put(psprobe_report_json(report), NULL, error);
  if (o.markdown) return psprobe_cli_put(psprobe_report_markdown(report), NULL, error);
  return psprobe_cli_put(psprobe_report_text(report, &style), NULL, error);
}

/* Two forms at once are a mistake, told by their names. */
static bool one_form(int *status) {
  const struct {
    const char *name;
    bool given;
  } forms[] = {{"html", o.html != NULL}, {"svg", o.svg != NULL},
               {"png", o.png != NULL},   {"csv", o.csv},
               {"jsonl", o.lines},       {"json", o.json},
               {"markdown", o.markdown}, {"compare", o.compare.count > 0}};
  const char *first = NULL;
  char message[80];
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (!forms[i].given) continue;
    if (first != NULL) {
      snprintf(message, sizeof message, "not together with --%s: one form at a time", first);
      *status = psprobe_cli_usage(&program, forms[i].name, message);
      return false;
    }
    first = forms[i].name;
  }
  return true;
}

/* A file, or Firestore. */
static bool one_place(int *status) {
  if ((o.file == NULL) != (o.cloud.collection == NULL)) return true;
  *status = psprobe_cli_usage(&program, "firestore",
                              o.file == NULL ? "this or a FILE" : "not together with a file");
  return false;
}

int main(int argc, char **argv) {
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_report *report = NULL;
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  if (!one_form(&status) || !one_place(&status)) return status;

  const char *run = o.compare.count > 0 ? o.compare.items[1] : o.run;
  bool rows = o.csv || o.lines;
  psprobe_code code = rows ? export_rows(&logger, &error) : read_run(run, &logger, &report, &error);
  if (code == PSPROBE_OK && !rows)
    code = o.compare.count > 0 ? compare(report, &logger, &error) : show(report, &error);
  error.code = code;
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_report_free(report);
  psprobe_cli_free(&program);
  return status;
}
