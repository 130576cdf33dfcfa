/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_GRIDS_H
#define PSP_REPORT_GRIDS_H
/**
 * @file
 * The smaller tables below the figures, each there where there is something for it: cold and warm
 * apart, the cold cadence, where the time went, runs of different rates. Cells are text, so that
 * every form of the report shows the same. Pure.
 */
#include <psprobe/compare.h>

#include "base/json.h"
#include "report/layout.h"
#include "results/columns/columns.h"

#define PSP_GRIDS        4
#define PSP_GRID_COLUMNS 8
#define PSP_GRID_CELL    72
/** Fewer answers of the cold cadence bear no figures. */
#define PSP_COLD_LEAST 6

typedef struct psp_grid {
  const char *title;
  psp_buf note; /**< what to know of it, below; "": nothing */
  const char *heads[PSP_GRID_COLUMNS];
  size_t columns, rows;
  char (*cells)[PSP_GRID_COLUMNS][PSP_GRID_CELL];
} psp_grid;

/** Valid when zeroed. */
typedef struct psp_grids {
  psp_grid items[PSP_GRIDS];
  size_t count;
  bool failed; /**< memory ran out */
} psp_grids;

/** Makes those that there are. @param whole columns hold all probes; else without what needs them
 */
void psp_grids_make(psp_grids *grids, const psp_columns *columns,
                    const psprobe_comparison *comparison, bool whole);
void psp_grids_free(psp_grids *grids);

/** On a terminal: each below an empty line, turned to lines where it does not fit. */
void psp_grids_put_text(const psp_sink *out, const psp_grids *grids, const psp_text_style *style);
void psp_grids_put_markdown(const psp_sink *out, const psp_grids *grids);
void psp_grids_put_html(const psp_sink *out, const psp_grids *grids);
/** An array of {title, note, heads, rows}: what the page's modules bring it up to date with. */
void psp_grids_put_json(psp_json_writer *w, const psp_grids *grids);

#endif
