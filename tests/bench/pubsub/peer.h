/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H
/**
 * @file
 * What bench_peers.py says to a peer, and how that answers: it says `ready`, then obeys a line of
 * standard input at a time, says `done` after each, and ends when there are no more.
 *
 *     publish TOPIC COUNT SIZE           COUNT messages of SIZE bytes, until all have their ids
 *     receive SUBSCRIPTION COUNT         until COUNT messages are acknowledged
 *     latency TOPIC SUBSCRIPTION COUNT   publishes 20 a second, each by itself; says for each after
 *                                        how many microseconds its callback had it
 *
 * The 20 come at no even distance, or a broker that looks for messages each 50 ms would see all of
 * them at the same place between two looks.
 */
#include "../bench.h"

#define PEER_WARM        10 /* that latency publishes first, and says nothing of */
#define PEER_EVERY_NS    50000000
#define PEER_ASIDE_NS(i) ((i)*17 % 50 * 1000000)
#define PEER_MOST        10000
#define PEER_NAME        256

typedef struct peer {
  void (*publish)(const char *topic, int count, int size);
  void (*receive)(const char *subscription, int count);
  /** Message i, whose data is i as text, goes out at due_ns[i]: notes when it was handed over, and
   * when it had come. */
  void (*latency)(const char *topic, const char *subscription, int count, const int64_t *due_ns,
                  int64_t *sent_ns, int64_t *came_ns);
} peer;

static inline void peer_latency(const peer *p, const char *topic, const char *subscription,
                                int count) {
  static int64_t due_ns[PEER_MOST], sent_ns[PEER_MOST], came_ns[PEER_MOST];
  const int64_t begin_ns = bench_now_ns() + PEER_EVERY_NS;
  count += PEER_WARM;
  bench_need(count <= PEER_MOST, "too many messages");
  for (int i = 0; i < count; i++)
    due_ns[i] = begin_ns + i * (int64_t)PEER_EVERY_NS + PEER_ASIDE_NS(i);
  p->latency(topic, subscription, count, due_ns, sent_ns, came_ns);
  for (int i = PEER_WARM; i < count; i++)
    printf("%.1f\n", (double)(came_ns[i] - sent_ns[i]) / 1e3);
}

static inline void peer_obey(const peer *p) {
  char line[1024], a[PEER_NAME], b[PEER_NAME];
  int count, size;
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "publish %255s %d %d", a, &count, &size) == 3)
      p->publish(a, count, size);
    else if (sscanf(line, "receive %255s %d", a, &count) == 2)
      p->receive(a, count);
    else if (sscanf(line, "latency %255s %255s %d", a, b, &count) == 3)
      peer_latency(p, a, b, count);
    else
      bench_need(false, line);
    puts("done");
    fflush(stdout);
  }
}

#endif
