/* SPDX-License-Identifier: MIT */
/** @file
 * Publish to callback: psprobe_publish_start and psprobe_subscriber, beside a raw keep-alive socket
 * loop (one thread pulls on one socket, one publishes on another, HTTP by hand) on the same broker.
 * Rounds alternate; the median round counts. The broker is the local stand-in, in a process of its
 * own, since Google's emulator looks for messages only about every 50 ms and hides every client;
 * its figures follow. PSPROBE_BENCH_BROKER=host:port names another one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <psprobe/local.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/subscriber.h>

#include "bench.h"
#include "emulator.h"

#define ROUNDS   7
#define MESSAGES 1000
#define WARM     50
#define PAUSE_NS 1000000 /* after each, so that the pull is out again and the ack is done */
#define ID       "0123456789abcdef0123456789abcdef"

static void rest(void) {
  const struct timespec time = {.tv_nsec = PAUSE_NS};
  nanosleep(&time, NULL);
}

typedef struct round_result {
  double p50, p99;
} round_result;

static round_result summarize(int64_t *samples, int count) {
  qsort(samples, (size_t)count, sizeof *samples, bench_by_int64);
  return (round_result){(double)samples[count / 2] / 1e3, (double)samples[count * 99 / 100] / 1e3};
}

/* ---- the raw peer ---- */

typedef struct wire {
  int fd;
  char buf[8192];
} wire;

