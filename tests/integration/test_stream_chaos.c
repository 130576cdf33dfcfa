/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Streams on bad days: from a server of Google's own gRPC that ends each connection after two
 * seconds (tests/tools/grpc_broker.py), and through a proxy that cuts, resets and stalls by a seed,
 * with windows of 1 kB and up. Each message of twenty keys comes, in the order of its key. By a
 * clock that goes faster, since a silent peer is noticed after 45 s. CHAOS=full handles more.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/subscriber.h>

#include "bad_proxy.h"
#include "fast_clock.h"
#include "grpc/session.h"
#include "python_peer.h"

#define SECOND INT64_C(1000000000)
#define MOST   200000
#define KEYS   20
#define AGE_MS "2000"
#define GROWTH_K \
  16384 /* of resident memory, in KiB, between a quarter of the messages and the last */
/* A sanitizer keeps what was freed, and where: its own growth is no figure of ours. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define MEASURED false
#else
#define MEASURED true
#endif

/* What one test is about. */
typedef struct trial {
  unsigned count;
  bool once;    /* delivery is */
  bool broker;  /* the one on Google's gRPC, else our stand-in */
  int seconds;  /* that it may take */
  size_t bytes; /* the stand-in's messages have, at most */
  uint32_t window;
  const bad_weather *weather; /* NULL: without the proxy */
} trial;

/* ---- windows ---- */

static uint32_t window;

psp_session *__real_psp_session_new(const psp_session_options *options);
psp_session *__wrap_psp_session_new(const psp_session_options *options);

/* Of both sides, where they are ours. */
psp_session *__wrap_psp_session_new(const psp_session_options *options) {
  psp_session_options narrow = *options;
  narrow.window = window;
  return __real_psp_session_new(&narrow);
}

/* ---- servers ---- */

static unsigned connections; /* that came to the proxy */
static psprobe_error error;  /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

static python_peer broker_start(const trial *t) {
  char messages[16], keys[16];
  snprintf(messages, sizeof messages, "%u", t->count);
  snprintf(keys, sizeof keys, "%d", KEYS);
  const char *const arguments[] = {messages, keys, AGE_MS, t->once ? "once" : NULL, NULL};
  return python_peer_start("tests/tools/grpc_broker.py", arguments);
}

static psprobe_client *client_at(int port) {
  char address[32];
  psprobe_client *client = NULL;
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  const psprobe_client_options at = {.project = "chaos", .pubsub_emulator = address};
  ok(psprobe_client_new(&at, &client, &error));
  return client;
}

/* Its number, and as much more as comes from it. */
static void publish(psprobe_client *client, const trial *t, unsigned key) {
  static char texts[500][4096];
  static psprobe_message messages[500];
  char name[8];
  snprintf(name, sizeof name, "k%u", key);
  for (unsigned next = key; next < t->count;) {
    size_t n = 0;
    for (; n < 500 && next < t->count; n++, next += KEYS) {
      size_t len = (size_t)snprintf(texts[n], sizeof texts[n], "%-*u",
                                    (int)(next * UINT64_C(7919) % (t->bytes + 1)), next);
      messages[n] = (psprobe_message){.data = texts[n], .data_len = len, .ordering_key = name};
    }
    ok(psprobe_publish(client, "chaos", messages, n, NULL, &error));
  }
}

