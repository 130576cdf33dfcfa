/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_SINK_H
#define PSP_REPORT_SINK_H
/**
 * @file Where a report's words go, and what that place would take for its own. Names, ids and
 * settings come from outside: a form of the report is written through its sink alone, which takes
 * our own literals as they are and every other text escaped. Pure.
 *
 * Control characters, and bytes that are no UTF-8, reach no sink but as \xNN (base/printable.h).
 */
#include <stdint.h>

#include "base/buf.h"

/** A buffer that cannot be written to past the escape. */
typedef struct psp_sink {
  psp_buf *to;
  void (*escape)(psp_buf *to, const char *text);
} psp_sink;

psp_sink psp_sink_html(psp_buf *to);     /**< text of an element, or of an attribute in "" */
psp_sink psp_sink_markdown(psp_buf *to); /**< GitHub's: nobody is pinged and nothing linked */
psp_sink psp_sink_metrics(psp_buf *to);  /**< a label's value of Prometheus' text format */
psp_sink psp_sink_gnuplot(psp_buf *to);  /**< a field in "" of a data block; titles come from those
                                              by columnhead(), which interprets nothing */
psp_sink psp_sink_terminal(psp_buf *to);

/** A literal of ours, as it is; anything else does not compile. */
#define psp_sink_raw(sink, literal) psp_sink_literal((sink), "" literal "")
void psp_sink_literal(const psp_sink *sink, const char *literal);
/** Whatever else: escaped. A line feed stays one where a text may have lines. */
void psp_sink_text(const psp_sink *sink, const char *text);
void psp_sink_count(const psp_sink *sink, uint64_t count);
void psp_sink_number(const psp_sink *sink, double number, int decimals);
/** "6.2 ms" */
void psp_sink_duration(const psp_sink *sink, int64_t ns);
void psp_sink_spaces(const psp_sink *sink, int count);

#endif
