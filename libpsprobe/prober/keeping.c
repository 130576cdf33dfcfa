/* SPDX-License-Identifier: MIT */
#include "prober/keeping.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "os/clock.h"
#include "prober/ahead.h"
#include "prober/replying.h"

/* From one commit to the next; and from what asks for one until it begins, since another answer is
 * often on its way then, which is to find the processor free, and goes along. */
#define GATHER_NS (2 * PSP_MS_NS)
#define SETTLE_NS PSP_MS_NS
/* A probe whose slot has come waits so long for being kept; then the next has its turn. */
#define AWAIT_NS (2 * PSP_SECOND_NS)
/* What cannot be kept is tried again after this. */
#define RETRY_NS (250 * PSP_MS_NS)
/* Most that one commit takes of each. */
#define ARRIVALS 256
#define SENT     4096

/* Who waits for a 200. */
typedef struct waiting {
  struct waiting *next;
  psp_exchange *exchange;
  psprobe_arrival arrival;
} waiting;

struct psp_keeping {
  psprobe_prober *prober;
  psprobe_prober_keep *keep;
  void *arg;
  psp_ahead ahead[PSP_LINES];

  pthread_mutex_t lock; /* of the next three */
  waiting *first, **end;
  bool over;

  /* The keeping thread's. */
  atomic_bool failing;
  int64_t kept_ns; /* when it was done last */
  size_t planned_of[PSP_LINES], sent_of[PSP_LINES];
  psprobe_planned planned[PSP_LINES * PSP_AHEAD_BLOCK];
  psprobe_sent sent[SENT];
  psprobe_arrival arrivals[ARRIVALS];
};

psp_keeping *psp_keeping_new(psprobe_prober *prober, psprobe_prober_keep *keep, void *arg) {
  psp_keeping *keeping = calloc(1, sizeof *keeping);
  if (keeping == NULL) return NULL;
  keeping->prober = prober;
  keeping->keep = keep;
  keeping->arg = arg;
  keeping->end = &keeping->first;
  pthread_mutex_init(&keeping->lock, NULL);
  return keeping;
}

void psp_keeping_free(psp_keeping *keeping) {
  if (keeping == NULL) return;
  for (size_t i = 0; i < PSP_LINES; i++)
    psp_ahead_clear(&keeping->ahead[i]);
  pthread_mutex_destroy(&keeping->lock);
  free(keeping);
}

/* ---- who waits ---- */

bool psp_keeping_defer(psp_keeping *keeping, psp_exchange *exchange,
                       const psprobe_arrival *arrival) {
  waiting *w = malloc(sizeof *w);
  if (w == NULL) {
    psp_reply_again(exchange);
    return true;
  }
  *w = (waiting){.exchange = exchange, .arrival = *arrival};
  pthread_mutex_lock(&keeping->lock);
  bool over = keeping->over, first = keeping->first == NULL;
  if (!over) {
    *keeping->end = w;
    keeping->end = &w->next;
  }
  pthread_mutex_unlock(&keeping->lock);
  if (over) free(w);
  if (!over && first) psprobe_registry_wake(keeping->prober->registry);
  return !over;
}

/* Takes the first of those who wait, as many as there is room for, off the list. */
static waiting *take_waiting(psp_keeping *keeping, size_t *count) {
  pthread_mutex_lock(&keeping->lock);
  waiting *first = keeping->first, **at = &keeping->first;
  for (*count = 0; *at != NULL && *count < ARRIVALS; at = &(*at)->next)
    keeping->arrivals[(*count)++] = (*at)->arrival;
  keeping->first = *at;
  if (*at == NULL) keeping->end = &keeping->first;
  *at = NULL;
  pthread_mutex_unlock(&keeping->lock);
  return *count > 0 ? first : NULL;
}

static void answer_all(const psp_keeping *keeping, waiting *first, bool kept) {
  while (first != NULL) {
    waiting *w = first;
    first = w->next;
    if (kept)
      psp_reply_taken(keeping->prober, w->exchange, w->arrival.answer.facts.sent_wall_ns != 0);
    else
      psp_reply_again(w->exchange);
    free(w);
  }
}

/* ---- keeping ---- */

static void gather(psp_keeping *keeping, psprobe_news *news) {
  int64_t now_ns = psprobe_clock_monotonic();
  news->planned = keeping->planned;
  news->sent = keeping->sent;
  news->arrivals = keeping->arrivals;
  bool sends = !atomic_load(&keeping->prober->sending_done);
  for (size_t i = 0; i < PSP_LINES; i++) {
    psp_ahead *ahead = &keeping->ahead[i];
    keeping->sent_of[i] =
        psp_ahead_sent(ahead, &keeping->sent[news->sent_count], SENT - news->sent_count);
    keeping->planned_of[i] = sends ? psp_ahead_make(ahead, now_ns, keeping->prober->wall_offset_ns,
                                                    &keeping->planned[news->planned_count])
                                   : 0;
    news->sent_count += keeping->sent_of[i];
    news->planned_count += keeping->planned_of[i];
  }
}