static psprobe_local *stand_in_start(const trial *t, psprobe_client **client) {
  psprobe_local *local = NULL;
  const psprobe_subscription_config config = {
      .topic = "chaos", .ack_deadline_s = 10, .enable_ordering = true};
  ok(psprobe_local_new(NULL, &local, &error));
  *client = client_at(atoi(strrchr(psprobe_local_pubsub_host(local), ':') + 1));
  ok(psprobe_topic_create(*client, "chaos", NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(*client, "jobs", &config, NULL, &error));
  for (unsigned key = 0; key < KEYS; key++)
    publish(*client, t, key);
  return local;
}

/* ---- what comes ---- */

static struct counter {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned times[MOST];
  unsigned newest[KEYS]; /* of each key, the number after the last that came for the first time */
  unsigned seen, again, disordered;
  unsigned settled[MOST], failed, early_k;
  bool fell_back; /* to REST */
  unsigned all;
} c = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned resident_k(void) {
  unsigned long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) fail_msg("no statm");
  fclose(file);
  return (unsigned)(resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  (void)arg;
  const unsigned number = (unsigned)atoi(message->data), key = number % KEYS;
  pthread_mutex_lock(&c.lock);
  assert_true(number < c.all);
  if (c.times[number]++ == 0) {
    c.seen++;
    if (number < c.newest[key]) c.disordered++;
    c.newest[key] = number;
    if (c.seen == c.all / 4) c.early_k = resident_k();
  } else {
    c.again++;
  }
  if (c.seen == c.all) pthread_cond_broadcast(&c.changed);
  pthread_mutex_unlock(&c.lock);
  return PSPROBE_SETTLE_ACK;
}

static void settled(void *arg, const psprobe_message *message, psprobe_code code) {
  (void)arg;
  pthread_mutex_lock(&c.lock);
  c.settled[atoi(message->data)]++;
  if (code != PSPROBE_OK) c.failed++;
  pthread_mutex_unlock(&c.lock);
}

static void on_line(void *arg, psprobe_log_level level, const char *line) {
  if (strstr(line, "no_grpc_here") != NULL) c.fell_back = true;
  psprobe_log_stderr(arg, level, line);
}

/* What comes until nothing has for longer than the ack deadline: none that was not seen, and only
 * what was given back, or was acknowledged after its lease had run out on a dead connection. */
static void drain(psprobe_client *client) {
  psprobe_batch *batch = NULL;
  size_t left = 0;
  while (psprobe_pull(client, "jobs", 1000, 2 * 10 * SECOND / FAST, &batch, NULL) == PSPROBE_OK) {
    const char *ids[1000];
    const size_t count = psprobe_batch_count(batch);
    for (size_t i = 0; i < count; i++) {
      const psprobe_message *message = psprobe_batch_message(batch, i);
      ids[i] = message->ack_id;
      assert_true(c.times[atoi(message->data)] > 0);
    }
    ok(psprobe_acknowledge(client, "jobs", ids, count, &error));
    psprobe_batch_free(batch);
    left += count;
  }
  print_message("%zu were left to others\n", left);
}

static void wait_for_all(int seconds) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  pthread_mutex_lock(&c.lock);
  while (c.seen < c.all && pthread_cond_timedwait(&c.changed, &c.lock, &until) == 0)
    continue;
  if (c.seen < c.all) fail_msg("%u of %u messages came", c.seen, c.all);
  pthread_mutex_unlock(&c.lock);
}

static psprobe_subscriber_stats receive_all(const trial *t, int port) {
  psprobe_subscriber *subscriber = NULL;
  psprobe_subscriber_stats stats;
  psprobe_client *client = client_at(port);
  const psprobe_logger logger = {.sink = on_line, .level = PSPROBE_LOG_WARNING};
  const psprobe_subscriber_options options = {
      .logger = &logger, .subscription = "jobs", .receive = receive, .settled = settled};
  ok(psprobe_subscriber_new(client, &options, &subscriber, &error));
  wait_for_all(t->seconds);
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_get_stats(subscriber, &stats);
  psprobe_subscriber_free(subscriber);
  psprobe_client_free(client);
  print_message(
      "%u messages, %u deliveries, %llu streams failed early, %llu silent, %llu told in "
      "vain\n",
      t->count, c.seen + c.again, (unsigned long long)stats.pull_errors,
      (unsigned long long)stats.silent, (unsigned long long)stats.ack_errors);
  return stats;
}

static psprobe_subscriber_stats run(const trial *t) {
  python_peer broker = {.port = 0};
  psprobe_local *local = NULL;
  psprobe_client *straight = NULL;
  memset(c.times, 0, sizeof c.times);
  memset(c.settled, 0, sizeof c.settled);
  memset(c.newest, 0, sizeof c.newest);
  c.seen = c.again = c.disordered = c.failed = 0;
  c.fell_back = false;
  c.all = t->count;
  window = t->window;
  if (t->broker)
    broker = broker_start(t);
  else
    local = stand_in_start(t, &straight);
  int port = t->broker ? broker.port : atoi(strrchr(psprobe_local_pubsub_host(local), ':') + 1);
  bad_proxy *proxy = t->weather != NULL ? bad_proxy_start(port, t->weather) : NULL;
  psprobe_subscriber_stats stats = receive_all(t, proxy != NULL ? bad_proxy_port(proxy) : port);
  if (proxy != NULL) {
    connections = bad_proxy_count(proxy, BAD_CALM);
    print_message("%u connections: %u cut, %u reset, %u stalled, %u deaf\n", connections,
                  bad_proxy_count(proxy, BAD_CUT), bad_proxy_count(proxy, BAD_RESET),
                  bad_proxy_count(proxy, BAD_STALL), bad_proxy_count(proxy, BAD_DEAF));
    bad_proxy_stop(proxy);
  }
  if (local != NULL) drain(straight);
  if (t->broker) assert_int_equal(python_peer_stop(&broker), t->count);
  psprobe_client_free(straight);
  psprobe_local_free(local);
  assert_int_equal(c.disordered, 0);
  assert_int_equal(stats.leased, 0);
  assert_false(c.fell_back);
  return stats;
}

