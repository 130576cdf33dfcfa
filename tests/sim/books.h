/* SPDX-License-Identifier: MIT */
#ifndef SIM_BOOKS_H
#define SIM_BOOKS_H
/**
 * @file
 * What the world itself saw on its network, by its own clock, kept apart from all that the library
 * keeps: each probe that left a prober, each answer that came to it, and what was said to that.
 * In the end the results file and Firestore are held against it.
 */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/answer.h>
#include <psprobe/prober.h>
#include <psprobe/results.h>

#include "network.h"

#define SIM_SOURCES      2
#define SIM_MOST_ANSWERS 64

/** An answer that came to the prober. */
typedef struct sim_arrival {
  int64_t at_ns;
  int status;        /**< what it was told; 0: nothing, since the prober died */
  char delivery[40]; /**< which delivery it answers, by its responder's facts */
  const psp_exchange *exchange;
} sim_arrival;

/** A probe that was sent. */
typedef struct sim_probe {
  char id[PSPROBE_ID_SIZE];
  unsigned run; /**< which of the prober's lives sent it */
  bool cold;    /**< a rare one */
  int64_t sent_ns;
  int64_t published_ns; /**< when the first publish call that went well returned; -1: none has */
  sim_arrival arrivals[SIM_SOURCES][SIM_MOST_ANSWERS];
  unsigned count[SIM_SOURCES];
  bool in_file; /**< the audit's */
} sim_probe;

/** A life of the prober. */
typedef struct sim_life_book {
  char run[PSPROBE_ID_SIZE]; /**< "": it died before it had one */
  int64_t interval_ns, timeout_ns, cold_every_ns;
  int64_t offset_ns;        /**< its wall clock less its monotonic one, as it began */
  int64_t started_ns;       /**< when its grid began */
  int64_t over_ns;          /**< when psprobe_prober_run had returned; -1: it never did */
  int64_t full_ns, free_ns; /**< from when to when the disk was full, or was thought to be */
  int64_t ended_ns; /**< when it had freed all it had; -1: it died before, or its run has no end */
  psprobe_prober_stats stats; /**< as they stood at over_ns */
} sim_life_book;

void sim_books_begin(void);
/** Begins the book of a further life of the prober. */
sim_life_book *sim_book_life(void);
/** The disk takes nothing from now on, for so long at most. */
void sim_book_disk(int64_t for_ns);
/** When an answer by that path would come `off_ns` after the edge of its probe's time-out (1), or
 * of the time after which it is forgotten (2); -1: no such probe. */
int64_t sim_book_edge(const char *path, int64_t off_ns, int which);

/* What the network tells. */
void sim_saw_request(const sim_call *call);
void sim_saw_answer(const sim_call *call, int status);
void sim_saw_arrival(const sim_call *call, int machine, const psp_exchange *exchange);
void sim_saw_reply(const psp_exchange *exchange, int status);

/** How many of each there were in all worlds, to see that the weather does what it should. */
typedef struct sim_census {
  uint64_t probes, cold, lives, kills, resumed, answered, late, lost, duplicates, unknown, edges,
      uncertain, interrupted, full, unended;
} sim_census;
extern sim_census sim_counted;

/** Holds the file against the books; what does not balance is a fault. */
void sim_books_balance(psprobe_store *store);

/** Whether a fault was found, which is printed. */
void sim_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool sim_faulty;

#endif
