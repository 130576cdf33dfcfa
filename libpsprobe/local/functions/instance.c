/* SPDX-License-Identifier: MIT */
#include "local/functions/instance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "local/functions/flight.h"
#include "local/functions/seats.h"
#include "os/listener.h"

#define SOONEST_NS   1000000    /* how often we look whether it listens: a 64th of the time that */
#define LATEST_NS    20000000   /* it has taken, within these bounds */
#define NO_HANDLE_NS 20000000   /* how often we look whether it has ended, where nobody tells us */
#define RETRY_NS     1000000000 /* from a start that failed to the next that no event asked for */
#define MOST_OUTPUT  65536      /* that is read before others have their turn */

psp_function_instance *psp_function_instance_new(psp_function *function, uint64_t ordinal) {
  psp_function_instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return NULL;
  instance->function = function;
  instance->process.output = instance->handle = -1;
  snprintf(instance->name, sizeof instance->name, "%s-%llu", function->name,
           (unsigned long long)ordinal);
  return instance;
}

void psp_function_instance_free(psp_function_instance *instance) {
  if (instance->handle >= 0) close(instance->handle);
  free(instance);
}

/* ---- the log ---- */

static bool log_begin(psp_log_line *line, const psp_function_instance *instance,
                      psprobe_log_level level, const char *event) {
  if (!psp_log_begin(line, &instance->function->host->logger, level, event)) return false;
  psp_log_text(line, "instance", instance->name);
  return true;
}

static void log_output(void *arg, const char *text) {
  const psp_function_instance *instance = arg;
  psp_log_line line;
  if (!log_begin(&line, instance, psp_function_line_level(text), "instance_output")) return;
  psp_log_text(&line, "line", text);
  psp_log_end(&line);
}

static void log_end(const psp_function_instance *instance, const char *why, uint64_t served) {
  psp_log_line line;
  bool told = instance->told;
  if (!log_begin(&line, instance, told ? PSPROBE_LOG_INFO : PSPROBE_LOG_WARNING,
                 told ? "instance_stopped" : "instance_died"))
    return;
  psp_log_text(&line, "why", told ? why : "it ended by itself");
  psp_log_int(&line, "status", instance->process.status);
  psp_log_int(&line, "events", (int64_t)served);
  if (!told && instance->out.last[0] != '\0') psp_log_text(&line, "last", instance->out.last);
  psp_log_end(&line);
}

/* ---- its start ---- */

/* It does not start: the events that it was to have pay for it. */
static void fail_start(psp_function_instance *instance, const psprobe_error *error,
                       int64_t now_ns) {
  psp_function *function = instance->function;
  psp_function_event *events = NULL, *event;
  pthread_mutex_lock(&function->host->lock);
  instance->state = PSP_INSTANCE_ENDING;
  instance->why = "it did not become ready";
  function->stats.failed++;
  function->retry_ns = now_ns + RETRY_NS;
  for (int i = 0; i < function->concurrency && (event = psp_function_next(function)) != NULL; i++) {
    event->next = events;
    events = event;
    function->stats.lost++;
  }
  pthread_mutex_unlock(&function->host->lock);
  instance->due_ns = now_ns; /* what runs of it is ended then */
  psp_log_line line;
  if (log_begin(&line, instance, PSPROBE_LOG_WARNING, "instance_not_started")) {
    psp_log_error(&line, error);
    psp_log_end(&line);
  }
  while ((event = events) != NULL) {
    events = event->next;
    psp_function_refuse(event, 503, error->message);
  }
}

/* A port of 127.0.0.1 that is free now; 0: none. */
static int free_port(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof name;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0 &&
            getsockname(fd, (struct sockaddr *)&name, &len) == 0;
  if (fd >= 0) close(fd);
  return ok ? ntohs(name.sin_port) : 0;
}

