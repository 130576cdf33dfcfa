/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/notes_open.h"
#include "report/notes_untaken.h"
#include "report/words.h"
#include "results/columns/export.h"

/* What to know: of runs without an end first, and last that probes are summed up. */
static char *notes_of(const psprobe_report *report) {
  psp_buf out = {0};
  char *notes = psp_notes_with_untaken(report->comparison, &report->untaken);
  if (notes == NULL) return NULL;
  psp_notes_open(&out, &report->columns);
  psp_buf_text(&out, notes);
  free(notes);
  if (report->sums == NULL) return psp_buf_take(&out, NULL);
  psp_words_probes(&out, report->sums->probes);
  psp_buf_text(&out,
               " are summed up in histograms: counts are exact, durations within 0.1 %. What "
               "needs each probe (the ways between machines, rates, hours, common slowness) "
               "is told of up to ");
  psp_words_probes(&out, PSP_DIGESTED_FROM);
  psp_buf_text(&out, ": choose a run or a time.\n");
  return psp_buf_take(&out, NULL);
}

/* The words and the tables, of columns and a comparison that are there. */
static psprobe_code finish(psprobe_report *made, psprobe_report **report, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  made->sentence = psprobe_comparison_sentence(made->comparison);
  if (psp_columns_untaken(&made->columns, &made->untaken)) made->notes = notes_of(made);
  psp_grids_make(&made->grids, &made->columns, made->comparison, made->sums == NULL);
  if (made->sentence == NULL || made->notes == NULL || made->grids.failed)
    code = psp_fail_memory(error, "report");
  if (code == PSPROBE_OK)
    *report = made;
  else
    psprobe_report_free(made);
  return code;
}

psprobe_code psp_report_new(psp_columns *columns, psprobe_report **report, psprobe_error *error) {
  psprobe_report *made = calloc(1, sizeof *made);
  if (made == NULL || columns->failed) {
    free(made);
    return psp_fail_memory(error, "report");
  }
  made->columns = *columns;
  memset(columns, 0, sizeof *columns);
  made->probes = psp_columns_probes(&made->columns, made->series);
  psprobe_code code = psprobe_comparison_new(&made->probes, NULL, &made->comparison, error);
  if (code == PSPROBE_OK) return finish(made, report, error);
  psprobe_report_free(made);
  return code;
}

psprobe_code psp_report_of_digests(psp_digested *digested, psprobe_report **report,
                                   psprobe_error *error) {
  psprobe_report *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "report");
  made->summed = *digested;
  memset(digested, 0, sizeof *digested);
  made->columns = made->summed.columns;
  made->comparison = made->summed.comparison;
  made->summed.columns = (psp_columns){0};
  made->summed.comparison = NULL;
  made->sums_of = (psp_plots_sums){.probes = made->summed.probes,
                                   .answers = made->summed.answers,
                                   .differences = &made->summed.differences,
                                   .even = made->summed.even};
  made->sums = &made->sums_of;
  made->probes = psp_columns_probes(&made->columns, made->series);
  return finish(made, report, error);
}

void psprobe_report_free(psprobe_report *report) {
  if (report == NULL) return;
  psprobe_comparison_free(report->comparison);
  psp_grids_free(&report->grids);
  psp_columns_free(&report->columns);
  psp_digested_free(&report->summed);
  free(report->sentence);
  free(report->notes);
  free(report);
}

size_t psprobe_report_count(const psprobe_report *report) {
  return report->sums != NULL ? (size_t)report->sums->probes : report->columns.count;
}

const char *psprobe_report_sentence(const psprobe_report *report) {
  return report->sentence;
}

psprobe_code psprobe_report_load(psprobe_store *store, const psprobe_filter *filter,
                                 psprobe_report **report, psprobe_error *error) {
  psp_columns columns = {0};
  psprobe_code code = psp_columns_load(&columns, store, filter, error);
  if (code == PSPROBE_OK) code = psp_report_new(&columns, report, error);
  psp_columns_free(&columns);
  return code;
}

