/* SPDX-License-Identifier: MIT */
/** @file
 * The stand-in, as its program runs it, beside Google's Pub/Sub emulator, in one run: how soon it
 * is ready, how long a message takes from publish to a pull that waits for it, how many messages a
 * second it takes in batches of 500 and hands out and has acknowledged, and how much memory it
 * holds after that. Raw sockets, so that no client stands between. Rounds alternate; the median
 * counts.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "bench.h"
#include "emulator.h"

enum { ROUNDS = 5, THREADS = 2, BATCH = 500, BATCHES = 40, SAMPLES = 400, SLOW_SAMPLES = 60 };

#define PROJECT "/v1/projects/bench"

/* ---- one connection ---- */

typedef struct wire {
  int fd;
  psp_buf in;
} wire;

static bool wire_open(wire *w, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  *w = (wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (connect(w->fd, (struct sockaddr *)&at, sizeof at) == 0) {
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
  }
  close(w->fd);
  return false;
}

static void wire_close(wire *w) {
  close(w->fd);
  psp_buf_free(&w->in);
}

static void wire_send(wire *w, const char *method, const char *path, const char *body, size_t len) {
  psp_buf request = {0};
  psp_buf_printf(&request,
                 "%s " PROJECT
                 "/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                 "application/json\r\nContent-Length: %zu\r\n\r\n",
                 method, path, len);
  psp_buf_add(&request, body, len);
  bench_need(!request.failed, "no memory");
  for (size_t sent = 0; sent < request.len;) {
    ssize_t n = send(w->fd, request.data + sent, request.len - sent, MSG_NOSIGNAL);
    bench_need(n > 0, "send");
    sent += (size_t)n;
  }
  psp_buf_free(&request);
}

/* One whole answer. @return its body */
static const char *wire_read(wire *w) {
  size_t body_at = 0, whole = SIZE_MAX;
  psp_buf_reset(&w->in);
  while (w->in.len < whole) {
    bench_need(psp_buf_reserve(&w->in, 1 << 16), "no memory");
    ssize_t n = recv(w->fd, w->in.data + w->in.len, 1 << 16, 0);
    bench_need(n > 0, "recv");
    w->in.len += (size_t)n;
    w->in.data[w->in.len] = '\0';
    const char *end = body_at ? NULL : strstr(w->in.data, "\r\n\r\n");
    if (end == NULL) continue;
    const char *length = strcasestr(w->in.data, "content-length:");
    bench_need(length != NULL && length < end, "no Content-Length");
    body_at = (size_t)(end + 4 - w->in.data);
    whole = body_at + strtoul(length + 15, NULL, 10);
  }
  if (strncmp(w->in.data, "HTTP/1.1 200", 12) != 0) bench_need(false, w->in.data);
  return w->in.data + body_at;
}

static const char *ask(wire *w, const char *method, const char *path, const char *body) {
  wire_send(w, method, path, body, strlen(body));
  return wire_read(w);
}

/* Makes `{"ackIds":[…]}` of a pull's answer. @return how many there are */
static int collect_acks(const char *answer, psp_buf *out) {
  int count = 0;
  psp_buf_reset(out);
  psp_buf_text(out, "{\"ackIds\":[");
  for (const char *at = answer; (at = strstr(at, "\"ackId\": ")) != NULL; count++) {
    at += strlen("\"ackId\": ");
    if (count) psp_buf_char(out, ',');
    psp_buf_add(out, at, strcspn(at, ",\n"));
    at = strstr(at, "\"publishTime\""); /* beyond the message's own texts */
    bench_need(at != NULL, "not a pull's answer");
  }
  psp_buf_text(out, "]}");
  return count;
}

/* ---- the two ---- */

typedef struct service {
  const char *name;
  int port;
  pid_t pid;               /* ours */
  test_emulator *emulator; /* Google's */
  double ready_ms[ROUNDS], latency_us[ROUNDS], published[ROUNDS], acked[ROUNDS], memory_mib;
} service;

static void start_ours(service *s) {
  char program[512], port[16];
  const char *build = getenv("BUILD");
  snprintf(program, sizeof program, "%s/examples/local", build != NULL ? build : "build");
  s->port = test_free_port();
  snprintf(port, sizeof port, "%d", s->port);
  pid_t parent = getpid();
  s->pid = fork();
  bench_need(s->pid >= 0, "fork");
  if (s->pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || freopen("/dev/null", "w", stdout) == NULL) _exit(1);
    execl(program, program, "--pubsub-port", port, "--firestore-port", "0", (char *)NULL);
    perror(program);
    _exit(127);
  }
  wire w;
  while (!wire_open(&w, s->port)) {
    bench_need(waitpid(s->pid, NULL, WNOHANG) == 0, "the stand-in did not start (make examples)");
    usleep(200);
  }
  wire_close(&w);
}

