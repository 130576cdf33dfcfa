/* SPDX-License-Identifier: MIT */
#include "books.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fibers.h"
#include "kernel.h"
#include "known.h"
#include "os/clock.h"

#define MOST_PROBES 512
#define MOST_LIVES  16

static const char *const sources[SIM_SOURCES] = {PSPROBE_CLOUD_FUNCTION, PSPROBE_REGULAR_SERVICE};

static struct {
  sim_probe probes[MOST_PROBES]; /* zeroed as each is taken: most are never touched */
  size_t count;
  sim_life_book lives[MOST_LIVES];
  unsigned life_count;
  bool full; /* the disk, in some life */
} books;

bool sim_faulty;
sim_census sim_counted;

void sim_fault(const char *format, ...) {
  va_list args;
  sim_faulty = true;
  fputs("  FAULT: ", stderr);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
}

void sim_books_begin(void) {
  books.count = books.life_count = 0;
  sim_faulty = books.full = false;
}

void sim_book_disk(int64_t for_ns) {
  sim_life_book *life =
      &books.lives[books.life_count - 1]; /* who lives, whoever it was drawn for */
  books.full = true;
  if (life->free_ns == 0)
    life->full_ns = sim_now() - PSP_SECOND_NS; /* an answer of before may not be kept yet */
  if (life->free_ns < sim_now() + for_ns) life->free_ns = sim_now() + for_ns;
}

sim_life_book *sim_book_life(void) {
  if (books.life_count == MOST_LIVES) abort();
  sim_life_book *life = &books.lives[books.life_count++];
  *life = (sim_life_book){.over_ns = -1, .ended_ns = -1};
  sim_counted.lives++;
  return life;
}

static sim_probe *find_probe(const char *id) {
  for (size_t i = 0; i < books.count; i++)
    if (strncmp(books.probes[i].id, id, PSPROBE_ID_LENGTH) == 0) return &books.probes[i];
  return NULL;
}

/* ---- what the network tells ---- */

/* The probe of a publish request; NULL: it is none. */
static const char *published_id(const sim_call *call) {
  static const char key[] = "\"probe_id\":\"";
  if (call->from != SIM_PROBER || !psp_text_ends(call->url, ":publish")) return NULL;
  const char *at = strstr(call->body, key);
  return at != NULL ? at + strlen(key) : NULL;
}

void sim_saw_request(const sim_call *call) {
  const char *id = published_id(call);
  if (id == NULL || find_probe(id) != NULL) return;
  if (books.count == MOST_PROBES) abort();
  sim_probe *probe = &books.probes[books.count++];
  memset(probe, 0, sizeof *probe);
  snprintf(probe->id, sizeof probe->id, "%.*s", PSPROBE_ID_LENGTH, id);
  probe->run = books.life_count - 1;
  probe->cold = strstr(call->url, "/rare:publish") != NULL;
  probe->sent_ns = sim_now();
  probe->published_ns = -1;
  sim_trace("probe %s is sent", probe->id);
  sim_counted.probes++;
  sim_counted.cold += probe->cold;
}

void sim_saw_answer(const sim_call *call, int status) {
  const char *id = published_id(call);
  sim_probe *probe = id != NULL ? find_probe(id) : NULL;
  if (probe != NULL && status == 200 && probe->published_ns < 0) probe->published_ns = sim_now();
}

/* "/SOURCE/ID" */
static sim_probe *probe_of(const char *path, size_t *source) {
  for (*source = 0; *source < SIM_SOURCES; (*source)++) {
    size_t len = strlen(sources[*source]);
    if (path[0] == '/' && strncmp(path + 1, sources[*source], len) == 0 && path[1 + len] == '/')
      return find_probe(path + len + 2);
  }
  return NULL;
}

int64_t sim_book_edge(const char *path, int64_t off_ns, int which) {
  size_t source;
  const sim_probe *probe = probe_of(path, &source);
  if (probe == NULL || probe->run != books.life_count - 1) return -1;
  sim_counted.edges++;
  return probe->sent_ns + which * books.lives[probe->run].timeout_ns + off_ns;
}