static void wire_open(wire *w, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  w->fd = socket(AF_INET, SOCK_STREAM, 0);
  bench_need(connect(w->fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
  setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void wire_send(wire *w, const char *verb, const char *body) {
  char request[1024];
  int len = snprintf(request, sizeof request,
                     "POST /v1/projects/bench/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     verb, strlen(body), body);
  bench_need(send(w->fd, request, (size_t)len, MSG_NOSIGNAL) == len, "send");
}

/* One whole answer. @return its body */
static const char *wire_read(wire *w) {
  size_t got = 0;
  for (;;) {
    ssize_t n = recv(w->fd, w->buf + got, sizeof w->buf - 1 - got, 0);
    bench_need(n > 0, "recv");
    got += (size_t)n;
    w->buf[got] = '\0';
    const char *end = strstr(w->buf, "\r\n\r\n");
    const char *length = strcasestr(w->buf, "content-length:");
    if (end != NULL && length != NULL &&
        got >= (size_t)(end + 4 - w->buf) + strtoul(length + 15, NULL, 10)) {
      bench_need(strncmp(w->buf, "HTTP/1.1 200", 12) == 0, w->buf);
      return end + 4;
    }
  }
}

typedef struct stage {
  sem_t got;
  int64_t at; /* when the callback, or the raw puller, had the message */
  wire puller;
  int count;
} stage;

static void *raw_pull(void *arg) {
  stage *s = arg;
  for (int i = 0; i < s->count; i++) {
    wire_send(&s->puller, "subscriptions/raw:pull", "{\"maxMessages\":100}");
    const char *body = wire_read(&s->puller), *ack = strstr(body, "\"ackId\"");
    bench_need(strstr(body, ID) != NULL && ack != NULL, "not the message");
    s->at = bench_now_ns();
    sem_post(&s->got);
    char id[512], acks[600];
    bench_need(sscanf(ack + 7, " : \"%511[^\"]", id) == 1, "no ack id");
    snprintf(acks, sizeof acks, "{\"ackIds\":[\"%s\"]}", id);
    wire_send(&s->puller, "subscriptions/raw:acknowledge", acks);
    wire_read(&s->puller);
  }
  return NULL;
}

static round_result raw_round(int port, int count) {
  static int64_t samples[MESSAGES];
  stage s = {.count = count + WARM};
  wire publisher;
  pthread_t thread;
  wire_open(&s.puller, port);
  wire_open(&publisher, port);
  sem_init(&s.got, 0, 0);
  pthread_create(&thread, NULL, raw_pull, &s);
  rest();
  for (int i = -WARM; i < count; i++) {
    int64_t start = bench_now_ns();
    wire_send(&publisher, "topics/raw:publish",
              "{\"messages\":[{\"attributes\":{\"probe_id\":\"" ID "\"}}]}");
    wire_read(&publisher);
    sem_wait(&s.got);
    if (i >= 0) samples[i] = s.at - start;
    rest();
  }
  pthread_join(thread, NULL);
  close(s.puller.fd);
  close(publisher.fd);
  sem_destroy(&s.got);
  return summarize(samples, count);
}

/* ---- ours ---- */

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  stage *s = arg;
  int64_t at = bench_now_ns();
  const char *id = psprobe_message_attribute(message, "probe_id");
  bench_need(id != NULL && strcmp(id, ID) == 0, "not the message");
  s->at = at;
  sem_post(&s->got);
  return PSPROBE_SETTLE_ACK;
}

static void published(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  (void)arg, (void)count;
  bench_need(ids != NULL, error != NULL ? error->message : "not published");
}

static round_result our_round(psprobe_client *client, const char *topic, stage *s, int count) {
  static int64_t samples[MESSAGES];
  const psprobe_attribute attribute = {"probe_id", ID};
  const psprobe_message message = {.attributes = &attribute, .attribute_count = 1};
  for (int i = -WARM; i < count; i++) {
    int64_t start = bench_now_ns();
    bench_need(psprobe_publish_start(client, topic, &message, 1, NULL, published, NULL, NULL) ==
                   PSPROBE_OK,
               "publish");
    sem_wait(&s->got);
    if (i >= 0) samples[i] = s->at - start;
    rest();
  }
  return summarize(samples, count);
}

/* ---- both ---- */

static psprobe_client *connect_to(const char *host) {
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  const psprobe_client_options options = {.project = "bench", .pubsub_emulator = host};
  bench_need(psprobe_client_new(&options, &client, &error) == PSPROBE_OK, error.message);
  return client;
}

static void prepare(psprobe_client *client) {
  static const char *const names[] = {"raw", "worker", "at-once"};
  psprobe_error error = {0};
  for (int i = 0; i < 3; i++) {
    const psprobe_subscription_config config = {.topic = names[i]};
    bench_need(psprobe_topic_create(client, names[i], NULL, 0, NULL, &error) == PSPROBE_OK,
               error.message);
    bench_need(psprobe_subscription_create(client, names[i], &config, NULL, &error) == PSPROBE_OK,
               error.message);
  }
}

typedef struct series {
  double p50[ROUNDS], p99[ROUNDS];
} series;

static void add(series *s, int round, round_result result) {
  s->p50[round] = result.p50;
  s->p99[round] = result.p99;
}

static void print(const char *broker, const char *what, series *ours, series *raw, int count,
                  const char *aim) {
  double a = bench_median(ours->p50, (size_t)count), b = bench_median(raw->p50, (size_t)count);
  double c = bench_median(ours->p99, (size_t)count), d = bench_median(raw->p99, (size_t)count);
  printf("publish to callback on %s, %s, p50: ours %.1f us, raw sockets %.1f us, ratio %.2f%s\n",
         broker, what, a, b, a / b, aim);
  printf("publish to callback on %s, %s, p99: ours %.1f us, raw sockets %.1f us, ratio %.2f%s\n",
         broker, what, c, d, c / d, aim);
}

static psprobe_subscriber *subscribe(psprobe_client *client, const char *name, bool at_once,
                                     stage *s) {
  psprobe_subscriber *subscriber = NULL;
  const psprobe_subscriber_options options = {.subscription = name,
                                              .receive = receive,
                                              .arg = s,
                                              .at_once = at_once,
                                              .mode = PSPROBE_UNARY};
  sem_init(&s->got, 0, 0);
  bench_need(psprobe_subscriber_new(client, &options, &subscriber, NULL) == PSPROBE_OK,
             "subscriber");
  return subscriber;
}

/* Publisher and subscriber have a client each, as two programs on two machines would. */
static void run(const char *broker, const char *host, int rounds, int count, const char *aim) {
  psprobe_client *publisher = connect_to(host), *client = connect_to(host);
  prepare(publisher);
  int port = atoi(strrchr(host, ':') + 1);
  stage worker = {0}, at_once = {0};
  psprobe_subscriber *with_worker = subscribe(client, "worker", false, &worker);
  psprobe_subscriber *without = subscribe(client, "at-once", true, &at_once);
  static series raws, workers, at_onces;
  for (int i = 0; i < rounds; i++) {
    add(&raws, i, raw_round(port, count));
    add(&at_onces, i, our_round(publisher, "at-once", &at_once, count));
    add(&workers, i, our_round(publisher, "worker", &worker, count));
  }
  print(broker, "called at once", &at_onces, &raws, rounds, aim);
  print(broker, "called by a worker", &workers, &raws, rounds, aim);
  psprobe_subscriber_free(with_worker);
  psprobe_subscriber_free(without);
  psprobe_client_free(client);
  psprobe_client_free(publisher);
  sem_destroy(&worker.got);
  sem_destroy(&at_once.got);
}

/* The stand-in in a process of its own: neither client shares anything with it. */
static pid_t start_local(char host[64]) {
  int pipes[2];
  bench_need(pipe(pipes) == 0, "pipe");
  pid_t pid = fork();
  bench_need(pid >= 0, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    psprobe_local *local = NULL;
    char ready[64] = "";
    if (psprobe_local_new(NULL, &local, NULL) == PSPROBE_OK)
      snprintf(ready, sizeof ready, "%s", psprobe_local_pubsub_host(local));
    if (write(pipes[1], ready, sizeof ready) < 0) _exit(1);
    for (;;)
      pause();
  }
  bench_need(read(pipes[0], host, 64) == 64 && *host, "the stand-in did not start");
  close(pipes[0]);
  close(pipes[1]);
  return pid;
}

int main(void) {
  const char *given = getenv("PSPROBE_BENCH_BROKER");
  if (given != NULL) {
    run(given, given, ROUNDS, MESSAGES, "");
    return 0;
  }
  char host[64];
  pid_t local = start_local(host);
  run("the stand-in", host, ROUNDS, MESSAGES, " (aim <= 1.15)");
  kill(local, SIGKILL);
  waitpid(local, NULL, 0);
  if (test_emulator_installed(TEST_PUBSUB))
    run("Google's emulator", test_emulator_host(TEST_PUBSUB), 5, 50, " (no aim)");
  return 0;
}