static void watch(const psp_function_host *host, int fd) {
  struct epoll_event event = {.events = EPOLLIN};
  if (fd >= 0) epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* With what Cloud Run sets (https://cloud.google.com/run/docs/container-contract#env-vars), which
 * comes before what the function's options say, and the instance's name as containers have it. */
static psprobe_code run_program(psp_function_instance *instance, psprobe_error *error) {
  const psp_function *function = instance->function;
  char port[16], host[PSP_INSTANCE_NAME_SIZE + 16], service[100], revision[110], configuration[100];
  size_t count = 0;
  while (function->env[count] != NULL)
    count++;
  const char **env = calloc(count + 6, sizeof *env);
  if (env == NULL) return psp_fail_memory(error, function->argv[0]);
  snprintf(port, sizeof port, "PORT=%d", instance->own.port);
  snprintf(host, sizeof host, "HOSTNAME=%s", instance->name);
  snprintf(service, sizeof service, "K_SERVICE=%s", function->name);
  snprintf(revision, sizeof revision, "K_REVISION=%s-00001", function->name);
  snprintf(configuration, sizeof configuration, "K_CONFIGURATION=%s", function->name);
  const char *const platform[] = {port, host, service, revision, configuration};
  memcpy(env, platform, sizeof platform);
  for (size_t i = 0; i < count; i++)
    env[sizeof platform / sizeof *platform + i] = function->env[i];
  psprobe_code code =
      psp_process_start(&instance->process, (const char *const *)function->argv, env, true, error);
  free(env);
  return code;
}

static void begin(psp_function_instance *instance, int64_t now_ns) {
  psp_function *function = instance->function;
  psprobe_error error = {0};
  instance->begun = true;
  instance->began_ns = now_ns;
  instance->own.port = free_port();
  snprintf(instance->own.url, sizeof instance->own.url, "http://127.0.0.1:%d", instance->own.port);
  if (run_program(instance, &error) != PSPROBE_OK) {
    fail_start(instance, &error, now_ns);
    return;
  }
  instance->handle = psp_process_handle(&instance->process);
  watch(function->host, instance->handle);
  watch(function->host, instance->process.output);
  pthread_mutex_lock(&function->host->lock);
  function->stats.running++;
  function->stats.started++;
  pthread_mutex_unlock(&function->host->lock);
}

static bool follow(psp_function_instance *instance, const psp_address *address) {
  if (address->port == 0 || !psp_listener_is_of(address->port, instance->process.pid)) return false;
  memcpy(instance->url, address->url, sizeof instance->url);
  return true;
}

/* Whether it listens where it was told to, or where it has printed that it does. */
static bool listens(psp_function_instance *instance) {
  const psp_function_output *out = &instance->out;
  bool does = follow(instance, &instance->own);
  for (size_t i = 0; !does && i < PSP_OUTPUT_ADDRESSES && i < out->printed_count; i++)
    does = follow(instance, &out->printed[i]);
  return does;
}

/* It listens: it gets what waits, as far as it has seats. */
static void be_ready(psp_function_instance *instance, int64_t now_ns) {
  psp_function *function = instance->function;
  psp_function_event *events = NULL, **end = &events, *event;
  pthread_mutex_lock(&function->host->lock);
  instance->state = PSP_INSTANCE_READY;
  instance->idle_since_ns = now_ns;
  function->stats.ready++;
  while (instance->flights < function->concurrency &&
         (event = psp_function_next(function)) != NULL) {
    instance->flights++;
    *end = event;
    end = &event->next;
  }
  pthread_mutex_unlock(&function->host->lock);
  psp_log_line line;
  if (log_begin(&line, instance, PSPROBE_LOG_INFO, "instance_started")) {
    psp_log_text(&line, "program", function->argv[0]);
    psp_log_int(&line, "pid", instance->process.pid);
    psp_log_text(&line, "url", instance->url);
    psp_log_int(&line, "took_ns", now_ns - instance->began_ns);
    psp_log_end(&line);
  }
  while ((event = events) != NULL) {
    events = event->next;
    psp_function_serve(instance, event);
  }
}

static void await_ready(psp_function_instance *instance, int64_t now_ns) {
  const psp_function *function = instance->function;
  psprobe_error error = {0};
  int64_t took = now_ns - instance->began_ns, next = took / 64;
  if (listens(instance)) {
    be_ready(instance, now_ns);
    return;
  }
  if (took >= function->start_ns) {
    psp_fail(&error, PSPROBE_DEADLINE_EXCEEDED,
             "%s did not listen on its PORT, %d, in time, nor say where it does (\"http://"
             "127.0.0.1:PORT\")%s%s",
             function->argv[0], instance->own.port,
             instance->out.last[0] != '\0' ? "; it said last: " : "", instance->out.last);
    fail_start(instance, &error, now_ns);
    return;
  }
  next = next < SOONEST_NS ? SOONEST_NS : next > LATEST_NS ? LATEST_NS : next;
  instance->due_ns = now_ns + next;
}

/* ---- its end ---- */

static void read_output(psp_function_instance *instance) {
  char block[4096];
  ssize_t got = 0;
  for (size_t total = 0; instance->process.output >= 0 && total < MOST_OUTPUT;
       total += (size_t)got) {
    got = read(instance->process.output, block, sizeof block);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      psp_function_output_end(&instance->out, log_output, instance);
      close(instance->process.output); /* it would wake us for ever */
      instance->process.output = -1;
      return;
    }
    psp_function_output_take(&instance->out, block, (size_t)got, log_output, instance);
  }
}

/* Its program has ended. What is counted as running no longer is in the log already. */
static void on_end(psp_function_instance *instance, psp_instance_state state, int64_t now_ns) {
  psp_function *function = instance->function;
  pthread_mutex_lock(&function->host->lock);
  instance->state = PSP_INSTANCE_ENDING;
  const char *why = instance->why;
  uint64_t served = instance->served;
  pthread_mutex_unlock(&function->host->lock);
  if (state == PSP_INSTANCE_STARTING) {
    psprobe_error error = {0};
    psp_fail(&error, PSPROBE_UNAVAILABLE, "%s ended with status %d before it listened%s%s",
             function->argv[0], instance->process.status,
             instance->out.last[0] != '\0' ? "; it said last: " : "", instance->out.last);
    fail_start(instance, &error, now_ns);
  } else {
    log_end(instance, why, served);
  }
  pthread_mutex_lock(&function->host->lock);
  function->stats.running--;
  pthread_mutex_unlock(&function->host->lock);
}

/* Whether its program has ended; then nothing that it started outlives it. */
static bool has_ended(psp_function_instance *instance) {
  pid_t group = instance->process.pid;
  int output = instance->process.output;
  if (output >= 0) read_output(instance); /* its last words, before the pipe is closed */
  if (!psp_process_ended(&instance->process)) return false;
  kill(-group, SIGKILL);
  psp_function_output_end(&instance->out, log_output, instance);
  return true;
}

static void end(psp_function_instance *instance, int64_t now_ns) {
  if (now_ns < instance->end_ns) {
    instance->due_ns = instance->end_ns;
    return;
  }
  if (!instance->told) {
    instance->told = true;
    instance->kill_ns = now_ns + instance->function->grace_ns;
    kill(-instance->process.pid, SIGTERM);
  }
  if (now_ns < instance->kill_ns) {
    instance->due_ns = instance->kill_ns;
    return;
  }
  kill(-instance->process.pid, SIGKILL);
}

/* Whoever ends the last of them wakes the keeper: the instance is ending. */
static bool has_flights(const psp_function_instance *instance) {
  pthread_mutex_t *lock = &instance->function->host->lock;
  pthread_mutex_lock(lock);
  bool has = instance->flights > 0;
  pthread_mutex_unlock(lock);
  return has;
}

bool psp_function_instance_step(psp_function_instance *instance, int64_t now_ns) {
  psp_function_host *host = instance->function->host;
  instance->due_ns = INT64_MAX;
  pthread_mutex_lock(&host->lock);
  psp_instance_state state = instance->state;
  pthread_mutex_unlock(&host->lock);
  if (!instance->begun && state == PSP_INSTANCE_STARTING) begin(instance, now_ns);
  if (instance->process.pid > 0 && has_ended(instance)) on_end(instance, state, now_ns);
  if (instance->process.pid == 0) return has_flights(instance);
  if (state == PSP_INSTANCE_STARTING) await_ready(instance, now_ns);
  if (state == PSP_INSTANCE_ENDING) end(instance, now_ns);
  if (instance->handle < 0 && now_ns + NO_HANDLE_NS < instance->due_ns)
    instance->due_ns = now_ns + NO_HANDLE_NS;
  return true;
}
