/* SPDX-License-Identifier: MIT */
/**
 * @file How long SQLite's log beside the file may grow. What is in it takes room a second time, so
 * that it is brought into the file early, and where the disk is short at once, all of it.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "results/store/store.h"

#define PAGE 4096 /* SQLite's, for files that are made anew */
/* Pages that wait for a checkpoint: 2 MB. */
#define PAGES 512
/* The same where the disk has less room than SHORT bytes. */
#define PAGES_SHORT 16
#define SHORT       (8 * PAGES * PAGE)

static bool is_short(const psprobe_store *store) {
  struct statvfs info;
  return statvfs(store->path, &info) == 0 &&
         (uint64_t)info.f_bavail * info.f_frsize < (uint64_t)SHORT;
}

void psp_checkpoint_note(psprobe_store *store) {
  struct stat info;
  if (stat(store->path, &info) != 0) return;
  store->written = info.st_mtim;
  store->size = info.st_size;
}

/* After each commit. What a checkpoint cannot do (a reader, a full disk) the next one does: the
 * commit stands. */
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages) {
  psprobe_store *store = arg;
  bool tight = pages >= PAGES_SHORT && is_short(store);
  if (tight) {
    sqlite3_busy_timeout(db, 0); /* the writer waits for no reader */
    sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db, PSP_BUSY_MS);
  } else if (pages >= PAGES) {
    sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  }
  if (tight || pages >= PAGES) psp_checkpoint_note(store);
  return SQLITE_OK;
}

int psp_checkpoint_configure(psprobe_store *store) {
  char *sql = sqlite3_mprintf("PRAGMA journal_size_limit = %d", PAGES * PAGE);
  int result = sql == NULL ? SQLITE_NOMEM : psp_sql_run(store->db, sql);
  sqlite3_free(sql);
  sqlite3_wal_hook(store->db, after_commit, store);
  return result;
}
