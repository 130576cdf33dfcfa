/* SPDX-License-Identifier: MIT */
/** @file
 * Rows into a results file, by the size of the batches that the collector hands on, beside bare
 * SQLite with the same settings and a row of the same figures; and the summary of a long history,
 * its time and memory, each size in a process of its own. PSPROBE_BENCH_PROBES=10000000 makes that
 * ten million.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <psprobe/report.h>
#include <psprobe/results.h>

#include "bench.h"
#include "results/digests/seal.h"
#include "scratch.h"
#include "stats/rng.h"

#define ROUNDS     3
#define PROBES     1000000
#define FILL       5000 /* rows a transaction, to fill a history */
#define MOST_BATCH FILL
#define ROUND_ROWS 20000

static char folder[] = "/tmp/psprobe-bench-XXXXXX";
static psprobe_finished batch[MOST_BATCH];

static const char *file_name(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void remove_file(const char *name) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char path[160];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(path, sizeof path, "%s/%s%s", folder, name, ends[i]);
    unlink(path);
  }
}

static psprobe_store *open_store(const char *name) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  psprobe_run run = scratch_run(1);
  bench_need(psprobe_store_new(file_name(name), NULL, &store, &error) == PSPROBE_OK &&
                 psprobe_store_begin_run(store, &run, &error) == PSPROBE_OK,
             error.message);
  return store;
}

/* Random ids dirty a page of the index each, and ten million of them take hours. A summary does not
 * look at ids: where a file is only filled, they ascend. */
static void make_ascending(psprobe_finished *finished, uint64_t number) {
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", (unsigned long long)number);
  memcpy(finished->result.id, digits, sizeof digits - 1);
}

typedef enum ids { RANDOM_IDS, ASCENDING_IDS } ids;

/* Adds `count` rows from number `first` on, `size` a transaction. */
static void add_rows(psprobe_store *store, uint64_t first, uint64_t count, size_t size, ids of) {
  psprobe_run run = scratch_run(1);
  psprobe_error error = {0};
  psp_rng rng;
  psp_rng_seed(&rng, first);
  for (uint64_t done = 0; done < count; done += size) {
    for (size_t i = 0; i < size; i++) {
      batch[i] = scratch_finished(first + done + i);
      if (of == ASCENDING_IDS) make_ascending(&batch[i], first + done + i);
      batch[i].result.answers[0].elapsed_ns += (int64_t)psp_rng_below(&rng, 40000000);
      batch[i].result.answers[1].elapsed_ns += (int64_t)psp_rng_below(&rng, 30000000);
    }
    bench_need(psprobe_store_add(store, run.id, batch, size, &error) == PSPROBE_OK, error.message);
  }
}

/* What a round took: of the clock, and of this process' own time, which a busy machine spoils less.
 */
typedef struct took {
  int64_t clock_ns, cpu_ns;
} took;

static took reading(void) {
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  return (took){bench_now_ns(), (int64_t)cpu.tv_sec * 1000000000 + cpu.tv_nsec};
}

static took since(took begin) {
  took now = reading();
  return (took){now.clock_ns - begin.clock_ns, now.cpu_ns - begin.cpu_ns};
}

static double rows_a_second(size_t size, int64_t took_ns) {
  return (double)(ROUND_ROWS / size * size) * 1e9 / (double)took_ns;
}

static took ours(size_t size) {
  psprobe_store *store = open_store("ours.db");
  took begin = reading();
  add_rows(store, 0, ROUND_ROWS / size * size, size, RANDOM_IDS);
  took all = since(begin);
  psprobe_store_free(store);
  remove_file("ours.db");
  return all;
}

