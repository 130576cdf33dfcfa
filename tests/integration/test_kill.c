/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Probers that are killed, at any instant and at named places (tests/tools/stop/stop_at.c), while
 * they send a hundred probes a second through Google's emulators; and the books afterwards. The
 * responders are the test's own: they know which probes were sent, and which answers had a 2xx.
 *
 *     - every probe that was sent is in the file, once, and closed
 *     - every answer that had a 2xx is in the file
 *     - every row of the file is in Firestore once, with the same figures
 *
 * environment: KILL_ROUNDS (20)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/pubsub_admin.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/results.h>
#include <psprobe/subscriber.h>

#include "emulator.h"
#include "scratch.h"

/* Twenty; sanitized, one of each kind. */
#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 6
#else
#define ROUNDS 20
#endif
#define SECOND   INT64_C(1000000000)
#define SOURCES  2
#define ROOM     (1u << 17)
#define PROJECT  "demo-project"
#define PATIENCE (60 * SECOND)

static const char *const sources[SOURCES] = {"cloud_function", "regular_service"};

/* What the responders know of a probe. */
typedef struct witness {
  char id[PSPROBE_ID_SIZE]; /* "": none */
  bool seen[SOURCES], taken[SOURCES];
  bool in_file, in_firestore;
} witness;

typedef struct source {
  struct scene *scene;
  size_t index;
  _Atomic unsigned invocations;
  psprobe_subscriber *subscriber;
} source;

typedef struct scene {
  psprobe_client *client;
  char topic[64], subscription[SOURCES][80], collection[64], db[128], listen[32];
  int port;
  source source[SOURCES];
  pthread_mutex_t lock;
  witness *witnesses;
  _Atomic bool over;        /* there is no prober any more */
  _Atomic int64_t heard_ns; /* when a message came last */
  uint64_t seed;
  size_t at_place, stillborn;
} scene;

static scene world = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Marsaglia's xorshift64. */
static uint64_t below(scene *s, uint64_t limit) {
  s->seed ^= s->seed << 13;
  s->seed ^= s->seed >> 7;
  s->seed ^= s->seed << 17;
  return s->seed % limit;
}

/* ---- the witnesses ---- */

static witness *witness_of(scene *s, const char *id, bool make) {
  char head[17];
  snprintf(head, sizeof head, "%.16s", id);
  for (uint64_t at = strtoull(head, NULL, 16) % ROOM;; at = (at + 1) % ROOM) {
    witness *w = &s->witnesses[at];
    if (w->id[0] == '\0' && make) snprintf(w->id, sizeof w->id, "%s", id);
    if (w->id[0] == '\0') return NULL;
    if (strcmp(w->id, id) == 0) return w;
  }
}

static void testify(scene *s, const char *id, size_t index, bool taken) {
  pthread_mutex_lock(&s->lock);
  witness *w = witness_of(s, id, true);
  w->seen[index] = true;
  w->taken[index] |= taken;
  pthread_mutex_unlock(&s->lock);
}

/* ---- the responders ---- */

/* The status of one POST; 0: none. */
static int post(const source *from, const char *id, unsigned invocation) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)from->scene->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const struct timeval patience = {.tv_sec = 5};
  char text[512];
  int status = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int len =
      snprintf(text, sizeof text,
               "POST /%s/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n"
               "Psprobe-Instance: i-%zu\r\nPsprobe-Invocation: %u\r\nPsprobe-Sent-Ns: 5\r\n\r\n",
               sources[from->index], id, from->index, invocation);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      send(fd, text, (size_t)len, MSG_NOSIGNAL) == len) {
    ssize_t got = recv(fd, text, sizeof text - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    if (got > 12) status = atoi(text + 9);
  }
  close(fd);
  return status;
}

/* Answers as a responder does: again, for a while, when nobody takes it. */
static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  source *own = arg;
  scene *s = own->scene;
  const char *id = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_ID);
  unsigned invocation = ++own->invocations;
  int status = 0;
  if (id == NULL) return PSPROBE_SETTLE_ACK;
  s->heard_ns = psprobe_clock_monotonic();
  testify(s, id, own->index, false);
  for (int i = 0; i < 100 && !s->over && status / 100 != 2 && status != 404; i++) {
    if (i > 0) usleep(20000);
    status = post(own, id, invocation);
  }
  if (status / 100 == 2) testify(s, id, own->index, true);
  bool done = status / 100 == 2 || status == 404 || s->over;
  return done ? PSPROBE_SETTLE_ACK : PSPROBE_SETTLE_NACK;
}

/* ---- the probers ---- */

