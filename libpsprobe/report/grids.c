/* SPDX-License-Identifier: MIT */
#include "report/grids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/legs.h"
#include "report/rates.h"
#include "report/words.h"

/* One more, with its heads. */
static psp_grid *add_grid(psp_grids *grids, const char *title, const char *const *heads,
                          size_t columns) {
  psp_grid *grid = &grids->items[grids->count++];
  *grid = (psp_grid){.title = title, .columns = columns};
  memcpy(grid->heads, heads, columns * sizeof *heads);
  return grid;
}

/* One more row, empty; NULL: no memory. */
static char (*add_row(psp_grids *grids, psp_grid *grid))[PSP_GRID_CELL] {
  void *grown = realloc(grid->cells, (grid->rows + 1) * sizeof *grid->cells);
  grids->failed |= grown == NULL;
  if (grown == NULL) return NULL;
  grid->cells = grown;
  memset(grid->cells[grid->rows], 0, sizeof grid->cells[0]);
  return grid->cells[grid->rows++];
}

static void put_cell(char cell[PSP_GRID_CELL], psp_buf *text) {
  if (text->len > 0) snprintf(cell, PSP_GRID_CELL, "%s", text->data);
  psp_buf_reset(text);
}

static void set_text(char cell[PSP_GRID_CELL], const char *text) {
  snprintf(cell, PSP_GRID_CELL, "%s", text);
}

static void set_count(char cell[PSP_GRID_CELL], uint64_t count) {
  snprintf(cell, PSP_GRID_CELL, "%llu", (unsigned long long)count);
}

static void set_duration(char cell[PSP_GRID_CELL], bool there, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  set_text(cell, there ? psp_format_duration(text, ns) : "-");
}

/* "17.8 to 18.6 ms" */
static void set_interval(char cell[PSP_GRID_CELL], const psprobe_interval *interval) {
  psp_buf text = {0};
  set_text(cell, "-");
  if (!interval->has_low || !interval->has_high) return;
  psp_scale scale = psp_scale_of_interval(
      interval->low_ns + (interval->high_ns - interval->low_ns) / 2, interval);
  psp_words_range(&text, scale, interval);
  put_cell(cell, &text);
  psp_buf_free(&text);
}

static void set_share(char cell[PSP_GRID_CELL], uint64_t count, uint64_t of) {
  psp_buf text = {0};
  set_text(cell, "-");
  if (of > 0) psp_words_share(&text, count, of);
  put_cell(cell, &text);
  psp_buf_free(&text);
}

/* ---- cold and warm ---- */

static void add_part(psp_grids *grids, psp_grid *grid, const char *name, const char *which,
                     const psprobe_part *part) {
  char(*row)[PSP_GRID_CELL] = add_row(grids, grid);
  if (row == NULL) return;
  set_text(row[0], name);
  set_text(row[1], which);
  set_count(row[2], part->n);
  set_duration(row[3], true, part->min_ns);
  for (size_t q = 0; q < 3; q++)
    set_duration(row[4 + q], true, part->quantiles_ns[q]);
  set_duration(row[7], true, part->max_ns);
}

static void make_parts(psp_grids *grids, const psprobe_comparison *comparison) {
  static const char *const heads[] = {"source", "", "answers", "min", "p50", "p90", "p99", "max"};
  psp_grid *grid = NULL;
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(comparison, k);
    if (s->cold_part.n == 0 || s->warm_part.n == 0) continue;
    if (grid == NULL) grid = add_grid(grids, "Cold and warm apart", heads, 8);
    add_part(grids, grid, s->name, "warm", &s->warm_part);
    add_part(grids, grid, s->name, "cold", &s->cold_part);
  }
}

/* ---- the cold cadence ---- */

static void add_cold(psp_grids *grids, psp_grid *grid, const psprobe_source_summary *s) {
  uint64_t answers = s->answered + s->late;
  if (answers == 0) return; /* it has no subscription to that topic, for all we know */
  if (answers < PSP_COLD_LEAST) {
    psp_buf_printf(&grid->note, "%s%s: %llu of %d answers are there; %llu more are needed.",
                   grid->note.len > 0 ? " " : "", s->name, (unsigned long long)answers,
                   PSP_COLD_LEAST, (unsigned long long)(PSP_COLD_LEAST - answers));
    return;
  }
  char(*row)[PSP_GRID_CELL] = add_row(grids, grid);
  if (row == NULL) return;
  set_text(row[0], s->name);
  set_count(row[1], answers);
  set_share(row[2], s->cold_count, answers);
  set_duration(row[3], true, s->min_ns);
  set_duration(row[4], true, s->quantiles[0].value_ns);
  set_interval(row[5], &s->quantiles[0].ci);
  set_duration(row[6], true, s->max_ns);
}

