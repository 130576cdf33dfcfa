/* SPDX-License-Identifier: MIT */
#ifndef SIM_FIBERS_H
#define SIM_FIBERS_H
/**
 * @file
 * The world's time and its threads. A thread of the library is a fiber here: it runs until it would
 * wait, and who runs next is drawn from the seed. Time stands still while any fiber can run, and
 * then leaps to the next thing that is due, so that a run is the same whenever it has the same
 * seed.
 *
 * A fiber belongs to a life of a machine. When that life is ended, its fibers never run again.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct sim_fiber sim_fiber;

/** What chance is drawn for: each its own sequence, so that one more draw changes no other. */
typedef enum sim_chance {
  SIM_SCHEDULE, /**< who runs next */
  SIM_KERNEL,   /**< the library's random numbers */
  SIM_WEATHER,  /**< what goes wrong */
  SIM_SHAPE,    /**< what the world is like */
  SIM_CHANCES
} sim_chance;

/** How many machines there are. */
#define SIM_MACHINES 5

/** Forgets the world before, and begins one at time 0. */
void sim_begin(uint64_t seed);

uint64_t sim_random(sim_chance chance);
/** From 0 to `below` - 1. */
uint64_t sim_below(sim_chance chance, uint64_t below);
/** True in `of` of a thousand. */
bool sim_odds(sim_chance chance, unsigned of_thousand);

/** Nanoseconds since the world began. */
int64_t sim_now(void);
/** The machine and the life that the fiber which runs belongs to. */
unsigned sim_machine(void);
unsigned sim_life(void);
unsigned sim_life_of(unsigned machine);
/** The fiber that runs; 0: none, it is the world itself. */
uint32_t sim_self(void);

/** Starts a fiber on a machine. @return its number, never 0 */
uint32_t sim_start(unsigned machine, const char *name, void *(*run)(void *), void *arg);
/** The same of one that nobody will join. */
void sim_spawn(unsigned machine, const char *name, void *(*run)(void *), void *arg);
/** Waits for the end of a fiber. @return what its `run` returned */
void *sim_join(uint32_t number);
/** Whether it may run ever again. */
bool sim_is_alive(uint32_t number);
/** Lets others go first. */
void sim_yield(void);
/** Waits for sim_wake of `key`, or until `until_ns` (INT64_MAX: without end). @return true: woken
 */
bool sim_wait(const void *key, int64_t until_ns);
/** Wakes one that waits for `key`, drawn from the seed, or all of them. */
void sim_wake(const void *key, bool all);
/** Ends a machine's life. When it is the caller's, it does not return. */
void sim_end_life(unsigned machine);

/** Calls `call(arg)` at `when_ns`, of no fiber: it may not wait. */
void sim_at(int64_t when_ns, void (*call)(void *arg), void *arg);

/** How a world came to its end. */
typedef enum sim_end {
  SIM_DONE,   /**< sim_stop was called */
  SIM_STILL,  /**< nothing can happen any more: somebody waits in vain */
  SIM_ENDLESS /**< it goes on and on */
} sim_end;
/** Runs the world, at most until `horizon_ns`. */
sim_end sim_run(int64_t horizon_ns);
/** Lets sim_run return. */
void sim_stop(void);
/** Prints who waits, for a world that stands still. */
void sim_show_fibers(void);

/** Whether a trace is wanted, and a line of it. */
extern bool sim_traces;
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
