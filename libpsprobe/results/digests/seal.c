/* SPDX-License-Identifier: MIT */
#include "results/digests/seal.h"

#include <stdlib.h>

#include "base/error.h"
#include "results/digests/blocks.h"

/* Digests of one block, their bytes one after another. */
typedef struct sealing {
  psp_buf bytes;
  int64_t *runs;
  size_t *ends;
  size_t count;
  bool failed;
} sealing;

static bool take_digest(void *arg, int64_t run, const psp_digest *digest) {
  sealing *s = arg;
  int64_t *runs = realloc(s->runs, (s->count + 1) * sizeof *runs);
  if (runs != NULL) s->runs = runs;
  size_t *ends = realloc(s->ends, (s->count + 1) * sizeof *ends);
  if (ends != NULL) s->ends = ends;
  psp_digest_put(&s->bytes, digest);
  s->failed |= runs == NULL || ends == NULL || s->bytes.failed;
  if (s->failed) return false;
  s->runs[s->count] = run;
  s->ends[s->count++] = s->bytes.len;
  return true;
}

/* What was read, or a note that there is nothing in the block. */
static psprobe_code keep(psprobe_store *store, int64_t block, const sealing *s,
                         psprobe_error *error) {
  psp_digest_bytes *digests = calloc(s->count + 1, sizeof *digests);
  if (digests == NULL || s->failed) {
    free(digests);
    return psp_fail_memory(error, "digest");
  }
  digests[0] = (psp_digest_bytes){.data = ""};
  for (size_t i = 0; i < s->count; i++) {
    const size_t begin = i > 0 ? s->ends[i - 1] : 0;
    digests[i] = (psp_digest_bytes){s->runs[i], s->bytes.data + begin, s->ends[i] - begin};
  }
  const psprobe_code code =
      psp_store_put_digests(store, block, digests, s->count > 0 ? s->count : 1, error);
  free(digests);
  return code;
}

/* Reads the block in a state of the file that is no older than the note that it is made. */
static psprobe_code read_block(psprobe_store *store, int64_t block, sealing *s,
                               psprobe_error *error) {
  sqlite3 *db = NULL;
  psp_runs runs = {0};
  psp_blocks *blocks = NULL;
  const psp_block_filter all = {0};
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, NULL, &runs, error);
  if (code == PSPROBE_OK) code = psp_blocks_new(db, store->path, &runs, &blocks, error);
  if (code == PSPROBE_OK) code = psp_blocks_read(blocks, block, &all, take_digest, s, error);
  psp_blocks_free(blocks);
  psp_runs_free(&runs);
  psp_reader_close(db);
  return code;
}

/* Blocks without any probe, of which a stranger's numbers may leave many, are passed by. */
static const char next_sql[] =
    "WITH RECURSIVE ends (last) AS (SELECT (SELECT max(seq) FROM probes) / %d - %lld), blocks "
    "(block) AS (SELECT (SELECT min(seq) FROM probes WHERE seq >= %lld * %d) / %d UNION ALL SELECT "
    "(SELECT min(seq) FROM probes WHERE seq >= (block + 1) * %d) / %d FROM blocks, ends WHERE "
    "block < last) SELECT block FROM blocks, ends WHERE block <= last AND NOT EXISTS (SELECT 1 "
    "FROM digests d WHERE d.block = blocks.block) AND NOT EXISTS (SELECT 1 FROM probes WHERE seq "
    ">= blocks.block * %d AND seq < (blocks.block + 1) * %d AND +state < 2) LIMIT 1";

/* The first block from `from` on that wants a digest and can have one; -1: none. */
static psprobe_code find_next(psprobe_store *store, int64_t from, int64_t lag, int64_t *block,
                              psprobe_error *error) {
  sqlite3 *db = NULL;
  char sql[800];
  *block = -1;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  sqlite3_snprintf(sizeof sql, sql, next_sql, PSP_BLOCK, (long long)lag, (long long)from, PSP_BLOCK,
                   PSP_BLOCK, PSP_BLOCK, PSP_BLOCK, PSP_BLOCK, PSP_BLOCK);
  if (psp_sql_int64(db, sql, block) != SQLITE_OK)
    code = psp_sql_fail(db, store->path, "read", error);
  psp_reader_close(db);
  return code;
}

psprobe_code psp_digests_seal(psprobe_store *store, int64_t lag, bool *done, psprobe_error *error) {
  sealing s = {0};
  int64_t from = 0, block = -1;
  psprobe_code code = psp_store_make_digest(store, -1, &from, error);
  if (code == PSPROBE_OK) code = find_next(store, from, lag, &block, error);
  *done = block < 0;
  if (code != PSPROBE_OK || block < 0) return code;
  code = psp_store_make_digest(store, block, &from, error);
  if (code == PSPROBE_OK) code = read_block(store, block, &s, error);
  if (code == PSPROBE_OK) code = keep(store, block, &s, error);
  free(s.runs);
  free(s.ends);
  psp_buf_free(&s.bytes);
  return code;
}
