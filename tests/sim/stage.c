/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/local.h>
#include <psprobe/probe.h>
#include <psprobe/pubsub.h>
#include <psprobe/results.h>

#include "books.h"
#include "documents.h"
#include "fibers.h"
#include "kernel.h"
#include "network.h"
#include "os/clock.h"
#include "weather.h"

#define PROBER_PORT "127.0.0.1:10001"
#define COLLECTION  "pubsub_results"
#define RUNS        "pubsub_runs"
#define TOPIC       "experiment"
#define RARE        "rare"
/* Longer than anything in a world lasts. */
#define HORIZON_NS (INT64_C(4) * 3600 * PSP_SECOND_NS)
#define FLUSH_NS   (INT64_C(1800) * PSP_SECOND_NS)

/* What a world is like, from its seed. */
typedef struct shape {
  uint64_t probes;
  int64_t interval_ns, timeout_ns;
  int64_t cold_every_ns, filler_ns; /* 0: none */
  unsigned lives;                   /* of the prober, the last of which nobody ends */
  bool service_pushed;
  bool fills; /* its disk is full for a while */
} shape;

static struct {
  shape shape;
  bool last; /* of the prober's lives, as it has begun */
  char db[256];
  psprobe_local *local;
} stage;

static void must(psprobe_code code, const char *what, const psprobe_error *error) {
  if (code == PSPROBE_OK) return;
  fprintf(stderr, "%s: %s: %s\n", what, psprobe_code_name(code), error->message);
  abort();
}

static void log_line(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level;
  sim_trace("%s", line);
}

static const psprobe_logger logger = {.sink = log_line, .level = PSPROBE_LOG_DEBUG};

static void draw_shape(void) {
  shape *s = &stage.shape;
  s->probes = 1 + sim_below(SIM_SHAPE, sim_odds(SIM_SHAPE, 100) ? 60 : 20);
  /* More often, and a killed one leaves thousands uncertain. */
  s->interval_ns =
      2 * PSP_MS_NS +
      (int64_t)sim_below(SIM_SHAPE, sim_odds(SIM_SHAPE, 500) ? 20 * PSP_MS_NS : 900 * PSP_MS_NS);
  s->timeout_ns =
      PSP_MS_NS +
      (int64_t)sim_below(SIM_SHAPE, sim_odds(SIM_SHAPE, 300) ? 40 * PSP_MS_NS : 4 * PSP_SECOND_NS);
  s->lives = 1 + (unsigned)sim_below(SIM_SHAPE, 4);
  s->service_pushed = sim_odds(SIM_SHAPE, 500);
  if (sim_odds(SIM_SHAPE, 250))
    s->cold_every_ns = 200 * PSP_MS_NS + (int64_t)sim_below(SIM_SHAPE, 3 * PSP_SECOND_NS);
  s->fills = sim_odds(SIM_SHAPE, 300);
  if (sim_odds(SIM_SHAPE, 150))
    s->filler_ns = 50 * PSP_MS_NS + (int64_t)sim_below(SIM_SHAPE, PSP_SECOND_NS);
}

static psprobe_client *open_client(void) {
  psprobe_error error = {0};
  psprobe_client *client = NULL;
  psprobe_client_options options = {.project = "demo-project",
                                    .pubsub_emulator = psprobe_local_pubsub_host(stage.local),
                                    .firestore_emulator = psprobe_local_firestore_host(stage.local),
                                    .logger = &logger};
  must(psprobe_client_new(&options, &client, &error), "client", &error);
  return client;
}

/* ---- machines that stay ---- */

static const char *const ports[SIM_MACHINES] = {
    [SIM_FUNCTION] = "127.0.0.1:10002", [SIM_SERVICE] = "127.0.0.1:10003"};

static void *run_google(void *arg) {
  (void)arg;
  psprobe_error error = {0};
  must(psprobe_local_new(NULL, &stage.local, &error), "stand-in", &error);
  return NULL;
}

static const char *const sources[SIM_MACHINES] = {
    [SIM_FUNCTION] = PSPROBE_CLOUD_FUNCTION, [SIM_SERVICE] = PSPROBE_REGULAR_SERVICE};

