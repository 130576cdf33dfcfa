/* SPDX-License-Identifier: MIT */
#include "http/server/room.h"

#include <stdlib.h>
#include <string.h>

void psp_room_init(psp_room *room, size_t most) {
  *room = (psp_room){.most = most, .most_each = most - most / 4};
}

void psp_room_clear(psp_room *room) {
  for (psp_guest *guest = room->first, *next; guest != NULL; guest = next) {
    next = guest->next;
    free(guest);
  }
  free(room->by_fd);
  *room = (psp_room){0};
}

static void append(psp_room *room, psp_guest *guest) {
  guest->next = NULL;
  guest->previous = room->last;
  *(room->last != NULL ? &room->last->next : &room->first) = guest;
  room->last = guest;
}

static void take_out(psp_room *room, psp_guest *guest) {
  *(guest->previous != NULL ? &guest->previous->next : &room->first) = guest->next;
  *(guest->next != NULL ? &guest->next->previous : &room->last) = guest->previous;
}

/* IPv4 as IPv6 has it, ::ffff:a.b.c.d; of an IPv6 address the network, as one host has all of it.
 */
static struct in6_addr address_of(const struct sockaddr *from) {
  struct in6_addr address = {0};
  if (from->sa_family == AF_INET) {
    address.s6_addr[10] = address.s6_addr[11] = 0xff;
    memcpy(address.s6_addr + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    address = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&address)) memset(address.s6_addr + 8, 0, 8);
  }
  return address;
}

static bool is_from(const psp_guest *guest, const struct in6_addr *address) {
  return address == NULL || memcmp(&guest->address, address, sizeof *address) == 0;
}

static size_t count_from(const psp_room *room, const struct in6_addr *address) {
  size_t count = 0;
  for (const psp_guest *guest = room->first; guest != NULL; guest = guest->next)
    count += !guest->leaving && is_from(guest, address);
  return count;
}

static psp_guest *tell_to_leave(psp_room *room, psp_guest *guest) {
  guest->leaving = true;
  room->leaving++;
  return guest;
}

/* Between two requests nothing is lost: clients know that such a connection may be closed. */
bool psp_room_is_unheard(const psp_guest *guest) {
  return !atomic_load(&guest->answered) || atomic_load(&guest->asks);
}

static psp_guest *longer_idle(psp_guest *a, psp_guest *b) {
  return a != NULL && atomic_load(&a->turn) < atomic_load(&b->turn) ? a : b;
}

/* The longest idle one of `address` that has what it came for: one of these goes before a request
 * of its own neighbour's is cut off. */
static psp_guest *find_content(const psp_room *room, const struct in6_addr *address) {
  psp_guest *found = NULL;
  for (psp_guest *guest = room->first; guest != NULL; guest = guest->next) {
    if (!guest->leaving && !atomic_load(&guest->busy) && !psp_room_is_unheard(guest) &&
        is_from(guest, address))
      found = longer_idle(found, guest);
  }
  return found;
}

/* The longest idle one, of `address` or (NULL) of all, that has not stirred since `fresh_ns`.
 * `soon` receives whether there will be one shortly. */
static psp_guest *find_idle(const psp_room *room, const struct in6_addr *address, int64_t fresh_ns,
                            bool *soon) {
  psp_guest *found = NULL;
  for (psp_guest *guest = room->first; guest != NULL; guest = guest->next) {
    if (guest->leaving || !is_from(guest, address)) continue;
    bool busy = atomic_load(&guest->busy);
    if (!busy && (!psp_room_is_unheard(guest) || atomic_load(&guest->stirred_ns) <= fresh_ns))
      found = longer_idle(found, guest);
    else
      *soon = *soon || !busy || !guest->begun;
  }
  return found;
}

static psp_guest *make_room(psp_room *room, const struct in6_addr *address, int64_t fresh_ns,
                            bool *soon) {
  psp_guest *guest = address != NULL ? find_content(room, address) : NULL;
  if (guest == NULL) guest = find_idle(room, address, fresh_ns, soon);
  if (guest == NULL) return NULL;
  room->made_room++;
  return tell_to_leave(room, guest);
}

