/* SPDX-License-Identifier: MIT */
/**
 * @file The prober: publishes a message with a unique id at a steady pace, serves the routes that
 * the responders answer at, times them, keeps each result in a file and carries it to Firestore.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/dashboard.h>
#include <psprobe/probe.h>
#include <psprobe/report.h>
#include <psprobe/results.h>

static struct settings {
  psprobe_client_options client;
  psprobe_prober_options prober;
  psprobe_callers callers;
  psprobe_verifier_options verify;
  psprobe_text_list sources, admin_hosts;
  int64_t count, grace_ns, keep_ns;
  const char *db, *collection, *runs, *admin, *region, *resume, *publish_by;
  bool no_firestore, create;
} o;

static const psprobe_option options[] = {
    {"project", PSPROBE_OPTION_TEXT, &o.client.project, "ID", .help = "Google Cloud project",
     .also_env = "GOOGLE_CLOUD_PROJECT", .check = psprobe_check_project},
    {"topic", PSPROBE_OPTION_TEXT, &o.prober.topic, "NAME", .help = "topic to publish to", "probes",
     .check = psprobe_check_topic},
    {"interval", PSPROBE_OPTION_DURATION, &o.prober.interval_ns, "TIME",
     .help = "from probe to probe", "5s", .min = 1000},
    {"filler", PSPROBE_OPTION_RATE, &o.prober.filler_ns, "RATE",
     .help = "messages without a probe, as 1/s or 1/5s", .min = 1000, .man_only = true},
    {"publish-by", PSPROBE_OPTION_TEXT, &o.publish_by, "WAY",
     .help = "grpc, or rest; an endpoint that speaks no gRPC is asked by REST anyway", "grpc",
     .check = psprobe_check_publish_by, .man_only = true},
    {"cold-topic", PSPROBE_OPTION_TEXT, &o.prober.cold_topic, "NAME",
     .help = "a further topic, for rare probes", .check = psprobe_check_topic},
    {"cold-every", PSPROBE_OPTION_DURATION, &o.prober.cold_every_ns, "TIME",
     .help = "from one of these to the next [20m]", .min = 1000000},
    {"count", PSPROBE_OPTION_INTEGER, &o.count, "N", .help = "probes to send; 0: until Ctrl-C",
     "0"},
    {"grace", PSPROBE_OPTION_DURATION, &o.grace_ns, "TIME",
     .help = "how long Ctrl-C waits for answers in flight", "8s", .man_only = true},
    {"timeout", PSPROBE_OPTION_DURATION, &o.prober.timeout_ns, "TIME",
     .help = "how long an answer is waited for", "30s", .min = 1000000},
    {"listen", PSPROBE_OPTION_TEXT, &o.prober.listen, "ADDR",
     .help = "where answers come in; port 0 picks one", "127.0.0.1:8080",
     .check = psprobe_check_listen},
    {"source", PSPROBE_OPTION_LIST, &o.sources, "NAME",
     .help = "who answers; repeatable [cloud_function, regular_service]",
     .check = psprobe_source_check},
    {"db", PSPROBE_OPTION_TEXT, &o.db, "FILE", .help = "results file", "psprobe.db"},
    {"keep", PSPROBE_OPTION_DURATION, &o.keep_ns, "TIME",
     .help = "take away what is in Firestore and older, as 90d", .min = 1000000000,
     .man_only = true},
    {"resume", PSPROBE_OPTION_TEXT, &o.resume, "RUN",
     .help = "go on with a run of that file; last: the newest"},
    {"collection", PSPROBE_OPTION_TEXT, &o.collection, "NAME", .help = "Firestore collection",
     PSPROBE_COLLECTION, .check = psprobe_check_collection},
    {"runs-collection", PSPROBE_OPTION_TEXT, &o.runs, "NAME",
     .help = "Firestore collection of runs [as that one: pubsub_runs]",
     .check = psprobe_check_collection, .man_only = true},
    {"region", PSPROBE_OPTION_TEXT, &o.region, "REGION",
     .help = "where this prober runs, to be kept with its run", .also_env = "GOOGLE_CLOUD_REGION",
     .man_only = true},
    {"admin-listen", PSPROBE_OPTION_TEXT, &o.admin, "ADDR",
     .help = "page and metrics [127.0.0.1:8090, or any free port]", .check = psprobe_check_listen},
    {"admin-host", PSPROBE_OPTION_LIST, &o.admin_hosts, "NAME",
     .help = "a name that the page may be asked for by; repeatable", .check = psprobe_check_host,
     .man_only = true},
    {"no-firestore", PSPROBE_OPTION_FLAG, &o.no_firestore, NULL,
     .help = "keep results in the file only"},
    {"create", PSPROBE_OPTION_FLAG, &o.create, NULL, .help = "make the topic if it is not there"},
    PSPROBE_CALLER_OPTIONS(o.callers, "require-oidc", "answers", "audience",
                           ": our own scheme://host", psprobe_check_origin),
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take", .man_only = true},
};

static const psprobe_program program = {
    .name = "prober",
    .summary = "measure how fast responders answer a Pub/Sub message",
    .about = "Publishes probes, times the answers at /SOURCE/PROBE_ID, ends with a table.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "psprobe-prober --project my-project --create --listen 0.0.0.0:8080",
};

/* What the run holds open; zeroed parts are skipped by finish. */
typedef struct session {
  psprobe_client *client;
  psprobe_store *store;
  psprobe_uploader *uploader;
  psprobe_recorder *recorder;
  psprobe_prober *prober;
  psprobe_dashboard *dashboard;
} session;

