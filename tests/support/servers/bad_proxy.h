/* SPDX-License-Identifier: MIT */
#ifndef TEST_BAD_PROXY_H
#define TEST_BAD_PROXY_H
/**
 * @file
 * A proxy of TCP between a client and a server of 127.0.0.1, on one thread, as bad as a seed says:
 * it carries bytes in pieces and late, and some connections meet a fate after so many bytes.
 */
#include <stddef.h>
#include <stdint.h>

typedef enum bad_fate {
  BAD_CALM,  /**< carried to its end */
  BAD_CUT,   /**< closed towards both */
  BAD_RESET, /**< RST to both */
  BAD_STALL, /**< nothing is carried any more, either way, until the client gives it up */
  BAD_DEAF,  /**< nor read: what the client sends meets a window that closes */
  BAD_FATES
} bad_fate;

typedef struct bad_weather {
  uint64_t seed;
  unsigned per_cent[BAD_FATES]; /**< of connections; what is left to 100 is calm */
  size_t most;  /**< bytes, both ways, that a fate comes after; each size as likely */
  size_t piece; /**< bytes that go on at once, at most */
  int late_ms;  /**< that a piece waits, at most */
} bad_weather;

typedef struct bad_proxy bad_proxy;

bad_proxy *bad_proxy_start(int server_port, const bad_weather *weather);
int bad_proxy_port(const bad_proxy *proxy);
/** For connections that come from now on. */
void bad_proxy_set_weather(bad_proxy *proxy, const bad_weather *weather);
/** Those that are open meet it now. */
void bad_proxy_doom(bad_proxy *proxy, bad_fate fate);
/** Connections that have come, and that have met a fate (BAD_CALM: all). */
unsigned bad_proxy_count(bad_proxy *proxy, bad_fate fate);
void bad_proxy_stop(bad_proxy *proxy);

#endif
