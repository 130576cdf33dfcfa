/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_DASHBOARD_H
#define PSPROBE_DASHBOARD_H
/**
 * @file
 * The report while it grows: the page, live, and figures for machines, served by
 * a running prober on an address of its own.
 *
 *     GET /              the page of psprobe_report_html, following the run
 *     GET /events        Server-Sent Events: "news" when there is some
 *     GET /api/summary   figures, without probes
 *     GET /api/probes?run=ID&since=N  probes in columns, from change N on
 *     GET /metrics       Prometheus text
 *     GET /health/live, /health/ready
 *
 * Unless a function says otherwise:
 * Ownership: what goes in is copied.
 * Threading: any thread.
 * Blocks: never.
 */
#include <psprobe/results.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_dashboard psprobe_dashboard;

/** Valid when zeroed. Copied. */
typedef struct psprobe_dashboard_options {
  const char *listen; /**< "host:port", port 0 picks one; NULL: 127.0.0.1:8090 */
  size_t max_probes;  /**< kept in memory, the newest; 0: 1,000,000 (some 100 bytes each) */
  const psprobe_logger *logger;
  /** Names in a request's Host header that are ours, beside loopback and the address listened on;
   * else 421, so that no other web page can read this one through a name of its own (DNS
   * rebinding). */
  const char *const *hosts;
  size_t host_count; /**< at most 16 */
} psprobe_dashboard_options;

/**
 * Begins to serve.
 *
 * @param prober   borrowed until free; its counters are shown
 * @param uploader may be NULL; borrowed likewise
 * @param run      what is measured
 * @param options  may be NULL
 * @param dashboard receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT: the address; UNAVAILABLE: it is in use (named);
 *         RESOURCE_EXHAUSTED: no memory, or no thread
 * Ownership: free it with psprobe_dashboard_free, before the prober and the uploader.
 */
PSPROBE_API psprobe_code psprobe_dashboard_new(const psprobe_prober *prober,
                                               psprobe_uploader *uploader, const psprobe_run *run,
                                               const psprobe_dashboard_options *options,
                                               psprobe_dashboard **dashboard, psprobe_error *error);
/** @return "http://127.0.0.1:8090"; the dashboard's, until it is freed */
PSPROBE_API const char *psprobe_dashboard_url(const psprobe_dashboard *dashboard);
/**
 * Takes finished probes; a psprobe_prober_sink, `arg` is the dashboard.
 * @param finished borrowed until it returns
 * @param count    how many
 */
PSPROBE_API void psprobe_dashboard_sink(void *arg, const psprobe_finished *finished, size_t count);
/** Ends every connection, frees. NULL is fine. Blocks: for what is being answered. */
PSPROBE_API void psprobe_dashboard_free(psprobe_dashboard *dashboard);

#ifdef __cplusplus
}
#endif
#endif