static void start(service *s, int round) {
  int64_t began = bench_now_ns();
  if (s->emulator != NULL || strcmp(s->name, "google") == 0) {
    s->emulator = test_emulator_start(TEST_PUBSUB, 0);
    s->port = test_emulator_port(s->emulator);
  } else {
    start_ours(s);
  }
  wire w;
  bench_need(wire_open(&w, s->port), "connect");
  ask(&w, "GET", "topics", "");
  s->ready_ms[round] = (double)(bench_now_ns() - began) / 1e6;
  wire_close(&w);
}

static void stop(service *s) {
  test_emulator_stop(s->emulator);
  s->emulator = NULL;
  if (s->pid > 0) {
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
  }
  s->pid = 0;
}

/* The resident memory of a process, in MiB; 0: it has none. */
static double resident_mib(long pid) {
  char path[64], line[128];
  double mib = 0;
  long kib;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld kB", &kib) == 1) mib = (double)kib / 1024;
  if (file != NULL) fclose(file);
  return mib;
}

/* Google's emulator is the largest process that was told this port. */
static double emulator_mib(int port) {
  char path[300], line[65536], wanted[32];
  double most = 0;
  snprintf(wanted, sizeof wanted, "--port=%d", port);
  DIR *all = opendir("/proc");
  for (struct dirent *one; all != NULL && (one = readdir(all)) != NULL;) {
    snprintf(path, sizeof path, "/proc/%.200s/cmdline", one->d_name);
    FILE *file = atol(one->d_name) > 0 ? fopen(path, "r") : NULL;
    size_t len = file != NULL ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file != NULL) fclose(file);
    if (len == 0 || memmem(line, len, wanted, strlen(wanted)) == NULL) continue;
    double mib = resident_mib(atol(one->d_name));
    if (mib > most) most = mib;
  }
  if (all != NULL) closedir(all);
  return most;
}

/* ---- what is measured ---- */

static void prepare(const service *s) {
  static const char *const names[] = {"latency", "load"};
  wire w;
  bench_need(wire_open(&w, s->port), "connect");
  for (int i = 0; i < 2; i++) {
    char path[64], body[128];
    snprintf(path, sizeof path, "topics/%s", names[i]);
    ask(&w, "PUT", path, "{}");
    snprintf(path, sizeof path, "subscriptions/%s", names[i]);
    snprintf(body, sizeof body,
             "{\"topic\":\"projects/bench/topics/%s\",\"ackDeadlineSeconds\":600}", names[i]);
    ask(&w, "PUT", path, body);
  }
  wire_close(&w);
}

/* Publish to pull: from before the publish is sent to when the pull that waits has its answer. */
static double latency_us(const service *s, int samples) {
  static double took[SAMPLES];
  wire puller, publisher;
  psp_buf acks = {0};
  bench_need(wire_open(&puller, s->port) && wire_open(&publisher, s->port), "connect");
  for (int i = 0; i < samples; i++) {
    static const char pull[] = "{\"maxMessages\":10}";
    static const char publish[] =
        "{\"messages\":[{\"attributes\":{\"probe_id\":\"0123456789abcdef0123456789abcdef\"}}]}";
    wire_send(&puller, "POST", "subscriptions/latency:pull", pull, sizeof pull - 1);
    usleep(2000 + (unsigned)i * 977 % 5000); /* the pull waits, and no step is hit each time */
    int64_t began = bench_now_ns();
    wire_send(&publisher, "POST", "topics/latency:publish", publish, sizeof publish - 1);
    const char *answer = wire_read(&puller);
    took[i] = (double)(bench_now_ns() - began) / 1e3;
    bench_need(collect_acks(answer, &acks) == 1, "one message was published");
    wire_read(&publisher);
    ask(&puller, "POST", "subscriptions/latency:acknowledge", acks.data);
  }
  psp_buf_free(&acks);
  wire_close(&puller);
  wire_close(&publisher);
  return bench_median(took, (size_t)samples);
}

typedef struct worker {
  pthread_t thread;
  int port;
  const psp_buf *body;
} worker;

