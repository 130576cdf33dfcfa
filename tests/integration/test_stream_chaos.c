/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Streams from a server of Google's own gRPC that ends each connection after two seconds, with each
 * message of twenty keys in its order: tests/tools/grpc_broker.py. CHAOS=full handles more of them.
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

#include <psprobe/subscriber.h>

#include "python_peer.h"

#define SECOND INT64_C(1000000000)
#define MOST   200000
#define KEYS   20
#define AGE_MS "2000"
#define GROWTH_K \
  16384 /* of resident memory, in KiB, between a quarter of the messages and the last */
/* A sanitizer keeps what was freed, and where: its own growth is no figure of ours. */
#ifdef __SANITIZE_ADDRESS__
#define MEASURED false
#else
#define MEASURED true
#endif

static python_peer broker_start(unsigned count, bool once) {
  char messages[16], keys[16];
  snprintf(messages, sizeof messages, "%u", count);
  snprintf(keys, sizeof keys, "%d", KEYS);
  const char *const arguments[] = {messages, keys, AGE_MS, once ? "once" : NULL, NULL};
  return python_peer_start("tests/tools/grpc_broker.py", arguments);
}

/* ---- what comes ---- */

static struct counter {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned times[MOST];
  unsigned newest[KEYS]; /* of each key, the number after the last that came for the first time */
  unsigned seen, again, disordered;
  unsigned settled[MOST], failed, early_k;
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

static psprobe_subscriber_stats run(unsigned count, bool once, int seconds) {
  psprobe_error error = {0};
  psprobe_client *client = NULL;
  psprobe_subscriber *subscriber = NULL;
  psprobe_subscriber_stats stats;
  memset(c.times, 0, sizeof c.times);
  memset(c.settled, 0, sizeof c.settled);
  memset(c.newest, 0, sizeof c.newest);
  c.seen = c.again = c.disordered = c.failed = 0;
  c.all = count;
  const python_peer broker = broker_start(count, once);
  char address[32];
  snprintf(address, sizeof address, "127.0.0.1:%d", broker.port);
  const psprobe_client_options at = {.project = "chaos", .pubsub_emulator = address};
  const psprobe_logger logger = {.sink = psprobe_log_stderr, .level = PSPROBE_LOG_WARNING};
  const psprobe_subscriber_options options = {
      .logger = &logger, .subscription = "jobs", .receive = receive, .settled = settled};
  if (psprobe_client_new(&at, &client, &error) != PSPROBE_OK ||
      psprobe_subscriber_new(client, &options, &subscriber, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  wait_for_all(seconds);
  if (psprobe_subscriber_stop(subscriber, 0, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  psprobe_subscriber_get_stats(subscriber, &stats);
  psprobe_subscriber_free(subscriber);
  psprobe_client_free(client);
  python_peer_stop(&broker);
  print_message("%u messages, %u deliveries, %llu streams failed early, %llu told in vain\n", count,
                c.seen + c.again, (unsigned long long)stats.pull_errors,
                (unsigned long long)stats.ack_errors);
  return stats;
}

static void test_connections_of_two_seconds(void **state) {
  (void)state;
  const bool full = getenv("CHAOS") != NULL;
  psprobe_subscriber_stats stats = run(full ? MOST : 20000, false, full ? 600 : 120);
  assert_int_equal(c.disordered, 0);
  assert_true(stats.pull_errors >= 3); /* connections did end */
  assert_int_equal(stats.leased, 0);
  const unsigned now_k = resident_k();
  print_message("resident: %u KiB at a quarter, %u KiB at the end\n", c.early_k, now_k);
  if (MEASURED) assert_true(now_k < c.early_k + GROWTH_K);
}

/* What fails for good is told, and what fails for now is told again. */
static void test_exactly_once(void **state) {
  (void)state;
  psprobe_subscriber_stats stats = run(1000, true, 60);
  assert_int_equal(c.disordered, 0);
  for (unsigned i = 0; i < c.all; i++)
    if (c.settled[i] != c.times[i])
      fail_msg("%u was received %u times and heard of %u times", i, c.times[i], c.settled[i]);
  assert_true(c.failed >= 100); /* one of ten */
  assert_true(stats.ack_errors > 0);
  assert_int_equal(stats.leased, 0);
}

int main(void) {
  if (!python_has("grpc")) {
    printf("skipped: there is no Python with grpc (Debian: python3-grpcio)\n");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_connections_of_two_seconds),
      cmocka_unit_test(test_exactly_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