static void make_cold(psp_grids *grids, const psp_columns *columns) {
  static const char *const heads[] = {"source", "answers",       "cold", "min",
                                      "p50",    "95 % interval", "max"};
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_comparison *comparison = NULL;
  if (columns->apart == NULL || columns->apart->count == 0) return;
  psprobe_probes probes = psp_columns_probes(columns->apart, series);
  if (psprobe_comparison_new(&probes, NULL, &comparison, NULL) != PSPROBE_OK) {
    grids->failed = true;
    return;
  }
  psp_grid *grid = add_grid(grids, "Rare probes, on a topic of their own", heads, 7);
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++)
    add_cold(grids, grid, psprobe_comparison_source(comparison, k));
  if (grid->rows == 0 && grid->note.len == 0)
    psp_buf_printf(&grid->note, "None of %zu has been answered.", columns->apart->count);
  psprobe_comparison_free(comparison);
}

/* ---- where the time went ---- */

static void add_legs(psp_grids *grids, psp_grid *grid, const char *name, const psp_legs *legs) {
  bool known = legs->answers > 0;
  psprobe_interval to_arrival = {known, known, legs->to_arrival.low_ns, legs->to_arrival.high_ns};
  psprobe_interval to_receipt = {known, known, legs->to_receipt.low_ns, legs->to_receipt.high_ns};
  char(*row)[PSP_GRID_CELL] = add_row(grids, grid);
  if (row == NULL) return;
  set_text(row[0], name);
  set_count(row[1], legs->instances);
  set_duration(row[2], legs->ready_n > 0, legs->ready_ns);
  set_count(row[3], legs->answers);
  set_interval(row[4], &to_arrival);
  set_duration(row[5], known, legs->in_hand_ns);
  set_interval(row[6], &to_receipt);
}

static void make_legs(psp_grids *grids, const psp_columns *columns) {
  static const char *const heads[] = {"source",     "instances", "ready in",  "answers",
                                      "to arrival", "in hand",   "to receipt"};
  psp_grid *grid = NULL;
  for (size_t k = 0; k < columns->source_count; k++) {
    psp_legs legs;
    grids->failed |= !psp_legs_of(columns, k, &legs);
    if (legs.instances == 0) continue;
    if (grid == NULL) grid = add_grid(grids, "From machine to machine", heads, 7);
    add_legs(grids, grid, columns->sources[k].shown, &legs);
  }
  if (grid != NULL)
    psp_buf_text(
        &grid->note,
        "Medians: from a process's start (known to 10 ms, by its CPU time better) to its being "
        "ready; from before the publish call "
        "to the message's arrival; from there to sending the answer; from there to its "
        "receipt. The first and the last way lie between these bounds, by the offset of "
        "the two clocks that the answers' exchanges bear.");
}

/* ---- rates ---- */

static void make_rates(psp_grids *grids, const psp_columns *columns) {
  static const char *const heads[] = {"messages", "source",        "answers",
                                      "p50",      "95 % interval", "cold"};
  psp_rate *rates = NULL;
  size_t count = 0;
  grids->failed |= !psp_rates_list(columns, &rates, &count);
  psp_grid *grid = count > 0 ? add_grid(grids, "By the rate of the topic", heads, 6) : NULL;
  for (size_t i = 0; i < count; i++) {
    const psprobe_source_summary *s = &rates[i].figures;
    uint64_t answers = s->answered + s->late;
    char(*row)[PSP_GRID_CELL] = add_row(grids, grid);
    if (row == NULL) break;
    if (rates[i].per_s > 0)
      snprintf(row[0], PSP_GRID_CELL, "%.4g/s", rates[i].per_s);
    else
      set_text(row[0], "not told");
    set_text(row[1], columns->sources[rates[i].source].shown);
    set_count(row[2], answers);
    set_duration(row[3], answers > 0, s->quantiles[0].value_ns);
    set_interval(row[4], &s->quantiles[0].ci);
    set_share(row[5], s->cold_count, answers);
  }
  free(rates);
}

void psp_grids_make(psp_grids *grids, const psp_columns *columns,
                    const psprobe_comparison *comparison, bool whole) {
  *grids = (psp_grids){0};
  make_parts(grids, comparison);
  make_cold(grids, columns);
  if (whole) make_legs(grids, columns);
  if (whole) make_rates(grids, columns);
  for (size_t i = 0; i < grids->count; i++)
    grids->failed |= grids->items[i].note.failed;
}

void psp_grids_free(psp_grids *grids) {
  for (size_t i = 0; i < grids->count; i++) {
    free(grids->items[i].cells);
    psp_buf_free(&grids->items[i].note);
  }
  *grids = (psp_grids){0};
}
