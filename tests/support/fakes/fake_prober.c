/* SPDX-License-Identifier: MIT */
#include "fake_prober.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "prober/answers.h"

static void copy(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from != NULL ? from : "");
}

static void on_request(void *arg, psp_exchange *exchange) {
  fake_prober *p = arg;
  pthread_mutex_lock(&p->lock);
  if (p->count < FAKE_PROBER_MAX) {
    fake_prober_request *r = &p->requests[p->count++];
    copy(r->method, sizeof r->method, psp_exchange_method(exchange));
    copy(r->path, sizeof r->path, psp_exchange_path(exchange));
    copy(r->cold, sizeof r->cold, psp_exchange_header(exchange, PSPROBE_HEADER_COLD));
    copy(r->handled, sizeof r->handled, psp_exchange_header(exchange, PSPROBE_HEADER_HANDLED));
    copy(r->instance, sizeof r->instance, psp_exchange_header(exchange, PSPROBE_HEADER_INSTANCE));
    copy(r->invocation, sizeof r->invocation,
         psp_exchange_header(exchange, PSPROBE_HEADER_INVOCATION));
    copy(r->sent, sizeof r->sent, psp_exchange_header(exchange, PSPROBE_HEADER_SENT));
    copy(r->exchange, sizeof r->exchange, psp_exchange_header(exchange, PSPROBE_HEADER_EXCHANGE));
    copy(r->authorization, sizeof r->authorization, psp_exchange_header(exchange, "Authorization"));
  }
  int status = p->script[p->at];
  if (p->script[p->at + 1] != 0) p->at++;
  if (status == FAKE_HOLD) p->held[p->held_count++] = exchange;
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
  if (status == FAKE_HOLD) return;
  static const char page[] = "<html>a page</html>";
  if (status == 302)
    psp_exchange_set_header(exchange, "Location", "https://elsewhere.example/x?k=s");
  if (status == FAKE_STRANGER || status == FAKE_LOGIN)
    psp_exchange_reply(exchange, status == FAKE_LOGIN ? 200 : 404, "text/html", page,
                       sizeof page - 1);
  else if (status >= 400)
    psp_exchange_reply_error(exchange, status, psp_code_from_http(status),
                             status == 404 ? PSP_NO_PROBE : "as the script says");
  else {
    psp_exchange_set_header(exchange, PSPROBE_HEADER_RECEIVED, FAKE_PROBER_RECEIVED);
    psp_exchange_set_header(exchange, PSPROBE_HEADER_ANSWERED, FAKE_PROBER_ANSWERED);
    psp_exchange_reply(exchange, status, NULL, "", 0);
  }
}

fake_prober *fake_prober_new(int port, const int *script) {
  fake_prober *p = calloc(1, sizeof *p);
  assert_non_null(p);
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->changed, NULL);
  p->script = script;
  char listen[40];
  snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
  const psp_route routes[] = {{"*", "/*", on_request, p}};
  psp_server_options options = {.listen = listen, .routes = routes, .route_count = 1};
  psprobe_error error = {0};
  if (psp_server_new(&options, &p->server, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return p;
}

void fake_prober_release(fake_prober *p, int status) {
  pthread_mutex_lock(&p->lock);
  size_t count = p->held_count;
  p->held_count = 0;
  pthread_mutex_unlock(&p->lock);
  for (size_t i = 0; i < count; i++)
    psp_exchange_reply(p->held[i], status, NULL, "", 0);
}

void fake_prober_free(fake_prober *p) {
  if (p == NULL) return;
  fake_prober_release(p, 503);
  psp_server_free(p->server);
  pthread_cond_destroy(&p->changed);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

const char *fake_prober_url(const fake_prober *p) {
  return psp_server_url(p->server);
}

void fake_prober_wait(fake_prober *p, size_t count) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  int rc = 0;
  pthread_mutex_lock(&p->lock);
  while (p->count < count && rc == 0)
    rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
  size_t seen = p->count;
  pthread_mutex_unlock(&p->lock);
  if (seen < count) fail_msg("%zu requests came, not %zu", seen, count);
}

size_t fake_prober_count(fake_prober *p) {
  pthread_mutex_lock(&p->lock);
  size_t count = p->count;
  pthread_mutex_unlock(&p->lock);
  return count;
}

psprobe_client *fake_prober_client(void) {
  psprobe_client_options options = {
      .project = "demo-p", .pubsub_emulator = "127.0.0.1:1", .firestore_emulator = "127.0.0.1:1"};
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  if (psprobe_client_new(&options, &client, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return client;
}

static void count_line(void *arg, psprobe_log_level level, const char *line) {
  log_counter *counter = arg;
  (void)level;
  if (strstr(line, counter->word) == NULL) return;
  if (atomic_fetch_add(&counter->count, 1) == 0) copy(counter->last, sizeof counter->last, line);
}

psprobe_logger log_counter_logger(log_counter *counter) {
  return (psprobe_logger){count_line, counter, PSPROBE_LOG_DEBUG};
}