static void run_sql(sqlite3 *db, const char *sql) {
  bench_need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

/* One table, its id the key, the two answers' figures in the row. */
static took bare(size_t size) {
  sqlite3 *db = NULL;
  sqlite3_stmt *put = NULL;
  bench_need(sqlite3_open(file_name("bare.db"), &db) == SQLITE_OK, "no file");
  run_sql(db,
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE probes (id TEXT "
          "PRIMARY KEY, sent INTEGER, late INTEGER, published INTEGER, a INTEGER, b INTEGER)");
  sqlite3_prepare_v2(db, "INSERT INTO probes VALUES (?, ?, ?, ?, ?, ?)", -1, &put, NULL);
  took begin = reading();
  for (uint64_t done = 0; done + size <= ROUND_ROWS; done += size) {
    run_sql(db, "BEGIN");
    for (size_t i = 0; i < size; i++) {
      psprobe_finished finished = scratch_finished(done + i);
      const psprobe_result *r = &finished.result;
      const int64_t figures[] = {r->sent_wall_ns, r->lateness_ns, r->publish_ns,
                                 r->answers[0].elapsed_ns, r->answers[1].elapsed_ns};
      sqlite3_bind_text(put, 1, r->id, -1, SQLITE_TRANSIENT);
      for (int k = 0; k < 5; k++)
        sqlite3_bind_int64(put, 2 + k, figures[k]);
      bench_need(sqlite3_step(put) == SQLITE_DONE, sqlite3_errmsg(db));
      sqlite3_reset(put);
    }
    run_sql(db, "COMMIT");
  }
  took all = since(begin);
  sqlite3_finalize(put);
  sqlite3_close(db);
  remove_file("bare.db");
  return all;
}

static void bench_rows(size_t size) {
  double a[ROUNDS], b[ROUNDS], cpu[ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    took own = ours(size), peer = bare(size);
    a[round] = rows_a_second(size, own.clock_ns);
    cpu[round] = rows_a_second(size, own.cpu_ns);
    b[round] = rows_a_second(size, peer.clock_ns);
  }
  double rate = bench_median(a, ROUNDS), peer = bench_median(b, ROUNDS);
  printf(
      "rows into a results file, %zu a transaction: ours %.0f rows/s (%.0f a second of CPU), peer "
      "(one table of bare SQLite) %.0f rows/s, ratio %.2f (aim > 50,000 rows/s)\n",
      size, rate, bench_median(cpu, ROUNDS), peer, rate / peer);
}

/* ---- the summary ---- */

/* Blocks of rows are summed up, as a recorder does it beside its prober. */
static void seal(psprobe_store *store) {
  took begin = reading();
  bool done = false;
  uint64_t blocks = 0;
  for (; !done; blocks += !done)
    bench_need(psp_digests_seal(store, PSP_SEAL_LAG, &done, NULL) == PSPROBE_OK, "no digest");
  took all = since(begin);
  if (blocks > 0)
    printf("a row's share in the sum of its block: %.2f us of CPU, peer none (no aim)\n",
           (double)all.cpu_ns / 1e3 / (double)(blocks * PSP_BLOCK));
}

/* Fills the file up to `probes` rows. */
static void fill(uint64_t from, uint64_t probes) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  if (from == 0)
    store = open_store("long.db");
  else
    bench_need(psprobe_store_new(file_name("long.db"), NULL, &store, &error) == PSPROBE_OK,
               error.message);
  add_rows(store, from, probes - from, FILL, ASCENDING_IDS);
  seal(store);
  psprobe_store_free(store);
}

/* In a process of its own, whose memory is the summary's. */
static void summarise(uint64_t probes) {
  struct rusage usage;
  psprobe_report_options options = {0};
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  int64_t begin = bench_now_ns();
  bench_need(psprobe_report_read(file_name("long.db"), &options, &report, &error) == PSPROBE_OK,
             error.message);
  char *words = psprobe_report_text(report, NULL);
  double wall = (double)(bench_now_ns() - begin) / 1e9;
  bench_need(words != NULL, "no words");
  getrusage(RUSAGE_SELF, &usage);
  printf(
      "summary of %llu probes: ours %.2f s of %.2f s CPU, %.0f MB, peer none (aim for ten "
      "million: < 2 s, memory flat)\n",
      (unsigned long long)probes, wall,
      (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
      (double)usage.ru_maxrss / 1024);
  exit(0);
}

static void bench_summary(uint64_t probes) {
  int status = 0;
  fflush(NULL);
  pid_t process = fork();
  if (process == 0) summarise(probes);
  bench_need(waitpid(process, &status, 0) == process && status == 0, "no summary");
}

int main(void) {
  const char *asked = getenv("PSPROBE_BENCH_PROBES");
  uint64_t probes = asked != NULL ? strtoull(asked, NULL, 10) : PROBES;
  bench_need(mkdtemp(folder) != NULL, "no folder");
  bench_rows(64);
  bench_rows(500);
  bench_rows(5000);
  fill(0, probes / 10);
  bench_summary(probes / 10);
  fill(probes / 10, probes);
  bench_summary(probes);
  remove_file("long.db");
  rmdir(folder);
  return 0;
}