static bool is_pushed(unsigned machine) {
  return machine == SIM_FUNCTION || stage.shape.service_pushed;
}

static void *run_responder(void *arg) {
  (void)arg;
  psprobe_error error = {0};
  unsigned machine = sim_machine();
  psprobe_responder *responder = NULL;
  psprobe_subscriber *subscriber = NULL;
  psprobe_responder_options options = {
      .prober = "http://" PROBER_PORT, .source = sources[machine], .logger = &logger};
  psprobe_subscriber_options pull = {
      .subscription = sources[machine], .mode = PSPROBE_UNARY, .logger = &logger};
  must(psprobe_responder_new(open_client(), &options, &responder, &error), "responder", &error);
  if (is_pushed(machine))
    must(psprobe_responder_listen(responder, ports[machine], NULL, &error), "responder", &error);
  else
    must(psprobe_responder_pull(responder, &pull, &subscriber, &error), "pull", &error);
  return NULL;
}

/* Starts it, and again whenever it was killed. */
static void *watch(void *arg) {
  unsigned machine = (unsigned)(uintptr_t)arg;
  for (;;) {
    sim_start(machine, "main", run_responder, NULL);
    sim_wait(sim_death_of(machine), INT64_MAX);
  }
  return NULL;
}

static void subscribe_to(psprobe_client *client, unsigned machine, const char *topic,
                         const char *name) {
  char endpoint[64];
  psprobe_error error = {0};
  psprobe_subscription_config config = {.topic = topic};
  snprintf(endpoint, sizeof endpoint, "http://%s/", ports[machine]);
  if (is_pushed(machine)) config.push_endpoint = endpoint;
  must(psprobe_subscription_create(client, name, &config, NULL, &error), "subscription", &error);
}

/* Rare probes come to a machine that pulls by none: what they are to it is lost. */
static void subscribe(psprobe_client *client, unsigned machine) {
  char rare[40];
  snprintf(rare, sizeof rare, "%s-rare", sources[machine]);
  subscribe_to(client, machine, TOPIC, sources[machine]);
  if (is_pushed(machine)) subscribe_to(client, machine, RARE, rare);
  sim_spawn(SIM_WORLD, "watch", watch, (void *)(uintptr_t)machine);
}

/* ---- the prober ---- */

typedef struct session {
  psprobe_client *client;
  psprobe_store *store;
  psprobe_uploader *uploader;
  psprobe_recorder *recorder;
  psprobe_prober *prober;
  psprobe_prober_options options;
  sim_life_book *book;
  bool last, resumes;
} session;

static bool count_run(void *arg, const psprobe_run *run) {
  (void)run;
  ++*(unsigned *)arg;
  return true;
}

/* Whether there is a run to go on with: one that died early has left none. */
static bool has_run(psprobe_store *store) {
  unsigned count = 0;
  psprobe_error error = {0};
  must(psprobe_store_each_run(store, NULL, count_run, &count, &error), "runs", &error);
  return count > 0;
}

static void open_all(session *s) {
  psprobe_error error = {0};
  psprobe_store_options keep = {.logger = &logger};
  psprobe_uploader_options upload = {.collection = COLLECTION, .logger = &logger};
  const shape *like = &stage.shape;
  s->client = open_client();
  must(psprobe_store_new(stage.db, &keep, &s->store, &error), "file", &error);
  must(psprobe_uploader_new(s->store, s->client, &upload, &s->uploader, &error), "upload", &error);
  psprobe_recorder_options record = {.uploader = s->uploader, .logger = &logger};
  if (s->resumes && has_run(s->store)) record.resume = "last";
  sim_counted.resumed += record.resume != NULL;
  must(psprobe_recorder_new(s->store, &record, &s->recorder, &error), "recorder", &error);
  s->options = (psprobe_prober_options){.topic = TOPIC,
                                        .publish_by = PSPROBE_PUBLISH_BY_REST,
                                        .interval_ns = like->interval_ns,
                                        .timeout_ns = like->timeout_ns,
                                        .cold_topic = like->cold_every_ns > 0 ? RARE : NULL,
                                        .cold_every_ns = like->cold_every_ns,
                                        .filler_ns = like->filler_ns,
                                        .count = s->last ? 1 : like->probes,
                                        .capacity = 256,
                                        .listen = PROBER_PORT,
                                        .keep = psprobe_recorder_keep,
                                        .keep_arg = s->recorder,
                                        .logger = &logger};
  s->book->interval_ns = like->interval_ns;
  s->book->timeout_ns = like->timeout_ns;
  s->book->cold_every_ns = like->cold_every_ns;
  s->book->offset_ns = psprobe_clock_wall() - psprobe_clock_monotonic();
  must(psprobe_prober_new(s->client, &s->options, &s->prober, &error), "prober", &error);
  must(psprobe_recorder_begin(s->recorder, s->client, s->prober, &s->options, &error), "run",
       &error);
  strcpy(s->book->run, psprobe_recorder_run(s->recorder)->id);
}

