/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/notes_untaken.h"
#include "results/columns/export.h"

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
  if (code == PSPROBE_OK) {
    made->sentence = psprobe_comparison_sentence(made->comparison);
    if (psp_columns_untaken(&made->columns, &made->untaken))
      made->notes = psp_notes_with_untaken(made->comparison, &made->untaken);
    psp_grids_make(&made->grids, &made->columns, made->comparison);
    if (made->sentence == NULL || made->notes == NULL || made->grids.failed)
      code = psp_fail_memory(error, "report");
  }
  if (code == PSPROBE_OK)
    *report = made;
  else
    psprobe_report_free(made);
  return code;
}

void psprobe_report_free(psprobe_report *report) {
  if (report == NULL) return;
  psprobe_comparison_free(report->comparison);
  psp_grids_free(&report->grids);
  psp_columns_free(&report->columns);
  free(report->sentence);
  free(report->notes);
  free(report);
}

size_t psprobe_report_count(const psprobe_report *report) {
  return report->columns.count;
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
static psprobe_code finish(psprobe_code code, psp_columns *columns,
                           const psprobe_report_options *options, psprobe_report **report,
                           psprobe_error *error) {
  if (code == PSPROBE_OK && options->source_count > 0)
    code = psp_columns_select(columns, options->sources, options->source_count, error);
  if (code == PSPROBE_OK) code = psp_report_new(columns, report, error);
  psp_columns_free(columns);
  return code;
}

static const psprobe_report_options no_options;

psprobe_code psprobe_report_read(const char *path, const psprobe_report_options *options,
                                 psprobe_report **report, psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns columns = {0};
  psp_columns_source source = {path, options->filter, options->logger};
  psprobe_code code = psp_columns_open(&columns, &source, error);
  return finish(code, &columns, options, report, error);
}

psprobe_code psprobe_report_export(const char *path, const psprobe_report_options *options,
                                   psprobe_report_form form, psprobe_report_put *put, void *arg,
                                   psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns_source source = {path, options->filter, options->logger};
  return psp_export_file(&source, form, put, arg, error);
}

psprobe_code psprobe_report_fetch(psprobe_client *client, const psprobe_report_cloud *cloud,
                                  const psprobe_report_options *options, psprobe_report **report,
                                  psprobe_error *error) {
  if (options == NULL) options = &no_options;
  psp_columns columns = {0};
  psp_columns_cloud from = {.client = client, .filter = options->filter};
  if (cloud != NULL) {
    from.collection = cloud->collection;
    from.runs = cloud->runs;
    from.progress = cloud->progress;
    from.progress_arg = cloud->progress_arg;
  }
  psprobe_code code = psp_columns_fetch(&columns, &from, error);
  return finish(code, &columns, options, report, error);
}

char *psprobe_report_csv(const psprobe_report *report) {
  return psp_columns_export(&report->columns, PSPROBE_REPORT_CSV);
}

char *psprobe_report_json_lines(const psprobe_report *report) {
  return psp_columns_export(&report->columns, PSPROBE_REPORT_JSON_LINES);
}
