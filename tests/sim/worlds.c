/* SPDX-License-Identifier: MIT */
#include "worlds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define BATCH 20
#define JOBS  2

/* A process and what it tells, in memory that we share. */
typedef struct job {
  pid_t process;
  uint64_t seed; /* that it is at */
  bool faulty;
  sim_tally told;
} job;

static void add_census(sim_census *to, const sim_census *more) {
  uint64_t *sums = (uint64_t *)to;
  const uint64_t *each = (const uint64_t *)more;
  for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
    sums[i] += each[i];
}

static void run_batch(job *j, uint64_t first, uint64_t count, const char *folder) {
  sim_counted = (sim_census){0};
  for (j->seed = first; j->seed < first + count && !j->faulty; j->seed++) {
    j->faulty = !sim_world(j->seed, folder);
    j->told.worlds++;
    j->told.census = sim_counted;
    if (j->faulty) break;
  }
  _exit(j->faulty ? 1 : 0);
}

static void start(job *j, uint64_t first, uint64_t count, const char *folder) {
  memset(j, 0, sizeof *j);
  fflush(NULL);
  pid_t process = fork();
  if (process == 0) run_batch(j, first, count, folder);
  j->process = process; /* by us alone: the memory is shared */
}

/* Takes what a process that has ended told. One that died found a fault of its own kind. */
static void finish(job *j, int status, sim_tally *sum) {
  add_census(&sum->census, &j->told.census);
  sum->worlds += j->told.worlds;
  j->process = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (sum->first_faulty == 0 || j->seed < sum->first_faulty) sum->first_faulty = j->seed;
  if (WIFSIGNALED(status))
    fprintf(stderr, "  FAULT: the world of seed %" PRIu64 " dies of signal %d\n", j->seed,
            WTERMSIG(status));
}

static void wait_for_one(job jobs[JOBS], sim_tally *sum) {
  int status;
  pid_t process = wait(&status);
  for (size_t i = 0; i < JOBS; i++)
    if (process > 0 && jobs[i].process == process) finish(&jobs[i], status, sum);
}

static job *free_job(job jobs[JOBS]) {
  for (size_t i = 0; i < JOBS; i++)
    if (jobs[i].process == 0) return &jobs[i];
  return NULL;
}

static void make_folders(char top[64], char folders[JOBS][80]) {
  struct stat info;
  snprintf(top, 64, "%s/psprobe-sim-XXXXXX", stat("/dev/shm", &info) == 0 ? "/dev/shm" : "/tmp");
  if (mkdtemp(top) == NULL) abort();
  for (int i = 0; i < JOBS; i++) {
    snprintf(folders[i], sizeof folders[i], "%s/%d", top, i);
    if (mkdir(folders[i], 0700) != 0) abort();
  }
}

static void remove_folders(const char *top, char folders[JOBS][80]) {
  for (int i = 0; i < JOBS; i++) {
    sim_world_remove(folders[i]);
    rmdir(folders[i]);
  }
  rmdir(top);
}

sim_tally sim_worlds(uint64_t first, uint64_t count, sim_progress *progress) {
  char top[64], folders[JOBS][80];
  sim_tally sum = {0};
  job *jobs = mmap(NULL, JOBS * sizeof *jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0),
      *j;
  if (jobs == MAP_FAILED) abort();
  make_folders(top, folders);
  for (uint64_t at = 0; at < count && sum.first_faulty == 0; at += BATCH) {
    while ((j = free_job(jobs)) == NULL)
      wait_for_one(jobs, &sum);
    if (progress != NULL) progress(&sum, first + at);
    if (sum.first_faulty == 0)
      start(j, first + at, count - at < BATCH ? count - at : BATCH, folders[j - jobs]);
  }
  for (size_t i = 0; i < JOBS; i++)
    while (jobs[i].process != 0)
      wait_for_one(jobs, &sum);
  munmap(jobs, JOBS * sizeof *jobs);
  remove_folders(top, folders);
  return sum;
}
