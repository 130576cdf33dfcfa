/* SPDX-License-Identifier: MIT */
/** @file
 * The function beside others: from its process' start until it listens, until its first 2xx, with
 * how much work and memory, and then how many events a second of one core's time are answered.
 * The responder, the same function in Go (net/http) and in Node (Google's functions framework): a
 * push comes, the prober gets a POST, the push its 204. And, as floors, programs that only say 204:
 * a bare libmicrohttpd one and a Go one. Rounds alternate; medians count.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <psprobe/timing.h>

#include "bench.h"
#include "http/server/server.h"

#define ROUNDS      15
#define LOAD_ROUNDS 5
#define CONNECTIONS 16
#define WARM_UP     1000
#define EVENTS      4000
#define BODY                                                                          \
  "{\"message\":{\"attributes\":{\"probe_id\":\"0123456789abcdef0123456789abcdef\"}," \
  "\"messageId\":\"1\"},\"subscription\":\"projects/p/subscriptions/s\"}"
#define EVENT                                                        \
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" \
  "Content-Length: %zu\r\n\r\n" BODY

enum { READY, FIRST, FIRST_CPU, RESIDENT, RATE, FIGURES };

static const struct {
  const char *what, *unit;
  int places; /* after the point */
} figures[FIGURES] = {
    [READY] = {"process start to listening", "ms", 2},
    [FIRST] = {"process start to first 2xx", "ms", 2},
    [FIRST_CPU] = {"CPU time to first 2xx", "ms", 2},
    [RESIDENT] = {"resident memory after it", "MiB", 1},
    [RATE] = {"events a second of one core's time", "1/s", 0},
};

typedef struct contestant {
  const char *name, *missing; /* missing: why it is not there */
  const char *argv[12];
  size_t port_at; /* which argument is the port */
  size_t counts[FIGURES];
  double values[FIGURES][ROUNDS];
} contestant;

/* ---- a prober that has seen every probe ---- */

static void say_ok(void *arg, psp_exchange *x) {
  psp_exchange_reply_shared(x, arg);
}

static psp_server *start_prober(psp_reply *reply) {
  const psp_route routes[] = {{"POST", "/{}/{}", say_ok, reply}};
  psp_server_options options = {.listen = "127.0.0.1:0", .routes = routes, .route_count = 1};
  psp_server *server = NULL;
  bench_need(psp_server_new(&options, &server, NULL) == PSPROBE_OK, "no prober");
  return server;
}

/* ---- a process ---- */

static int free_port(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  bench_need(bind(fd, (struct sockaddr *)&at, len) == 0, "no port");
  getsockname(fd, (struct sockaddr *)&at, &len);
  close(fd);
  return ntohs(at.sin_port);
}

static pid_t running;

static void stop_running(void) {
  if (running <= 0) return;
  kill(running, SIGKILL);
  waitpid(running, NULL, 0);
  running = 0;
}

/* Without a copy of our own memory, which would cost each of them the same. */
static pid_t start(const contestant *c, const char *port) {
  const char *argv[12];
  posix_spawn_file_actions_t quiet;
  memcpy(argv, c->argv, sizeof argv);
  argv[c->port_at] = port;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  bench_need(
      posix_spawnp(&running, argv[0], &quiet, NULL, (char *const *)(uintptr_t)argv, environ) == 0,
      argv[0]);
  posix_spawn_file_actions_destroy(&quiet);
  return running;
}

static double cpu_ms(pid_t pid) {
  clockid_t id;
  struct timespec spent = {0};
  bench_need(clock_getcpuclockid(pid, &id) == 0 && clock_gettime(id, &spent) == 0, "no CPU clock");
  return (double)spent.tv_sec * 1e3 + (double)spent.tv_nsec / 1e6;
}

static double resident_mib(pid_t pid) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "r");
  bench_need(file != NULL, path);
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  fclose(file);
  return (double)kib / 1024;
}

/* ---- events ---- */

/* A connection as soon as somebody listens. */
static int reach(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  static const struct timespec pause_ns = {.tv_nsec = 50000};
  for (int tries = 0; tries < 200000; tries++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    nanosleep(&pause_ns, NULL);
  }
  bench_need(false, "a program does not listen");
  return -1;
}

static void send_event(int fd) {
  char request[1024];
  int len = snprintf(request, sizeof request, EVENT, sizeof BODY - 1);
  bench_need(send(fd, request, (size_t)len, MSG_NOSIGNAL) == len, "send");
}

/* A 204 has no body: what ends its head ends it. */
static void await_answer(int fd) {
  char answer[1024];
  size_t len = 0;
  do {
    ssize_t got = recv(fd, answer + len, sizeof answer - 1 - len, 0);
    bench_need(got > 0, "a program closed its connection");
    len += (size_t)got;
    answer[len] = 0;
  } while (strstr(answer, "\r\n\r\n") == NULL);
  bench_need(strncmp(answer, "HTTP/1.1 2", 10) == 0, "a program did not answer 2xx");
}

static void answer_events(const int fds[CONNECTIONS], size_t count) {
  for (size_t done = 0; done < count; done += CONNECTIONS) {
    for (size_t i = 0; i < CONNECTIONS; i++)
      send_event(fds[i]);
    for (size_t i = 0; i < CONNECTIONS; i++)
      await_answer(fds[i]);
  }
}

