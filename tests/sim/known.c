/* SPDX-License-Identifier: MIT */
#include "known.h"

#include <string.h>

bool sim_is_known(const sim_probe *probe, const sim_arrival *arrival, const sim_life_book *life) {
  return arrival->at_ns - probe->sent_ns <= 2 * life->timeout_ns;
}

/* What came from one source for one probe. */
typedef struct came {
  const sim_probe *probe;
  const sim_life_book *life;
  const sim_arrival *list;
  unsigned count;
  bool ended;
} came;

/* Whether it is known, and no telling again of the one that counts. */
static bool is_further(const came *c, unsigned first, unsigned i) {
  return i != first && sim_is_known(c->probe, &c->list[i], c->life) &&
         strcmp(c->list[i].delivery, c->list[first].delivery) != 0;
}

/* Whether an answer repeats the newest duplicate before it; *perhaps: an older one, or there are
 * others of the same nanosecond, so that it may be taken for new. A responder that did not hear
 * that we have its answer tells it again: that is no other. */
static bool is_repeated(const came *c, unsigned first, unsigned k, bool *perhaps) {
  const sim_arrival *list = c->list;
  int64_t newest_ns = -1; /* of those before this one's nanosecond */
  bool again = false, beside = false;
  *perhaps = false;
  for (unsigned i = k; i-- > 0;) {
    if (!is_further(c, first, i)) continue;
    const bool same = strcmp(list[i].delivery, list[k].delivery) == 0;
    const bool at_once = list[i].at_ns == list[k].at_ns;
    if (!at_once && newest_ns < 0) newest_ns = list[i].at_ns;
    const bool newest = at_once || list[i].at_ns == newest_ns;
    again |= same && newest;
    beside |= !same && newest && !at_once;
    *perhaps |= (same && !newest) || (!same && at_once);
  }
  *perhaps |= again && beside;
  for (unsigned i = k + 1; i < c->count && list[i].at_ns == list[k].at_ns; i++)
    *perhaps |= strcmp(list[i].delivery, list[k].delivery) != 0;
  return again;
}

/* When `first` is the one that counts. */
static sim_bounds count_after(const came *c, unsigned first) {
  const sim_arrival *list = c->list;
  sim_bounds b = {0, 0};
  bool told = false; /* of the newest duplicate, that it is kept */
  for (unsigned k = 0; k < c->count; k++) {
    bool perhaps = false;
    if (k == first ? !sim_is_known(c->probe, &list[k], c->life) : !is_further(c, first, k))
      continue;
    bool again = k != first && is_repeated(c, first, k, &perhaps);
    bool sure = list[k].status == 200 || (c->ended && list[k].at_ns < c->life->over_ns);
    b.most += !again || perhaps;
    b.least += sure && !perhaps && !(again && told);
    told = (again && told) || sure;
  }
  return b;
}

/* Of those that come at the same nanosecond, any may be taken for the first. */
sim_bounds sim_known_answers(const sim_probe *probe, size_t source, const sim_life_book *life,
                             bool ended) {
  const came c = {probe, life, probe->arrivals[source], probe->count[source], ended};
  sim_bounds all = count_after(&c, 0);
  for (unsigned k = 1; k < c.count && c.list[k].at_ns == c.list[0].at_ns; k++) {
    sim_bounds b = count_after(&c, k);
    if (b.least < all.least) all.least = b.least;
    if (b.most > all.most) all.most = b.most;
  }
  return all;
}
