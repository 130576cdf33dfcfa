/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/pulse.h"

#include "os/clock.h"
#include "pubsub/subscriber/lease.h"

#define PING_NS   (30 * PSP_SECOND_NS)
#define ANSWER_NS (15 * PSP_SECOND_NS)
#define STALE_NS  (300 * PSP_SECOND_NS)
#define LIVED_NS  (30 * PSP_SECOND_NS)

void psp_pulse_open(psp_pulse *pulse, int64_t now) {
  *pulse = (psp_pulse){
      .opened_ns = now, .ping_ns = now + PING_NS, .dead_ns = PSP_NEVER, .stale_ns = now + STALE_NS};
}

void psp_pulse_heard(psp_pulse *pulse, bool empty, bool *pongs, int64_t now) {
  pulse->stale_ns = now + STALE_NS;
  pulse->dead_ns = PSP_NEVER;
  if (empty && pulse->pinged) *pongs = true;
}

psp_beat psp_pulse_next(psp_pulse *pulse, bool pongs, int64_t now) {
  if (now >= pulse->dead_ns) {
    pulse->dead_ns = now + ANSWER_NS;
    return PSP_BEAT_DEAD;
  }
  if (!pongs && now >= pulse->stale_ns) {
    pulse->stale_ns = now + ANSWER_NS;
    return PSP_BEAT_STALE;
  }
  if (now < pulse->ping_ns) return PSP_BEAT_NONE;
  pulse->ping_ns = now + PING_NS;
  pulse->pinged = true;
  if (pongs) pulse->dead_ns = now + ANSWER_NS;
  return PSP_BEAT_PING;
}

int64_t psp_pulse_due(const psp_pulse *pulse, bool pongs) {
  int64_t due = pulse->ping_ns < pulse->dead_ns ? pulse->ping_ns : pulse->dead_ns;
  return !pongs && pulse->stale_ns < due ? pulse->stale_ns : due;
}

bool psp_pulse_lived(const psp_pulse *pulse, int64_t now) {
  return now - pulse->opened_ns >= LIVED_NS;
}
