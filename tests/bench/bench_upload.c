/* SPDX-License-Identifier: MIT */
/** @file
 * Documents a second to Google's Firestore emulator, and the CPU time that they cost: the uploader,
 * from a results file, and Google's Node client by its bulk writer, from memory. Rounds alternate;
 * medians count, of those after the first, since the emulator is compiled as it is used: its first
 * documents cost it five times as much as later ones.
 */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <psprobe/results.h>
#include <psprobe/timing.h>

#include "bench.h"
#include "emulator.h"
#include "scratch.h"

#define ROUNDS    5
#define WARMING   3 /* rounds that do not count */
#define DOCUMENTS 5000

typedef struct figures {
  double seconds[ROUNDS], cpu[ROUNDS];
} figures;

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static psprobe_store *filled(void **folder) {
  psprobe_store *store = scratch_store(scratch_file(folder, "r.db"), false);
  psprobe_run run = scratch_run(1);
  psprobe_finished *rows = calloc(DOCUMENTS, sizeof *rows);
  bench_need(rows != NULL && psprobe_store_begin_run(store, &run, NULL) == PSPROBE_OK, "run");
  for (size_t i = 0; i < DOCUMENTS; i++)
    rows[i] = scratch_finished(i);
  bench_need(psprobe_store_add(store, run.id, rows, DOCUMENTS, NULL) == PSPROBE_OK, "rows");
  free(rows);
  return store;
}

/* The figures of a round before the first are written over by it. */
static int place(int round) {
  return round > 0 ? round : 0;
}

static void ours(const char *host, int round, figures *f) {
  void *folder = NULL;
  char project[32];
  psprobe_client *client = NULL;
  psprobe_uploader *uploader = NULL;
  psprobe_error error = {0};
  snprintf(project, sizeof project, "demo-bench-%d", round + WARMING);
  psprobe_client_options options = {
      .project = project, .pubsub_emulator = "127.0.0.1:1", .firestore_emulator = host};
  bench_need(scratch_setup(&folder) == 0, "folder");
  bench_need(psprobe_client_new(&options, &client, &error) == PSPROBE_OK, error.message);
  psprobe_store *store = filled(&folder);
  double cpu = cpu_seconds();
  int64_t from = bench_now_ns();
  bench_need(psprobe_uploader_new(store, client, NULL, &uploader, &error) == PSPROBE_OK,
             error.message);
  bench_need(psprobe_uploader_flush(uploader, INT64_C(120000000000), &error) == PSPROBE_OK,
             error.message);
  f->seconds[place(round)] = (double)(bench_now_ns() - from) / 1e9;
  f->cpu[place(round)] = cpu_seconds() - cpu;
  psprobe_uploader_free(uploader);
  psprobe_store_free(store);
  psprobe_client_free(client);
  scratch_teardown(&folder);
}

static bool nodes(const char *host, int round, figures *f) {
  char command[200], line[100] = "";
  snprintf(command, sizeof command,
           "FIRESTORE_EMULATOR_HOST=%s node tests/bench/peer/firestore_upload.mjs %d", host,
           DOCUMENTS);
  FILE *node = popen(command, "r");
  bool good = node != NULL && fgets(line, sizeof line, node) != NULL &&
              sscanf(line, "%lf %lf", &f->seconds[place(round)], &f->cpu[place(round)]) == 2;
  return node != NULL && pclose(node) == 0 && good;
}

static void forget(const char *host) {
  char command[200];
  snprintf(command, sizeof command,
           "curl -s -X DELETE 'http://%s/emulator/v1/projects/demo-bench-node/databases/(default)/"
           "documents' >/dev/null",
           host);
  bench_need(system(command) == 0, "the emulator cannot be emptied");
}

int main(void) {
  figures our = {{0}, {0}}, node = {{0}, {0}};
  if (!test_emulator_installed(TEST_FIRESTORE)) {
    puts("SKIPPED: Google's Firestore emulator is not there");
    return 0;
  }
  bool peer = system("tests/interop/install.sh") == 0;
  const char *host = test_emulator_host(TEST_FIRESTORE);
  for (int round = -WARMING; round < ROUNDS; round++) {
    ours(host, round, &our);
    fprintf(stderr, "psprobe: %.2f s, %.2f s of CPU time\n", our.seconds[place(round)],
            our.cpu[place(round)]);
    if (peer) forget(host);
    if (peer) bench_need(nodes(host, round, &node), "the Node client failed");
  }
  double rate = DOCUMENTS / bench_median(our.seconds, ROUNDS);
  double cost = bench_median(our.cpu, ROUNDS) / DOCUMENTS * 1e6;
  printf("%-28s %8.0f documents/s %8.1f us of CPU time each\n", "psprobe, uploader", rate, cost);
  if (!peer) return 0;
  double node_rate = DOCUMENTS / bench_median(node.seconds, ROUNDS);
  double node_cost = bench_median(node.cpu, ROUNDS) / DOCUMENTS * 1e6;
  printf("%-28s %8.0f documents/s %8.1f us of CPU time each\n", "Node, bulk writer", node_rate,
         node_cost);
  printf("psprobe/Node: %.2f times the rate, %.3f of the CPU time\n", rate / node_rate,
         cost / node_cost);
  return 0;
}
