/* SPDX-License-Identifier: MIT */
#include "fibers.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* SQLite and buffers of PATH_MAX go on it. */
#define STACK (size_t)(512 * 1024)

typedef enum state { READY, WAITING, ENDED, DEAD } state;

struct sim_fiber {
  sim_fiber *next;
  uint32_t number;
  unsigned machine, life;
  char name[24];
  ucontext_t context;
  void *fake_stack; /* ASan's */
  char *stack;
  void *(*run)(void *);
  void *arg, *result;
  state state;
  bool joined, woken;
  const void *key;
  uint64_t wait; /* counts its waits, so that a time-out of an earlier one is known */
};

typedef struct event {
  int64_t at;
  uint64_t tie;
  void (*call)(void *);
  void *arg;
  uint32_t fiber; /* of which this is a time-out */
  uint64_t wait;
} event;

static struct {
  int64_t now;
  uint64_t chances[SIM_CHANCES];
  sim_fiber *first, *current;
  uint32_t last_number;
  unsigned lives[SIM_MACHINES];
  event *heap;
  size_t count, capacity;
  ucontext_t home;
  bool stopped;
} world;

bool sim_traces;

/* Stacks that are free again; never given back. */
static struct spare { struct spare *next; } * spares;

#ifdef __SANITIZE_ADDRESS__
static const void *home_stack;
static size_t home_size;
#endif

/* ---- chance ---- */

/* Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t sim_random(sim_chance chance) {
  uint64_t mixed = world.chances[chance] += UINT64_C(0x9e3779b97f4a7c15);
  mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
  return mixed ^ mixed >> 31;
}

uint64_t sim_below(sim_chance chance, uint64_t below) {
  return below == 0 ? 0 : sim_random(chance) % below;
}

bool sim_odds(sim_chance chance, unsigned of_thousand) {
  return sim_below(chance, 1000) < of_thousand;
}

/* ---- events, in a heap ---- */

static bool before(const event *a, const event *b) {
  return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void put_event(event e) {
  if (world.count == world.capacity) {
    world.capacity = world.capacity == 0 ? 256 : world.capacity * 2;
    world.heap = realloc(world.heap, world.capacity * sizeof *world.heap);
    if (world.heap == NULL) abort();
  }
  if (e.at < world.now) e.at = world.now;
  e.tie = sim_random(SIM_SCHEDULE);
  size_t at = world.count++;
  for (; at > 0 && before(&e, &world.heap[(at - 1) / 2]); at = (at - 1) / 2)
    world.heap[at] = world.heap[(at - 1) / 2];
  world.heap[at] = e;
}

static event take_event(void) {
  event first = world.heap[0], last = world.heap[--world.count];
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < world.count; at = child) {
    if (child + 1 < world.count && before(&world.heap[child + 1], &world.heap[child])) child++;
    if (!before(&world.heap[child], &last)) break;
    world.heap[at] = world.heap[child];
  }
  world.heap[at] = last;
  return first;
}

void sim_at(int64_t when_ns, void (*call)(void *), void *arg) {
  put_event((event){.at = when_ns, .call = call, .arg = arg});
}

/* ---- fibers ---- */

static char *take_stack(void) {
  struct spare *spare = spares;
  if (spare != NULL) {
    spares = spare->next;
  } else {
    spare = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (spare == MAP_FAILED || mprotect(spare, 4096, PROT_NONE) != 0) abort();
    return (char *)spare;
  }
  char *stack = (char *)spare - 4096;
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(stack + 4096, STACK - 4096);
#endif
  return stack;
}

static void give_stack(char *stack) {
  struct spare *spare = (struct spare *)(void *)(stack + 4096); /* beyond the page of the guard */
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(spare, sizeof *spare);
#endif
  spare->next = spares;
  spares = spare;
}

