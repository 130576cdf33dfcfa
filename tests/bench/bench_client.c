/* SPDX-License-Identifier: MIT */
/** @file
 * The HTTP client beside a raw keep-alive socket loop that makes the same POST to the same server,
 * a bare libmicrohttpd handler in a process of its own. Rounds alternate; the median round counts.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "http/client/transport.h"

#define ROUNDS 9
#define CALLS  2000
#define BODY   "{\"messages\":[{\"attributes\":{\"probe_id\":\"0123456789abcdef0123456789abcdef\"}}]}"

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **state) {
  (void)url, (void)method, (void)version, (void)data;
  if (*state == NULL) {
    *state = arg;
    return MHD_YES;
  }
  if (*len > 0) {
    *len = 0;
    return MHD_YES;
  }
  return MHD_queue_response(connection, 200, arg);
}

/* Forks the server. @return its port */
static int start_server(pid_t *pid) {
  int pipes[2];
  bench_need(pipe(pipes) == 0, "pipe");
  *pid = fork();
  bench_need(*pid >= 0, "fork");
  if (*pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    static char body[] = "{\n  \"messageIds\": [\n    \"1\"\n  ]\n}\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END);
    int port = daemon != NULL ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port : 0;
    if (write(pipes[1], &port, sizeof port) < 0) _exit(1);
    for (;;)
      pause();
  }
  int port = 0;
  bench_need(read(pipes[0], &port, sizeof port) == sizeof port && port > 0,
             "the server did not start");
  close(pipes[0]);
  close(pipes[1]);
  return port;
}

typedef struct figures {
  double p50, p99;
} figures;

static figures summarize(int64_t *samples) {
  qsort(samples, CALLS, sizeof *samples, bench_by_int64);
  return (figures){(double)samples[CALLS / 2] / 1e3, (double)samples[CALLS * 99 / 100] / 1e3};
}

static figures raw_round(int port) {
  static int64_t samples[CALLS];
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  bench_need(connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char request[1024], reply[4096];
  int len = snprintf(request, sizeof request,
                     "POST /v1/projects/p/topics/t:publish HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     port, strlen(BODY), BODY);
  for (int i = -100; i < CALLS; i++) {
    int64_t start = bench_now_ns();
    bench_need(send(fd, request, (size_t)len, 0) == len, "send");
    size_t got = 0;
    do {
      ssize_t n = recv(fd, reply + got, sizeof reply - 1 - got, 0);
      bench_need(n > 0, "recv");
      got += (size_t)n;
      reply[got] = 0;
    } while (strstr(reply, "]\n}\n") == NULL);
    if (i >= 0) samples[i] = bench_now_ns() - start;
  }
  close(fd);
  return summarize(samples);
}

typedef struct pending {
  sem_t done;
  int64_t end;
  int status;
} pending;

static void done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  pending *p = arg;
  p->end = bench_now_ns();
  p->status = response != NULL ? response->status : -(int)error->code;
  sem_post(&p->done);
}

static figures our_round(psp_http *http, int port, bool call) {
  static int64_t samples[CALLS];
  char url[128];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/projects/p/topics/t:publish", port);
  const psp_header headers[] = {{"Content-Type", "application/json"}};
  psp_http_request request = {.method = "POST",
                              .url = url,
                              .headers = headers,
                              .header_count = 1,
                              .body = BODY,
                              .body_len = strlen(BODY)};
  pending p;
  psp_http_result result = {0};
  sem_init(&p.done, 0, 0);
  for (int i = -100; i < CALLS; i++) {
    int64_t start = bench_now_ns();
    if (call) {
      bench_need(psp_http_call(http, &request, &result, NULL) == PSPROBE_OK, "call");
      p.status = result.status;
      p.end = bench_now_ns();
    } else {
      bench_need(psp_http_send(http, &request, done, &p, NULL, NULL) == PSPROBE_OK, "send");
      sem_wait(&p.done);
    }
    bench_need(p.status == 200, "not 200");
    if (i >= 0) samples[i] = p.end - start;
  }
  psp_http_result_free(&result);
  sem_destroy(&p.done);
  return summarize(samples);
}

static void print(const char *name, double *ours, double *peer, const char *aim) {
  double a = bench_median(ours, ROUNDS), b = bench_median(peer, ROUNDS);
  printf("%s: ours %.1f us, peer %.1f us, ratio %.2f (aim %s)\n", name, a, b, a / b, aim);
}

int main(void) {
  pid_t pid;
  int port = start_server(&pid);
  psp_http *http;
  bench_need(psp_http_new(NULL, &http, NULL) == PSPROBE_OK, "client");
  double raw50[ROUNDS], raw99[ROUNDS], send50[ROUNDS], send99[ROUNDS], call50[ROUNDS],
      call99[ROUNDS], again[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    figures raw = raw_round(port), sent = our_round(http, port, false),
            called = our_round(http, port, true);
    raw50[i] = again[i] = raw.p50;
    raw99[i] = raw.p99;
    send50[i] = sent.p50;
    send99[i] = sent.p99;
    call50[i] = called.p50;
    call99[i] = called.p99;
  }
  print("http client, send to callback, p50", send50, raw50, "<= 1.15");
  print("http client, send to callback, p99", send99, raw99, "<= 1.15");
  print("http client, blocking call, p50", call50, again, "none");
  print("http client, blocking call, p99", call99, raw99, "none");
  psp_http_free(http);
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
  return 0;
}
