/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_PLAN_H
#define PSP_PROBER_PLAN_H
/**
 * @file
 * The probes of one cadence, made ahead of their slots: a ring of ids that are kept before they are
 * sent, and of what was sent until that is kept too. Who sends and who keeps are two threads; each
 * tells the other how far it is by one number, so that sending waits for nobody:
 *
 *     noted <= used <= durable <= made <= noted + size
 *
 * Time is an argument.
 */
#include <stdatomic.h>

#include <psprobe/prober.h>

/** Probes are planned so long before their time, at most; and this many at once. */
#define PSP_AHEAD_NS    INT64_C(2000000000)
#define PSP_AHEAD_BLOCK 4096
/** No more probes than of so long are sent before the note of the first of them is kept: so after a
 * crash it is known of all but these whether they were sent. At least PSP_AHEAD_LEAST. */
#define PSP_AHEAD_WINDOW_NS INT64_C(500000000)
#define PSP_AHEAD_LEAST     2
/** So long after a probe's sending its note is due. */
#define PSP_AHEAD_NOTE_NS INT64_C(50000000)

typedef struct psp_ahead_slot {
  psprobe_sent sent;
  int64_t intended_ns; /**< monotonic; its slot's, once it is used */
} psp_ahead_slot;

/** Zeroed: of a cadence that there is not. */
typedef struct psp_ahead {
  psp_ahead_slot *slots;
  uint64_t size, block, window;
  int64_t start_ns, interval_ns;
  uint64_t made; /**< the keeping thread's */
  _Atomic uint64_t durable, used, noted;
} psp_ahead;

/** `start_ns`: of the first slot, monotonic. False: no memory. */
bool psp_ahead_init(psp_ahead *ahead, psprobe_cadence cadence, int64_t start_ns,
                    int64_t interval_ns);
void psp_ahead_clear(psp_ahead *ahead);

/* ---- the sending thread ---- */

/** How many that are. */
uint64_t psp_ahead_window(int64_t interval_ns);
/** The id of the next probe; NULL: it is not kept yet, or too many notes are not. */
const char *psp_ahead_next(const psp_ahead *ahead);
/** That probe was sent. */
void psp_ahead_use(psp_ahead *ahead, int64_t intended_ns, int64_t sent_ns, int64_t sent_wall_ns);

/* ---- the keeping thread ---- */

/** What is to be kept now, at most PSP_AHEAD_BLOCK; the same again until psp_ahead_kept. @param
 * offset_ns of the wall clock. @return how many */
size_t psp_ahead_make(psp_ahead *ahead, int64_t now_ns, int64_t offset_ns,
                      psprobe_planned *planned);
/** So many of these are kept. */
void psp_ahead_kept(psp_ahead *ahead, size_t count);
/** What was sent and is not noted, at most `max`, oldest first. @return how many */
size_t psp_ahead_sent(const psp_ahead *ahead, psprobe_sent *sent, size_t max);
/** So many of these are noted. */
void psp_ahead_note(psp_ahead *ahead, size_t count);
/** When there is something to keep, if nothing else happens. */
int64_t psp_ahead_due(const psp_ahead *ahead, int64_t now_ns);

#endif