void sim_saw_arrival(const sim_call *call, int machine, const psp_exchange *exchange) {
  size_t source;
  if (machine != SIM_PROBER || strcmp(call->method, "POST") != 0) return;
  sim_probe *probe = probe_of(sim_call_path(call), &source);
  if (probe == NULL || probe->run != books.life_count - 1) return; /* of a life before */
  if (probe->count[source] == SIM_MOST_ANSWERS) abort();
  sim_arrival *arrival = &probe->arrivals[source][probe->count[source]++];
  *arrival = (sim_arrival){.at_ns = sim_now(), .exchange = exchange};
  snprintf(arrival->delivery, sizeof arrival->delivery, "%s/%s",
           psp_exchange_header(exchange, PSPROBE_HEADER_INSTANCE),
           psp_exchange_header(exchange, PSPROBE_HEADER_INVOCATION));
  sim_trace("arrives after %" PRId64 ": %s", sim_now() - probe->sent_ns, sim_call_path(call));
}

static sim_arrival told(sim_arrival arrival, int status) {
  arrival.status = status;
  arrival.exchange = NULL; /* another may come to have its address */
  return arrival;
}

void sim_saw_reply(const psp_exchange *exchange, int status) {
  if (sim_machine() != SIM_PROBER) return;
  for (size_t i = 0; i < books.count; i++)
    for (size_t s = 0; s < SIM_SOURCES; s++)
      for (unsigned k = 0; k < books.probes[i].count[s]; k++)
        if (books.probes[i].arrivals[s][k].exchange == exchange)
          books.probes[i].arrivals[s][k] = told(books.probes[i].arrivals[s][k], status);
}

/* ---- the balance ---- */

/* Whether all of a run is in the file. One that is killed while its disk is full holds some still.
 */
static bool has_ended(const sim_life_book *life) {
  return life->over_ns >= 0 && (life->ended_ns >= 0 || !books.full);
}

static void check_answer(const sim_probe *probe, size_t source, const psprobe_answer *answer) {
  const sim_life_book *life = &books.lives[probe->run];
  const char *name = sources[source];
  sim_bounds b = sim_known_answers(probe, source, life, has_ended(life));
  uint64_t known = psprobe_answer_came(answer->status) ? 1 + (uint64_t)answer->duplicates : 0;
  if (known < b.least || known > b.most)
    sim_fault("probe %s, %s: the file knows of %" PRIu64 " answers, the world of %" PRIu64
              " to %" PRIu64,
              probe->id, name, known, b.least, b.most);
  if (!psprobe_answer_came(answer->status)) {
    if (answer->elapsed_ns != 0)
      sim_fault("probe %s, %s: no answer, after %" PRId64 " ns", probe->id, name,
                answer->elapsed_ns);
    if (answer->status != PSPROBE_LOST && has_ended(life))
      sim_fault("probe %s, %s: interrupted, in a run that came to its end", probe->id, name);
    sim_counted.interrupted += answer->status == PSPROBE_INTERRUPTED;
    return;
  }
  int64_t first = probe->arrivals[source][0].at_ns, elapsed = first - probe->sent_ns;
  if (answer->elapsed_ns != elapsed)
    sim_fault("probe %s, %s: it took %" PRId64 " ns in the file, %" PRId64 " in the world",
              probe->id, name, answer->elapsed_ns, elapsed);
  psprobe_status status = elapsed > life->timeout_ns ? PSPROBE_LATE : PSPROBE_ANSWERED;
  if (answer->status != status)
    sim_fault("probe %s, %s: after %" PRId64 " of %" PRId64 " ns it is %s in the file", probe->id,
              name, elapsed, life->timeout_ns, answer->status == PSPROBE_LATE ? "late" : "in time");
  if (answer->received_wall_ns != sim_mono_of(SIM_PROBER, first) + life->offset_ns)
    sim_fault("probe %s, %s: received at %" PRId64 " by the run's clock", probe->id, name,
              answer->received_wall_ns);
}

