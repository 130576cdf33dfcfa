/* SPDX-License-Identifier: MIT */
/** @file The peer that is ours: psprobe_publisher and psprobe_subscriber, by their public headers.
 * usage: ours HOST:PORT PROJECT at-once|workers|unary STREAMS */
#include <pthread.h>
#include <string.h>

#include <psprobe/publisher.h>
#include <psprobe/subscriber.h>

#include "peer.h"

#define DELAY_NS 10000000 /* as Google's clients gather */

/* As of two programs on two machines; each is there once something is asked of it. */
static psprobe_client *publishing, *receiving;
static psprobe_client_options connection;
static psprobe_subscriber_options options;

static psprobe_client *connect_once(psprobe_client **client) {
  psprobe_error error = {0};
  if (*client == NULL)
    bench_need(psprobe_client_new(&connection, client, &error) == PSPROBE_OK, error.message);
  return *client;
}

/* ---- what has come ---- */

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count;
  int64_t *came_ns; /* by what the data says; NULL: nobody asks */
} box = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  const int64_t now_ns = bench_now_ns();
  const int most = *(const int *)arg;
  pthread_mutex_lock(&box.lock);
  int64_t *slot = box.came_ns != NULL ? &box.came_ns[atoi(message->data)] : NULL;
  const bool known = slot != NULL && *slot != 0;
  if (slot != NULL && !known) *slot = now_ns;
  if (!known && ++box.count == most) pthread_cond_signal(&box.changed);
  pthread_mutex_unlock(&box.lock);
  return PSPROBE_SETTLE_ACK;
}

static psprobe_subscriber *subscribe(const char *subscription, int *count, int64_t *came_ns) {
  psprobe_subscriber *subscriber = NULL;
  psprobe_error error = {0};
  box.count = 0;
  box.came_ns = came_ns;
  options.subscription = subscription;
  options.arg = count;
  bench_need(
      psprobe_subscriber_new(connect_once(&receiving), &options, &subscriber, &error) == PSPROBE_OK,
      error.message);
  return subscriber;
}

static void await(psprobe_subscriber *subscriber, int count) {
  psprobe_error error = {0};
  pthread_mutex_lock(&box.lock);
  while (box.count < count)
    pthread_cond_wait(&box.changed, &box.lock);
  pthread_mutex_unlock(&box.lock);
  bench_need(psprobe_subscriber_stop(subscriber, 0, &error) == PSPROBE_OK, error.message);
  psprobe_subscriber_free(subscriber);
}

static void receive_all(const char *subscription, int count) {
  await(subscribe(subscription, &count, NULL), count);
}

/* ---- publishing ---- */

static void published(void *arg, const char *id, const psprobe_error *error) {
  (void)arg;
  bench_need(id != NULL, error != NULL ? error->message : "not published");
}

static psprobe_publisher *publisher_of(const char *topic, int64_t delay_ns) {
  psprobe_publisher *publisher = NULL;
  psprobe_error error = {0};
  const psprobe_publisher_options o = {.topic = topic, .delay_ns = delay_ns};
  bench_need(psprobe_publisher_new(connect_once(&publishing), &o, &publisher, &error) == PSPROBE_OK,
             error.message);
  return publisher;
}

static void publish(psprobe_publisher *publisher, const void *data, int size) {
  psprobe_error error = {0};
  const psprobe_message message = {.data = data, .data_len = (size_t)size};
  bench_need(psprobe_publisher_publish(publisher, &message, published, NULL, &error) == PSPROBE_OK,
             error.message);
}

static void publish_all(const char *topic, int count, int size) {
  psprobe_publisher *publisher = publisher_of(topic, DELAY_NS);
  char *data = malloc((size_t)size);
  bench_need(data != NULL, "no memory");
  memset(data, 'x', (size_t)size);
  for (int i = 0; i < count; i++)
    publish(publisher, data, size);
  bench_need(psprobe_publisher_flush(publisher, 0, NULL) == PSPROBE_OK, "not flushed");
  psprobe_publisher_free(publisher);
  free(data);
}

/* ---- both ---- */

static void latency(const char *topic, const char *subscription, int count, const int64_t *due_ns,
                    int64_t *sent_ns, int64_t *came_ns) {
  psprobe_subscriber *subscriber = subscribe(subscription, &count, came_ns);
  psprobe_publisher *publisher = publisher_of(topic, 0);
  for (int i = 0; i < count; i++) {
    char data[16];
    const int size = snprintf(data, sizeof data, "%d", i);
    bench_sleep_until(due_ns[i]);
    sent_ns[i] = bench_now_ns();
    publish(publisher, data, size);
  }
  await(subscriber, count);
  psprobe_publisher_free(publisher);
}

int main(int argc, char **argv) {
  const peer ours = {publish_all, receive_all, latency};
  bench_need(argc == 5, "usage: ours HOST:PORT PROJECT at-once|workers|unary STREAMS");
  connection = (psprobe_client_options){.project = argv[2], .pubsub_emulator = argv[1]};
  const bool unary = strcmp(argv[3], "unary") == 0;
  options = (psprobe_subscriber_options){.receive = receive,
                                         .at_once = strcmp(argv[3], "workers") != 0,
                                         .pulls = atoi(argv[4]),
                                         .mode = unary ? PSPROBE_UNARY : PSPROBE_STREAMING};
  peer_obey(&ours);
  psprobe_client_free(receiving);
  psprobe_client_free(publishing);
  return 0;
}
