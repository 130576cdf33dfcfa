/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Subscribers that are stopped early, at any moment of a connection's life: while it dials, while
 * TLS shakes hands, while a server goes away, while too much is in hand, through a bad proxy. None
 * may hang, and each message that a callback saw is heard of once, before it is freed. By seeds:
 * SEED=n is the first, CHAOS=full takes 1,000 of them. One that hangs shows where its threads stand
 * (support/stacks.c).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/auth.h>
#include <psprobe/local.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/subscriber.h>

#include "bad_proxy.h"
#include "files.h"
#include "keys.h"
#include "python_peer.h"

#define RUNS      50
#define RUNS_FULL 1000
#define PATIENCE  60 /* seconds for one run, which takes less than one */
#define MS        INT64_C(1000000)

typedef enum place { STAND_IN, PEER, PEER_TLS, PLACES } place;

static const char *const place_names[] = {"stand-in", "peer", "peer, TLS"};

static struct world {
  psprobe_local *local;
  psprobe_client *publisher; /* straight to the stand-in */
  python_peer peers[PLACES];
  bad_proxy *proxies[PLACES];
  python_peer_tls tls;
  psprobe_credentials *credentials;
  psprobe_error error;
} w;

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", w.error.message);
}

/* ---- by a seed ---- */

static uint64_t random_state;

static uint64_t draw(uint64_t below) {
  uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (z ^ z >> 31) % below;
}

/* Up to 2^orders, as many of each order. */
static int64_t draw_order(int orders) {
  return (int64_t)draw(UINT64_C(1) << draw((uint64_t)orders + 1));
}

static void pause_ns(int64_t ns) {
  nanosleep(&(struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, NULL);
}

/* ---- one run ---- */

#define KEPT_MOST 4096

typedef struct run {
  psprobe_subscriber *subscriber;
  int64_t work_ns;
  bool later;
  atomic_uint received, heard;
  pthread_t settler;
  pthread_mutex_t lock; /* over what follows */
  pthread_cond_t changed;
  const psprobe_message *kept[KEPT_MOST]; /* to be settled */
  unsigned first, last;
  bool over;
} run;

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  run *r = arg;
  unsigned nth = atomic_fetch_add(&r->received, 1);
  if (r->work_ns > 0) pause_ns(r->work_ns);
  if (!r->later) return nth % 8 == 7 ? PSPROBE_SETTLE_NACK : PSPROBE_SETTLE_ACK;
  pthread_mutex_lock(&r->lock);
  assert_true(r->last - r->first < KEPT_MOST);
  r->kept[r->last++ % KEPT_MOST] = message;
  pthread_cond_signal(&r->changed);
  pthread_mutex_unlock(&r->lock);
  return PSPROBE_SETTLE_LATER;
}

static void settled(void *arg, const psprobe_message *message, psprobe_code code) {
  run *r = arg;
  (void)code;
  assert_non_null(message->message_id);
  atomic_fetch_add(&r->heard, 1);
}

static void *settle_all(void *arg) {
  run *r = arg;
  pthread_mutex_lock(&r->lock);
  while (!r->over || r->first != r->last) {
    if (r->first == r->last) {
      pthread_cond_wait(&r->changed, &r->lock);
      continue;
    }
    const psprobe_message *message = r->kept[r->first++ % KEPT_MOST];
    pthread_mutex_unlock(&r->lock);
    psprobe_subscriber_settle(r->subscriber, message, PSPROBE_SETTLE_ACK);
    pthread_mutex_lock(&r->lock);
  }
  pthread_mutex_unlock(&r->lock);
  return NULL;
}

static bad_weather draw_weather(void) {
  bad_weather weather = {.seed = draw(UINT64_MAX), .piece = 1 + (size_t)draw_order(14)};
  if (draw(2) == 0) return weather;
  weather.most = (size_t)draw_order(16);
  weather.late_ms = (int)draw(4);
  for (bad_fate fate = BAD_CUT; fate < BAD_FATES; fate++)
    weather.per_cent[fate] = (unsigned)draw(26);
  return weather;
}

static psprobe_client *client_of(place where) {
  psprobe_client *client = NULL;
  char url[64];
  snprintf(url, sizeof url, "%s127.0.0.1:%d", where == PEER_TLS ? "https://" : "",
           bad_proxy_port(w.proxies[where]));
  psprobe_client_options options = {.project = "chaos", .firestore_emulator = "127.0.0.1:1"};
  if (where == PEER_TLS) {
    options.pubsub_endpoint = url;
    options.ca_file = w.tls.certificate;
    options.credentials = w.credentials;
  } else {
    options.pubsub_emulator = url;
  }
  ok(psprobe_client_new(&options, &client, &w.error));
  return client;
}

/* Of a key of the run's own: what an earlier run has not given back holds up none of them. */
static void publish(uint64_t seed) {
  psprobe_message messages[5];
  char key[24];
  snprintf(key, sizeof key, "%llu", (unsigned long long)seed);
  for (int i = 0; i < 5; i++)
    messages[i] = (psprobe_message){.data = "12345", .data_len = 5, .ordering_key = key};
  ok(psprobe_publish(w.publisher, "chaos", messages, 5, NULL, &w.error));
}