static void close_all(session *s) {
  psprobe_prober_free(s->prober);
  psprobe_recorder_free(s->recorder);
  psprobe_uploader_free(s->uploader);
  psprobe_store_free(s->store);
  psprobe_client_free(s->client);
}

/* Whether the file took the end of the run. A prober whose disk is full for longer than it waits
 * goes without, says so, and leaves the run to be ended by the next. */
static bool end_run(session *s) {
  psprobe_error error = {0};
  psprobe_code code = psprobe_recorder_end(s->recorder, &error);
  if (code == PSPROBE_OK) return true;
  sim_trace("the run has no end: %s", error.message);
  sim_counted.unended++;
  if (sim_now() >= s->book->free_ns || strstr(error.message, "disk is full") == NULL)
    sim_fault("a run has no end, and its disk is not full: %s", error.message);
  return false;
}

/* As examples/prober.c does it. */
static void *run_prober(void *arg) {
  session *s = arg;
  psprobe_error error = {0};
  open_all(s);
  sim_weather_calm(s->last);
  s->book->started_ns = sim_now();
  must(psprobe_prober_run(s->prober, &error), "run", &error);
  s->book->over_ns = sim_now();
  psprobe_prober_get_stats(s->prober, &s->book->stats);
  bool ended = end_run(s);
  if (sim_odds(SIM_WEATHER, 500)) sim_weather_calm(true);
  psprobe_code code =
      psprobe_uploader_flush(s->uploader, s->last ? FLUSH_NS : PSP_SECOND_NS, &error);
  if (s->last && code != PSPROBE_OK)
    sim_fault("what is left is not uploaded in half an hour of calm: %s", error.message);
  close_all(s);
  if (ended) s->book->ended_ns = sim_now();
  sim_wake(sim_death_of(SIM_PROBER), true);
  return NULL;
}

static void set_wall(void *arg) {
  (void)arg;
  static const int64_t seconds[] = {-3600, 3600, -20, 20};
  int64_t by = seconds[sim_below(SIM_WEATHER, 4)];
  sim_trace("the prober's clock is set by %lld s", (long long)by);
  sim_set_wall(SIM_PROBER, by * PSP_SECOND_NS);
}

static void free_disk(void *arg) {
  (void)arg;
  sim_fill_disk(false);
}

/* For less time than the end of a run waits for room; or, where another prober comes after it, for
 * more. What finds it full looks again a second later. */
static void fill_disk(void *arg) {
  (void)arg;
  sim_trace("the prober's disk is full");
  sim_fill_disk(true);
  bool long_one = !stage.last && sim_odds(SIM_WEATHER, 300);
  int64_t for_ns = (int64_t)sim_below(SIM_WEATHER, (long_one ? 60 : 5) * PSP_SECOND_NS);
  sim_at(sim_now() + for_ns, free_disk, NULL);
  sim_book_disk(for_ns + 2 * PSP_SECOND_NS);
}

/* How long a life lasts that is ended before its time: at any step of it. */
static void light_fuse(void) {
  uint64_t often = sim_odds(SIM_SHAPE, 300) ? 300 : 60 + 160 * stage.shape.probes;
  sim_set_fuse(SIM_PROBER, 1 + sim_below(SIM_SHAPE, often));
}