static void pass(psp_keeping *keeping) {
  for (size_t i = 0; i < PSP_LINES; i++) {
    psp_ahead_note(&keeping->ahead[i], keeping->sent_of[i]);
    psp_ahead_kept(&keeping->ahead[i], keeping->planned_of[i]);
  }
}

static void tell(psp_keeping *keeping, const psprobe_error *error) {
  psp_log_line line;
  bool failing = error != NULL;
  if (failing == keeping->failing) return;
  keeping->failing = failing;
  if (!psp_log_begin(&line, &keeping->prober->logger,
                     failing ? PSPROBE_LOG_ERROR : PSPROBE_LOG_WARNING,
                     failing ? "sending_waits" : "sending_goes_on"))
    return;
  if (failing) psp_log_error(&line, error);
  psp_log_text(&line, "meaning",
               failing ? "probes cannot be kept; none is sent, once those that are kept already "
                         "have been, and responders are told to send their answers again"
                       : "probes are kept again");
  psp_log_int(&line, "withheld", (int64_t)atomic_load(&keeping->prober->withheld));
  psp_log_end(&line);
}

bool psp_keeping_round(psp_keeping *keeping, const psprobe_finished *finished, size_t count) {
  psprobe_news news = {.finished = finished, .finished_count = count};
  psprobe_error error = {0};
  waiting *first = take_waiting(keeping, &news.arrival_count);
  gather(keeping, &news);
  size_t all = news.planned_count + news.sent_count + news.arrival_count + count;
  if (all == 0) return false;
  bool kept = keeping->keep(keeping->arg, &news, &error) == PSPROBE_OK;
  keeping->kept_ns = psprobe_clock_monotonic();
  if (kept) pass(keeping);
  answer_all(keeping, first, kept);
  tell(keeping, kept ? NULL : &error);
  return news.arrival_count == ARRIVALS || (kept && news.sent_count == SENT);
}

void psp_keeping_pause(const psp_keeping *keeping) {
  int64_t settled = psprobe_clock_monotonic() + SETTLE_NS, gathered = keeping->kept_ns + GATHER_NS;
  psprobe_sleep_until(settled > gathered ? settled : gathered);
}

int64_t psp_keeping_due(const psp_keeping *keeping, int64_t now_ns) {
  int64_t due = INT64_MAX;
  if (atomic_load(&keeping->prober->sending_done)) return due;
  for (size_t i = 0; i < PSP_LINES; i++) {
    int64_t next = psp_ahead_due(&keeping->ahead[i], now_ns);
    due = next < due ? next : due;
  }
  return keeping->failing && due < now_ns + RETRY_NS ? now_ns + RETRY_NS : due;
}

psprobe_code psp_keeping_begin(psp_keeping *keeping, int64_t start_ns, psprobe_error *error) {
  const psprobe_prober *prober = keeping->prober;
  const int64_t intervals[PSP_LINES] = {prober->interval_ns, prober->cold_every_ns};
  psprobe_news news = {0};
  for (size_t i = 0; i < PSP_LINES; i++)
    if (intervals[i] > 0 &&
        !psp_ahead_init(&keeping->ahead[i], (psprobe_cadence)i, start_ns, intervals[i]))
      return psp_fail_memory(error, "prober");
  gather(keeping, &news);
  psprobe_code code = keeping->keep(keeping->arg, &news, error);
  if (code == PSPROBE_OK) pass(keeping);
  return code;
}

void psp_keeping_end(psp_keeping *keeping) {
  pthread_mutex_lock(&keeping->lock);
  keeping->over = true;
  pthread_mutex_unlock(&keeping->lock);
  while (psp_keeping_round(keeping, NULL, 0)) {
  }
}

/* ---- sending ---- */

psp_send *psp_keeping_next(const psprobe_prober *prober, psprobe_cadence cadence, bool *withheld) {
  *withheld = false;
  if (prober->keeping == NULL) return psp_send_new(prober->sender, cadence, NULL);
  const char *id = psp_ahead_next(&prober->keeping->ahead[cadence]);
  *withheld = id == NULL;
  return id == NULL ? NULL : psp_send_new(prober->sender, cadence, id);
}

psp_send *psp_keeping_await(const psprobe_prober *prober, psprobe_cadence cadence, bool *withheld) {
  int64_t now_ns = psprobe_clock_monotonic(), until_ns = now_ns + AWAIT_NS;
  psp_send *send = psp_keeping_next(prober, cadence, withheld);
  while (*withheld && now_ns < until_ns && !atomic_load(&prober->keeping->failing) &&
         atomic_load(&prober->stops) == 0) {
    psprobe_sleep_until(now_ns + PSP_MS_NS);
    now_ns = psprobe_clock_monotonic();
    send = psp_keeping_next(prober, cadence, withheld);
  }
  return send;
}

void psp_keeping_sent(const psprobe_prober *prober, psprobe_cadence cadence,
                      const psp_sent_at *at) {
  if (prober->keeping != NULL)
    psp_ahead_use(&prober->keeping->ahead[cadence], at->intended_ns, at->sent_ns, at->wall_ns);
}