static pid_t start(const scene *s, const char *place, bool resume, const char *count, int *output) {
  char prober[256], stop[300], seam[300];
  const char *build = getenv("BUILD");
  int ends[2];
  snprintf(prober, sizeof prober, "%s/examples/prober", build != NULL ? build : "build");
  snprintf(seam, sizeof seam, "%s/tests/tools/stop_at.so", build != NULL ? build : "build");
  snprintf(stop, sizeof stop, "%s", place);
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    setenv("PUBSUB_EMULATOR_HOST", test_emulator_host(TEST_PUBSUB), 1);
    setenv("FIRESTORE_EMULATOR_HOST", test_emulator_host(TEST_FIRESTORE), 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    if (place[0] != '\0') setenv("PSPROBE_TEST_STOP", stop, 1);
    if (place[0] != '\0') setenv("LD_PRELOAD", seam, 1);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    const char *argv[] = {prober,        "--project",
                          PROJECT,       "--topic",
                          s->topic,      "--collection",
                          s->collection, "--db",
                          s->db,         "--listen",
                          s->listen,     "--admin-listen",
                          "127.0.0.1:0", "--interval",
                          "10ms",        "--timeout",
                          "5s",          "--count",
                          count,         "--log-level",
                          "error",       resume ? "--resume" : NULL,
                          "last",        NULL};
    execv(prober, (char **)argv);
    _exit(127);
  }
  close(ends[1]);
  *output = ends[0];
  return child;
}

/* Waits for its first line; false: it ended before. */
static bool is_ready(int output) {
  char text[64];
  return read(output, text, sizeof text) > 0;
}

/* One life. @return whether it ended at its place */
static bool live(scene *s, unsigned round) {
  static const char *const places[] = {"",     "commit",      "uncommitted",
                                       "mark", "uncommitted", "checkpoint"};
  char place[32] = "";
  int output, status = 0;
  const char *name = places[round % (sizeof places / sizeof *places)];
  if (name[0] != '\0')
    snprintf(place, sizeof place, "%s:%d", name, (int)(1 + below(s, name[0] == 'm' ? 3 : 30)));
  pid_t child = start(s, place, round % 4 == 3, "0", &output);
  bool begun = is_ready(output);
  if (begun) {
    int64_t until = psprobe_clock_monotonic() +
                    (name[0] == '\0' ? (int64_t)(50 + below(s, 700)) * 1000000 : 3 * SECOND);
    while (psprobe_clock_monotonic() < until && waitpid(child, &status, WNOHANG) == 0)
      usleep(1000);
  }
  bool ended = status != 0 || waitpid(child, &status, begun ? WNOHANG : 0) == child;
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  close(output);
  if (!begun && WIFEXITED(status) && s->stillborn++ < 20) return false; /* a broker too busy */
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    fail_msg("round %u (%s): it ended with %d", round, place, status);
  return ended;
}

/* The last one ends in peace, and brings to Firestore what is left. */
static void live_in_peace(scene *s) {
  int output, status = 0;
  char text[512];
  pid_t child = start(s, "", false, "20", &output);
  while (read(output, text, sizeof text) > 0)
    continue;
  close(output);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

/* ---- the books ---- */

typedef struct books {
  scene *scene;
  size_t sent, rows, both, answers, interrupted, uncertain, unwitnessed, documents;
  uint64_t hash; /* of the figures of all rows, in any order */
} books;

static uint64_t mix(const char *id, size_t index, const char *status, int64_t elapsed) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ index;
  for (const char *c = id; *c != '\0'; c++)
    hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  hash = (hash ^ (unsigned char)status[0]) * UINT64_C(0x100000001b3);
  return (hash ^ (uint64_t)elapsed) * UINT64_C(0x9e3779b97f4a7c15);
}

static const char *name_of(psprobe_status status) {
  static const char *const names[] = {"lost", "answered", "late", "interrupted", "uncertain"};
  return names[status];
}

static bool see_row(void *arg, const psprobe_row *row) {
  books *b = arg;
  const psprobe_result *result = &row->result;
  witness *w = witness_of(b->scene, result->id, false);
  b->rows++;
  b->unwitnessed += w == NULL;
  b->interrupted += result->answers[0].status == PSPROBE_INTERRUPTED ||
                    result->answers[1].status == PSPROBE_INTERRUPTED;
  b->uncertain += result->answers[0].status == PSPROBE_UNCERTAIN;
  if (w != NULL) w->in_file = true;
  for (size_t i = 0; i < SOURCES; i++) {
    const psprobe_answer *answer = &result->answers[i];
    bool came = psprobe_answer_came(answer->status);
    if (w != NULL && w->taken[i] && !came)
      fail_msg("%s: the answer of %s had a 2xx, and is %s", result->id, sources[i],
               name_of(answer->status));
    if (came && (w == NULL || !w->seen[i])) fail_msg("%s was never sent", result->id);
    b->hash += mix(result->id, i, name_of(answer->status), came ? answer->elapsed_ns : -1);
  }
  return true;
}

