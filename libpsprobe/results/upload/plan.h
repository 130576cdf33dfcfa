/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_PLAN_H
#define PSP_RESULTS_UPLOAD_PLAN_H
/**
 * @file
 * When the uploader sends, how many rows, and what an answer means for that. Pure: time (monotonic,
 * ns) and chance are arguments; upload.c has its threads, a simulated world can be another.
 *
 * Rows go oldest first, in a pass: each request takes those behind the last one's, so that several
 * can be in flight and no row is in two of them. What is left of a pass is taken by the next, which
 * begins once nothing is in flight. Those that failed one by one wait behind the others until all
 * were offered (a round). A request that came to nothing makes the next one a single row, a look
 * whether the service is there, once a second or two at most; success doubles it again. What the
 * service asks for (Retry-After) is waited for whoever is in a hurry. The pace is that of
 * Firestore's ramp: 500 writes a second at first, half as many again each five minutes, up to the
 * 10,000 at which Google's own bulk writer stops
 * (https://firebase.google.com/docs/firestore/best-practices, "ramping up traffic"); a 429 or 503
 * quarters it, and half of each row that is taken comes back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/registry.h>

/** Most rows of a request: enough to catch up fast, far below the 500 writes and 10 MiB that one
 * may have. */
#define PSP_PLAN_MOST 200
/** Most requests in flight; one alone while something fails, and where fewer rows wait. */
#define PSP_PLAN_FLIGHTS 4

/** Zeroed, then psp_plan_init. */
typedef struct psp_plan {
  bool ramped;       /**< false: an emulator, which has no ramp */
  bool fresh;        /**< rows may have come since the last look */
  bool idle;         /**< nothing was left at the last look */
  double rate;       /**< writes a second */
  size_t most;       /**< of a request, by what became of those before */
  int64_t began;     /**< the first request; 0: none yet */
  int64_t sent;      /**< the last request */
  int64_t paced;     /**< not before: the pace */
  int64_t held;      /**< … what the service asked for */
  int64_t look;      /**< … our own back-off */
  int64_t after;     /**< rows up to this one were taken in this pass */
  int64_t back_to;   /**< where the next one begins, if requests came to nothing */
  int64_t round;     /**< when what failed is offered again; 0: not all was offered yet */
  bool left;         /**< some rows of this pass failed one by one */
  bool runs_offered; /**< in this pass */
  bool taking;       /**< a request's rows are being taken */
  bool over;         /**< nothing more is taken until all is back */
  unsigned flying;   /**< requests in flight */
  uint64_t number;   /**< of the last request … */
  uint64_t troubled; /**< … as something failed last: what was sent by then says nothing new */
  unsigned attempts; /**< requests in a row that came to nothing */
  unsigned rounds;   /**< rounds in a row that left rows behind */
  psprobe_error failure; /**< the last one */
} psp_plan;

typedef enum psp_plan_act {
  PSP_PLAN_SEND, /**< the oldest rows behind `after`, at most `most` */
  PSP_PLAN_WAIT, /**< until `until`, or until something is told */
  PSP_PLAN_REST  /**< until something is told (by any function but this) */
} psp_plan_act;

typedef struct psp_plan_step {
  psp_plan_act act;
  uint64_t number;
  int64_t after;
  size_t most;
  bool runs;           /**< they go along, where rows leave room */
  int64_t patience_ns; /**< how long the request may take */
  int64_t until;
} psp_plan_step;

/** What a batch came to. */
typedef struct psp_batch {
  size_t rows;     /**< sent; 0: there were none */
  size_t uploaded; /**< of them, those whose newest state Firestore now has */
  size_t moved; /**< … of which anything is known now: these will not come again as they were */
  size_t again; /**< … that must be sent again */
  size_t refused;
  psprobe_error failure;            /**< of the first that must be sent again */
  char refused_id[PSPROBE_ID_SIZE]; /**< the first that was refused, and why */
  psprobe_error refusal;
} psp_batch;

/** @param ramped whether the service is the real one, whose ramp is to be kept */
void psp_plan_init(psp_plan *plan, bool ramped);
/** What to do now. After SEND comes psp_plan_taken, and then psp_plan_outcome. */
psp_plan_step psp_plan_next(psp_plan *plan, int64_t now);
/**
 * What a request has: from here on another can be sent.
 *
 * @param rows fewer than `most`: there are no others behind them
 * @param runs that go with them
 * @param last the last row's seq
 */
void psp_plan_taken(psp_plan *plan, const psp_plan_step *step, size_t rows, size_t runs,
                    int64_t last);
/**
 * What it came to.
 *
 * @param batch  its rows; 0 where there was none to send
 * @param error  why all of it came to nothing; NULL: it was answered
 * @param random uniform 64 bits
 * @return true: rows are left to be tried again, and plan->failure says why
 */
bool psp_plan_outcome(psp_plan *plan, const psp_plan_step *step, const psp_batch *batch,
                      const psprobe_error *error, int64_t now, uint64_t random);
/** Rows were added. */
void psp_plan_rows(psp_plan *plan);
/** Somebody waits: what is only our own back-off ends now. */
void psp_plan_hurry(psp_plan *plan, int64_t now);
/** Nothing was left at the last look, and nothing was added since or is in flight. */
bool psp_plan_is_idle(const psp_plan *plan);

/**
 * Whether what failed may be well in a moment. What something on the way says may be; what the
 * service says of the project, the key or the caller is not before somebody mends it.
 */
bool psp_plan_can_pass(const psprobe_error *error);

#endif
