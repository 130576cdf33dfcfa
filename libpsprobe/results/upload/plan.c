/* SPDX-License-Identifier: MIT */
#include "results/upload/plan.h"

#include "http/client/date.h"
#include "os/clock.h"

/* How long a request may take, and one that only looks whether the service is there. */
#define REQUEST_NS (30 * PSP_SECOND_NS)
#define GLANCE_NS  (10 * PSP_SECOND_NS)

/* Firestore's ramp, in writes a second, and what a service that is too busy is left in peace to. */
#define RATE_FIRST  500.0
#define RATE_MOST   10000.0
#define RATE_LEAST  5.0
#define RATE_FREE   1e9 /* an emulator's */
#define RAMP_FACTOR 1.5
#define RAMP_NS     (300 * PSP_SECOND_NS)
/* A request has at most a fifth of a second's writes: no second has more than its share. */
#define REQUESTS_A_SECOND 5

void psp_plan_init(psp_plan *plan, bool ramped) {
  *plan = (psp_plan){.ramped = ramped,
                     .fresh = true,
                     .rate = ramped ? RATE_FIRST : RATE_FREE,
                     .back_to = INT64_MAX,
                     .most = PSP_PLAN_MOST};
}

/* The ramp's rate by now. */
static double ceiling(const psp_plan *plan, int64_t now) {
  double rate = RATE_FIRST;
  if (!plan->ramped) return RATE_FREE;
  for (int64_t t = plan->began; now - t >= RAMP_NS && rate < RATE_MOST; t += RAMP_NS)
    rate *= RAMP_FACTOR;
  return rate < RATE_MOST ? rate : RATE_MOST;
}

static size_t size_of(const psp_plan *plan) {
  if (plan->attempts > 0) return 1;
  double share = plan->rate / REQUESTS_A_SECOND;
  return share >= (double)plan->most ? plan->most : share < 1 ? 1 : (size_t)share;
}

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static psp_plan_step wait_until(int64_t until) {
  return (psp_plan_step){.act = PSP_PLAN_WAIT, .until = until};
}

/* All that was sent is back: where the next request begins. @return false: it is not time yet */
static bool begin(psp_plan *plan, int64_t now) {
  bool again = plan->round != 0 && now >= plan->round;
  if (plan->round != 0 && !again && !plan->fresh) return false;
  if (again || !plan->left) {
    plan->after = plan->round = 0;
    plan->left = plan->runs_offered = false;
  } else if (plan->back_to < plan->after) {
    plan->after = plan->back_to;
  }
  plan->back_to = INT64_MAX;
  plan->over = false;
  return true;
}

/* Another beside those that are in flight: while all goes well, and there is more to take. */
static bool can_join(const psp_plan *plan) {
  return !plan->over && plan->most == PSP_PLAN_MOST && plan->flying < PSP_PLAN_FLIGHTS;
}

psp_plan_step psp_plan_next(psp_plan *plan, int64_t now) {
  int64_t until = later(plan->paced, later(plan->held, plan->look));
  if (psp_plan_is_idle(plan) || plan->taking || (plan->flying > 0 && !can_join(plan)))
    return (psp_plan_step){.act = PSP_PLAN_REST};
  if (now < until) return wait_until(until);
  if (plan->flying == 0 && !begin(plan, now)) return wait_until(plan->round);
  bool alone = plan->flying++ == 0;
  plan->fresh = plan->idle = false;
  plan->taking = true;
  plan->sent = now;
  if (plan->began == 0) plan->began = now;
  return (psp_plan_step){.act = PSP_PLAN_SEND,
                         .number = ++plan->number,
                         .after = plan->after,
                         .most = size_of(plan),
                         .runs = alone && !plan->runs_offered,
                         .patience_ns = plan->attempts > 0 ? GLANCE_NS : REQUEST_NS};
}

void psp_plan_taken(psp_plan *plan, const psp_plan_step *step, size_t rows, size_t runs,
                    int64_t last) {
  plan->taking = false;
  plan->paced = later(plan->paced, plan->sent) +
                (int64_t)((double)(rows + runs) / plan->rate * PSP_SECOND_NS);
  if (rows > 0) plan->after = last;
  if (rows == step->most) return;
  plan->over = true;
  plan->runs_offered |= step->runs;
}

bool psp_plan_can_pass(const psprobe_error *error) {
  switch (error->code) {
    case PSPROBE_UNAUTHENTICATED:
    case PSPROBE_PERMISSION_DENIED:
    case PSPROBE_NOT_FOUND:
    case PSPROBE_FAILED_PRECONDITION:
    case PSPROBE_INVALID_ARGUMENT:
    case PSPROBE_OUT_OF_RANGE:
    case PSPROBE_UNIMPLEMENTED:
      return error->http_status != 0 && !error->from_service;
    default:
      return true;
  }
}

/*
 * How long to wait after the nth failure: half a second doubling, of which chance takes up to half
 * away. What may be over in a moment is looked at again within two seconds, the rest within a
 * minute.
 */
static int64_t pause_of(const psprobe_error *error, unsigned nth, uint64_t random) {
  int64_t most = psp_plan_can_pass(error) ? 2 * PSP_SECOND_NS : 60 * PSP_SECOND_NS;
  int64_t wait = 500 * PSP_MS_NS;
  for (unsigned i = 1; i < nth && wait < most; i++)
    wait *= 2;
  if (wait > most) wait = most;
  return wait / 2 + (int64_t)(random % ((uint64_t)(wait / 2) + 1));
}

