/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include <psprobe/answer.h>

#include "base/error.h"
#include "books.h"
#include "fibers.h"
#include "network.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/random.h"
#include "os/start.h"
#include "os/thread.h"
#include "os/wait.h"
#include "results/store/lock.h"
#include "wraps.h"

/* 2026-11-30T12:00:00Z. */
#define WALL_AT_0 (INT64_C(1796040000) * PSP_SECOND_NS)
#define MOST_OPEN 64

static struct {
  uint64_t steps[SIM_MACHINES], fuse[SIM_MACHINES];
  int64_t skew[SIM_MACHINES], slack[SIM_MACHINES];
} kernel;

/* What the prober's machine has open, the others have nothing to lose. */
static struct {
  sqlite3 *open[MOST_OPEN];
  psp_file_lock *locks[MOST_OPEN];
} held;

void sim_kernel_begin(void) {
  memset(&kernel, 0, sizeof kernel);
  memset(&held, 0, sizeof held);
}

void sim_set_fuse(unsigned machine, uint64_t steps) {
  kernel.fuse[machine] = steps == 0 ? 0 : kernel.steps[machine] + steps;
}

uint64_t sim_steps(unsigned machine) {
  return kernel.steps[machine];
}

void sim_set_wall(unsigned machine, int64_t skew_ns) {
  kernel.skew[machine] += skew_ns;
}

void sim_set_slack(unsigned machine, int64_t most_ns) {
  kernel.slack[machine] = most_ns;
}

/* Closing would bring the log home, which a kill does not. */
static void close_database(sqlite3 *db) {
  sqlite3_stmt *statement;
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  while ((statement = sqlite3_next_stmt(db, NULL)) != NULL)
    sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* What the kernel does when a process is gone; of no fiber, so that none of its locks is waited
 * for. */
static void clean_up(void *arg) {
  unsigned machine = (unsigned)(uintptr_t)arg;
  sim_network_forget(machine);
  for (size_t i = 0; machine == SIM_PROBER && i < MOST_OPEN; i++) {
    if (held.open[i] != NULL) close_database(held.open[i]);
    held.open[i] = NULL;
  }
  for (size_t i = 0; machine == SIM_PROBER && i < MOST_OPEN; i++) {
    if (held.locks[i] != NULL) psp_file_lock_release(held.locks[i]);
    held.locks[i] = NULL;
  }
  sim_wake(&kernel.steps[machine], true);
}

void sim_kill(unsigned machine) {
  sim_trace("machine %u is killed at step %llu", machine,
            (unsigned long long)kernel.steps[machine]);
  kernel.fuse[machine] = 0;
  sim_at(sim_now(), clean_up, (void *)(uintptr_t)machine);
  sim_end_life(machine);
}

const void *sim_death_of(unsigned machine) {
  return &kernel.steps[machine];
}

/* One call to the kernel. */
static void step(void) {
  if (sim_self() == 0) return;
  unsigned machine = sim_machine();
  kernel.steps[machine]++;
  if (kernel.fuse[machine] != 0 && kernel.steps[machine] >= kernel.fuse[machine]) sim_kill(machine);
}

/* ---- clocks ---- */

/* No machine's monotonic clock begins with another's. */
static int64_t boot_of(unsigned machine) {
  return (1000 + 77 * (int64_t)machine) * PSP_SECOND_NS;
}

int64_t sim_mono_of(unsigned machine, int64_t now_ns) {
  return now_ns + boot_of(machine);
}

int64_t sim_wall_of(unsigned machine, int64_t now_ns) {
  return now_ns + WALL_AT_0 + kernel.skew[machine];
}

int64_t psprobe_clock_monotonic(void) {
  return sim_mono_of(sim_machine(), sim_now());
}

int64_t psprobe_clock_wall(void) {
  return sim_wall_of(sim_machine(), sim_now());
}

time_t __wrap_time(time_t *at) {
  time_t now = (time_t)(psprobe_clock_wall() / PSP_SECOND_NS);
  if (at != NULL) *at = now;
  return now;
}

/* When a sleeper that is to wake at `until_ns` of its machine's clock does. */
static int64_t wakes_at(int64_t until_ns) {
  unsigned machine = sim_machine();
  if (until_ns == INT64_MAX) return until_ns;
  int64_t at = until_ns - boot_of(machine);
  if (kernel.slack[machine] > 0 && sim_odds(SIM_KERNEL, 200))
    at += (int64_t)sim_below(SIM_KERNEL, (uint64_t)kernel.slack[machine]);
  return at;
}

void psprobe_sleep_until(int64_t when_ns) {
  step();
  static const char nobody;
  while (psprobe_clock_monotonic() < when_ns)
    sim_wait(&nobody, wakes_at(when_ns));
}

static int64_t boot_ns(void *arg) {
  (void)arg;
  return psprobe_clock_monotonic();
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return psprobe_clock_wall() / PSP_SECOND_NS;
}

const psp_clock psp_clock_system = {.boot_ns = boot_ns, .wall_s = wall_s};

int64_t psp_clock_boot_ns(const psp_clock *clock) {
  return clock->boot_ns(clock->arg);
}

int64_t psp_clock_wall_s(const psp_clock *clock) {
  return clock->wall_s(clock->arg);
}

void psp_clock_tell(char words[PSP_CLOCK_WORDS]) {
  snprintf(words, PSP_CLOCK_WORDS, "the world's");
}

int64_t psp_process_start_ns(void) {
  return boot_of(sim_machine());
}

/* ---- chance ---- */

bool psp_random(void *out, size_t len) {
  unsigned char *at = out;
  for (size_t i = 0; i < len; i++)
    at[i] = (unsigned char)(sim_random(SIM_KERNEL) >> 32);
  return true;
}

bool psp_id_new(char out[PSP_ID_SIZE]) {
  uint64_t id[2];
  psp_random(id, sizeof id);
  psp_id_format(out, id);
  return true;
}

psprobe_code psprobe_id_make(char id[PSPROBE_ID_SIZE], psprobe_error *error) {
  (void)error;
  psp_id_new(id);
  return PSPROBE_OK;
}

/* ---- threads ---- */

void psp_signals_block(sigset_t *before) {
  sigemptyset(before);
}

void psp_signals_restore(const sigset_t *before) {
  (void)before;
}

bool psp_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg) {
  step();
  *thread = (pthread_t)sim_start(sim_machine(), name, run, arg);
  return true;
}

