/* SPDX-License-Identifier: MIT */
#include "emulator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 60000

struct test_emulator {
  int port;
  char address[32];
  pid_t guard;
  int leash; /* the guard ends when the last holder of this pipe's end is gone */
  char log[PATH_MAX];
  struct test_emulator *next;
};

static const struct {
  const char *name, *program, *variable;
} services[] = {
    [TEST_PUBSUB] = {"pubsub", "platform/pubsub-emulator/bin/cloud-pubsub-emulator",
                     "PSPROBE_TEST_PUBSUB_EMULATOR"},
    [TEST_FIRESTORE] = {"firestore", "platform/cloud-firestore-emulator/cloud_firestore_emulator",
                        "PSPROBE_TEST_FIRESTORE_EMULATOR"},
};

static test_emulator *running;
static test_emulator *shared[2];

static void fail(const char *what) {
  fprintf(stderr, "emulator: %s: %s\n", what, strerror(errno));
  exit(1);
}

static bool executable(char out[PATH_MAX], const char *root, const char *program) {
  return snprintf(out, PATH_MAX, "%s/%s", root, program) < PATH_MAX && access(out, X_OK) == 0;
}

/* Where `gcloud` of the path lies: ROOT/bin/gcloud, behind links. */
static bool root_from_path(char out[PATH_MAX]) {
  const char *path = getenv("PATH");
  char file[PATH_MAX];
  for (const char *at = path; at != NULL && *at; at += strspn(at, ":")) {
    size_t len = strcspn(at, ":");
    if (snprintf(file, sizeof file, "%.*s/gcloud", (int)len, at) < (int)sizeof file &&
        access(file, X_OK) == 0 && realpath(file, out) != NULL) {
      for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (slash != NULL) *slash = '\0';
      }
      return true;
    }
    at += len;
  }
  return false;
}

static bool root_from_gcloud(char out[PATH_MAX]) {
  FILE *gcloud = popen("gcloud info --format='value(installation.sdk_root)' 2>/dev/null", "r");
  bool read = gcloud != NULL && fgets(out, PATH_MAX, gcloud) != NULL;
  if (read) out[strcspn(out, "\n")] = '\0';
  if (gcloud != NULL) pclose(gcloud);
  return read;
}

static bool find_program(test_service service, char out[PATH_MAX]) {
  const char *program = services[service].program, *given = getenv("CLOUDSDK_ROOT");
  char root[PATH_MAX];
  return (given != NULL && executable(out, given, program)) ||
         (root_from_path(root) && executable(out, root, program)) ||
         (root_from_gcloud(root) && executable(out, root, program));
}

bool test_emulator_installed(test_service service) {
  char program[PATH_MAX];
  return find_program(service, program);
}

static void skip(test_service service) {
  const char *program = services[service].program;
  fprintf(
      stderr,
      "SKIPPED: Google's %s emulator is not installed (no %s in the Google Cloud CLI).\n"
      "Install google-cloud-cli-%s-emulator, or set CLOUDSDK_ROOT, or name a running one in %s\n",
      services[service].name, program, services[service].name, services[service].variable);
  exit(77);
}

int test_free_port(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
      getsockname(fd, (struct sockaddr *)&at, &len) != 0)
    fail("find a free port");
  close(fd);
  return ntohs(at.sin_port);
}

static bool answers(const char *host, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &at.sin_addr) != 1) return false;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  struct timeval limit = {.tv_sec = 2};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char line[16] = "";
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
            send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
            recv(fd, line, sizeof line - 1, MSG_WAITALL) > 0 && strstr(line, " 200") != NULL;
  close(fd);
  return ok;
}