static void check_sending(const sim_probe *probe, const psprobe_result *result) {
  const sim_life_book *life = &books.lives[probe->run];
  int64_t sent_ns = sim_mono_of(SIM_PROBER, probe->sent_ns) + life->offset_ns;
  if (result->sent_wall_ns != sent_ns)
    sim_fault("probe %s: sent at %" PRId64 " in the file, at %" PRId64 " by the run's clock",
              probe->id, result->sent_wall_ns, sent_ns);
  int64_t slot = probe->sent_ns - result->lateness_ns - life->started_ns;
  if ((result->cadence == PSPROBE_CADENCE_COLD) != probe->cold)
    sim_fault("probe %s: of the other cadence in the file", probe->id);
  if (result->lateness_ns < 0 || slot < 0 ||
      slot % (probe->cold ? life->cold_every_ns : life->interval_ns) != 0)
    sim_fault("probe %s: %" PRId64 " ns late, which is off the grid", probe->id,
              result->lateness_ns);
  int64_t took = probe->published_ns < 0 ? -1 : probe->published_ns - probe->sent_ns;
  bool in_time = took >= 0 && took <= life->timeout_ns && has_ended(life);
  if (result->publish_ns != took && (in_time || result->publish_ns != -1))
    sim_fault("probe %s: publishing took %" PRId64 " ns in the file, %" PRId64 " in the world",
              probe->id, result->publish_ns, took);
}

/* Whether the file does not know if it was sent: it was planned as its prober died. */
static bool is_uncertain(const psprobe_result *result) {
  bool uncertain = true;
  for (size_t s = 0; s < result->source_count; s++)
    uncertain = uncertain && result->answers[s].status == PSPROBE_UNCERTAIN;
  return uncertain;
}

static void check_row(const psprobe_row *row) {
  sim_probe *probe = find_probe(row->result.id);
  bool uncertain = is_uncertain(&row->result);
  sim_counted.uncertain += uncertain;
  if (probe == NULL) {
    if (!uncertain) sim_fault("probe %s is in the file, and was never sent", row->result.id);
    return;
  }
  if (probe->in_file) sim_fault("probe %s is in the file twice", probe->id);
  probe->in_file = true;
  if (strcmp(row->run->id, books.lives[probe->run].run) != 0)
    sim_fault("probe %s is in the file under another run", probe->id);
  if (!uncertain) check_sending(probe, &row->result);
  for (size_t s = 0; s < SIM_SOURCES; s++)
    check_answer(probe, s, &row->result.answers[s]);
}

static bool look_at_row(void *arg, const psprobe_row *row) {
  (void)arg;
  check_row(row);
  return true;
}

/* A file that takes nothing takes no answer, which is to come again. */
static bool was_full(const sim_arrival *arrival) {
  unsigned i = 0;
  while (i < books.life_count &&
         (arrival->at_ns < books.lives[i].full_ns || arrival->at_ns >= books.lives[i].free_ns))
    i++;
  return i < books.life_count;
}

/* Whether nothing came after it: the last answer of a run can find that it is over. */
static bool was_last(const sim_probe *probe, const sim_arrival *arrival) {
  for (size_t i = 0; i < books.count; i++) {
    const sim_probe *other = &books.probes[i];
    if (other->run != probe->run) continue;
    if (other->sent_ns >= arrival->at_ns) return false;
    for (size_t s = 0; s < SIM_SOURCES; s++)
      if (other->count[s] > 0 && other->arrivals[s][other->count[s] - 1].at_ns > arrival->at_ns)
        return false;
  }
  return true;
}

/* While its run goes on, an answer that is known is told so, and no other. From its end on nobody
 * need hear of it any more, but who is told 200 is believed. */
