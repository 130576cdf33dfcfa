/* SPDX-License-Identifier: MIT */
#include "report/notes_untaken.h"

#include <stdlib.h>

#include "report/words.h"

bool psp_columns_untaken(const psp_columns *c, psp_untaken *untaken) {
  const char *names[PSPROBE_MAX_SOURCES];
  *untaken = (psp_untaken){0};
  for (size_t k = 0; k < c->source_count; k++)
    names[k] = c->sources[k].name;
  for (size_t i = 0; i < c->run_count; i++)
    if (!psp_untaken_add(untaken, c->runs[i].run.settings, names, c->source_count)) return false;
  return true;
}

static void say_reason(psp_buf *out, bool *any, uint64_t count, const char *what) {
  if (count == 0) return;
  psp_buf_text(out, *any ? ", " : " (");
  *any = true;
  psp_words_count(out, count);
  psp_buf_text(out, what);
}

static void say_untaken(psp_buf *out, const psprobe_connections *c) {
  bool any = false;
  psp_words_count(out, c->untaken);
  psp_buf_text(out, c->untaken == 1 ? " request" : " requests");
  psp_buf_text(out, " could not be taken by the prober, and answers may have been among them");
  say_reason(out, &any, c->refused, " refused as every place was busy");
  say_reason(out, &any, c->made_room, " closed to make room");
  say_reason(out, &any, c->overdue, " too slow");
  say_reason(out, &any, c->starved,
             c->starved == 1 ? " time no file descriptor left" : " times no file descriptor left");
  psp_buf_text(out, any ? ").\n" : ".\n");
}

static void say_doubt(psp_buf *out, const psprobe_source_summary *source, uint64_t in_doubt) {
  if (in_doubt > source->lost) in_doubt = source->lost; /* of rows that are not looked at */
  if (in_doubt == 0) return;
  psp_buf_text(out, "Of the ");
  psp_words_probes(out, source->lost);
  psp_buf_printf(out, " that %s lost, ", source->name);
  psp_words_count(out, in_doubt);
  psp_buf_text(out, in_doubt == 1 ? " was" : " were");
  psp_buf_text(out, " in flight then: that may be the prober's own failure.\n");
}

char *psp_notes_with_untaken(const psprobe_comparison *comparison, const psp_untaken *untaken) {
  psp_buf out = {0};
  char *notes = psprobe_comparison_notes(comparison);
  if (notes == NULL) return NULL;
  if (untaken->connections.untaken > 0) say_untaken(&out, &untaken->connections);
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++)
    say_doubt(&out, psprobe_comparison_source(comparison, k), untaken->in_doubt[k]);
  psp_buf_text(&out, notes);
  free(notes);
  return psp_buf_take(&out, NULL);
}
