/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_ROOM_H
#define PSP_HTTP_SERVER_ROOM_H
/**
 * @file
 * Which connections a server keeps: who is let in, who makes room for another, whose request takes
 * too long. Pure: time is an argument, and nothing is closed here; its owner locks, but for
 * psp_room_answered, so that no answer waits for whoever holds the lock.
 *
 *     enters -> busy -> idle -> asking (its request line was there) -> busy (it is whole) -> idle
 *
 * Guests have turns, in the order of their last answers. Where there is no room, the one with the
 * first turn that is not busy leaves: the longest idle one, or one whose request does not come to
 * an end; but nobody who came or began to ask just now, whose request is on its way: who comes then
 * waits. One address (an IPv6 one: its /64) gets three quarters of all places, so that it can push
 * out itself but never everybody else.
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct psp_guest {
  struct psp_guest *next, *previous;
  struct in6_addr address;
  int fd;
  bool leaving; /* was told to; libmicrohttpd will close it */
  bool begun;
  atomic_bool answered;  /* once at least */
  atomic_bool streams;   /* its answer has no end */
  atomic_bool asks;      /* its request line was there, and no answer yet */
  atomic_bool busy;      /* not to be told to leave: it has not begun, or we are at its request */
  _Atomic uint64_t turn; /* of its last answer, or of its coming */
  _Atomic int64_t stirred_ns; /* when it came, or began to ask */
  _Atomic int64_t due_ns;     /* what it began must be whole then; INT64_MAX: nothing is due */
} psp_guest;

typedef struct psp_room {
  psp_guest *first, *last;
  psp_guest **by_fd;
  size_t capacity;                                  /* of by_fd */
  size_t count, leaving, starting, most, most_each; /* starting: entered, and not begun */
  uint64_t refused, made_room, overdue;
  _Atomic uint64_t turns; /* given so far */
} psp_room;

#define PSP_ROOM_FRESH_NS INT64_C(50000000) /* so long who came is not told to leave */
#define PSP_ROOM_AT_ONCE  64 /* so many may be about to leave, or to begin: who comes then waits */

/** Valid after zeroing and this. `most`: places, not counting those that leave. */
void psp_room_init(psp_room *room, size_t most);
void psp_room_clear(psp_room *room);

typedef enum psp_room_answer {
  PSP_ROOM_IN,
  PSP_ROOM_WAIT,   /**< somebody can leave soon: ask again */
  PSP_ROOM_REFUSED /**< every place is busy, or no memory; counted */
} psp_room_answer;
/** Who stands at the door. */
typedef struct psp_room_visitor {
  const struct sockaddr *from;
  int fd;
  bool impatient; /**< has waited long enough: those who just came are asked to leave too */
  int64_t now_ns, due_ns;
} psp_room_visitor;
/** Lets one in until psp_room_leave. `leaves` receives who has to make room for it, or NULL. */
psp_room_answer psp_room_enter(psp_room *room, const psp_room_visitor *visitor, psp_guest **leaves);
/** libmicrohttpd has begun with it, and will say when it closes it: from now on it may be told to
 * leave. NULL: nobody. */
psp_guest *psp_room_begin(psp_room *room, int fd);
void psp_room_leave(psp_room *room, int fd);
/** Whether who is told to leave may have had something to ask that has no answer. */
bool psp_room_is_unheard(const psp_guest *guest);
/** Its answer is on its way: its turn to leave is the last again. Needs no lock. */
void psp_room_answered(psp_room *room, psp_guest *guest);
/** So many have not begun, or not left, that whoever comes should wait for them. */
bool psp_room_is_hurried(const psp_room *room);
/** Somebody who can leave, and is told to; NULL: everybody is busy. */
psp_guest *psp_room_make(psp_room *room);
/** Somebody whose time is over, and is told to leave; NULL: nobody. */
psp_guest *psp_room_next_overdue(psp_room *room, int64_t now_ns);

#endif
