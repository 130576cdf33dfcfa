/* SPDX-License-Identifier: MIT */
/** @file
 * The HTTP server under wrk, beside a bare libmicrohttpd handler that answers 200 with the same
 * threads and flags. Rounds alternate, and so does who goes first; medians count.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "http/server/server.h"

#define ROUNDS      7
#define SECONDS     2
#define CONNECTIONS 16

/* wrk has a core of its own: with more threads than cores it is the scheduler's slices that count,
 * and libmicrohttpd's own accepting leaves all connections to one thread, where ours shares them
 * out. */
static unsigned threads(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 2 ? (unsigned)cores - 1 : 1;
}

/* ---- ours: what the prober's answer route does with a request, less the registry ---- */

static void answer(void *arg, psp_exchange *x) {
  const char *source = psp_exchange_segment(x, 0), *id = psp_exchange_segment(x, 1);
  bench_need(source != NULL && id != NULL && psp_exchange_received_ns(x) > 0, "no segments");
  psp_exchange_reply_shared(x, arg);
}

/* ---- the peer ---- */

static enum MHD_Result answer_bare(void *arg, struct MHD_Connection *connection, const char *url,
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

static int start_bare(void) {
  unsigned count = threads();
  static char body[] = "{}";
  struct MHD_Response *response = MHD_create_response_from_buffer(2, body, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(response, "Content-Type", "application/json");
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer_bare,
      response, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, 1000,
      MHD_OPTION_CONNECTION_TIMEOUT, 120, count > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
      count, MHD_OPTION_END);
  bench_need(daemon != NULL, "libmicrohttpd does not start");
  return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* ---- wrk ---- */

typedef struct figures {
  double rate, p50_us, p99_us;
} figures;

static double latency_us(const char *text) {
  char unit[4] = "";
  double value = 0;
  bench_need(sscanf(text, "%lf%3[a-z]", &value, unit) == 2, "wrk says no latency");
  return strcmp(unit, "us") == 0 ? value : strcmp(unit, "ms") == 0 ? value * 1e3 : value * 1e6;
}

static figures run_wrk(const char *script, int port) {
  char command[512], line[256], word[32];
  figures f = {0};
  snprintf(command, sizeof command,
           "wrk -t1 -c%d -d%ds --latency -s %s "
           "http://127.0.0.1:%d/cloud_function/0123456789abcdef0123456789abcdef",
           CONNECTIONS, SECONDS, script, port);
  FILE *out = popen(command, "r");
  bench_need(out != NULL, "wrk does not start");
  while (fgets(line, sizeof line, out) != NULL) {
    if (sscanf(line, " 50%% %31s", word) == 1) f.p50_us = latency_us(word);
    if (sscanf(line, " 99%% %31s", word) == 1) f.p99_us = latency_us(word);
    sscanf(line, "Requests/sec: %lf", &f.rate);
    bench_need(strstr(line, "Non-2xx") == NULL && strstr(line, "Socket errors") == NULL, line);
  }
  bench_need(pclose(out) == 0 && f.rate > 0 && f.p99_us > 0, "wrk failed (is it installed?)");
  return f;
}

static void print(const char *name, const char *unit, const double *ours, const double *peer,
                  const char *aim) {
  double a[ROUNDS], b[ROUNDS];
  memcpy(a, ours, sizeof a);
  memcpy(b, peer, sizeof b);
  qsort(a, ROUNDS, sizeof *a, bench_by_double);
  qsort(b, ROUNDS, sizeof *b, bench_by_double);
  printf("%s: ours %.0f %s, peer %.0f %s, ratio %.2f (aim %s)\n", name, a[ROUNDS / 2], unit,
         b[ROUNDS / 2], unit, a[ROUNDS / 2] / b[ROUNDS / 2], aim);
}

int main(void) {
  if (system("command -v wrk >/dev/null") != 0) {
    printf("http server: NOT MEASURED, wrk is missing (apt-get install wrk)\n");
    return 0;
  }
  psp_reply *reply = psp_reply_new(200, "application/json", "{}", 2);
  const psp_route route = {"POST", "/{}/{}", answer, reply};
  psp_server_options options = {
      .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .threads = threads()};
  psp_server *server;
  psprobe_error error = {0};
  bench_need(reply != NULL && psp_server_new(&options, &server, &error) == PSPROBE_OK,
             error.message);
  int ports[2] = {psp_server_port(server), start_bare()};

  char script[] = "/tmp/psprobe-wrk-XXXXXX";
  int fd = mkstemp(script);
  static const char text[] = "wrk.method = \"POST\"\n";
  bench_need(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1, "no script for wrk");
  close(fd);
  double rate[2][ROUNDS], p50[2][ROUNDS], p99[2][ROUNDS];
  for (int i = 0; i < ROUNDS * 2; i++) {
    int round = i / 2, who = (i + round) % 2;
    figures f = run_wrk(script, ports[who]);
    rate[who][round] = f.rate;
    p50[who][round] = f.p50_us;
    p99[who][round] = f.p99_us;
  }
  unlink(script);
  print("http server, answers per second", "/s", rate[0], rate[1], ">= 0.85");
  print("http server, answer p50", "us", p50[0], p50[1], "none");
  print("http server, answer p99", "us", p99[0], p99[1], "<= 1.20");
  psp_server_free(server);
  psp_reply_free(reply);
  return 0;
}