/* A responder may be killed too: what it has not acknowledged comes again. */
static void light_responders_fuse(void) {
  unsigned machine = sim_odds(SIM_SHAPE, 500) ? SIM_FUNCTION : SIM_SERVICE;
  if (sim_odds(SIM_SHAPE, 300))
    sim_set_fuse(machine, 1 + sim_below(SIM_SHAPE, 20 + 40 * stage.shape.probes));
}

/* ---- the world's own fiber ---- */

static void wait_until(int64_t ns) {
  static const char nobody;
  while (sim_now() < ns)
    sim_wait(&nobody, ns);
}

static void live(bool last) {
  session *s = calloc(1, sizeof *s);
  if (s == NULL) abort();
  s->book = sim_book_life();
  s->last = stage.last = last;
  s->resumes = sim_odds(SIM_SHAPE, 300);
  sim_weather_calm(true);
  if (!last) light_fuse();
  if (!last) light_responders_fuse();
  if (sim_odds(SIM_WEATHER, 150))
    sim_at(sim_now() + (int64_t)sim_below(SIM_WEATHER, PSP_SECOND_NS), set_wall, NULL);
  if (stage.shape.fills)
    sim_at(sim_now() + (int64_t)sim_below(SIM_WEATHER, PSP_SECOND_NS), fill_disk, NULL);
  unsigned life = sim_life_of(SIM_PROBER);
  uint32_t fiber = sim_start(SIM_PROBER, "main", run_prober, s);
  while (sim_is_alive(fiber))
    sim_wait(sim_death_of(SIM_PROBER), INT64_MAX);
  if (sim_life_of(SIM_PROBER) != life) sim_counted.kills++;
  sim_set_fuse(SIM_PROBER, 0);
  if (sim_odds(SIM_SHAPE, 500))
    wait_until(sim_now() + (int64_t)sim_below(SIM_SHAPE, 30 * PSP_SECOND_NS));
}

static void *run_world(void *arg) {
  (void)arg;
  psprobe_error error = {0};
  psprobe_store *store = NULL;
  sim_join(sim_start(SIM_GOOGLE, "main", run_google, NULL));
  psprobe_client *client = open_client();
  must(psprobe_topic_create(client, TOPIC, NULL, 0, NULL, &error), "topic", &error);
  must(psprobe_topic_create(client, RARE, NULL, 0, NULL, &error), "topic", &error);
  subscribe(client, SIM_FUNCTION);
  subscribe(client, SIM_SERVICE);
  for (unsigned i = 1; i <= stage.shape.lives; i++)
    live(i == stage.shape.lives);
  psprobe_store_options options = {.read_only = true};
  must(psprobe_store_new(stage.db, &options, &store, &error), "file", &error);
  sim_books_balance(store);
  sim_documents_balance(store, client, COLLECTION);
  sim_runs_balance(store, client, RUNS);
  psprobe_store_free(store);
  sim_stop();
  return NULL;
}

void sim_world_remove(const char *folder) {
  static const char *const ends[] = {"", "-wal", "-shm"};
  char name[300];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(name, sizeof name, "%s/results.db%s", folder, ends[i]);
    unlink(name);
  }
}

bool sim_world(uint64_t seed, const char *folder) {
  memset(&stage, 0, sizeof stage);
  snprintf(stage.db, sizeof stage.db, "%s/results.db", folder);
  sim_world_remove(folder);
  sim_begin(seed);
  sim_kernel_begin();
  sim_network_begin();
  sim_books_begin();
  draw_shape();
  sim_weather_begin();
  sim_weather_tell();
  if (sim_odds(SIM_SHAPE, 500))
    sim_set_slack(SIM_PROBER, sim_odds(SIM_SHAPE, 300) ? 300 * PSP_MS_NS : PSP_MS_NS);
  sim_start(SIM_WORLD, "world", run_world, NULL);
  sim_end end = sim_run(HORIZON_NS);
  if (end != SIM_DONE) {
    sim_fault("%s", end == SIM_STILL ? "the world stands still: somebody waits in vain"
                                     : "the world does not come to its end");
    sim_show_fibers();
  }
  return !sim_faulty;
}
