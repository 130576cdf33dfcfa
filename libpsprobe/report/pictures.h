/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PICTURES_H
#define PSP_REPORT_PICTURES_H
/** @file Pictures as files: what gnuplot is told. Pure. */
#include "base/buf.h"
#include "report/plots.h"
#include "report/report.h"

typedef enum psp_picture {
  PSP_PICTURE_SERIES,
  PSP_PICTURE_ECDF,
  PSP_PICTURE_HISTOGRAM,
  PSP_PICTURE_DIFFERENCES /**< of the first two sources, which answered some probe both */
} psp_picture;

/** The script of one picture, which gnuplot writes to its standard output. */
void psp_picture_script(psp_buf *script, const psprobe_report *report, const psp_plots *plots,
                        psp_picture picture, bool svg);

#endif
