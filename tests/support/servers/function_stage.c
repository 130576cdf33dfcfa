/* SPDX-License-Identifier: MIT */
#include "function_stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/server/server.h"
#include "rest_call.h"

/* ---- the function ---- */

static atomic_int invocations;

static void note(int nth, const char *body) {
  const char *file = getenv("STAGE_LEDGER"), *name = getenv("HOSTNAME");
  char line[512];
  int fd = file != NULL ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
  int len = snprintf(line, sizeof line, "%s %d %.300s\n", name != NULL ? name : "-", nth, body);
  if (fd < 0) return;
  if (write(fd, line, (size_t)len) != len) _exit(4);
  close(fd);
}

static const char *word_after(const char *body, const char *word) {
  const char *at = strstr(body, word);
  return at != NULL ? at + strlen(word) : NULL;
}

static void answer(void *arg, psp_exchange *exchange) {
  (void)arg;
  char text[512];
  size_t len;
  const char *body = psp_exchange_body(exchange, &len);
  int nth = atomic_fetch_add(&invocations, 1) + 1;
  if (strstr(body, "die") != NULL) _exit(3);
  if (strstr(body, "slow") != NULL || strstr(body, "freeze") != NULL) {
    printf("at work\n");
    fflush(stdout);
  }
  if (strstr(body, "freeze") != NULL) raise(SIGSTOP);
  if (strstr(body, "slow") != NULL) usleep(200000); /* the work that it does */
  note(nth, body);
  const char *type = psp_exchange_header(exchange, "Content-Type"), *found = NULL, *name;
  if ((name = word_after(body, "env ")) != NULL) found = getenv(name);
  if ((name = word_after(body, "header ")) != NULL) found = psp_exchange_header(exchange, name);
  int n = found != NULL ? snprintf(text, sizeof text, "%s", found)
                        : snprintf(text, sizeof text, "%d %d %s?%s %s %.100s", getpid(), nth,
                                   psp_exchange_path(exchange), psp_exchange_raw_query(exchange),
                                   type != NULL ? type : "-", body);
  psp_exchange_set_header(exchange, "X-Mine", "1");
  psp_exchange_reply(exchange, strstr(body, "refuse") != NULL ? 418 : 200, "text/plain", text,
                     (size_t)n);
}

static void say_where(const char *how, const char *url) {
  if (strcmp(how, "odd") == 0)
    printf(
        "See http://127.0.0.1:%s/docs or http://docs.example:80/\n\x1b[36mListening on %s.\x1b[0m",
        getenv("STAGE_DECOY"), url); /* and no end of the line */
  else if (strcmp(how, "port") != 0)
    printf("a line before\nready at %s\n", url);
  fflush(stdout);
}

static int be_function(const char *how) {
  for (int fd = 3; fd < 256; fd++)
    if (fcntl(fd, F_GETFD) != -1) return 1; /* nothing of the host's is ours */
  if (strcmp(how, "mute") == 0) pause();
  if (strcmp(how, "stopped") == 0) raise(SIGSTOP);
  if (strcmp(how, "broken") == 0) {
    fprintf(stderr, "Error: no such module\n");
    return 7;
  }
  char listen[32] = "127.0.0.1:0";
  if (strcmp(how, "port") == 0) snprintf(listen, sizeof listen, "127.0.0.1:%s", getenv("PORT"));
  psp_route route = {.method = "*", .pattern = "/*", .handler = answer};
  psp_server_options options = {
      .listen = listen, .routes = &route, .route_count = 1, .threads = 8, .packed = true};
  psp_server *server;
  sigset_t end;
  int number;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, NULL);
  if (psp_server_new(&options, &server, NULL) != PSPROBE_OK) return 1;
  say_where(how, psp_server_url(server));
  do
    sigwait(&end, &number);
  while (strcmp(how, "stubborn") == 0);
  psp_server_free(server);
  return 0;
}

int stage_main(int argc, char **argv) {
  return argc > 2 && strcmp(argv[1], "function") == 0 ? be_function(argv[2]) : -1;
}

/* ---- the test's side ---- */

psprobe_local *stage_local;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static psp_buf logged;

static void keep_line(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level;
  pthread_mutex_lock(&lock);
  psp_buf_printf(&logged, "%s\n", line);
  pthread_mutex_unlock(&lock);
}

static const char *own_path(void) {
  static char self[512];
  if (self[0] == '\0' && readlink("/proc/self/exe", self, sizeof self - 1) <= 0) abort();
  return self;
}