static void assert_flat(void) {
  const unsigned now_k = resident_k();
  print_message("resident: %u KiB at a quarter, %u KiB at the end\n", c.early_k, now_k);
  if (MEASURED) assert_true(now_k < c.early_k + GROWTH_K);
}

static bool is_full(void) {
  return getenv("CHAOS") != NULL;
}

static void need_broker(void) {
  if (python_has("grpc")) return;
  print_message("there is no Python with grpc (Debian: python3-grpcio)\n");
  skip();
}

static void test_connections_of_two_seconds(void **state) {
  (void)state;
  need_broker();
  const bad_weather calm = {.seed = 1};
  const trial t = {.weather = &calm,

                   .count = is_full() ? MOST : 20000,
                   .broker = true,
                   .seconds = is_full() ? 600 : 120};
  run(&t);
  assert_true(connections >= 4);
  assert_flat();
}

/* What fails for good is told, and what fails for now is told again. */
static void test_exactly_once(void **state) {
  (void)state;
  need_broker();
  psprobe_subscriber_stats stats =
      run(&(trial){.count = 1000, .once = true, .broker = true, .seconds = 60});
  for (unsigned i = 0; i < c.all; i++)
    if (c.settled[i] != c.times[i])
      fail_msg("%u was received %u times and heard of %u times", i, c.times[i], c.settled[i]);
  assert_true(c.failed >= 100); /* one of ten */
  assert_true(stats.ack_errors > 0);
}

/* ---- through the proxy ---- */

/* Lateness counts twenty times by our clock, and what is on its way to us from the stand-in, by
 * which an ack's answer has to pass, is more than such a line carries within a lease. */
static void weather(bool broker) {
  static const uint32_t windows[] = {1024, 16384, 1 << 20};
  const char *seed = getenv("SEED");
  for (size_t i = 0; i < (is_full() ? 3 : 1); i++) {
    const bad_weather bad = {
        .seed = (seed != NULL ? strtoull(seed, NULL, 10) : 1) + i,
        .per_cent = {[BAD_CUT] = 25, [BAD_RESET] = 25, [BAD_STALL] = 15, [BAD_DEAF] = 10},
        .most = 1 << 18,
        .piece = 4000,
        .late_ms = broker && i > 0 ? 2 : 0};
    run(&(trial){.count = is_full() ? 20000 : 2000,
                 .broker = broker,
                 .seconds = is_full() ? 300 : 120,
                 .bytes = 3000,
                 .window = windows[i],
                 .weather = &bad});
    assert_flat();
  }
}

static void test_weather_at_the_stand_in(void **state) {
  (void)state;
  weather(false);
}

static void test_weather_at_the_broker(void **state) {
  (void)state;
  need_broker();
  weather(true);
}

/* A line of 20 kB/s, by the clock that goes faster, and messages of 75 s for it: none lies in it,
 * or before it, until its lease of a minute is over. */
static void test_slow_line(void **state) {
  (void)state;
  const bad_weather slow = {.seed = 1, .piece = 4000, .late_ms = 10};
  const trial t = {.count = is_full() ? 20000 : 2500,
                   .seconds = is_full() ? 300 : 60,
                   .bytes = 3000,
                   .weather = &slow};
  run(&t);
  assert_true(c.again * 10 <= t.count);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_slow_line),
      cmocka_unit_test(test_weather_at_the_stand_in),
      cmocka_unit_test(test_weather_at_the_broker),
      cmocka_unit_test(test_connections_of_two_seconds),
      cmocka_unit_test(test_exactly_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
