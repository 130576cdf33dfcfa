/* SPDX-License-Identifier: MIT */
#include "prober/facts.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/timestamp.h"

#define PREFIX "Psprobe-"
/* A day is more than any probe lives. */
#define MAX_HANDLED_NS (INT64_C(24) * 3600 * 1000000000)
/* Until 2262. */
#define MAX_WALL_NS INT64_MAX

bool psp_instance_ok(const char *text) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t len = strspn(text, allowed);
  return len > 0 && text[len] == '\0' && len <= PSPROBE_INSTANCE_LENGTH;
}

static bool read_instance(const char *text, char to[PSPROBE_INSTANCE_SIZE]) {
  bool ok = psp_instance_ok(text);
  if (ok) memcpy(to, text, strlen(text) + 1);
  return ok;
}

static bool read_count(const char *text, uint32_t *to) {
  int64_t value;
  if (!psp_parse_int64(text, 1, UINT32_MAX, &value)) return false;
  *to = (uint32_t)value;
  return true;
}

static bool read_published(const char *text, int64_t *to) {
  int64_t seconds;
  int32_t nanos;
  if (!psp_timestamp_parse(text, strlen(text), &seconds, &nanos) || seconds < 0 ||
      seconds >= MAX_WALL_NS / 1000000000)
    return false;
  *to = seconds * 1000000000 + nanos;
  return true;
}

/* "t1 t2 t3 t4", a blank between two; that each clock went forward is looked at by who reckons. */
static bool read_exchange(const char *text, int64_t to[PSPROBE_STAMPS]) {
  int64_t stamps[PSPROBE_STAMPS];
  char number[24];
  for (size_t i = 0; i < PSPROBE_STAMPS; i++) {
    size_t len = strcspn(text, " ");
    if (len >= sizeof number) return false;
    memcpy(number, text, len);
    number[len] = '\0';
    if (!psp_parse_int64(number, 0, MAX_WALL_NS, &stamps[i])) return false;
    text += len;
    if (i + 1 < PSPROBE_STAMPS && *text++ != ' ') return false;
  }
  if (*text != '\0') return false;
  memcpy(to, stamps, sizeof stamps);
  return true;
}

typedef enum fact {
  COLD,
  HANDLED,
  INSTANCE,
  INVOCATION,
  AGE,
  READY,
  ATTEMPT,
  PUBLISHED,
  ARRIVED,
  SENT,
  EXCHANGE,
  FACTS
} fact;

static const psp_told nothing = {.handled_ns = -1};

/* Each fact's header, and where it is kept. */
#define KEPT(member) offsetof(psp_told, member), sizeof nothing.member
static const struct {
  const char *name;
  size_t at, size;
} facts[FACTS] = {
    [COLD] = {PSPROBE_HEADER_COLD, KEPT(cold)},
    [HANDLED] = {PSPROBE_HEADER_HANDLED, KEPT(handled_ns)},
    [INSTANCE] = {PSPROBE_HEADER_INSTANCE, KEPT(facts.instance)},
    [INVOCATION] = {PSPROBE_HEADER_INVOCATION, KEPT(facts.invocation)},
    [AGE] = {PSPROBE_HEADER_AGE, KEPT(facts.age_ns)},
    [READY] = {PSPROBE_HEADER_READY, KEPT(facts.ready_ns)},
    [ATTEMPT] = {PSPROBE_HEADER_ATTEMPT, KEPT(facts.delivery_attempt)},
    [PUBLISHED] = {PSPROBE_HEADER_PUBLISHED, KEPT(facts.published_wall_ns)},
    [ARRIVED] = {PSPROBE_HEADER_ARRIVED, KEPT(facts.arrived_wall_ns)},
    [SENT] = {PSPROBE_HEADER_SENT, KEPT(facts.sent_wall_ns)},
    [EXCHANGE] = {PSPROBE_HEADER_EXCHANGE, KEPT(facts.exchange_wall_ns)},
};

/* Sets a fact. False: its text is not of its form. */
static bool set(psp_told *told, fact which, const char *text) {
  psprobe_facts *f = &told->facts;
  switch (which) {
    case COLD:
      told->cold = strcmp(text, "1") == 0;
      return told->cold || strcmp(text, "0") == 0;
    case HANDLED:
      return psp_parse_int64(text, 0, MAX_HANDLED_NS, &told->handled_ns);
    case INSTANCE:
      return read_instance(text, f->instance);
    case INVOCATION:
      return read_count(text, &f->invocation);
    case ATTEMPT:
      return read_count(text, &f->delivery_attempt);
    case AGE:
      return psp_parse_int64(text, 0, MAX_WALL_NS, &f->age_ns);
    case READY:
      return psp_parse_int64(text, 0, MAX_WALL_NS, &f->ready_ns);
    case PUBLISHED:
      return read_published(text, &f->published_wall_ns);
    case ARRIVED:
      return psp_parse_int64(text, 0, MAX_WALL_NS, &f->arrived_wall_ns);
    case SENT:
      return psp_parse_int64(text, 0, MAX_WALL_NS, &f->sent_wall_ns);
    default:
      return read_exchange(text, f->exchange_wall_ns);
  }
}

void psp_told_init(psp_told *told) {
  *told = nothing;
}

void psp_told_take(void *arg, const char *name, const char *value) {
  psp_told *told = arg;
  if (strncasecmp(name, PREFIX, strlen(PREFIX)) != 0) return;
  fact which = COLD;
  while (which < FACTS && strcasecmp(name, facts[which].name) != 0)
    which++;
  if (which == FACTS) return;
  bool again = told->seen >> which & 1;
  told->seen |= 1u << which;
  if (again || !set(told, which, value)) {
    memcpy((char *)told + facts[which].at, (const char *)&nothing + facts[which].at,
           facts[which].size); /* as if it had not been told */
    told->wrong++;
  } else {
    told->any |= which >= INSTANCE;
  }
}