/* To the fiber, or from it home. `leaves`: the one that is left is never come back to. */
static void change(sim_fiber *from, sim_fiber *to, bool leaves) {
#ifdef __SANITIZE_ADDRESS__
  void *kept = NULL;
  const void *bottom = to != NULL ? to->stack + 4096 : home_stack;
  __sanitizer_start_switch_fiber(leaves ? NULL : &kept, bottom,
                                 to != NULL ? STACK - 4096 : home_size);
  world.current = to;
  swapcontext(from != NULL ? &from->context : &world.home, to != NULL ? &to->context : &world.home);
  __sanitizer_finish_switch_fiber(kept, from == NULL ? NULL : &home_stack,
                                  from == NULL ? NULL : &home_size);
#else
  (void)leaves;
  world.current = to;
  swapcontext(from != NULL ? &from->context : &world.home, to != NULL ? &to->context : &world.home);
#endif
}

static void enter(void) {
  sim_fiber *self = world.current;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(NULL, &home_stack, &home_size);
#endif
  self->result = self->run(self->arg);
  self->state = ENDED;
  sim_wake(self, true);
  change(self, NULL, true);
  abort();
}

static sim_fiber *find(uint32_t number) {
  sim_fiber *fiber = world.first;
  while (fiber != NULL && fiber->number != number)
    fiber = fiber->next;
  return fiber;
}

static sim_fiber *make(unsigned machine, const char *name, void *(*run)(void *), void *arg) {
  sim_fiber *fiber = calloc(1, sizeof *fiber);
  if (fiber == NULL) abort();
  fiber->number = ++world.last_number;
  fiber->machine = machine;
  fiber->life = world.lives[machine];
  snprintf(fiber->name, sizeof fiber->name, "%s", name);
  fiber->run = run;
  fiber->arg = arg;
  fiber->stack = take_stack();
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack + 4096;
  fiber->context.uc_stack.ss_size = STACK - 4096;
  fiber->context.uc_link = NULL;
  makecontext(&fiber->context, enter, 0);
  fiber->next = world.first;
  world.first = fiber;
  return fiber;
}

uint32_t sim_start(unsigned machine, const char *name, void *(*run)(void *), void *arg) {
  return make(machine, name, run, arg)->number;
}

void sim_spawn(unsigned machine, const char *name, void *(*run)(void *), void *arg) {
  make(machine, name, run, arg)->joined = true;
}

void *sim_join(uint32_t number) {
  sim_fiber *fiber = find(number);
  if (fiber == NULL) abort();
  while (fiber->state != ENDED)
    sim_wait(fiber, INT64_MAX);
  fiber->joined = true;
  return fiber->result;
}

bool sim_is_alive(uint32_t number) {
  const sim_fiber *fiber = find(number);
  return fiber != NULL && fiber->state <= WAITING;
}

static void leave(void) {
  sim_fiber *self = world.current;
  change(self, NULL, self->state == DEAD);
}

void sim_yield(void) {
  if (world.current != NULL) leave();
}

bool sim_wait(const void *key, int64_t until_ns) {
  sim_fiber *self = world.current;
  if (self == NULL) abort();
  self->key = key;
  self->state = WAITING;
  self->woken = false;
  self->wait++;
  if (until_ns != INT64_MAX)
    put_event((event){.at = until_ns, .fiber = self->number, .wait = self->wait});
  leave();
  self->key = NULL;
  return self->woken;
}

void sim_wake(const void *key, bool all) {
  unsigned waiting = 0;
  for (sim_fiber *f = world.first; f != NULL; f = f->next)
    waiting += f->state == WAITING && f->key == key;
  uint64_t chosen = waiting > 1 && !all ? sim_below(SIM_SCHEDULE, waiting) : 0;
  for (sim_fiber *f = world.first; f != NULL && waiting > 0; f = f->next) {
    if (f->state != WAITING || f->key != key) continue;
    waiting--;
    if (!all && chosen-- != 0) continue;
    f->state = READY;
    f->woken = true;
    if (!all) return;
  }
}