static void check_replies(const sim_probe *probe, size_t source) {
  int64_t over = books.lives[probe->run].over_ns;
  for (unsigned k = 0; k < probe->count[source]; k++) {
    const sim_arrival *arrival = &probe->arrivals[source][k];
    bool known = sim_is_known(probe, arrival, &books.lives[probe->run]);
    if (arrival->status == 0 || (arrival->status == 200) == known) continue;
    if (known && over >= 0 && arrival->at_ns >= over) continue;
    if (known && arrival->status == 503 && (was_full(arrival) || was_last(probe, arrival)))
      continue;
    sim_fault("probe %s: an answer after %" PRId64 " ns was told %d", probe->id,
              arrival->at_ns - probe->sent_ns, arrival->status);
  }
}

/* What the world counts of one source in one run. */
typedef struct source_count {
  sim_bounds answered, late, lost, duplicates;
} source_count;

static void add(sim_bounds *to, bool least, bool most) {
  to->least += least;
  to->most += most;
}

static source_count count_source(unsigned run, size_t source) {
  const sim_life_book *life = &books.lives[run];
  source_count c = {0};
  for (size_t i = 0; i < books.count; i++) {
    const sim_probe *probe = &books.probes[i];
    if (probe->run != run || probe->cold) continue;
    sim_bounds b = sim_known_answers(probe, source, life, has_ended(life));
    int64_t elapsed = probe->arrivals[source][0].at_ns - probe->sent_ns;
    add(elapsed > books.lives[run].timeout_ns ? &c.late : &c.answered, b.least > 0, b.most > 0);
    add(&c.lost, b.most == 0, b.least == 0);
    c.duplicates.least += b.least > 0 ? b.least - 1 : 0;
    c.duplicates.most += b.most > 0 ? b.most - 1 : 0;
  }
  return c;
}

static void check_count(unsigned run, const char *what, uint64_t counted, sim_bounds world) {
  if (counted < world.least || counted > world.most)
    sim_fault("run %u: %" PRIu64 " %s, in the world %" PRIu64 " to %" PRIu64, run, counted, what,
              world.least, world.most);
}

/* The prober's counters, as its run was over. */
static void check_run(unsigned run) {
  const psprobe_prober_stats *stats = &books.lives[run].stats;
  uint64_t sent = 0, cold = 0;
  if (books.lives[run].over_ns < 0) return;
  for (size_t i = 0; i < books.count; i++)
    if (books.probes[i].run == run) *(books.probes[i].cold ? &cold : &sent) += 1;
  check_count(run, "sent", stats->sent, (sim_bounds){sent, sent});
  check_count(run, "rare ones sent", stats->cold_sent, (sim_bounds){cold, cold});
  check_count(run, "completed", stats->completed, (sim_bounds){sent + cold, sent + cold});
  for (size_t s = 0; s < SIM_SOURCES; s++) {
    source_count c = count_source(run, s);
    check_count(run, "answered", stats->answered[s], c.answered);
    check_count(run, "late", stats->late[s], c.late);
    check_count(run, "lost", stats->lost[s], c.lost);
    check_count(run, "duplicates", stats->duplicates[s], c.duplicates);
    sim_counted.answered += stats->answered[s];
    sim_counted.late += stats->late[s];
    sim_counted.lost += stats->lost[s];
    sim_counted.duplicates += stats->duplicates[s];
  }
  sim_counted.unknown += stats->refused;
}

void sim_books_balance(psprobe_store *store) {
  psprobe_error error = {0};
  if (psprobe_store_each(store, NULL, look_at_row, NULL, &error) != PSPROBE_OK)
    sim_fault("the file cannot be read: %s", error.message);
  for (size_t i = 0; i < books.count; i++) {
    const sim_probe *probe = &books.probes[i];
    for (size_t s = 0; s < SIM_SOURCES; s++)
      check_replies(probe, s);
    if (!probe->in_file)
      sim_fault("probe %s was sent by run %u, and is not in the file", probe->id, probe->run);
  }
  for (unsigned i = 0; i < books.life_count; i++)
    check_run(i);
}