/* The service has too much to do, and says so. */
static bool is_pushback(const psprobe_error *error) {
  return error->code == PSPROBE_RESOURCE_EXHAUSTED || error->http_status == 503;
}

static void slow_down(psp_plan *plan) {
  plan->rate = plan->rate > RATE_FIRST ? RATE_FIRST : plan->rate / 4;
  if (plan->rate < RATE_LEAST) plan->rate = RATE_LEAST;
}

/* What a server asked for, with chance on top, so that many who were told the same number do not
 * come back as one. */
static int64_t held_until(const psprobe_error *error, int64_t now, int64_t pause) {
  int64_t asked = error->retry_after_ns;
  if (asked <= 0) return 0;
  return now + (asked < PSP_RETRY_AFTER_MOST_NS ? asked : PSP_RETRY_AFTER_MOST_NS) + pause / 2;
}

/* Its rows are taken again, once all is back. */
static void go_back(psp_plan *plan, const psp_plan_step *step) {
  plan->over = true;
  if (step->after < plan->back_to) plan->back_to = step->after;
}

/* Sent before the last failure was known. */
static bool is_old(const psp_plan *plan, const psp_plan_step *step) {
  return step->number <= plan->troubled;
}

/* A request came to nothing: the next is a look. Several that were in flight at once are one
 * failure. */
static void back_off(psp_plan *plan, const psp_plan_step *step, const psprobe_error *error,
                     int64_t now, uint64_t random) {
  bool old = is_old(plan, step);
  if (!old) plan->attempts++;
  plan->troubled = plan->number;
  plan->most = 1;
  int64_t pause = pause_of(error, plan->attempts, random);
  plan->look = later(plan->look, now + pause);
  plan->held = later(plan->held, held_until(error, now, pause));
  if (is_pushback(error) && !old) slow_down(plan);
}

/* What was sent is refused for what is in it, or for its size. */
static bool is_content(const psprobe_error *error) {
  return error->code == PSPROBE_INVALID_ARGUMENT || error->code == PSPROBE_OUT_OF_RANGE ||
         error->http_status == 413;
}

/* One bad row, or too many rows, can make a request be refused: halve until one stands alone. */
static bool halve(psp_plan *plan, const psp_batch *batch, const psprobe_error *error) {
  if (!is_content(error) || batch->rows < 2) return false;
  if (batch->rows / 2 < plan->most) plan->most = batch->rows / 2;
  plan->troubled = plan->number;
  return true;
}

/* The service is not there, or has no time: no row's fault. */
static bool is_outage(const psprobe_error *error) {
  return error->code == PSPROBE_UNAVAILABLE || error->code == PSPROBE_RESOURCE_EXHAUSTED;
}

/* Whether it can have been the row alone that made its request fail, so that others go before it.
 */
static bool may_be_the_row(const psprobe_error *error) {
  return is_content(error) || (psp_plan_can_pass(error) && !is_outage(error));
}

/* All were offered: what failed is offered again after a while, and new rows meanwhile. */
static void end_pass(psp_plan *plan, const psp_plan_step *step, int64_t now, uint64_t random) {
  if (plan->flying > 0) return;
  if (plan->left) {
    if (plan->round == 0) plan->round = now + pause_of(&plan->failure, ++plan->rounds, random);
  } else if (step->after == 0) {
    plan->idle = true;
    plan->rounds = 0;
  }
}

/* The request was answered, row by row. */
static void digest(psp_plan *plan, const psp_plan_step *step, const psp_batch *batch, int64_t now) {
  plan->left |= batch->again > 0;
  if (is_old(plan, step)) return;
  if (batch->again > 0 && is_pushback(&batch->failure)) slow_down(plan);
  plan->attempts = 0;
  plan->look = plan->held = 0;
  plan->most = plan->most * 2 < PSP_PLAN_MOST ? plan->most * 2 : PSP_PLAN_MOST;
  double most = ceiling(plan, now);
  plan->rate += (double)batch->moved / 2;
  if (plan->rate > most) plan->rate = most;
}

bool psp_plan_outcome(psp_plan *plan, const psp_plan_step *step, const psp_batch *batch,
                      const psprobe_error *error, int64_t now, uint64_t random) {
  plan->flying--;
  if (error == NULL && batch->rows == 0) {
    end_pass(plan, step, now, random);
    return false;
  }
  if (error == NULL && batch->again == batch->rows && is_outage(&batch->failure))
    error = &batch->failure; /* told row by row */
  if (error == NULL) {
    if (batch->again > 0) plan->failure = batch->failure;
    digest(plan, step, batch, now);
    return batch->again > 0;
  }
  bool behind = batch->rows == 1 && may_be_the_row(error);
  if (behind)
    plan->left = true;
  else
    go_back(plan, step);
  if (halve(plan, batch, error)) return false;
  plan->failure = *error;
  back_off(plan, step, error, now, random);
  return true;
}

void psp_plan_rows(psp_plan *plan) {
  plan->fresh = true;
}

void psp_plan_hurry(psp_plan *plan, int64_t now) {
  if (plan->look > now) plan->look = now;
  if (plan->round > now) plan->round = now;
}

bool psp_plan_is_idle(const psp_plan *plan) {
  return plan->idle && !plan->fresh && plan->flying == 0;
}
