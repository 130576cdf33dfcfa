/* SPDX-License-Identifier: MIT */
#include "report/pictures.h"

#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "os/command.h"
#include "os/file.h"

extern char **environ;

/* A picture of a million probes takes seconds, and is some hundred KiB large. */
#define GNUPLOT_NS  INT64_C(120000000000)
#define PICTURE_MAX ((size_t)64 << 20)

static const char *const names[] = {"series", "ecdf", "histogram", "differences"};

/* Gives gnuplot the script; nothing but the script tells it anything (-d: no ~/.gnuplot). */
static psprobe_code run(const char *script, psp_secret *picture, psprobe_error *error) {
  const char *argv[] = {"gnuplot", "-d", "-", NULL};
  const psp_command gnuplot = {.argv = argv,
                               .env = (const char *const *)environ,
                               .input = script,
                               .timeout_ns = GNUPLOT_NS,
                               .max_output = PICTURE_MAX};
  int status = 0;
  psprobe_code code = psp_command_run(&gnuplot, picture, &status, error);
  if (code == PSPROBE_NOT_FOUND)
    return psp_fail(error, PSPROBE_NOT_FOUND,
                    "gnuplot is not installed; it draws these (Debian: apt-get install "
                    "gnuplot-nox). --html needs nothing");
  if (code != PSPROBE_OK) return code;
  if (status == 0 && picture->len > 0) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INTERNAL, "gnuplot could not draw (exit status %d)", status);
}

/* What cannot be written is told before gnuplot is asked. */
static psprobe_code draw(const char *path, const char *script, psprobe_error *error) {
  psp_new_file file;
  psp_secret picture = {0};
  int why = psp_new_file_begin(&file, path);
  psprobe_code code = why == 0 ? run(script, &picture, error) : psp_write_fail(path, why, error);
  if (code == PSPROBE_OK) {
    why = psp_new_file_end(&file, picture.data, picture.len);
    if (why != 0) code = psp_write_fail(path, why, error);
  } else {
    psp_new_file_drop(&file);
  }
  psp_secret_free(&picture);
  return code;
}

static psprobe_code draw_one(const psprobe_report *report, const psp_plots *plots, const char *stem,
                             const char *format, psp_picture picture, psprobe_error *error) {
  psp_buf script = {0}, path = {0};
  psp_picture_script(&script, report, plots, picture, strcmp(format, "svg") == 0);
  psp_buf_printf(&path, "%s-%s.%s", stem, names[picture], format);
  psprobe_code code = script.failed || path.failed ? psp_fail_memory(error, "picture")
                                                   : draw(path.data, script.data, error);
  psp_buf_free(&path);
  psp_buf_free(&script);
  return code;
}

psprobe_code psprobe_report_draw(const psprobe_report *report, const char *stem, const char *format,
                                 psprobe_error *error) {
  psp_plots plots;
  bool any = false;
  if (strcmp(format, "svg") != 0 && strcmp(format, "png") != 0)
    return psp_setting_refuse(error, "picture", format, "it is neither svg nor png");
  if (report->columns.count == 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "there are no probes to draw");
  for (size_t k = 0; k < report->columns.source_count; k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(report->comparison, k);
    any |= s->answered + s->late > 0;
  }
  if (!any) return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "no probe was answered");
  psprobe_code code = psp_plots_make(&plots, &report->probes, report->sums)
                          ? PSPROBE_OK
                          : psp_fail_memory(error, "pictures");
  int last = plots.differences.count > 0 ? PSP_PICTURE_DIFFERENCES : PSP_PICTURE_HISTOGRAM;
  for (int picture = 0; picture <= last && code == PSPROBE_OK; picture++)
    code = draw_one(report, &plots, stem, format, (psp_picture)picture, error);
  psp_plots_free(&plots);
  return code;
}