static double load(pid_t pid, int port) {
  int fds[CONNECTIONS];
  for (size_t i = 0; i < CONNECTIONS; i++)
    fds[i] = reach(port);
  answer_events(fds, WARM_UP);
  double before = cpu_ms(pid);
  answer_events(fds, EVENTS);
  double spent = cpu_ms(pid) - before;
  for (size_t i = 0; i < CONNECTIONS; i++)
    close(fds[i]);
  return EVENTS / spent * 1e3;
}

/* ---- rounds ---- */

static void record(contestant *c, int figure, double value) {
  c->values[figure][c->counts[figure]++] = value;
}

static void run(contestant *c, int round) {
  char text[16];
  int port = free_port();
  snprintf(text, sizeof text, "%d", port);
  int64_t start_ns = psprobe_clock_monotonic();
  pid_t pid = start(c, text);
  int fd = reach(port);
  record(c, READY, (double)(psprobe_clock_monotonic() - start_ns) / 1e6);
  send_event(fd);
  await_answer(fd);
  record(c, FIRST, (double)(psprobe_clock_monotonic() - start_ns) / 1e6);
  record(c, FIRST_CPU, cpu_ms(pid));
  record(c, RESIDENT, resident_mib(pid));
  close(fd);
  if (round < LOAD_ROUNDS) record(c, RATE, load(pid, port));
  stop_running();
}

static double median(contestant *c, int figure) {
  qsort(c->values[figure], c->counts[figure], sizeof(double), bench_by_double);
  return c->values[figure][c->counts[figure] / 2];
}

static void show(contestant *ours, contestant *peer) {
  if (peer->missing != NULL) {
    printf("WARNING: responder: %s: compared without %s\n", peer->missing, peer->name);
    return;
  }
  for (int i = 0; i < FIGURES; i++) {
    double a = median(ours, i), b = median(peer, i);
    printf("responder, %s, %s: ours %.*f, peer %.*f, ratio %.3f (%s)\n", figures[i].what,
           figures[i].unit, figures[i].places, a, figures[i].places, b, a / b, peer->name);
  }
}

/* ---- the peers ---- */

/* @return whether a command of our own succeeded, which says itself why not */
static bool succeeds(const char *command) {
  return system(command) == 0; /* NOLINT: our own constants and $CC */
}

static const char *path_of(char out[256], const char *name) {
  const char *build_dir = getenv("BUILD");
  snprintf(out, 256, "%s/%s", build_dir != NULL ? build_dir : "build", name);
  return out;
}

static void build_microhttpd(contestant *c) {
  char command[1024];
  const char *cc = getenv("CC");
  snprintf(command, sizeof command,
           "%s -O2 -o %s tests/bench/peer/microhttpd.c -lmicrohttpd -pthread",
           cc != NULL && *cc != '\0' ? cc : "cc", c->argv[0]);
  bench_need(succeeds(command), "the libmicrohttpd peer does not build");
}

static void build_go(contestant *c, contestant *bare) {
  char command[1024];
  snprintf(command, sizeof command,
           "command -v go >/dev/null && GO111MODULE=off go build -o %s tests/bench/peer/nethttp.go",
           c->argv[0]);
  if (!succeeds(command))
    c->missing = bare->missing = "no Go compiler here (Debian: apt-get install golang-go)";
}

static void install_node(contestant *c) {
  if (!succeeds("tests/interop/install.sh tests/bench/peer/node"))
    c->missing = "no Node with Google's functions framework (above; Debian: nodejs, npm)";
}

#define FRAMEWORK "node_modules/@google-cloud/functions-framework/build/src/main.js"

int main(void) {
  char ours[256], bare[256], go[256];
  setvbuf(stdout, NULL, _IOLBF, 0);
  atexit(stop_running);
  psp_reply *reply = psp_reply_new(200, NULL, "", 0);
  psp_server *prober = start_prober(reply);
  const char *url = psp_server_url(prober);
  setenv("PROBER", url, 1);
  setenv("NODE_ENV", "production", 1);
  contestant all[] = {
      {.name = "ours",
       .argv = {path_of(ours, "examples/responder"), "--listen", "127.0.0.1", "--prober", url,
                "--port", "0"},
       .port_at = 6},
      {.name = "the same in Node, functions-framework",
       .argv = {"node", "tests/bench/peer/node/" FRAMEWORK, "--target=probe",
                "--source=tests/bench/peer/node", "--port", "0"},
       .port_at = 5},
      {.name = "the same in Go, net/http",
       .argv = {path_of(go, "tests/bench/peer_nethttp"), "0", url},
       .port_at = 1},
      {.name = "Go net/http that only says 204", .argv = {go, "0"}, .port_at = 1},
      {.name = "bare libmicrohttpd that only says 204",
       .argv = {path_of(bare, "tests/bench/peer_microhttpd"), "0"},
       .port_at = 1},
  };
  size_t count = sizeof all / sizeof *all;
  install_node(&all[1]);
  build_go(&all[2], &all[3]);
  build_microhttpd(&all[4]);
  for (int round = 0; round < ROUNDS; round++)
    for (size_t i = 0; i < count; i++)
      if (all[i].missing == NULL) run(&all[i], round);
  for (size_t i = 1; i < count; i++)
    show(&all[0], &all[i]);
  psp_server_free(prober);
  psp_reply_free(reply);
  return 0;
}
