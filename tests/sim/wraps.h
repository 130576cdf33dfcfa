/* SPDX-License-Identifier: MIT */
#ifndef SIM_WRAPS_H
#define SIM_WRAPS_H
/** @file What the linker puts in the way of calls (Makefile: SIM_WRAPS). */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <sqlite3.h>

#include <psprobe/error.h>
#include <psprobe/registry.h>

#include "firestore/write.h"
#include "results/store/lock.h"
#include "results/upload/outbox.h"

time_t __wrap_time(time_t *at);
int __wrap_pthread_join(pthread_t thread, void **result);
pthread_t __wrap_pthread_self(void);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_sqlite3_open_v2(const char *name, sqlite3 **db, int flags, const char *vfs);
int __real_sqlite3_open_v2(const char *name, sqlite3 **db, int flags, const char *vfs);
int __wrap_sqlite3_close(sqlite3 *db);
int __real_sqlite3_close(sqlite3 *db);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *arg, char **error);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *arg, char **error);
psprobe_code __wrap_psp_file_lock_take(const char *path, bool make, int64_t patience_ns,
                                       psp_file_lock **lock, psprobe_error *error);
psprobe_code __real_psp_file_lock_take(const char *path, bool make, int64_t patience_ns,
                                       psp_file_lock **lock, psprobe_error *error);
void __wrap_psp_file_lock_release(psp_file_lock *lock);
void __real_psp_file_lock_release(psp_file_lock *lock);

/* plants.c */
psprobe_code __wrap_psp_outbox_take(psprobe_store *store, int64_t after, size_t max, bool runs,
                                    psp_outbox *outbox, psprobe_error *error);
psprobe_code __real_psp_outbox_take(psprobe_store *store, int64_t after, size_t max, bool runs,
                                    psp_outbox *outbox, psprobe_error *error);
psprobe_code __wrap_psp_batch_write_until(psprobe_client *client, const psprobe_write *writes,
                                          size_t count, int64_t once_ns, psp_stopper *stopper,
                                          psprobe_error *outcomes, psprobe_error *error);
psprobe_code __real_psp_batch_write_until(psprobe_client *client, const psprobe_write *writes,
                                          size_t count, int64_t once_ns, psp_stopper *stopper,
                                          psprobe_error *outcomes, psprobe_error *error);
size_t __wrap_psprobe_registry_collect(psprobe_registry *registry, int64_t now_ns,
                                       psprobe_finished *finished, size_t max);
size_t __real_psprobe_registry_collect(psprobe_registry *registry, int64_t now_ns,
                                       psprobe_finished *finished, size_t max);
psprobe_code __wrap_psprobe_registry_new(const psprobe_registry_options *options,
                                         psprobe_registry **registry, psprobe_error *error);
psprobe_code __real_psprobe_registry_new(const psprobe_registry_options *options,
                                         psprobe_registry **registry, psprobe_error *error);

#endif