static void *publish_batches(void *arg) {
  const worker *me = arg;
  wire w;
  bench_need(wire_open(&w, me->port), "connect");
  for (int i = 0; i < BATCHES / THREADS; i++) {
    wire_send(&w, "POST", "topics/load:publish", me->body->data, me->body->len);
    wire_read(&w);
  }
  wire_close(&w);
  return NULL;
}

static void *pull_all(void *arg) {
  const worker *me = arg;
  wire w;
  psp_buf acks = {0};
  bench_need(wire_open(&w, me->port), "connect");
  static const char pull[] = "{\"maxMessages\":1000,\"returnImmediately\":true}";
  for (;;) {
    int count = collect_acks(ask(&w, "POST", "subscriptions/load:pull", pull), &acks);
    if (count == 0) break;
    ask(&w, "POST", "subscriptions/load:acknowledge", acks.data);
  }
  psp_buf_free(&acks);
  wire_close(&w);
  return NULL;
}

/* Messages a second through all threads at once. */
static double rate(const service *s, void *(*work)(void *), const psp_buf *body) {
  worker workers[THREADS];
  int64_t began = bench_now_ns();
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.port = s->port, .body = body};
    bench_need(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(workers[i].thread, NULL);
  return (double)BATCHES * BATCH * 1e9 / (double)(bench_now_ns() - began);
}

static psp_buf make_batch(void) {
  psp_buf body = {0};
  psp_buf_text(&body, "{\"messages\":[");
  for (int i = 0; i < BATCH; i++)
    psp_buf_printf(&body,
                   "%s{\"data\":\"eyJwcm9iZSI6MX0=\",\"attributes\":{\"probe_id\":"
                   "\"0123456789abcdef%016d\"}}",
                   i ? "," : "", i);
  psp_buf_text(&body, "]}");
  bench_need(!body.failed, "no memory");
  return body;
}

static void load_round(service *s, int round, int samples, const psp_buf *batch) {
  s->latency_us[round] = latency_us(s, samples);
  s->published[round] = rate(s, publish_batches, batch);
  s->acked[round] = rate(s, pull_all, NULL);
}

static void print(const char *what, const char *unit, double ours, double peer, double ratio,
                  const char *aim) {
  printf("%s: ours %.4g %s, peer %.4g %s, ratio %.3g (%s)\n", what, ours, unit, peer, unit, ratio,
         aim);
  fflush(stdout);
}

static void report(service *ours, service *google) {
  double a = bench_median(ours->ready_ms, ROUNDS), b = bench_median(google->ready_ms, 1);
  print("local ready", "ms", a, b, b / a, "aim: >= 20 x sooner");
  a = bench_median(ours->latency_us, ROUNDS);
  b = bench_median(google->latency_us, ROUNDS);
  print("local publish to pull, p50", "us", a, b, a / b, "aim: <= 0.02");
  a = bench_median(ours->published, ROUNDS);
  b = bench_median(google->published, ROUNDS);
  print("local published, batches of 500", "msg/s", a, b, a / b, "aim: >= 2 and >= 110000");
  a = bench_median(ours->acked, ROUNDS);
  b = bench_median(google->acked, ROUNDS);
  print("local pulled and acknowledged", "msg/s", a, b, a / b, "aim: >= 2 and >= 22000");
  a = ours->memory_mib;
  b = google->memory_mib;
  print("local memory after it", "MiB", a, b, a / b, "aim: <= 0.1 and <= 34");
}

int main(void) {
  service ours = {.name = "ours"}, google = {.name = "google"};
  psp_buf batch = make_batch();
  if (!test_emulator_installed(TEST_PUBSUB)) {
    printf("local: SKIPPED, Google's Pub/Sub emulator is not installed\n");
    return 77;
  }
  for (int i = 0; i < ROUNDS; i++) {
    start(&ours, i);
    if (i + 1 < ROUNDS) stop(&ours);
  }
  start(&google, 0);
  prepare(&ours);
  prepare(&google);
  load_round(&ours, 0, SAMPLES, &batch); /* warms up; it is written over */
  load_round(&google, 0, SLOW_SAMPLES, &batch);
  for (int i = 0; i < ROUNDS; i++) {
    load_round(&ours, i, SAMPLES, &batch);
    load_round(&google, i, SLOW_SAMPLES, &batch);
  }
  ours.memory_mib = resident_mib(ours.pid);
  google.memory_mib = emulator_mib(google.port);
  report(&ours, &google);
  stop(&ours);
  stop(&google);
  psp_buf_free(&batch);
  return 0;
}
