/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_LIVE_DASHBOARD_H
#define PSP_REPORT_LIVE_DASHBOARD_H
/** @file What the dashboard's data and its routes share. */
#include <pthread.h>

#include <psprobe/dashboard.h>

#include "http/server/server.h"
#include "report/live/metrics.h"
#include "report/report.h"

#define PSP_DASHBOARD_STREAMS 1024

struct psprobe_dashboard {
  const psprobe_prober *prober;
  psprobe_uploader *uploader; /**< may be NULL */
  psprobe_logger logger;
  size_t max_probes;
  psp_server *server;
  char run_id[PSPROBE_ID_SIZE];

  /** Of all that follows. Held by the sink for an append, by a route while it writes its answer:
   * neither is on the timing path. */
  pthread_mutex_t lock;
  psp_columns columns;
  uint32_t *changes; /**< indices of probes in the order they were added or changed */
  size_t change_count, change_capacity;
  uint64_t forgotten; /**< changes before those of the list */
  psp_metric_histogram histograms[PSPROBE_MAX_SOURCES];

  psp_buf summary; /**< of change `summary_change` */
  uint64_t summary_change;
  int64_t summary_made_ns, summary_cost_ns;

  psp_stream *streams[PSP_DASHBOARD_STREAMS];
  size_t stream_count;
  pthread_cond_t news;
  bool changed, end;
  pthread_t teller;
};

/** Routes, to be served; `routes` has room for them. @return how many */
size_t psp_dashboard_routes(psprobe_dashboard *dashboard, psp_route *routes);
#define PSP_DASHBOARD_ROUTES 8

#endif
