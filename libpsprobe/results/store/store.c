/* SPDX-License-Identifier: MIT */
#include "results/store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"

/* What a results file cannot be. */
static psprobe_code check_path(const char *path, psprobe_error *error) {
  struct stat info;
  if (path == NULL || path[0] == '\0')
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the results file needs a name");
  if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s is not a file but a %s", path,
                  S_ISDIR(info.st_mode) ? "folder" : "device");
}

/* The file's own name, which SQLite names its log by. The file is there. */
static psprobe_code resolve(psprobe_store *store, const char *path, psprobe_error *error) {
  char resolved[PATH_MAX];
  if (realpath(path, resolved) == NULL) {
    if (errno != ENOENT) return psp_open_fail(path, errno, error);
    return psp_fail(error, PSPROBE_NOT_FOUND, "there is no results file %s", path);
  }
  store->path = psp_strdup(resolved);
  return store->path == NULL ? psp_fail_memory(error, "results file") : PSPROBE_OK;
}

static psprobe_code open_to_write(psprobe_store *store, const char *path, psprobe_error *error) {
  psprobe_code code = psp_writer_lock(store, path, error);
  if (code == PSPROBE_OK) code = resolve(store, path, error);
  if (code == PSPROBE_OK && !psp_open_beside(path)) code = psp_open_fail(path, errno, error);
  if (code == PSPROBE_OK) code = psp_file_check_beside(store->path, error);
  if (code == PSPROBE_OK) code = psp_writer_open(store, error);
  return code == PSPROBE_OK ? psp_store_recover(store, error) : code;
}

static psprobe_code open_to_read(psprobe_store *store, const char *path, psprobe_error *error) {
  sqlite3 *db = NULL;
  psprobe_code code = resolve(store, path, error);
  if (code == PSPROBE_OK) code = psp_file_check_beside(store->path, error);
  if (code == PSPROBE_OK) code = psp_reader_open(store, &db, error);
  if (code == PSPROBE_OK) psp_reader_close(db);
  return code;
}

psprobe_code psprobe_store_new(const char *path, const psprobe_store_options *options,
                               psprobe_store **store, psprobe_error *error) {
  psprobe_store *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "results file");
  made->read_only = options != NULL && options->read_only;
  if (options != NULL && options->logger != NULL) made->logger = *options->logger;
  pthread_mutex_init(&made->mutex, NULL);
  psprobe_code code = check_path(path, error);
  if (code == PSPROBE_OK)
    code = made->read_only ? open_to_read(made, path, error) : open_to_write(made, path, error);
  if (code == PSPROBE_OK)
    *store = made;
  else
    psprobe_store_free(made);
  return code;
}

/*
 * Where nobody writes, reading has left an empty log beside the file. A connection that may write
 * takes it away when it is the last: under the writer's lock, and with nothing to checkpoint or to
 * roll back.
 */
static void tidy(psprobe_store *store) {
  char log[PATH_MAX + 16];
  struct stat info;
  psp_file_lock *lock = NULL;
  snprintf(log, sizeof log, "%s-journal", store->path);
  if (lstat(log, &info) == 0) return;
  snprintf(log, sizeof log, "%s-wal", store->path);
  if (lstat(log, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != 0) return;
  if (psp_file_lock_take(store->path, false, 0, &lock, NULL) != PSPROBE_OK) return;
  if (stat(log, &info) == 0 && info.st_size == 0 &&
      sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
          SQLITE_OK)
    psp_sql_run(store->db, "SELECT 1 FROM sqlite_master LIMIT 1");
  psp_writer_close(store);
  psp_file_lock_release(lock);
}

void psprobe_store_free(psprobe_store *store) {
  if (store == NULL) return;
  if (store->read_only && store->path != NULL) tidy(store);
  psp_writer_close(store);
  psp_file_lock_release(store->lock);
  pthread_mutex_destroy(&store->mutex);
  free(store->path);
  free(store);
}

uint64_t psprobe_store_carried(const psprobe_store *store) {
  return atomic_load(&store->carried);
}
