/* SPDX-License-Identifier: MIT */
/** @file
 * The page of a million probes beside the summary of them; what taking a result costs the live
 * page; and answers through a prober's server with 200 idle pages open beside none. Medians of
 * rounds count.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <psprobe/dashboard.h>

#include "bench.h"
#include "fake_client.h"
#include "report/report.h"
#include "scratch.h"
#include "stats/rng.h"

#define PROBES      1000000
#define ROUNDS      9
#define REQUESTS    10000
#define PAGES       200
#define PAGE_ROUNDS 30
#define PAGE        "build/bench-report.html"

static double since_ms(int64_t begin_ns) {
  return (double)(psprobe_clock_monotonic() - begin_ns) / 1e6;
}

static double quantile(double *values, size_t count, double p) {
  qsort(values, count, sizeof *values, bench_by_double);
  return values[(size_t)(p * (double)(count - 1))];
}

/* ---- the page ---- */

/* 58 days of probes: a heavy tail, some lost, some cold. */
static psp_columns million(void) {
  psp_rng rng;
  psp_columns columns = {0};
  psprobe_run run = scratch_run(1);
  psp_rng_seed(&rng, 1);
  psp_columns_set_sources(&columns, run.sources, run.source_count);
  psp_columns_add_run(&columns, &run);
  for (uint64_t i = 0; i < PROBES; i++) {
    psprobe_result result = scratch_finished(i).result;
    double common = psp_rng_gamma(&rng, 2) * 2e6;
    for (size_t k = 0; k < 2; k++) {
      psprobe_answer *answer = &result.answers[k];
      answer->cold = k == 0 && psp_rng_uniform(&rng) < 0.002;
      answer->elapsed_ns = (int64_t)(30e6 + common + psp_rng_gamma(&rng, 1.5) * 4e6);
      if (answer->cold) answer->elapsed_ns += 100000000;
      if (psp_rng_uniform(&rng) < 1e-4)
        *answer = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
    }
    psp_columns_add(&columns, 0, &result, result.sent_wall_ns);
  }
  return columns;
}

static void bench_open(void) {
  double ms = 0;
  fflush(stdout);
  FILE *out = popen("node tests/browser/opened.mjs " PAGE " 2>/dev/null", "r");
  bool told = out != NULL && fscanf(out, "%lf", &ms) == 1;
  if (out != NULL && pclose(out) == 0 && told)
    printf("report page, 1 M probes, opened in Chromium: ours %.0f ms, peer none (aim < 2000 ms)\n",
           ms);
  else
    printf(
        "report page, opened: not measured, there is no Chromium with playwright-core here "
        "(tests/interop/install.sh tests/browser)\n");
}

static void bench_page(void) {
  psp_columns columns = million();
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  int64_t begin = psprobe_clock_monotonic();
  bench_need(psp_report_new(&columns, &report, &error) == PSPROBE_OK, error.message);
  double summary_ms = since_ms(begin);
  begin = psprobe_clock_monotonic();
  char *page = psprobe_report_html(report);
  double page_ms = since_ms(begin);
  bench_need(page != NULL, "no page");
  printf(
      "report page, 1 M probes, time beside the summary: ours %.0f ms, peer %.0f ms, ratio %.2f "
      "(aim <= 1)\n",
      page_ms, summary_ms, page_ms / summary_ms);
  printf("report page, 1 M probes, size: ours %.2f MB, peer none (aim < 3 MB)\n",
         (double)strlen(page) / 1e6);
  FILE *file = fopen(PAGE, "w");
  bench_need(file != NULL && fputs(page, file) >= 0 && fclose(file) == 0, "cannot write " PAGE);
  free(page);
  psprobe_report_free(report);
  bench_open();
}

/* ---- the live page ---- */

/* A prober that sends nothing, with its page. */
typedef struct live {
  void *google;
  psprobe_prober *prober;
  psprobe_dashboard *dashboard;
} live;

static live begin_live(void) {
  live l = {0};
  psprobe_error error = {0};
  psprobe_run run = scratch_run(1);
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  psprobe_dashboard_options page = {.listen = "127.0.0.1:0"};
  fake_client_setup(&l.google);
  fake_client *google = l.google;
  bench_need(
      psprobe_prober_new(google->client, &options, &l.prober, &error) == PSPROBE_OK &&
          psprobe_dashboard_new(l.prober, NULL, &run, &page, &l.dashboard, &error) == PSPROBE_OK,
      error.message);
  return l;
}

static void end_live(live *l) {
  psprobe_dashboard_free(l->dashboard);
  psprobe_prober_free(l->prober);
  fake_client_teardown(&l->google);
}

