/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_PULSE_H
#define PSP_PUBSUB_SUBSCRIBER_PULSE_H
/**
 * @file
 * Whether a stream is alive: what to do about it, and when. Pure; the time is an argument.
 *
 * The service ends a stream that says nothing for about a minute, and answers an empty request with
 * an empty answer. Not every server does (Google's emulators of before 0.8.32, proxies): so no
 * answer is a sign of death only where there has been one before, and elsewhere a stream that
 * brings nothing is opened anew every few minutes.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct psp_pulse {
  int64_t opened_ns;
  int64_t ping_ns;  /**< the next one */
  int64_t dead_ns;  /**< without an answer until then it is dead; PSP_NEVER: none is awaited */
  int64_t stale_ns; /**< without anything until then it may be */
  bool pinged;      /**< since it was opened */
} psp_pulse;

typedef enum psp_beat {
  PSP_BEAT_NONE,
  PSP_BEAT_PING, /**< one is to be sent, and counts as sent */
  PSP_BEAT_DEAD, /**< nothing came in answer to the last one; said again each 15 s */
  PSP_BEAT_STALE /**< nobody answers pings here, and nothing came for long; likewise */
} psp_beat;

void psp_pulse_open(psp_pulse *pulse, int64_t now);
/** Something came.
 * @param empty and it was no message: an answer to a ping, where one was sent
 * @param pongs whether pings are answered here; becomes true */
void psp_pulse_heard(psp_pulse *pulse, bool empty, bool *pongs, int64_t now);
psp_beat psp_pulse_next(psp_pulse *pulse, bool pongs, int64_t now);
/** When there will be something to do. */
int64_t psp_pulse_due(const psp_pulse *pulse, bool pongs);
/** It lived long enough for another to be opened at once: 30 s, as with Google's Go client. */
bool psp_pulse_lived(const psp_pulse *pulse, int64_t now);

#endif
