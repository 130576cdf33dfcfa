/* SPDX-License-Identifier: MIT */
#include "results/digests/blocks.h"

#include <stdlib.h>

#include "base/error.h"

/* Figures alone: a third of what a whole row takes to read. What would be an index of its own for
 * SQLite is kept from it by a plus. */
static const char rows_sql[] =
    "SELECT p.seq, p.run, p.sent_ns, p.publish_ns, a.position, a.status, a.elapsed_ns, "
    "a.duplicates, a.cold FROM probes p LEFT JOIN answers a ON a.probe = p.seq AND a.delivery = 1 "
    "WHERE p.seq BETWEEN ?1 AND ?2 AND +p.state = 2 AND +p.cadence = 0 AND (?3 = 0 OR +p.run = "
    "?3) AND +p.sent_ns >= ?4 AND (?5 = 0 OR +p.sent_ns < ?5) ORDER BY p.seq";
enum { SEQ, RUN, SENT, PUBLISH, POSITION, STATUS, ELAPSED, DUPLICATES, COLD };

/* One source's answers to the probes of a block. */
typedef struct answers {
  int64_t elapsed_ns[PSP_BLOCK];
  uint8_t status[PSP_BLOCK];
  bool cold[PSP_BLOCK];
  uint32_t duplicates[PSP_BLOCK];
} answers;

struct psp_blocks {
  sqlite3 *db;
  const char *path;
  const psp_runs *runs;
  sqlite3_stmt *rows;
  psp_digest digest;
  /* The probes of one run, as far as they have been read. */
  size_t count, sources;
  uint32_t place[PSP_BLOCK];
  int64_t sent_ns[PSP_BLOCK], publish_ns[PSP_BLOCK];
  bool unsent[PSP_BLOCK];
  answers of[PSPROBE_MAX_SOURCES];
};

psprobe_code psp_blocks_new(sqlite3 *db, const char *path, const psp_runs *runs,
                            psp_blocks **blocks, psprobe_error *error) {
  psp_blocks *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "results");
  made->db = db;
  made->path = path;
  made->runs = runs;
  if (sqlite3_prepare_v2(db, rows_sql, -1, &made->rows, NULL) != SQLITE_OK) {
    psp_blocks_free(made);
    return psp_sql_fail(db, path, "read", error);
  }
  *blocks = made;
  return PSPROBE_OK;
}

void psp_blocks_free(psp_blocks *blocks) {
  if (blocks == NULL) return;
  sqlite3_finalize(blocks->rows);
  psp_digest_free(&blocks->digest);
  free(blocks);
}

static psprobe_code refuse(const psp_blocks *b, psprobe_error *error) {
  return psp_fail(error, PSPROBE_DATA_LOSS, "%s is damaged: a probe in it makes no sense", b->path);
}

/* The answer at the row that is read. False: what we never write. */
static bool take_answer(psp_blocks *b, size_t i) {
  if (sqlite3_column_type(b->rows, POSITION) == SQLITE_NULL) return true; /* it has none */
  const int64_t position = sqlite3_column_int64(b->rows, POSITION);
  const int64_t status = sqlite3_column_int64(b->rows, STATUS);
  const int64_t duplicates = sqlite3_column_int64(b->rows, DUPLICATES);
  if (position < 0 || position >= (int64_t)b->sources || status < PSPROBE_LOST ||
      status > PSPROBE_UNCERTAIN || duplicates < 0 || duplicates > UINT32_MAX)
    return false;
  answers *to = &b->of[position];
  to->elapsed_ns[i] = sqlite3_column_int64(b->rows, ELAPSED);
  to->status[i] = (uint8_t)status;
  to->cold[i] = sqlite3_column_int(b->rows, COLD) != 0;
  to->duplicates[i] = (uint32_t)duplicates;
  if (status != PSPROBE_LOST) b->unsent[i] = false;
  return true;
}

