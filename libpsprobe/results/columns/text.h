/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_TEXT_H
#define PSP_RESULTS_COLUMNS_TEXT_H
/**
 * @file A text that is read piece by piece, as often as it is wanted: a file, a pipe (which goes
 * into a nameless file first, where it must be read twice), or a text in memory. In UTF-8, without
 * the mark (BOM) that may stand before it; anything else is an error.
 */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/error.h>

#include "base/buf.h"

/** The most that is held at once for one line, or one cell. */
#define PSP_TEXT_MOST ((size_t)16 << 20)

typedef struct psp_text {
  const char *what;    /**< names it in errors */
  int file;            /**< -1: in memory */
  const char *data;    /**< what is there of it */
  size_t at, end;      /**< in data: what comes next, and where that ends */
  psp_buf piece;       /**< what data is, of a file */
  size_t unchecked;    /**< bytes behind end: a character that is not whole yet */
  bool whole;          /**< nothing comes after data */
  bool seeks;          /**< the file can be read again */
  bool own;            /**< it is closed with the text */
  psprobe_error error; /**< code OK: none */
} psp_text;

/** A text in memory, borrowed. */
void psp_text_of(psp_text *text, const char *what, const char *bytes, size_t len);
/** A file that was opened, borrowed.
 * @return PSPROBE_OK; INVALID_ARGUMENT: it is no text; UNAVAILABLE; RESOURCE_EXHAUSTED */
psprobe_code psp_text_open(psp_text *text, const char *what, int file, psprobe_error *error);
void psp_text_close(psp_text *text);
/** Sees that it can be read again, before anything of it is taken. @return as psp_text_open */
psprobe_code psp_text_keep(psp_text *text, psprobe_error *error);
/** Back to its beginning. @return as psp_text_open */
psprobe_code psp_text_rewind(psp_text *text, psprobe_error *error);
/** What went wrong while it was read. @return its code; PSPROBE_OK: nothing has */
psprobe_code psp_text_failed(const psp_text *text, psprobe_error *error);

/** Reads on where all of data was taken. @return false: it ends here, or error says why */
bool psp_text_more(psp_text *text);
/** Takes a line, without its end. @return false: as psp_text_more */
bool psp_text_line(psp_text *text, psp_buf *line);
/** The first byte that is no white space, of what is there; nothing is taken. 0: there is none. */
char psp_text_first(psp_text *text);

#endif