/* Of columns that were read, or why they were not; they are taken. */
static psprobe_code of_columns(psprobe_code code, psp_columns *columns,
                               const psprobe_report_options *options, psprobe_report **report,
                               psprobe_error *error) {
  if (code == PSPROBE_OK && options->source_count > 0)
    code = psp_columns_select(columns, options->sources, options->source_count, error);
  if (code == PSPROBE_OK) code = psp_report_new(columns, report, error);
  psp_columns_free(columns);
  return code;
}

static const psprobe_report_options no_options;

/* Sums up a results file that has more probes than are held; *report stays NULL where it has not,
 * or is none. */
static psprobe_code read_summed(const char *path, const psprobe_report_options *options,
                                psprobe_report **report, psprobe_error *error) {
  const psprobe_store_options how = {.read_only = true};
  psprobe_store *store = NULL;
  psp_digested digested = {0};
  bool wanted = false;
  if (options->rows || strcmp(path, "-") == 0) return PSPROBE_OK;
  if (psprobe_store_new(path, &how, &store, NULL) != PSPROBE_OK) return PSPROBE_OK;
  const psp_digesting what = {store, &options->filter, options->sources, options->source_count,
                              options->recount};
  psprobe_code code =
      psp_digested_wanted(store, &options->filter, PSP_DIGESTED_FROM, &wanted, error);
  if (code == PSPROBE_OK && wanted) code = psp_digested_read(&digested, &what, error);
  if (code == PSPROBE_OK && wanted) code = psp_report_of_digests(&digested, report, error);
  psp_digested_free(&digested);
  psprobe_store_free(store);
  return code;
}

psprobe_code psprobe_report_read(const char *path, const psprobe_report_options *options,
                                 psprobe_report **report, psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns columns = {0};
  psp_columns_source source = {path, options->filter, options->logger};
  psprobe_report *summed = NULL;
  psprobe_code code = read_summed(path, options, &summed, error);
  if (code != PSPROBE_OK) return code;
  if (summed != NULL) {
    *report = summed;
    return PSPROBE_OK;
  }
  code = psp_columns_open(&columns, &source, error);
  return of_columns(code, &columns, options, report, error);
}

psprobe_code psprobe_report_export(const char *path, const psprobe_report_options *options,
                                   psprobe_report_form form, psprobe_report_put *put, void *arg,
                                   psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns_source source = {path, options->filter, options->logger};
  psp_export out = {form, put, arg, .chosen = {options->sources, options->source_count}};
  return psp_export_file(&source, &out, error);
}

static psp_columns_cloud in_cloud(psprobe_client *client, const psprobe_report_cloud *cloud,
                                  const psprobe_report_options *options) {
  static const psprobe_report_cloud usual;
  if (cloud == NULL) cloud = &usual;
  return (psp_columns_cloud){.client = client,
                             .filter = options->filter,
                             .collection = cloud->collection,
                             .runs = cloud->runs,
                             .progress = cloud->progress,
                             .progress_arg = cloud->progress_arg};
}

psprobe_code psprobe_report_fetch(psprobe_client *client, const psprobe_report_cloud *cloud,
                                  const psprobe_report_options *options, psprobe_report **report,
                                  psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns columns = {0};
  psp_columns_cloud from = in_cloud(client, cloud, options);
  psprobe_code code = psp_columns_fetch(&columns, &from, error);
  return of_columns(code, &columns, options, report, error);
}

psprobe_code psprobe_report_export_cloud(psprobe_client *client, const psprobe_report_cloud *cloud,
                                         const psprobe_report_options *options,
                                         psprobe_report_form form, psprobe_report_put *put,
                                         void *arg, psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns_cloud from = in_cloud(client, cloud, options);
  psp_export out = {form, put, arg, .chosen = {options->sources, options->source_count}};
  return psp_export_cloud(&from, &out, error);
}

char *psprobe_report_csv(const psprobe_report *report) {
  return report->sums == NULL ? psp_columns_export(&report->columns, PSPROBE_REPORT_CSV) : NULL;
}

char *psprobe_report_json_lines(const psprobe_report *report) {
  if (report->sums != NULL) return NULL;
  return psp_columns_export(&report->columns, PSPROBE_REPORT_JSON_LINES);
}
