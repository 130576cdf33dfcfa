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
  return psp_blocks_new(walk->db, walk->path, walk->runs, &walk->blocks, error);
}

void psp_walk_end(psp_walk *walk) {
  psp_blocks_free(walk->blocks);
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

psprobe_code psp_walk_over(void *from, psp_digest_each *each, void *arg, psprobe_error *error) {
  psp_walk *walk = from;
  psprobe_code code = PSPROBE_OK;
  walk->each = each;
  walk->each_arg = arg;
  walk->ended = false;
  walk->at = 0;
  for (walk->block = walk->first; walk->block <= walk->last; walk->block++) {
    code = walk->again
               ? tell_made(walk, error)
               : psp_blocks_read(walk->blocks, walk->block, &walk->filter, take_made, walk, error);
    if (code != PSPROBE_OK || walk->ended) break;
  }
  if (code == PSPROBE_OK && walk->made.failed) code = psp_fail_memory(error, "results");
  walk->again = true;
  return code;
}
