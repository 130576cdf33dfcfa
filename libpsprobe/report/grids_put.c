/* SPDX-License-Identifier: MIT */
/** @file The smaller tables in each form of the report. */
#include "report/grids.h"

#include "base/text.h"

static const char *note_of(const psp_grid *grid) {
  return grid->note.len > 0 ? grid->note.data : "";
}

/* ---- a terminal ---- */

/* Texts stand to the left, numbers to the right. */
static bool is_text(const psp_grid *grid, size_t column) {
  return psp_text_equal(grid->heads[column], "source") || grid->heads[column][0] == '\0';
}

static int width_of(const psp_grid *grid, size_t column) {
  int width = psp_text_width(grid->heads[column]);
  for (size_t r = 0; r < grid->rows; r++) {
    int cell = psp_text_width(grid->cells[r][column]);
    width = cell > width ? cell : width;
  }
  return width;
}

static void put_line(const psp_sink *out, const psp_grid *grid, const int *widths,
                     const char *const *cells) {
  int owed = 0; /* blanks before the next text, so that no line ends with one */
  for (size_t c = 0; c < grid->columns; c++) {
    int gap = widths[c] - psp_text_width(cells[c]);
    psp_sink_spaces(out, owed + (is_text(grid, c) ? 0 : gap));
    psp_sink_text(out, cells[c]);
    owed = 2 + (is_text(grid, c) ? gap : 0);
  }
  psp_sink_raw(out, "\n");
}

/* Turned over: a line a cell, below the row's first. */
static void put_turned(const psp_sink *out, const psp_grid *grid) {
  for (size_t r = 0; r < grid->rows; r++) {
    psp_sink_text(out, grid->cells[r][0]);
    psp_sink_raw(out, "\n");
    for (size_t c = 1; c < grid->columns; c++) {
      psp_sink_raw(out, "  ");
      psp_sink_text(out, grid->heads[c]);
      psp_sink_spaces(out, grid->heads[c][0] == '\0' ? 0 : 1);
      psp_sink_text(out, grid->cells[r][c]);
      psp_sink_raw(out, "\n");
    }
  }
}

static void put_rows(const psp_sink *out, const psp_grid *grid, int width) {
  int widths[PSP_GRID_COLUMNS], all = -2;
  for (size_t c = 0; c < grid->columns; c++) {
    widths[c] = width_of(grid, c);
    all += widths[c] + 2;
  }
  if (all > width) {
    put_turned(out, grid);
    return;
  }
  put_line(out, grid, widths, grid->heads);
  for (size_t r = 0; r < grid->rows; r++) {
    const char *cells[PSP_GRID_COLUMNS];
    for (size_t c = 0; c < grid->columns; c++)
      cells[c] = grid->cells[r][c];
    put_line(out, grid, widths, cells);
  }
}

void psp_grids_put_text(const psp_sink *out, const psp_grids *grids, const psp_text_style *style) {
  for (size_t i = 0; i < grids->count; i++) {
    const psp_grid *grid = &grids->items[i];
    psp_sink_raw(out, "\n");
    psp_text_bold(out, style);
    psp_text_wrap(out, grid->title, style->width);
    psp_text_plain(out, style);
    if (grid->rows > 0) put_rows(out, grid, style->width);
    if (grid->note.len > 0) psp_text_wrap(out, note_of(grid), style->width);
  }
  out->to->failed |= grids->failed;
}

/* ---- Markdown ---- */