/* What a result costs the live page, on the collector's thread, beside two reads of the clock. */
static void bench_take(void) {
  enum { COUNT = 200000 };
  double ours[ROUNDS], peer[ROUNDS];
  live l = begin_live();
  for (int round = 0; round < ROUNDS; round++) {
    int64_t begin = psprobe_clock_monotonic();
    for (uint64_t i = 0; i < COUNT; i++) {
      psprobe_finished finished = scratch_finished((uint64_t)round * COUNT + i);
      finished.fresh = 3;
      psprobe_dashboard_sink(l.dashboard, &finished, 1);
    }
    ours[round] = since_ms(begin) * 1e6 / COUNT;
    begin = psprobe_clock_monotonic();
    for (uint64_t i = 0; i < COUNT; i++) {
      (void)psprobe_clock_monotonic();
      (void)psprobe_clock_wall();
    }
    peer[round] = since_ms(begin) * 1e6 / COUNT;
  }
  double a = quantile(ours, ROUNDS, 0.5), b = quantile(peer, ROUNDS, 0.5);
  printf(
      "live page, a result taken, off the timing path: ours %.0f ns, peer (two clock reads) %.0f "
      "ns, ratio %.2f (aim none)\n",
      a, b, a / b);
  end_live(&l);
}

static int connect_to(const char *url) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_port = htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10));
  bench_need(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "cannot connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void ask(int fd, const char *request, const char *want) {
  char answer[2048];
  size_t len = strlen(request);
  bench_need(send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len, "cannot send");
  ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
  answer[got > 0 ? got : 0] = '\0';
  bench_need(strstr(answer, want) != NULL, answer);
}

/* Answers of no probe that is known: the server, the route and the registry's look-up. Asked of the
 * prober with pages and of the one without by turns, so that what else this machine does hits both.
 */
static void ask_both(const int fds[2], double *took[2]) {
  static const char request[] =
      "POST /cloud_function/0123456789abcdef0123456789abcdef HTTP/1.1\r\n"
      "Host: x\r\nContent-Length: 0\r\n\r\n";
  for (int i = 0; i < REQUESTS; i++) {
    for (int turn = 0; turn < 2; turn++) {
      int who = (i + turn) % 2;
      int64_t begin = psprobe_clock_monotonic();
      ask(fds[who], request, " 404 ");
      took[who][i] = (double)(psprobe_clock_monotonic() - begin) / 1e3;
    }
  }
}

/* Each round the other prober has the pages, and connections are new: which processor a connection
 * is served on matters more than the pages do. Index 0 is with pages, 1 without. */
static void pages_round(const live l[2], int round, double p50[2], double p99[2]) {
  static double took[2][REQUESTS];
  int pages[PAGES], open = round % 2;
  int fds[2] = {connect_to(psprobe_prober_url(l[0].prober)),
                connect_to(psprobe_prober_url(l[1].prober))};
  for (int n = 0; n < PAGES; n++) {
    pages[n] = connect_to(psprobe_dashboard_url(l[open].dashboard));
    ask(pages[n], "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 ");
  }
  ask_both(fds, (double *[]){took[0], took[1]});
  for (int which = 0; which < 2; which++) {
    p50[which] = quantile(took[which ^ open], REQUESTS, 0.5);
    p99[which] = quantile(took[which ^ open], REQUESTS, 0.99);
  }
  for (int n = 0; n < PAGES; n++)
    close(pages[n]);
  close(fds[0]);
  close(fds[1]);
}

static void print_pages(const char *name, double figures[PAGE_ROUNDS][2], const char *aim) {
  double with[PAGE_ROUNDS], without[PAGE_ROUNDS];
  for (int round = 0; round < PAGE_ROUNDS; round++) {
    with[round] = figures[round][0];
    without[round] = figures[round][1];
  }
  double a = quantile(with, PAGE_ROUNDS, 0.5), b = quantile(without, PAGE_ROUNDS, 0.5);
  printf(
      "answer %s with 200 live pages open: ours %.1f us, peer (none open) %.1f us, ratio %.2f "
      "(aim %s)\n",
      name, a, b, a / b, aim);
}

static void bench_pages(void) {
  double p50[PAGE_ROUNDS][2], p99[PAGE_ROUNDS][2];
  live l[2] = {begin_live(), begin_live()};
  for (int round = 0; round < PAGE_ROUNDS; round++)
    pages_round(l, round, p50[round], p99[round]);
  print_pages("p50", p50, "none");
  print_pages("p99", p99, "<= 1.05");
  end_live(&l[0]);
  end_live(&l[1]);
}

int main(void) {
  bench_page();
  bench_take();
  bench_pages();
  return 0;
}
