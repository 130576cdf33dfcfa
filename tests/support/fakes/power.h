/* SPDX-License-Identifier: MIT */
#ifndef TEST_POWER_H
#define TEST_POWER_H
/**
 * @file
 * A disk whose power can be cut: SQLite's default file system between power_begin and power_end.
 * What is written to a file reaches the platter when the file is synced; until then each sector of
 * it may be there, or not, or hold garbage after a cut, and a new or removed name likewise. After
 * the model of SQLite's own crash tests. Where a program is linked with power_names.h, the names
 * that the library itself gives and takes away are among them.
 */
#include <stdint.h>

/**
 * Begins.
 *
 * @param at_sync called right before what a sync is for is on the platter; what it opens itself is
 *                on a disk that is never cut, and whose syncs cost nothing
 */
void power_begin(void (*at_sync)(void *arg), void *arg);
/** Ends it; every file must be closed by then. */
void power_end(void);
/** Does `at_sync` now: the power may be cut at any instant. */
void power_pause(void);
/** A file of the disk has another name, which is not on the platter yet; has none; its folder is
 * synced. */
void power_renamed(const char *from, const char *to);
void power_removed(const char *name);
void power_settle_names(void);
/** Writes what a cut at this instant may leave of `file`, and of SQLite's files beside it, to `to`
 * and beside. Each seed leaves something else. */
void power_cut(const char *file, const char *to, uint64_t seed);

#endif