static void wait_ms(int ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

bool test_wait_ready(const char *host, int port, int timeout_ms) {
  for (int waited = 0; waited < timeout_ms; waited += 20) {
    if (answers(host, port)) return true;
    wait_ms(20);
  }
  return false;
}

/* Ends the program's process group when the test lets go of the leash or the program ends. */
static void guard_group(pid_t group, int leash) {
  int child = (int)syscall(SYS_pidfd_open, group, 0);
  struct pollfd watched[2] = {{.fd = leash, .events = POLLIN}, {.fd = child, .events = POLLIN}};
  while (poll(watched, 2, -1) < 0 && errno == EINTR)
    continue;
  kill(-group, SIGKILL);
  while (waitpid(group, NULL, 0) < 0 && errno == EINTR)
    continue;
  _exit(0);
}

/* The start scripts may or may not `exec` Java, so the whole group is held. The guard stands in a
 * session of its own, out of reach of signals to the test's group, so that it outlives the test. */
static void run_guard(const char *program, int port, const char *log, int leash) {
  char port_arg[32];
  snprintf(port_arg, sizeof port_arg, "--port=%d", port);
  setsid();
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  /* Among them other emulators' leashes, which this process must not keep alive. */
  for (int fd = 3; fd < 1024; fd++)
    if (fd != leash) close(fd);
  int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  if (out < 0) out = open("/dev/null", O_WRONLY);
  int in = open("/dev/null", O_RDONLY);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  pid_t group = fork();
  if (group < 0) _exit(1);
  if (group > 0) {
    setpgid(group, group);
    guard_group(group, leash);
  }
  setpgid(0, 0);
  close(leash);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (strstr(program, "firestore") != NULL)
    execl(program, program, "start", "--host=127.0.0.1", port_arg, (char *)NULL);
  else
    execl(program, program, "--host=127.0.0.1", port_arg, (char *)NULL);
  _exit(127);
}

static void stop_all(void) {
  while (running != NULL)
    test_emulator_stop(running);
}

static void log_name(char out[PATH_MAX], const char *service, int port) {
  const char *build = getenv("BUILD");
  char folder[PATH_MAX - 64];
  snprintf(folder, sizeof folder, "%s/tests", build != NULL && *build ? build : "build");
  if (access(folder, W_OK) != 0) snprintf(folder, sizeof folder, "/tmp");
  snprintf(out, PATH_MAX, "%s/emulator-%s-%d.log", folder, service, port);
}

static bool start(test_emulator *emulator, test_service service, const char *program, int port) {
  int leash[2];
  emulator->port = port ? port : test_free_port();
  snprintf(emulator->address, sizeof emulator->address, "127.0.0.1:%d", emulator->port);
  log_name(emulator->log, services[service].name, emulator->port);
  /* Started without a standard input, or output: the pipe must not take its place. */
  while (fcntl(2, F_GETFD) < 0 || fcntl(1, F_GETFD) < 0 || fcntl(0, F_GETFD) < 0)
    if (open("/dev/null", O_RDWR) < 0) fail("open /dev/null");
  if (pipe2(leash, O_CLOEXEC) != 0) fail("make a pipe");
  fflush(NULL);
  emulator->guard = fork();
  if (emulator->guard < 0) fail("start a process");
  if (emulator->guard == 0) {
    close(leash[1]);
    run_guard(program, emulator->port, emulator->log, leash[0]);
  }
  close(leash[0]);
  emulator->leash = leash[1];
  for (int waited = 0; waited < READY_MS; waited += 20) {
    if (answers("127.0.0.1", emulator->port)) return true;
    if (waitpid(emulator->guard, NULL, WNOHANG) == emulator->guard) {
      emulator->guard = -1;
      break;
    }
    wait_ms(20);
  }
  close(emulator->leash);
  if (emulator->guard > 0) waitpid(emulator->guard, NULL, 0);
  return false;
}

test_emulator *test_emulator_start(test_service service, int port) {
  static bool registered;
  char program[PATH_MAX];
  if (!find_program(service, program)) skip(service);
  test_emulator *emulator = calloc(1, sizeof *emulator);
  if (emulator == NULL) fail("start an emulator");
  /* A free port may be taken by another before Java binds it: that is tried again. */
  for (int attempt = 0; !start(emulator, service, program, port); attempt++)
    if (attempt == 2) {
      fprintf(stderr, "the %s emulator did not start; see %s\n", services[service].name,
              emulator->log);
      exit(1);
    }
  emulator->next = running;
  running = emulator;
  if (!registered) atexit(stop_all);
  registered = true;
  return emulator;
}

const char *test_emulator_address(const test_emulator *emulator) {
  return emulator->address;
}
int test_emulator_port(const test_emulator *emulator) {
  return emulator->port;
}

void test_emulator_stop(test_emulator *emulator) {
  if (emulator == NULL) return;
  for (test_emulator **at = &running; *at != NULL; at = &(*at)->next)
    if (*at == emulator) {
      *at = emulator->next;
      break;
    }
  close(emulator->leash);
  waitpid(emulator->guard, NULL, 0);
  unlink(emulator->log);
  free(emulator);
}

const char *test_emulator_host(test_service service) {
  const char *given = getenv(services[service].variable);
  if (given != NULL && *given) return given;
  if (shared[service] == NULL) shared[service] = test_emulator_start(service, 0);
  return shared[service]->address;
}