void sim_end_life(unsigned machine) {
  world.lives[machine]++;
  for (sim_fiber *f = world.first; f != NULL; f = f->next)
    if (f->machine == machine && f->life != world.lives[machine]) f->state = DEAD;
  if (world.current != NULL && world.current->state == DEAD) leave();
}

unsigned sim_machine(void) {
  return world.current == NULL ? 0 : world.current->machine;
}

unsigned sim_life(void) {
  return world.current == NULL ? 0 : world.current->life;
}

unsigned sim_life_of(unsigned machine) {
  return world.lives[machine];
}

uint32_t sim_self(void) {
  return world.current == NULL ? 0 : world.current->number;
}

int64_t sim_now(void) {
  return world.now;
}

/* ---- the world ---- */

/* Takes away what will never run again. Those that were started to be joined wait for it. */
static void bury(void) {
  for (sim_fiber **at = &world.first; *at != NULL;) {
    sim_fiber *fiber = *at;
    bool over = fiber->state == DEAD || fiber->state == ENDED;
    if (over && fiber->stack != NULL) {
      give_stack(fiber->stack);
      fiber->stack = NULL;
    }
    if (fiber->state != DEAD && !(fiber->state == ENDED && fiber->joined)) {
      at = &fiber->next;
      continue;
    }
    *at = fiber->next;
    free(fiber);
  }
}

static sim_fiber *choose(void) {
  unsigned ready = 0;
  for (sim_fiber *f = world.first; f != NULL; f = f->next)
    ready += f->state == READY;
  if (ready == 0) return NULL;
  uint64_t chosen = ready > 1 ? sim_below(SIM_SCHEDULE, ready) : 0;
  sim_fiber *f = world.first;
  while (f->state != READY || chosen-- > 0)
    f = f->next;
  return f;
}

static void happen(event e) {
  world.now = e.at;
  if (e.call != NULL) {
    e.call(e.arg);
    return;
  }
  sim_fiber *fiber = find(e.fiber);
  if (fiber == NULL || fiber->state != WAITING || fiber->wait != e.wait) return;
  fiber->state = READY;
}

/* Whether what is due now comes before those that could run. */
static bool goes_first(const sim_fiber *ready) {
  if (world.count == 0) return false;
  return ready == NULL || (world.heap[0].at <= world.now && sim_odds(SIM_SCHEDULE, 500));
}

sim_end sim_run(int64_t horizon_ns) {
  while (!world.stopped) {
    sim_fiber *ready = choose();
    if (goes_first(ready)) {
      if (world.heap[0].at > horizon_ns) return SIM_ENDLESS;
      happen(take_event());
    } else if (ready != NULL) {
      change(NULL, ready, false);
      if (ready->state >= ENDED) bury();
    } else {
      return SIM_STILL;
    }
  }
  return SIM_DONE;
}

void sim_stop(void) {
  world.stopped = true;
}

void sim_begin(uint64_t seed) {
  for (sim_fiber *f = world.first; f != NULL; f = f->next)
    f->state = DEAD;
  bury();
  free(world.heap);
  memset(&world, 0, sizeof world);
  for (int i = 0; i < SIM_CHANCES; i++)
    world.chances[i] =
        seed * UINT64_C(0xd1342543de82ef95) + (uint64_t)i * UINT64_C(0x2545f4914f6cdd1d);
}

void sim_show_fibers(void) {
  for (const sim_fiber *f = world.first; f != NULL; f = f->next)
    if (f->state <= WAITING)
      fprintf(stderr, "  machine %u, %s: %s\n", f->machine, f->name,
              f->state == READY ? "could run" : "waits");
}

void sim_trace(const char *format, ...) {
  static const char *const names[SIM_MACHINES] = {"google", "function", "service", "prober",
                                                  "world"};
  va_list args;
  if (!sim_traces) return;
  fprintf(stderr, "%5lld.%09lld ", (long long)(world.now / 1000000000),
          (long long)(world.now % 1000000000));
  if (world.current != NULL)
    fprintf(stderr, "%s/%s: ", names[world.current->machine], world.current->name);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
}