psp_buf stage_log(void) {
  psp_buf copy = {0};
  pthread_mutex_lock(&lock);
  psp_buf_add(&copy, logged.data != NULL ? logged.data : "", logged.len);
  pthread_mutex_unlock(&lock);
  psp_buf_char(&copy, '\n');
  return copy;
}

int stage_setup(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_logger logger = {.sink = keep_line, .level = PSPROBE_LOG_INFO};
  psprobe_local_options options = {.logger = &logger};
  psp_buf_free(&logged);
  if (psprobe_local_new(&options, &stage_local, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return 0;
}

/* Whether a process is the test's executable as a function. */
static bool is_function(const char *pid) {
  char path[64], command[1024];
  snprintf(path, sizeof path, "/proc/%.20s/cmdline", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t len = fd >= 0 ? read(fd, command, sizeof command) : 0;
  if (fd >= 0) close(fd);
  size_t self = strlen(own_path()) + 1;
  return len > (ssize_t)(self + 9) && memcmp(command, own_path(), self) == 0 &&
         memcmp(command + self, "function", 9) == 0;
}

/* Instances that still run, or that nobody has waited for. (An emulator may be a child, too.) */
static int count_left(void) {
  int left = waitpid(-1, NULL, WNOHANG) > 0;
  DIR *folder = opendir("/proc");
  const struct dirent *entry;
  while (folder != NULL && (entry = readdir(folder)) != NULL)
    left += is_function(entry->d_name);
  if (folder != NULL) closedir(folder);
  return left;
}

int stage_teardown(void **state) {
  (void)state;
  psprobe_local_free(stage_local);
  psp_buf_free(&logged);
  return count_left();
}

const char *stage_add(const char *how, psprobe_local_function_options options) {
  const char *argv[] = {own_path(), "function", how, NULL}, *url;
  psprobe_error error = {0};
  options.argv = argv;
  if (psprobe_local_function_add(stage_local, &options, &url, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return url;
}

psprobe_local_function_stats stage_stats(void) {
  psprobe_local_function_stats now;
  assert_true(psprobe_local_function_get_stats(stage_local, NULL, &now));
  return now;
}

void stage_wait_running(int count) {
  for (int i = 0; i < 3000 && stage_stats().running != count; i++)
    usleep(10000);
  assert_int_equal(stage_stats().running, count);
}

void stage_wait_for(size_t offset, uint64_t least) {
  for (int i = 0; i < 6000; i++, usleep(5000)) {
    psprobe_local_function_stats now = stage_stats();
    uint64_t reached;
    memcpy(&reached, (const char *)&now + offset, sizeof reached);
    if (reached >= least) return;
  }
  fail_msg("thirty seconds, and it did not come to %llu", (unsigned long long)least);
}

void stage_wait_logged(const char *text) {
  bool found = false;
  for (int i = 0; i < 6000 && !found; i++) {
    psp_buf log = stage_log();
    found = strstr(log.data, text) != NULL;
    psp_buf_free(&log);
    if (!found) usleep(5000);
  }
  assert_true(found);
}

const char *stage_split(const char *url, char host[64], const char **path) {
  const char *begin = url + strlen("http://");
  *path = strchr(begin, '/');
  snprintf(host, 64, "%.*s", (int)(*path - begin), begin);
  return host;
}

static void *call(void *arg) {
  stage_call *c = arg;
  char host[64];
  const char *path;
  stage_split(c->url, host, &path);
  raw_answer got = test_rest(host, "POST", path, c->body, NULL);
  c->status = got.status;
  c->pid = got.body.data != NULL ? atoi(got.body.data) : 0;
  snprintf(c->text, sizeof c->text, "%.255s", got.body.data != NULL ? got.body.data : "");
  raw_free(&got);
  return NULL;
}

int stage_event(const char *url, const char *body, int *pid) {
  stage_call one = {.url = url, .body = body};
  call(&one);
  if (pid != NULL) *pid = one.pid;
  return one.status;
}

void stage_call_begin(stage_call *one, const char *url, const char *body) {
  *one = (stage_call){.url = url, .body = body};
  assert_int_equal(pthread_create(&one->thread, NULL, call, one), 0);
}

void stage_call_end(stage_call *one) {
  pthread_join(one->thread, NULL);
}

void stage_call_all(stage_call *calls, int count, const char *url, const char *body) {
  for (int i = 0; i < count; i++)
    stage_call_begin(&calls[i], url, body);
  for (int i = 0; i < count; i++)
    stage_call_end(&calls[i]);
}