int __wrap_pthread_join(pthread_t thread, void **result) {
  step();
  void *returned = sim_join((uint32_t)thread);
  if (result != NULL) *result = returned;
  return 0;
}

pthread_t __wrap_pthread_self(void) {
  return (pthread_t)sim_self();
}

/* A mutex holds the number of the fiber that has it; one of a life that is over has it no more. */
static uint32_t *holder(pthread_mutex_t *mutex) {
  return (uint32_t *)(void *)mutex;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  uint32_t self = sim_self(), *has = holder(mutex);
  if (self == 0) return 0; /* the world itself, between two fibers */
  step();
  if (sim_odds(SIM_SCHEDULE, 60)) sim_yield();
  while (*has != 0 && sim_is_alive(*has))
    sim_wait(mutex, INT64_MAX);
  *has = self;
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (sim_self() == 0) return 0;
  *holder(mutex) = 0;
  sim_wake(mutex, true);
  return 0;
}

static bool wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns) {
  step();
  __wrap_pthread_mutex_unlock(mutex);
  bool woken = sim_wait(condition, wakes_at(until_ns));
  __wrap_pthread_mutex_lock(mutex);
  return woken;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
  wait_for(condition, mutex, INT64_MAX);
  return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition) {
  sim_wake(condition, false);
  return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition) {
  sim_wake(condition, true);
  return 0;
}

void psp_cond_init(pthread_cond_t *condition) {
  memset(condition, 0, sizeof *condition);
}

bool psp_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns) {
  if (until_ns <= psprobe_clock_monotonic()) return false;
  return wait_for(condition, mutex, until_ns);
}

void psp_futex_wake_all(_Atomic uint32_t *word) {
  step();
  sim_wake((const void *)word, true);
}

void psp_futex_wait(_Atomic uint32_t *word, uint32_t while_it_is, int64_t until_ns) {
  step();
  if (atomic_load(word) == while_it_is) sim_wait((const void *)word, wakes_at(until_ns));
}

/* ---- what a killed process leaves open ---- */

/* Puts `new` where `old` is. */
static void replace(void *list[MOST_OPEN], const void *old, void *new) {
  for (size_t i = 0; i < MOST_OPEN; i++) {
    if (list[i] != old) continue;
    list[i] = new;
    return;
  }
}

/* SQLite keeps to as many pages as there are: what needs another is told that the disk is full. */
void sim_fill_disk(bool full) {
  for (size_t i = 0; i < MOST_OPEN; i++)
    if (held.open[i] != NULL)
      __real_sqlite3_exec(held.open[i],
                          full ? "PRAGMA max_page_count = 1" : "PRAGMA max_page_count = 4294967294",
                          NULL, NULL, NULL);
}

int __wrap_sqlite3_open_v2(const char *name, sqlite3 **db, int flags, const char *vfs) {
  step();
  int result = __real_sqlite3_open_v2(name, db, flags, vfs);
  if (sim_machine() == SIM_PROBER && *db != NULL) replace((void **)held.open, NULL, *db);
  return result;
}

int __wrap_sqlite3_close(sqlite3 *db) {
  step();
  if (db != NULL) replace((void **)held.open, db, NULL);
  return __real_sqlite3_close(db);
}

int __wrap_sqlite3_step(sqlite3_stmt *statement) {
  step();
  int result = __real_sqlite3_step(statement);
  sim_counted.full += result == SQLITE_FULL;
  return result;
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *arg, char **error) {
  step();
  return __real_sqlite3_exec(db, sql, each, arg, error);
}

psprobe_code __wrap_psp_file_lock_take(const char *path, bool make, int64_t patience_ns,
                                       psp_file_lock **lock, psprobe_error *error) {
  psprobe_code code = __real_psp_file_lock_take(path, make, patience_ns, lock, error);
  if (code == PSPROBE_OK) replace((void **)held.locks, NULL, *lock);
  return code;
}

void __wrap_psp_file_lock_release(psp_file_lock *lock) {
  const void *was = lock;
  __real_psp_file_lock_release(lock);
  if (was != NULL) replace((void **)held.locks, was, NULL); /* a kill until here finds it still */
}