/* Off the timing path, on the collector's thread. */
static void on_finished(void *arg, const psprobe_finished *finished, size_t count) {
  session *s = arg;
  psprobe_dashboard_sink(s->dashboard, finished, count);
}

static psprobe_code open_dashboard(session *s, const psprobe_logger *logger, psprobe_error *error) {
  psprobe_dashboard_options options_of_page = {.listen = o.admin,
                                               .logger = logger,
                                               .hosts = o.admin_hosts.items,
                                               .host_count = o.admin_hosts.count};
  const psprobe_run *run = psprobe_recorder_run(s->recorder);
  psprobe_code code =
      psprobe_dashboard_new(s->prober, s->uploader, run, &options_of_page, &s->dashboard, error);
  if (code != PSPROBE_UNAVAILABLE || o.admin != NULL) return code;
  /* Another prober has the usual port, and nobody asked for that one. */
  options_of_page.listen = "127.0.0.1:0";
  return psprobe_dashboard_new(s->prober, s->uploader, run, &options_of_page, &s->dashboard, error);
}

static psprobe_code open_all(session *s, const psprobe_logger *logger, psprobe_error *error) {
  psprobe_uploader_options upload = {.collection = o.collection, .runs = o.runs, .logger = logger};
  psprobe_store_options keep = {.logger = logger};
  psprobe_code code = psprobe_client_new(&o.client, &s->client, error);
  if (code == PSPROBE_OK) code = psprobe_store_new(o.db, &keep, &s->store, error);
  if (code == PSPROBE_OK && !o.no_firestore)
    code = psprobe_uploader_new(s->store, s->client, &upload, &s->uploader, error);
  if (code == PSPROBE_OK)
    code = psprobe_recorder_new(s->store,
                                &(psprobe_recorder_options){.uploader = s->uploader,
                                                            .logger = logger,
                                                            .region = o.region,
                                                            .resume = o.resume,
                                                            .keep_ns = o.keep_ns},
                                &s->recorder, error);
  o.prober.create_topic = o.create;
  o.prober.sink = on_finished;
  o.prober.sink_arg = s;
  o.prober.keep = psprobe_recorder_keep;
  o.prober.keep_arg = s->recorder;
  if (code == PSPROBE_OK) code = psprobe_prober_new(s->client, &o.prober, &s->prober, error);
  /* Last, so that what is wrong on this machine is told before the broker is asked. */
  if (code == PSPROBE_OK) code = psprobe_topic_ready(s->client, o.prober.topic, o.create, error);
  if (code == PSPROBE_OK && o.prober.cold_topic != NULL)
    code = psprobe_topic_ready(s->client, o.prober.cold_topic, o.create, error);
  if (code == PSPROBE_OK)
    code = psprobe_recorder_begin(s->recorder, s->client, s->prober, &o.prober, error);
  if (code == PSPROBE_OK) code = open_dashboard(s, logger, error);
  return code;
}

