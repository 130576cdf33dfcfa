/* SPDX-License-Identifier: MIT */
#include "report/notes_open.h"

#include "report/words.h"

/* As much of an id as --run and --resume need, mostly. */
#define ID "%.8s"

static void note_gone(psp_buf *out, const char *id, const psp_open_probes *open) {
  psp_buf_printf(out, "Run " ID " has no end: its prober is gone. ", id);
  if (open->sent + open->perhaps == 0) {
    psp_buf_text(out, "The next prober that opens this file notes that it was interrupted.\n");
    return;
  }
  psp_words_probes(out, open->sent);
  psp_buf_text(out, open->sent == 1 ? " was" : " were");
  psp_buf_text(out, " in flight then");
  if (open->perhaps > 0) {
    psp_buf_text(out, ", and ");
    psp_words_count(out, open->perhaps);
    psp_buf_text(out, " more may have been sent");
  }
  psp_buf_printf(out,
                 "; they are in no figure here. The next prober that opens this file closes them, "
                 "as interrupted where no answer came; with --resume " ID
                 " it goes on with the run.\n",
                 id);
}

void psp_notes_open(psp_buf *out, const psp_columns *columns) {
  for (size_t i = 0; i < columns->run_count; i++) {
    const char *id = columns->runs[i].run.id;
    const psp_open_probes *open = &columns->runs[i].open;
    if (open->prober == PSP_WRITER_GONE) note_gone(out, id, open);
    if (open->prober == PSP_WRITER_GONE || open->sent == 0) continue;
    psp_words_probes(out, open->sent);
    psp_buf_printf(out, " of run " ID, id);
    psp_buf_text(out, open->prober == PSP_WRITER_RUNNING
                          ? " are in flight: its prober runs.\n"
                          : " are open: in flight, or left behind by a prober that is gone, "
                            "which the file's lock does not tell here.\n");
  }
}
