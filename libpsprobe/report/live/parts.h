/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_LIVE_PARTS_H
#define PSP_REPORT_LIVE_PARTS_H
/** @file What the parts of a dashboard share: its data, the inbox, hosts, routes. */
#include <pthread.h>

#include <psprobe/dashboard.h>

#include "base/buf.h"
#include "http/server/listen.h"
#include "http/server/server.h"
#include "report/live/metrics.h"
#include "report/report.h"

#define PSP_DASHBOARD_LISTEN  "127.0.0.1:8090"
#define PSP_DASHBOARD_STREAMS 1024
#define PSP_DASHBOARD_HOSTS   16

/** An answer that is made from all probes: made anew when there is news, but not more often than
 * can be afforded. */
typedef struct psp_kept_answer {
  psp_buf text; /**< of change `change` */
  uint64_t change;
  int64_t made_ns, cost_ns;
} psp_kept_answer;

struct psprobe_dashboard {
  const psprobe_prober *prober;
  psprobe_uploader *uploader; /**< may be NULL */
  psprobe_logger logger;
  size_t max_probes;
  psp_server *server;
  char run_id[PSPROBE_ID_SIZE];

  char host[PSP_LISTEN_HOST]; /**< that it listens on */
  char *hosts[PSP_DASHBOARD_HOSTS + 1];

  /** What the sink brought and nobody has looked at: all that it ever waits for. Of the inbox,
   * `news` and the two flags. */
  pthread_mutex_t inbox_lock;
  psp_buf inbox; /**< of psprobe_finished, each cut off behind its last source */
  pthread_cond_t news;
  bool changed, end;

  /** Of all that follows: of the routes and the teller. Held while figures are made from it. */
  pthread_mutex_t lock;
  psp_columns columns;
  uint32_t *changes; /**< indices of probes in the order they were added or changed */
  size_t change_count, change_capacity;
  uint64_t forgotten;                                      /**< changes before those of the list */
  psp_metric_histogram histograms[PSPROBE_MAX_SOURCES][2]; /**< warm, cold */
  psp_kept_answer summary, page;

  psp_stream *streams[PSP_DASHBOARD_STREAMS];
  size_t stream_count;
  bool closed; /**< no stream is taken any more */
  pthread_t teller;
};

/** Brings the columns up to what the sink has brought. The lock is held. */
void psp_dashboard_take_in(psprobe_dashboard *dashboard);
/** What we listen on and answer as, from the options. @return false: no memory */
bool psp_dashboard_set_hosts(psprobe_dashboard *dashboard,
                             const psprobe_dashboard_options *options);
/** Whether a browser that was told `host` may see the page: any name that leads here would do for
 * a web page of somebody else's (DNS rebinding), so it is one that we know. Pure. */
bool psp_dashboard_host_ok(const psprobe_dashboard *dashboard, const char *host);
/** Routes, to be served; `routes` has room for them. @return how many */
size_t psp_dashboard_routes(psprobe_dashboard *dashboard, psp_route *routes);
#define PSP_DASHBOARD_ROUTES 8

#endif
