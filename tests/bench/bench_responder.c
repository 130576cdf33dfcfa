/* SPDX-License-Identifier: MIT */
/** @file
 * From the start of the responder's process to its first 2xx, and the memory it then has resident,
 * beside programs that do nothing but say 204: a bare libmicrohttpd one, and a Go net/http one
 * where there is a Go compiler. Ours says it after it has POSTed to a prober. Rounds alternate;
 * medians count.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_prober.h"

#define ROUNDS 15
#define BODY                                                                          \
  "{\"message\":{\"attributes\":{\"probe_id\":\"0123456789abcdef0123456789abcdef\"}," \
  "\"messageId\":\"1\"},\"subscription\":\"projects/p/subscriptions/s\"}"

typedef struct contestant {
  const char *name;
  const char *argv[12];
  size_t port_at; /* which argument is the port */
  double ms[ROUNDS], mib[ROUNDS];
} contestant;

static void need(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "bench_responder: %s\n", what);
  exit(1);
}

static int free_port(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  need(bind(fd, (struct sockaddr *)&at, len) == 0, "no port");
  getsockname(fd, (struct sockaddr *)&at, &len);
  close(fd);
  return ntohs(at.sin_port);
}

static pid_t start(const contestant *c, const char *port) {
  const char *argv[12];
  memcpy(argv, c->argv, sizeof argv);
  argv[c->port_at] = port;
  pid_t pid = fork();
  need(pid >= 0, "fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  execv(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

/* Connects as soon as somebody listens, posts an event, reads the status line. */
static void ask(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  static const struct timespec pause_ns = {.tv_nsec = 100000};
  int fd = -1;
  for (int tries = 0; tries < 50000; tries++) {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) break;
    close(fd);
    fd = -1;
    nanosleep(&pause_ns, NULL);
  }
  need(fd >= 0, "a program does not listen");
  char request[1024], answer[1024];
  int len = snprintf(request, sizeof request,
                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     sizeof BODY - 1, BODY);
  need(send(fd, request, (size_t)len, 0) == len, "send");
  ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
  need(got > 12 && strncmp(answer, "HTTP/1.1 2", 10) == 0, "a program did not answer 2xx");
  close(fd);
}

static double resident_mib(pid_t pid) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "r");
  need(file != NULL, path);
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  fclose(file);
  return (double)kib / 1024;
}

static void run(contestant *c, int round) {
  char text[16];
  int port = free_port();
  snprintf(text, sizeof text, "%d", port);
  int64_t start_ns = psprobe_clock_monotonic();
  pid_t pid = start(c, text);
  ask(port);
  c->ms[round] = (double)(psprobe_clock_monotonic() - start_ns) / 1e6;
  c->mib[round] = resident_mib(pid);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double values[ROUNDS]) {
  qsort(values, ROUNDS, sizeof *values, by_value);
  return values[ROUNDS / 2];
}

/* Builds a peer. @return whether it could be */
static bool build(const char *command) {
  int status = system(command); /* NOLINT: our own constants and $CC */
  return status == 0;
}

static const char *path_of(char out[256], const char *name) {
  const char *build_dir = getenv("BUILD");
  snprintf(out, 256, "%s/%s", build_dir != NULL ? build_dir : "build", name);
  return out;
}

int main(void) {
  static const int script[] = {200, 0};
  char ours[256], bare[256], go[256], command[1024];
  const char *cc = getenv("CC");
  setvbuf(stdout, NULL, _IOLBF, 0);
  fake_prober *prober = fake_prober_new(0, script);
  contestant all[] = {
      {.name = "ours",
       .argv = {path_of(ours, "examples/responder"), "--listen", "127.0.0.1", "--prober",
                fake_prober_url(prober), "--port", "0"},
       .port_at = 6},
      {.name = "bare libmicrohttpd",
       .argv = {path_of(bare, "tests/bench/peer_microhttpd"), "0"},
       .port_at = 1},
      {.name = "Go net/http", .argv = {path_of(go, "tests/bench/peer_nethttp"), "0"}, .port_at = 1},
  };
  snprintf(command, sizeof command,
           "%s -O2 -o %s tests/bench/peer/microhttpd.c -lmicrohttpd -pthread",
           cc != NULL && *cc != '\0' ? cc : "cc", bare);
  need(build(command), "the libmicrohttpd peer does not build");
  snprintf(command, sizeof command,
           "command -v go >/dev/null && GO111MODULE=off go build -o %s tests/bench/peer/nethttp.go",
           go);
  size_t count = build(command) ? 3 : 2;
  if (count == 2) puts("responder: no Go compiler here (Debian: golang-go): compared without");

  for (int round = 0; round < ROUNDS; round++)
    for (size_t i = 0; i < count; i++)
      run(&all[i], round);
  double ms[3], mib[3];
  for (size_t i = 0; i < count; i++) {
    ms[i] = median(all[i].ms);
    mib[i] = median(all[i].mib);
  }
  for (size_t i = 1; i < count; i++) {
    printf("responder, process start to first 2xx, ms: ours %.2f, peer %.2f, ratio %.2f (%s)\n",
           ms[0], ms[i], ms[0] / ms[i], all[i].name);
    printf("responder, resident memory, MiB: ours %.1f, peer %.1f, ratio %.2f (%s)\n", mib[0],
           mib[i], mib[0] / mib[i], all[i].name);
  }
  fake_prober_free(prober);
  return 0;
}
