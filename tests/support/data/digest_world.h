/* SPDX-License-Identifier: MIT */
#ifndef TEST_DIGEST_WORLD_H
#define TEST_DIGEST_WORLD_H
/** @file A prober's file under way, for tests of what it sums up: probes planned, sent, answered
 * late, pruned; runs that end, go on and die. What fails fails the test. */
#include "results/store/store.h"
#include "stats/rng.h"

#define WORLD_BATCH 500

typedef struct digest_world {
  const char *path;
  psprobe_store *store;
  psp_rng rng;
  uint64_t run, next, oldest; /* the run under way; numbers of probes: planned up to, open from */
} digest_world;

/** A new file with a run. */
digest_world world_start(void **state, uint64_t seed);
void world_need(psprobe_code code, const psprobe_error *error);
void world_begin_run(digest_world *w);
void world_end_run(digest_world *w, psprobe_ending ending);
psprobe_sent world_sent_of(uint64_t number);
void world_keep(digest_world *w, const psprobe_news *news);
/** The next WORLD_BATCH ids, planned and mostly sent. */
void world_plan(digest_world *w);
/** A finished probe with answers by chance. */
psprobe_finished world_finish_one(digest_world *w, uint64_t number, bool update);
/** Closes WORLD_BATCH of what is open, but for a few that stay so. */
void world_finish(digest_world *w);
/** A probe of long ago gets another state, an answer or a second one. */
void world_come_late(digest_world *w);
/** What was sent long ago goes, as if it had been uploaded. */
void world_prune(digest_world *w);
void world_resume(digest_world *w);
/** Killed, and opened by the next. */
void world_crash(digest_world *w);
/** Makes up to five blocks' digests. */
void world_seal(digest_world *w);
/** Sees that each block's digests are what its rows are. @return how many blocks have some */
int world_check(digest_world *w);

#endif
