/* SPDX-License-Identifier: MIT */
#include "results/digests/walk.h"

#include <string.h>

#include "base/error.h"

/* What stands before the bytes of a digest that was made of rows. */
typedef struct made_head {
  int64_t block;
  size_t len;
} made_head;

/* The blocks that there are. */
static psprobe_code find_ends(psp_walk *walk, psprobe_error *error) {
  int64_t first = 0, last = -1;
  if (psp_sql_int64(walk->db, "SELECT min(seq) FROM probes", &first) != SQLITE_OK ||
      psp_sql_int64(walk->db, "SELECT max(seq) FROM probes", &last) != SQLITE_OK)
    return psp_sql_fail(walk->db, walk->path, "read", error);
  walk->first = first / PSP_BLOCK;
  walk->last = last < first ? walk->first - 1 : last / PSP_BLOCK;
  return PSPROBE_OK;
}

psprobe_code psp_walk_begin(psp_walk *walk, psprobe_error *error) {
  psprobe_code code = find_ends(walk, error);
  if (code != PSPROBE_OK) return code;
  if (sqlite3_prepare_v2(walk->db, "SELECT run, data FROM digests WHERE block = ?1 ORDER BY rowid",
                         -1, &walk->kept, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(walk->db, "SELECT min(seq) FROM probes WHERE seq >= ?1", -1, &walk->next,
                         NULL) != SQLITE_OK)
    return psp_sql_fail(walk->db, walk->path, "read", error);
  return psp_blocks_new(walk->db, walk->path, walk->runs, &walk->blocks, error);
}

void psp_walk_end(psp_walk *walk) {
  psp_blocks_free(walk->blocks);
  sqlite3_finalize(walk->kept);
  sqlite3_finalize(walk->next);
  psp_digest_free(&walk->digest);
  psp_buf_free(&walk->made);
}

static bool tell(psp_walk *walk, const psp_digest *digest) {
  if (!walk->again) walk->first_time(walk->first_time_arg, walk->block, digest);
  walk->ended = !walk->each(walk->each_arg, digest);
  return !walk->ended;
}

/* A digest of rows: told, and kept for the next time. */
static bool take_made(void *arg, int64_t run, const psp_digest *digest) {
  psp_walk *walk = arg;
  if (!walk->has_sources(walk->arg, run)) {
    walk->left_out += digest->probes;
    return true;
  }
  const size_t at = walk->made.len;
  made_head head = {.block = walk->block};
  psp_buf_add(&walk->made, &head, sizeof head);
  psp_digest_put(&walk->made, digest);
  if (walk->made.failed) return false;
  head.len = walk->made.len - at - sizeof head;
  memcpy(walk->made.data + at, &head, sizeof head);
  return tell(walk, digest);
}

/* What was kept of a block. */
static psprobe_code tell_made(psp_walk *walk, psprobe_error *error) {
  while (!walk->ended && walk->at < walk->made.len) {
    made_head head;
    memcpy(&head, walk->made.data + walk->at, sizeof head);
    if (head.block != walk->block) return PSPROBE_OK;
    walk->at += sizeof head;
    if (!psp_digest_read(&walk->digest, walk->made.data + walk->at, head.len))
      return psp_fail_memory(error, "results");
    walk->at += head.len;
    tell(walk, &walk->digest);
  }
  return PSPROBE_OK;
}

/* ---- kept digests ---- */

/* The digest at the row that is read. False: it makes no sense, or no memory. */
static bool read_kept(psp_walk *walk) {
  const psp_digest *digest = &walk->digest;
  bool good = psp_digest_read(&walk->digest, sqlite3_column_blob(walk->kept, 1),
                              (size_t)sqlite3_column_bytes(walk->kept, 1)) &&
              digest->probes <= PSP_BLOCK;
  for (size_t i = 0; good && i < digest->drawn_count; i++)
    good = digest->drawn[i] < PSP_BLOCK;
  return good;
}

static bool is_filtered(const psp_walk *walk, int64_t run) {
  return run == 0 || (walk->filter.run != 0 && run != walk->filter.run);
}

/* Whether the filter's times let all probes of a digest through, or (*none) none. */
static bool is_within(const psp_walk *walk, bool *none) {
  const psp_block_filter *f = &walk->filter;
  const psp_digest *digest = &walk->digest;
  *none = (f->since_ns != 0 && digest->last_ns < f->since_ns) ||
          (f->until_ns != 0 && digest->first_ns >= f->until_ns);
  return (f->since_ns == 0 || digest->first_ns >= f->since_ns) &&
         (f->until_ns == 0 || digest->last_ns < f->until_ns);
}

/* Whether a block has digests that can stand for its rows. */
static bool has_kept(psp_walk *walk) {
  bool any = false, good = true, none;
  if (walk->recount) return false;
  psp_sql_bind_int64(walk->kept, 1, walk->block);
  while (good && sqlite3_step(walk->kept) == SQLITE_ROW) {
    const int64_t run = sqlite3_column_int64(walk->kept, 0);
    const psp_run *of = psp_runs_find(walk->runs, run);
    any = true;
    if (is_filtered(walk, run)) continue;
    good = of != NULL && read_kept(walk) && walk->digest.source_count == of->run.source_count &&
           (is_within(walk, &none) || none);
  }
  sqlite3_reset(walk->kept);
  return any && good;
}

static psprobe_code tell_kept(psp_walk *walk, psprobe_error *error) {
  int step;
  psp_sql_bind_int64(walk->kept, 1, walk->block);
  while ((step = sqlite3_step(walk->kept)) == SQLITE_ROW && !walk->ended) {
    const int64_t run = sqlite3_column_int64(walk->kept, 0);
    bool none = false;
    if (is_filtered(walk, run)) continue;
    if (!read_kept(walk)) break; /* which it could be before: no memory */
    if (!is_within(walk, &none) && none) continue;
    if (walk->has_sources(walk->arg, run))
      tell(walk, &walk->digest);
    else if (!walk->again)
      walk->left_out += walk->digest.probes;
  }
  sqlite3_reset(walk->kept);
  if (step == SQLITE_DONE || walk->ended) return PSPROBE_OK;
  return step == SQLITE_ROW ? psp_fail_memory(error, "results")
                            : psp_sql_fail(walk->db, walk->path, "read", error);
}

/* A block: its digests as they are kept, or made of its rows. */
static psprobe_code over_block(psp_walk *walk, psprobe_error *error) {
  if (has_kept(walk)) return tell_kept(walk, error);
  if (walk->again) return tell_made(walk, error);
  return psp_blocks_read(walk->blocks, walk->block, &walk->filter, take_made, walk, error);
}

/* The next block that has probes: between them may be as many empty ones as a stranger likes. */
static psprobe_code find_next(psp_walk *walk, psprobe_error *error) {
  if (walk->block++ == walk->last) return PSPROBE_OK;
  psp_sql_bind_int64(walk->next, 1, walk->block * PSP_BLOCK);
  const int step = sqlite3_step(walk->next);
  if (step == SQLITE_ROW) walk->block = sqlite3_column_int64(walk->next, 0) / PSP_BLOCK;
  sqlite3_reset(walk->next);
  return step == SQLITE_ROW ? PSPROBE_OK : psp_sql_fail(walk->db, walk->path, "read", error);
}

psprobe_code psp_walk_over(void *from, psp_digest_each *each, void *arg, psprobe_error *error) {
  psp_walk *walk = from;
  psprobe_code code = PSPROBE_OK;
  walk->each = each;
  walk->each_arg = arg;
  walk->ended = false;
  walk->at = 0;
  walk->block = walk->first;
  while (code == PSPROBE_OK && !walk->ended && walk->block <= walk->last) {
    code = over_block(walk, error);
    if (code == PSPROBE_OK) code = find_next(walk, error);
  }
  if (code == PSPROBE_OK && walk->made.failed) code = psp_fail_memory(error, "results");
  walk->again = true;
  return code;
}