void psp_grids_put_markdown(const psp_sink *out, const psp_grids *grids) {
  for (size_t i = 0; i < grids->count; i++) {
    const psp_grid *grid = &grids->items[i];
    psp_sink_raw(out, "\n**");
    psp_sink_text(out, grid->title);
    psp_sink_raw(out, "**\n\n");
    for (size_t c = 0; c < grid->columns && grid->rows > 0; c++) {
      psp_sink_raw(out, "| ");
      psp_sink_text(out, grid->heads[c]);
      psp_sink_raw(out, " ");
    }
    if (grid->rows > 0) psp_sink_raw(out, "|\n");
    for (size_t c = 0; c < grid->columns && grid->rows > 0; c++)
      psp_sink_literal(out, is_text(grid, c) ? "| --- " : "| --: ");
    if (grid->rows > 0) psp_sink_raw(out, "|\n");
    for (size_t r = 0; r < grid->rows; r++) {
      for (size_t c = 0; c < grid->columns; c++) {
        psp_sink_raw(out, "| ");
        psp_sink_text(out, grid->cells[r][c]);
        psp_sink_raw(out, " ");
      }
      psp_sink_raw(out, "|\n");
    }
    if (grid->rows > 0 && grid->note.len > 0) psp_sink_raw(out, "\n");
    psp_sink_text(out, note_of(grid));
    if (grid->note.len > 0) psp_sink_raw(out, "\n");
  }
  out->to->failed |= grids->failed;
}

/* ---- the page ---- */

static void put_html_rows(const psp_sink *out, const psp_grid *grid) {
  psp_sink_raw(out, "<div class=\"scroll\"><table>\n<thead><tr>");
  for (size_t c = 0; c < grid->columns; c++) {
    psp_sink_raw(out, "<th scope=\"col\">");
    psp_sink_text(out, grid->heads[c]);
    psp_sink_raw(out, "</th>");
  }
  psp_sink_raw(out, "</tr></thead>\n<tbody>\n");
  for (size_t r = 0; r < grid->rows; r++) {
    psp_sink_raw(out, "<tr>");
    for (size_t c = 0; c < grid->columns; c++) {
      psp_sink_literal(out, c == 0 ? "<th scope=\"row\">" : "<td>");
      psp_sink_text(out, grid->cells[r][c]);
      psp_sink_literal(out, c == 0 ? "</th>" : "</td>");
    }
    psp_sink_raw(out, "</tr>\n");
  }
  psp_sink_raw(out, "</tbody></table></div>\n");
}

void psp_grids_put_html(const psp_sink *out, const psp_grids *grids) {
  psp_sink_raw(out, "<div id=\"grids\">\n");
  for (size_t i = 0; i < grids->count; i++) {
    const psp_grid *grid = &grids->items[i];
    psp_sink_raw(out, "<section><h2>");
    psp_sink_text(out, grid->title);
    psp_sink_raw(out, "</h2>\n");
    if (grid->rows > 0) put_html_rows(out, grid);
    if (grid->note.len > 0) {
      psp_sink_raw(out, "<p class=\"note\">");
      psp_sink_text(out, note_of(grid));
      psp_sink_raw(out, "</p>\n");
    }
    psp_sink_raw(out, "</section>\n");
  }
  psp_sink_raw(out, "</div>\n");
  out->to->failed |= grids->failed;
}

void psp_grids_put_json(psp_json_writer *w, const psp_grids *grids) {
  psp_json_begin_array(w);
  for (size_t i = 0; i < grids->count; i++) {
    const psp_grid *grid = &grids->items[i];
    psp_json_begin_object(w);
    psp_json_put_key(w, "title");
    psp_json_put_string(w, grid->title);
    psp_json_put_key(w, "note");
    psp_json_put_string(w, note_of(grid));
    psp_json_begin_array_member(w, "heads");
    for (size_t c = 0; c < grid->columns; c++)
      psp_json_put_string(w, grid->heads[c]);
    psp_json_end_array(w);
    psp_json_begin_array_member(w, "rows");
    for (size_t r = 0; r < grid->rows; r++) {
      psp_json_begin_array(w);
      for (size_t c = 0; c < grid->columns; c++)
        psp_json_put_string(w, grid->cells[r][c]);
      psp_json_end_array(w);
    }
    psp_json_end_array(w);
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
  w->buf->failed |= grids->failed;
}