static bool reserve(psp_room *room, int fd) {
  if ((size_t)fd < room->capacity) return true;
  size_t capacity = room->capacity > 0 ? room->capacity : 64;
  while (capacity <= (size_t)fd)
    capacity *= 2;
  psp_guest **grown = realloc(room->by_fd, capacity * sizeof *grown);
  if (grown == NULL) return false;
  memset(grown + room->capacity, 0, (capacity - room->capacity) * sizeof *grown);
  room->by_fd = grown;
  room->capacity = capacity;
  return true;
}

static psp_guest *add(psp_room *room, const struct in6_addr *address,
                      const psp_room_visitor *visitor) {
  int fd = visitor->fd;
  psp_guest *guest = reserve(room, fd) ? calloc(1, sizeof *guest) : NULL;
  if (guest == NULL) return NULL;
  guest->address = *address;
  guest->fd = fd;
  atomic_init(&guest->busy, true);
  atomic_init(&guest->turn, atomic_fetch_add(&room->turns, 1));
  atomic_init(&guest->stirred_ns, visitor->now_ns);
  atomic_init(&guest->due_ns, visitor->due_ns);
  room->by_fd[fd] = guest;
  room->count++;
  room->starting++;
  append(room, guest);
  return guest;
}

psp_room_answer psp_room_enter(psp_room *room, const psp_room_visitor *visitor,
                               psp_guest **leaves) {
  *leaves = NULL;
  /* Its number is free again although nobody said so: libmicrohttpd had no memory for it. */
  psp_room_leave(room, visitor->fd);
  struct in6_addr address = address_of(visitor->from);
  bool each = count_from(room, &address) >= room->most_each, soon = false;
  bool all = room->count - room->leaving >= room->most;
  int64_t fresh_ns = visitor->impatient ? INT64_MAX : visitor->now_ns - PSP_ROOM_FRESH_NS;
  if (each || all) *leaves = make_room(room, each ? &address : NULL, fresh_ns, &soon);
  if ((each || all) && *leaves == NULL && soon && !visitor->impatient) return PSP_ROOM_WAIT;
  bool in = (!(each || all) || *leaves != NULL) && add(room, &address, visitor) != NULL;
  room->refused += !in;
  return in ? PSP_ROOM_IN : PSP_ROOM_REFUSED;
}

static psp_guest *find(const psp_room *room, int fd) {
  return fd >= 0 && (size_t)fd < room->capacity ? room->by_fd[fd] : NULL;
}

psp_guest *psp_room_begin(psp_room *room, int fd) {
  psp_guest *guest = find(room, fd);
  if (guest == NULL || guest->begun) return guest;
  guest->begun = true;
  room->starting--;
  atomic_store(&guest->busy, false);
  return guest;
}

void psp_room_leave(psp_room *room, int fd) {
  psp_guest *guest = find(room, fd);
  if (guest == NULL) return;
  take_out(room, guest);
  room->by_fd[fd] = NULL;
  room->count--;
  room->leaving -= guest->leaving;
  room->starting -= !guest->begun;
  free(guest);
}

void psp_room_answered(psp_room *room, psp_guest *guest) {
  atomic_store(&guest->turn, atomic_fetch_add(&room->turns, 1));
  atomic_store(&guest->answered, true);
  atomic_store(&guest->asks, false);
  atomic_store(&guest->busy, false);
}

bool psp_room_is_hurried(const psp_room *room) {
  return room->leaving >= PSP_ROOM_AT_ONCE || room->starting >= PSP_ROOM_AT_ONCE;
}

psp_guest *psp_room_make(psp_room *room) {
  bool soon = false;
  return make_room(room, NULL, INT64_MAX, &soon);
}

psp_guest *psp_room_next_overdue(psp_room *room, int64_t now_ns) {
  for (psp_guest *guest = room->first; guest != NULL; guest = guest->next) {
    if (guest->leaving || atomic_load(&guest->busy) || atomic_load(&guest->due_ns) > now_ns)
      continue;
    room->overdue++;
    return tell_to_leave(room, guest);
  }
  return NULL;
}
