/* SPDX-License-Identifier: MIT */
#include "report/pictures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/shown.h"
#include "os/command.h"

extern char **environ;

/* A picture of a million probes takes seconds, and is some hundred KiB large. */
#define GNUPLOT_NS  INT64_C(120000000000)
#define PICTURE_MAX ((size_t)64 << 20)

static const char *const names[] = {"series", "ecdf", "histogram", "differences"};

/* Where a picture goes, made beside it and renamed once it is whole. */
typedef struct place {
  psp_buf path, part;
} place;

static void free_place(place *p) {
  if (p->part.len > 0) unlink(p->part.data);
  psp_buf_free(&p->path);
  psp_buf_free(&p->part);
}

/* Writes a new file of a name that nobody else can have taken; `path` is its name. */
static int write_new(psp_buf *path, const void *data, size_t len) {
  int file = mkostemp(path->data, O_CLOEXEC), why = 0;
  if (file < 0) {
    why = errno;
    psp_buf_reset(path); /* there is nothing to remove */
    return why;
  }
  for (size_t done = 0; done < len && why == 0;) {
    ssize_t n = write(file, (const char *)data + done, len - done);
    if (n >= 0)
      done += (size_t)n;
    else if (errno != EINTR)
      why = errno;
  }
  mode_t mask = umask(0);
  umask(mask);
  if (why == 0 && fchmod(file, 0666 & ~mask) != 0) why = errno;
  if (close(file) != 0 && why == 0) why = errno;
  return why;
}

static psprobe_code no_file(const char *path, int why, psprobe_error *error) {
  psprobe_code code = why == EACCES || why == EROFS ? PSPROBE_PERMISSION_DENIED
                      : why == ENOENT               ? PSPROBE_NOT_FOUND
                                                    : PSPROBE_UNAVAILABLE;
  return psp_fail(error, code, "write %s: %s", path, strerror(why));
}

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

static psprobe_code draw(place *p, const psp_buf *script, psprobe_error *error) {
  psp_secret picture = {0};
  if (p->path.failed || p->part.failed || script->failed) return psp_fail_memory(error, "picture");
  psprobe_code code = run(script->data, &picture, error);
  if (code == PSPROBE_OK) {
    int why = write_new(&p->part, picture.data, picture.len);
    if (why == 0 && rename(p->part.data, p->path.data) != 0) why = errno;
    if (why != 0) code = no_file(p->path.data, why, error);
  } else {
    psp_buf_reset(&p->part);
  }
  psp_secret_free(&picture);
  return code;
}

static psprobe_code draw_one(const psprobe_report *report, const psp_plots *plots, const char *stem,
                             const char *format, psp_picture picture, psprobe_error *error) {
  psp_buf script = {0};
  place p = {{0}, {0}};
  psp_picture_script(&script, report, plots, picture, strcmp(format, "svg") == 0);
  psp_buf_printf(&p.path, "%s-%s.%s", stem, names[picture], format);
  psp_buf_printf(&p.part, "%s-%s.XXXXXX", stem, names[picture]);
  psprobe_code code = draw(&p, &script, error);
  free_place(&p);
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
  psprobe_code code =
      psp_plots_make(&plots, &report->probes) ? PSPROBE_OK : psp_fail_memory(error, "pictures");
  int last = plots.differences.count > 0 ? PSP_PICTURE_DIFFERENCES : PSP_PICTURE_HISTOGRAM;
  for (int picture = 0; picture <= last && code == PSPROBE_OK; picture++)
    code = draw_one(report, &plots, stem, format, (psp_picture)picture, error);
  psp_plots_free(&plots);
  return code;
}
