/* SPDX-License-Identifier: MIT */
/** @file
 * Publish to callback: psprobe_publish_start and psprobe_subscriber, by REST and gRPC, beside a raw
 * keep-alive socket loop (one thread pulls on one socket, one publishes on another, HTTP by hand)
 * on the same broker. A raw loop of HTTP/2 frames is among the peers of `make bench-peers`. Rounds
 * alternate; the median round counts. The broker is the local stand-in, in a process of its own,
 * since Google's emulator looks for messages only about every 50 ms and hides every client; its
 * figures follow. PSPROBE_BENCH_BROKER=host:port names another one.
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

/* A way from publisher to callback. */
typedef struct way {
  const char *name; /* of topic and subscription too */
  const char *what;
  psprobe_publish_by by;
  psprobe_subscriber_mode mode;
  bool at_once;
  stage stage;
  psprobe_subscriber *subscriber;
  round_result rounds[ROUNDS];
} way;

static way ways[] = {
    {"rest-unary", "by REST, long polls, called at once", PSPROBE_PUBLISH_BY_REST, PSPROBE_UNARY,
     .at_once = true},
    {"grpc-unary", "by gRPC, long polls, called at once", PSPROBE_PUBLISH_BY_GRPC, PSPROBE_UNARY,
     .at_once = true},
    {"rest-stream", "by REST, a stream, called at once", PSPROBE_PUBLISH_BY_REST, PSPROBE_STREAMING,
     .at_once = true},
    {"grpc-stream", "by gRPC, a stream, called at once", PSPROBE_PUBLISH_BY_GRPC, PSPROBE_STREAMING,
     .at_once = true},
    {"grpc-worker", "by gRPC, a stream, called by a worker", PSPROBE_PUBLISH_BY_GRPC,
     PSPROBE_STREAMING, .at_once = false},
};
#define WAYS (sizeof ways / sizeof *ways)

static round_result our_round(psprobe_client *client, way *w, int count) {
  static int64_t samples[MESSAGES];
  const psprobe_attribute attribute = {"probe_id", ID};
  const psprobe_message message = {.attributes = &attribute, .attribute_count = 1};
  const psprobe_publish_options options = {.by = w->by};
  stage *s = &w->stage;
  for (int i = -WARM; i < count; i++) {
    int64_t start = bench_now_ns();
    bench_need(psprobe_publish_start(client, w->name, &message, 1, &options, published, NULL,
                                     NULL) == PSPROBE_OK,
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

static void prepare(psprobe_client *client, const char *name) {
  psprobe_error error = {0};
  const psprobe_subscription_config config = {.topic = name};
  bench_need(psprobe_topic_create(client, name, NULL, 0, NULL, &error) == PSPROBE_OK,
             error.message);
  bench_need(psprobe_subscription_create(client, name, &config, NULL, &error) == PSPROBE_OK,
             error.message);
}

/* The median round's. */
static round_result median(const round_result *rounds, int count) {
  double p50[ROUNDS], p99[ROUNDS];
  for (int i = 0; i < count; i++) {
    p50[i] = rounds[i].p50;
    p99[i] = rounds[i].p99;
  }
  return (round_result){bench_median(p50, (size_t)count), bench_median(p99, (size_t)count)};
}

static void print(const char *broker, const way *w, const round_result *raws, int count,
                  const char *aim) {
  const round_result ours = median(w->rounds, count), raw = median(raws, count);
  printf("publish to callback on %s, %s, p50: ours %.1f us, raw sockets %.1f us, ratio %.2f%s\n",
         broker, w->what, ours.p50, raw.p50, ours.p50 / raw.p50, aim);
  printf("publish to callback on %s, %s, p99: ours %.1f us, raw sockets %.1f us, ratio %.2f%s\n",
         broker, w->what, ours.p99, raw.p99, ours.p99 / raw.p99, aim);
}

static void subscribe(psprobe_client *client, way *w) {
  const psprobe_subscriber_options options = {.subscription = w->name,
                                              .receive = receive,
                                              .arg = &w->stage,
                                              .at_once = w->at_once,
                                              .mode = w->mode};
  sem_init(&w->stage.got, 0, 0);
  bench_need(psprobe_subscriber_new(client, &options, &w->subscriber, NULL) == PSPROBE_OK,
             "subscriber");
}

/* Publisher and subscriber have a client each, as two programs on two machines would. */
static void run(const char *broker, const char *host, int rounds, int count, const char *aim) {
  static round_result raws[ROUNDS];
  psprobe_client *publisher = connect_to(host), *client = connect_to(host);
  int port = atoi(strrchr(host, ':') + 1);
  prepare(publisher, "raw");
  for (size_t i = 0; i < WAYS; i++) {
    prepare(publisher, ways[i].name);
    subscribe(client, &ways[i]);
  }
  for (int i = 0; i < rounds; i++) {
    raws[i] = raw_round(port, count);
    for (size_t k = 0; k < WAYS; k++)
      ways[k].rounds[i] = our_round(publisher, &ways[k], count);
  }
  for (size_t i = 0; i < WAYS; i++)
    print(broker, &ways[i], raws, rounds, ways[i].at_once ? aim : "");
  for (size_t i = 0; i < WAYS; i++) {
    psprobe_subscriber_free(ways[i].subscriber);
    sem_destroy(&ways[i].stage.got);
  }
  psprobe_client_free(client);
  psprobe_client_free(publisher);
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
  run("the stand-in", host, ROUNDS, MESSAGES, " (aim <= 1.5)");
  kill(local, SIGKILL);
  waitpid(local, NULL, 0);
  if (test_emulator_installed(TEST_PUBSUB))
    run("Google's emulator", test_emulator_host(TEST_PUBSUB), 5, 50, " (no aim)");
  return 0;
}
