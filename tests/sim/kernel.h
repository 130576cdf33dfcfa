/* SPDX-License-Identifier: MIT */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H
/**
 * @file
 * What the library asks of the kernel, answered by the world: kernel.c is linked in the place of
 * os/clock.c, futex.c, random.c, start.c, thread.c and wait.c, and before what the linker wraps.
 *
 * Each such call of a machine is a step. A fuse ends its life at a chosen step, as SIGKILL would:
 * between two statements of a transaction, say.
 */
#include <stdbool.h>
#include <stdint.h>

/** Burns after `steps` of the machine; 0: never. */
void sim_set_fuse(unsigned machine, uint64_t steps);
/** Steps of the machine so far. */
uint64_t sim_steps(unsigned machine);
/** Ends a machine's life, and does what the kernel does then: closes what it had open. */
void sim_kill(unsigned machine);
/** What is woken (sim_wake) once all that is done. */
const void *sim_death_of(unsigned machine);
/** Sets a machine's wall clock, by so much more. */
void sim_set_wall(unsigned machine, int64_t skew_ns);
/** A machine's two clocks at a moment of the world. */
int64_t sim_mono_of(unsigned machine, int64_t now_ns);
int64_t sim_wall_of(unsigned machine, int64_t now_ns);
/** Whether sleepers of that machine wake late, and how late at most. */
void sim_set_slack(unsigned machine, int64_t most_ns);
/** Whether files of the prober's can grow. */
void sim_fill_disk(bool full);
/** For a new world. */
void sim_kernel_begin(void);

#endif