static bool see_document(void *arg, const psprobe_document *document) {
  books *b = arg;
  const char *id = strrchr(psprobe_document_name(document), '/') + 1;
  const psprobe_value *all = psprobe_value_find(psprobe_document_fields(document), "sources");
  witness *w = witness_of(b->scene, id, false);
  b->documents++;
  if (w != NULL) w->in_firestore = true;
  for (size_t i = 0; i < SOURCES; i++) {
    const psprobe_value *its = psprobe_value_find(all, sources[i]);
    const char *status = "";
    int64_t elapsed = -1;
    psprobe_value_get_integer(psprobe_value_find(its, "elapsed_ns"), &elapsed);
    psprobe_value_get_text(psprobe_value_find(its, "status"), &status, NULL);
    b->hash -= mix(id, i, status, elapsed);
  }
  return true;
}

static void balance(scene *s) {
  books b = {.scene = s};
  psprobe_error error = {0};
  uint64_t backlog = 1;
  psprobe_store *store = scratch_store(s->db, true);
  assert_int_equal(psprobe_store_each(store, NULL, see_row, &b, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_int_equal(backlog, 0);
  if (psprobe_document_list(s->client, &(psprobe_listing){.collection = s->collection},
                            see_document, &b, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  for (size_t i = 0; i < ROOM; i++) {
    const witness *w = &s->witnesses[i];
    if (w->id[0] == '\0') continue;
    b.sent++;
    b.both += w->taken[0] && w->taken[1];
    b.answers += w->taken[0] + w->taken[1];
    if (!w->in_file) fail_msg("%s was sent, and is not in the file", w->id);
    if (!w->in_firestore) fail_msg("%s was sent, and is not in Firestore", w->id);
  }
  print_message(
      "%zu sent (%zu with a 2xx for both, %zu answers with one), %zu rows, %zu documents; "
      "%zu interrupted, %zu uncertain, %zu that nobody saw; %zu deaths at a place, %zu without a "
      "broker\n",
      b.sent, b.both, b.answers, b.rows, b.documents, b.interrupted, b.uncertain, b.unwitnessed,
      s->at_place, s->stillborn);
  assert_int_equal(b.rows, b.documents);
  assert_int_equal(b.hash, 0); /* the same figures */
  assert_true(b.sent > 20 && b.both > 0 && b.interrupted > 0);
}

/* ---- the scene ---- */

static void ready(psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK) fail_msg("%s", error->message);
}

static void open_scene(scene *s, void **state) {
  psprobe_error error = {0};
  const psprobe_client_options google = {.project = PROJECT,
                                         .pubsub_emulator = test_emulator_host(TEST_PUBSUB),
                                         .firestore_emulator = test_emulator_host(TEST_FIRESTORE)};
  s->witnesses = calloc(ROOM, sizeof *s->witnesses);
  s->seed = 88172645463325252;
  s->port = test_free_port();
  snprintf(s->listen, sizeof s->listen, "127.0.0.1:%d", s->port);
  snprintf(s->topic, sizeof s->topic, "kill-%d", (int)getpid());
  snprintf(s->collection, sizeof s->collection, "kill_%d", (int)getpid());
  snprintf(s->db, sizeof s->db, "%s", scratch_file(state, "r.db"));
  ready(psprobe_client_new(&google, &s->client, &error), &error);
  ready(psprobe_topic_create(s->client, s->topic, NULL, 0, NULL, &error), &error);
  for (size_t i = 0; i < SOURCES; i++) {
    const psprobe_subscription_config config = {.topic = s->topic};
    snprintf(s->subscription[i], sizeof s->subscription[i], "%s-%zu", s->topic, i);
    ready(psprobe_subscription_create(s->client, s->subscription[i], &config, NULL, &error),
          &error);
    s->source[i].scene = s;
    s->source[i].index = i;
    const psprobe_subscriber_options options = {
        .subscription = s->subscription[i], .receive = receive, .arg = &s->source[i], .workers = 8};
    ready(psprobe_subscriber_new(s->client, &options, &s->source[i].subscriber, &error), &error);
  }
}

/* Until nothing has come for two seconds. */
static void drain(const scene *s) {
  int64_t until = psprobe_clock_monotonic() + PATIENCE;
  while (psprobe_clock_monotonic() < until && psprobe_clock_monotonic() - s->heard_ns < 2 * SECOND)
    usleep(10000);
}

static void test_killed(void **state) {
  scene *s = &world;
  if (!test_emulator_installed(TEST_PUBSUB) || !test_emulator_installed(TEST_FIRESTORE)) {
    print_message("SKIPPED: Google's emulators are not installed\n");
    exit(77);
  }
  const char *text = getenv("KILL_ROUNDS");
  unsigned rounds = text != NULL ? (unsigned)atoi(text) : ROUNDS;
  open_scene(s, state);
  for (unsigned round = 0; round < rounds; round++)
    s->at_place += live(s, round);
  live_in_peace(s);
  s->over = true;
  drain(s);
  for (size_t i = 0; i < SOURCES; i++)
    psprobe_subscriber_free(s->source[i].subscriber);
  balance(s);
  psprobe_client_free(s->client);
  free(s->witnesses);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_killed, scratch_setup, scratch_teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