/* Prints the table and what else there is to say of the run. */
static psprobe_code tell(const session *s, psprobe_error *error) {
  psprobe_filter filter = {.run = psprobe_recorder_run(s->recorder)->id};
  psprobe_text_options text = psprobe_cli_text_options(stdout, false);
  psprobe_report *report = NULL;
  psprobe_code code = psprobe_report_load(s->store, &filter, &report, error);
  if (code != PSPROBE_OK) return code;
  char path[4096];
  code = psprobe_cli_put(psprobe_report_text(report, &text), NULL, error);
  psprobe_cli_tell_silent(stdout, s->prober);
  psprobe_cli_print(stdout, "\nResults: %s (%s --html report.html %s draws them)\n", o.db,
                    psprobe_program_command("report", path, sizeof path), o.db);
  if (psprobe_store_carried(s->store) > 0)
    psprobe_cli_print(stdout,
                      "%s was removed or renamed meanwhile: %llu results that it held were carried "
                      "over to a new one.\n",
                      o.db, (unsigned long long)psprobe_store_carried(s->store));
  fflush(stdout);
  psprobe_report_free(report);
  return code;
}

/* The table first: whoever stops programs may not wait for Firestore. */
static psprobe_code finish(session *s, psprobe_signals *signals, psprobe_error *error) {
  psprobe_error upload = {0}, untold = {0};
  psprobe_code code = psprobe_recorder_end(s->recorder, error);
  const bool ended = code == PSPROBE_OK; /* else there are results all the same */
  psprobe_code told = tell(s, ended ? error : &untold);
  if (ended) code = told;
  if (s->uploader != NULL && psprobe_cli_flush(s->uploader, signals, &upload) != PSPROBE_OK)
    psprobe_cli_print(stderr,
                      "psprobe-prober: not all results are in Firestore yet: %s\n"
                      "They are kept in %s; the next run with that file uploads them.\n",
                      upload.message, o.db);
  return code;
}

static void close_all(session *s) {
  psprobe_dashboard_free(s->dashboard);
  psprobe_prober_free(s->prober);
  psprobe_recorder_free(s->recorder);
  psprobe_uploader_free(s->uploader);
  psprobe_store_free(s->store);
  psprobe_client_free(s->client);
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  session s = {0};
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  if (!psprobe_cli_callers(&program, &o.callers, &logger, &o.verify, &status)) return status;
  if (o.verify.audience != NULL) o.prober.verify = &o.verify;
  o.prober.count = (uint64_t)o.count;
  o.prober.publish_by =
      strcmp(o.publish_by, "rest") == 0 ? PSPROBE_PUBLISH_BY_REST : PSPROBE_PUBLISH_BY_GRPC;
  o.prober.sources = o.sources.count > 0 ? o.sources.items : NULL;
  o.prober.source_count = o.sources.count;
  o.client.logger = o.prober.logger = &logger;
  psprobe_client_options_from_environment(&o.client);

  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = open_all(&s, &logger, &error);
  if (code == PSPROBE_OK) {
    psprobe_cli_print(stdout, "prober: listening on %s\nprober: live page at %s/\n",
                      psprobe_prober_url(s.prober), psprobe_dashboard_url(s.dashboard));
    fflush(stdout);
    code = psprobe_cli_run(&program, s.prober, signals, o.grace_ns, &error);
    if (code == PSPROBE_OK) code = finish(&s, signals, &error);
  }
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  close_all(&s);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