/* The probe at the row that is read, with its answers; *step: the row after them. */
static bool take_probe(psp_blocks *b, int64_t first, int *step) {
  const size_t i = b->count++;
  const int64_t seq = sqlite3_column_int64(b->rows, SEQ);
  b->place[i] = (uint32_t)(seq - first);
  b->sent_ns[i] = sqlite3_column_int64(b->rows, SENT);
  b->publish_ns[i] = sqlite3_column_int64(b->rows, PUBLISH);
  b->unsent[i] = b->publish_ns[i] < 0; /* unless an answer proves it sent */
  for (size_t k = 0; k < b->sources; k++) {
    b->of[k].status[i] = PSPROBE_LOST;
    b->of[k].cold[i] = false;
    b->of[k].duplicates[i] = 0;
  }
  do {
    if (!take_answer(b, i)) return false;
    *step = sqlite3_step(b->rows);
  } while (*step == SQLITE_ROW && sqlite3_column_int64(b->rows, SEQ) == seq);
  return true;
}

/* Hands on what was read of a run. */
static psprobe_code hand_on(psp_blocks *b, int64_t run, psp_block_each *each, void *arg, bool *on,
                            psprobe_error *error) {
  psprobe_series series[PSPROBE_MAX_SOURCES];
  if (b->count == 0) return PSPROBE_OK;
  for (size_t k = 0; k < b->sources; k++)
    series[k] = (psprobe_series){.name = "",
                                 .elapsed_ns = b->of[k].elapsed_ns,
                                 .status = b->of[k].status,
                                 .cold = b->of[k].cold,
                                 .duplicates = b->of[k].duplicates};
  const psprobe_probes probes = {.count = b->count,
                                 .sent_ns = b->sent_ns,
                                 .source_count = b->sources,
                                 .sources = series,
                                 .unsent = b->unsent,
                                 .publish_ns = b->publish_ns};
  if (!psp_digest_make(&b->digest, &probes)) return psp_fail_memory(error, "results");
  for (size_t i = 0; i < b->digest.drawn_count; i++)
    b->digest.drawn[i] = b->place[b->digest.drawn[i]];
  b->count = 0;
  *on = each(arg, run, &b->digest);
  return PSPROBE_OK;
}

/* The rows of the statement, which is bound. */
static psprobe_code read_rows(psp_blocks *b, int64_t first, psp_block_each *each, void *arg,
                              psprobe_error *error) {
  int64_t run = 0;
  bool on = true;
  psprobe_code code = PSPROBE_OK;
  int step = sqlite3_step(b->rows);
  b->count = 0;
  while (code == PSPROBE_OK && on && step == SQLITE_ROW) {
    const int64_t of = sqlite3_column_int64(b->rows, RUN);
    if (of != run) {
      const psp_run *found = psp_runs_find(b->runs, of);
      code = hand_on(b, run, each, arg, &on, error);
      if (found == NULL && code == PSPROBE_OK) code = refuse(b, error);
      if (code != PSPROBE_OK || !on) break;
      run = of;
      b->sources = found->run.source_count;
    }
    if (!take_probe(b, first, &step)) code = refuse(b, error);
  }
  if (code == PSPROBE_OK && on && step != SQLITE_DONE)
    code = psp_sql_fail(b->db, b->path, "read", error);
  return code == PSPROBE_OK && on ? hand_on(b, run, each, arg, &on, error) : code;
}

psprobe_code psp_blocks_read(psp_blocks *b, int64_t block, const psp_block_filter *filter,
                             psp_block_each *each, void *arg, psprobe_error *error) {
  const int64_t first = block * PSP_BLOCK;
  psp_sql_bind_int64(b->rows, 1, first);
  psp_sql_bind_int64(b->rows, 2, first + (PSP_BLOCK - 1));
  psp_sql_bind_int64(b->rows, 3, filter->run);
  psp_sql_bind_int64(b->rows, 4, filter->since_ns);
  psp_sql_bind_int64(b->rows, 5, filter->until_ns);
  if (filter->since_ns == 0) psp_sql_bind_int64(b->rows, 4, INT64_MIN);
  const psprobe_code code = read_rows(b, first, each, arg, error);
  sqlite3_reset(b->rows);
  return code;
}