/* To any moment of the first 67 ms, or until some messages have come. */
static void wait_a_while(const run *r) {
  int64_t left_ns = draw(2) == 0 ? draw_order(26) : 300 * MS;
  const unsigned enough = (unsigned)draw(20);
  bool doomed = draw(4) > 0;
  while (left_ns > 0 && atomic_load(&r->received) <= enough) {
    pause_ns(left_ns < MS ? left_ns : MS);
    left_ns -= MS;
    if (doomed || draw(10) > 0) continue;
    for (place where = STAND_IN; where < PLACES; where++)
      if (w.proxies[where] != NULL)
        bad_proxy_doom(w.proxies[where], BAD_CUT + (bad_fate)draw(BAD_FATES - BAD_CUT));
    doomed = true;
  }
}

static void run_once(uint64_t seed) {
  static run r;
  random_state = seed;
  place where = w.peers[PEER].pid > 0 && draw(2) == 0 ? PEER + (place)draw(2) : STAND_IN;
  const bad_weather weather = draw_weather();
  r = (run){.later = draw(3) == 0, .work_ns = draw(2) == 0 ? draw_order(20) : 0};
  pthread_mutex_init(&r.lock, NULL);
  pthread_cond_init(&r.changed, NULL);
  bad_proxy_set_weather(w.proxies[where], &weather);
  alarm(PATIENCE);
  if (where == STAND_IN) publish(seed);
  psprobe_client *client = client_of(where);
  const psprobe_subscriber_options options = {.subscription = "chaos",
                                              .receive = receive,
                                              .settled = settled,
                                              .arg = &r,
                                              .pulls = (int)draw(4),
                                              .workers = 1 + (int)draw(4),
                                              .max_outstanding = draw_order(4),
                                              .at_once = draw(3) == 0,
                                              .grace_ns = (int64_t)draw(3) - 1,
                                              .look_ns = draw(2) == 0 ? 5 * MS : 0};
  ok(psprobe_subscriber_new(client, &options, &r.subscriber, &w.error));
  assert_int_equal(pthread_create(&r.settler, NULL, settle_all, &r), 0);
  wait_a_while(&r);
  psprobe_code code = psprobe_subscriber_stop(r.subscriber, 1 + draw_order(26), &w.error);
  assert_true(code == PSPROBE_OK || code == PSPROBE_DEADLINE_EXCEEDED);
  pthread_mutex_lock(&r.lock);
  r.over = true;
  pthread_cond_signal(&r.changed);
  pthread_mutex_unlock(&r.lock);
  pthread_join(r.settler, NULL);
  psprobe_subscriber_free(r.subscriber);
  const unsigned heard = r.heard;
  psprobe_client_free(client);
  alarm(0);
  print_message("seed %llu, %s: %u received\n", (unsigned long long)seed, place_names[where],
                r.received);
  if (r.heard != r.received) fail_msg("%u received, %u heard of", r.received, r.heard);
  if (heard != r.heard) fail_msg("%u heard of after it was freed", r.heard - heard);
}

/* ---- the world ---- */

static void start_peers(void) {
  w.tls = python_peer_certify();
  const char *const plain[] = {"100000", "20", "150", NULL};
  const char *const tls[] = {"100000", "20", "150", w.tls.key, w.tls.certificate, NULL};
  w.peers[PEER] = python_peer_start("tests/tools/grpc_broker.py", plain);
  w.peers[PEER_TLS] = python_peer_start("tests/tools/grpc_broker.py", tls);
  char *account = test_service_account(NULL, "");
  const psprobe_credentials_options options = {
      .file = test_write(test_directory(), "account.json", 0600, account)};
  ok(psprobe_credentials_new(&options, &w.credentials, &w.error));
  free(account);
}

static int set_up(void **state) {
  (void)state;
  const psprobe_subscription_config config = {
      .topic = "chaos", .ack_deadline_s = 10, .enable_ordering = true};
  const bad_weather calm = {.seed = 1};
  test_auth_environment();
  ok(psprobe_local_new(NULL, &w.local, &w.error));
  const char *host = psprobe_local_pubsub_host(w.local);
  const psprobe_client_options straight = {.project = "chaos", .pubsub_emulator = host};
  ok(psprobe_client_new(&straight, &w.publisher, &w.error));
  ok(psprobe_topic_create(w.publisher, "chaos", NULL, 0, NULL, &w.error));
  ok(psprobe_subscription_create(w.publisher, "chaos", &config, NULL, &w.error));
  if (python_has("grpc"))
    start_peers();
  else
    print_message("there is no Python with grpc (Debian: python3-grpcio): the stand-in alone\n");
  w.peers[STAND_IN].port = atoi(strrchr(host, ':') + 1);
  for (place where = STAND_IN; where < PLACES; where++)
    if (w.peers[where].port > 0) w.proxies[where] = bad_proxy_start(w.peers[where].port, &calm);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (place where = STAND_IN; where < PLACES; where++) {
    if (w.proxies[where] != NULL) bad_proxy_stop(w.proxies[where]);
    if (w.peers[where].pid > 0) python_peer_stop(&w.peers[where]);
  }
  psprobe_credentials_free(w.credentials);
  psprobe_client_free(w.publisher);
  psprobe_local_free(w.local);
  return 0;
}

static void test_short_runs(void **state) {
  (void)state;
  const char *first = getenv("SEED");
  const uint64_t from = first != NULL ? strtoull(first, NULL, 10) : 1;
  const unsigned runs = getenv("CHAOS") != NULL ? RUNS_FULL : RUNS;
  for (unsigned i = 0; i < runs; i++)
    run_once(from + i);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_short_runs, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
