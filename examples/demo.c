/* SPDX-License-Identifier: MIT */
/**
 * @file The whole experiment on this machine: the stand-in for Google (broker, documents, function
 * host) and the prober in this process, the subscriber and the function's instances in their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/local.h>
#include <psprobe/probe.h>
#include <psprobe/report.h>
#include <psprobe/results.h>

#define PROJECT    "demo-project"
#define TOPIC      "probes"
#define COLD_TOPIC "probes-cold"
#define SOURCES    3
#define SERVICES   4 /* two of each topic */
#define SECOND     1000000000LL

static struct settings {
  psprobe_prober_options prober;
  int64_t count;
  const char *db, *page;
} o;

static const psprobe_option options[] = {
    {"count", PSPROBE_OPTION_INTEGER, &o.count, "N", .help = "probes to send", "60", .min = 1,
     .max = 1000000},
    {"interval", PSPROBE_OPTION_DURATION, &o.prober.interval_ns, "TIME",
     .help = "from probe to probe", "250ms", .min = 1000000},
    {"cold-every", PSPROBE_OPTION_DURATION, &o.prober.cold_every_ns, "TIME",
     .help = "from one rare probe (a cold start) to the next", "2s", .min = 3 * SECOND / 2},
    {"db", PSPROBE_OPTION_TEXT, &o.db, "FILE", .help = "results file", "psprobe-demo.db"},
    {"html", PSPROBE_OPTION_TEXT, &o.page, "FILE", .help = "the page with the graphs",
     "psprobe-demo.html"},
};

static const psprobe_program program = {
    .name = "demo",
    .summary = "run the whole experiment on this machine",
    .about =
        "Starts a stand-in for Pub/Sub, Firestore and a function host, subscribers and a "
        "prober; sends probes, prints the table, stops everything. A second function gets rare "
        "probes on a topic of its own and scales to zero between them. Needs no account and no "
        "network.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "psprobe-demo --count 400 --interval 50ms",
};

/* A service that holds a stream open, and one that pulls. */
static const char *const sources[] = {PSPROBE_CLOUD_FUNCTION, PSPROBE_REGULAR_SERVICE,
                                      "unary_service"};

typedef struct demo {
  psprobe_local *local;
  psprobe_client *client;
  psprobe_store *store;
  psprobe_uploader *uploader;
  psprobe_recorder *recorder;
  psprobe_prober *prober;
  psprobe_child *services[SERVICES]; /* streaming and unary, of each topic */
  const char *cold; /* the URL of the function that sleeps between its probes; the local's */
} demo;

static psprobe_code open_all(demo *d, const psprobe_logger *logger, psprobe_error *error) {
  psprobe_local_options stand_in = {.logger = logger};
  psprobe_store_options keep = {.logger = logger};
  psprobe_uploader_options upload = {.collection = PSPROBE_COLLECTION, .logger = logger};
  psprobe_client_options options_of_client = {.project = PROJECT, .logger = logger};
  psprobe_code code = psprobe_local_new(&stand_in, &d->local, error);
  if (code != PSPROBE_OK) return code;
  options_of_client.pubsub_emulator = psprobe_local_pubsub_host(d->local);
  options_of_client.firestore_emulator = psprobe_local_firestore_host(d->local);
  code = psprobe_client_new(&options_of_client, &d->client, error);
  if (code == PSPROBE_OK) code = psprobe_topic_create(d->client, TOPIC, NULL, 0, NULL, error);
  if (code == PSPROBE_OK) code = psprobe_topic_create(d->client, COLD_TOPIC, NULL, 0, NULL, error);
  if (code == PSPROBE_OK) code = psprobe_store_new(o.db, &keep, &d->store, error);
  if (code == PSPROBE_OK)
    code = psprobe_uploader_new(d->store, d->client, &upload, &d->uploader, error);
  if (code == PSPROBE_OK)
    code = psprobe_recorder_new(
        d->store, &(psprobe_recorder_options){.uploader = d->uploader, .logger = logger},
        &d->recorder, error);
  o.prober.topic = TOPIC;
  o.prober.sources = sources;
  o.prober.source_count = SOURCES;
  o.prober.cold_topic = COLD_TOPIC;
  o.prober.listen = "127.0.0.1:0";
  o.prober.count = (uint64_t)o.count;
  o.prober.timeout_ns = 10 * SECOND;
  o.prober.keep = psprobe_recorder_keep;
  o.prober.keep_arg = d->recorder;
  o.prober.logger = logger;
  if (code == PSPROBE_OK) code = psprobe_prober_new(d->client, &o.prober, &d->prober, error);
  if (code == PSPROBE_OK)
    code = psprobe_recorder_begin(d->recorder, d->client, d->prober, &o.prober, error);
  return code;
}

/* A function: a push subscription whose endpoint starts `responder` when there is an event, and
 * ends it when there was none for `idle_ns` (0: long). */
static psprobe_code add_function(demo *d, const char *topic, int64_t idle_ns, const char **url,
                                 psprobe_error *error) {
  char path[4096], subscription[64];
  psprobe_code code = psprobe_program_path("responder", path, sizeof path, error);
  if (code != PSPROBE_OK) return code;
  const char *argv[] = {path, "--listen", "127.0.0.1", "--prober", psprobe_prober_url(d->prober),
                        NULL};
  psprobe_local_function_options function = {.argv = argv, .name = topic, .idle_ns = idle_ns};
  code = psprobe_local_function_add(d->local, &function, url, error);
  if (code != PSPROBE_OK) return code;
  snprintf(subscription, sizeof subscription, "%s-cloud-function", topic);
  psprobe_subscription_config config = {.topic = topic, .push_endpoint = *url};
  return psprobe_subscription_create(d->client, subscription, &config, NULL, error);
}

/* A service of a topic, as anyone would start it. */
static psprobe_code start_service(demo *d, const char *topic, const char *mode, const char *source,
                                  psprobe_child **child, psprobe_error *error) {
  char path[4096], host[300], line[300], subscription[64];
  psprobe_code code = psprobe_program_path("subscriber", path, sizeof path, error);
  if (code != PSPROBE_OK) return code;
  snprintf(host, sizeof host, "PUBSUB_EMULATOR_HOST=%s", psprobe_local_pubsub_host(d->local));
  snprintf(subscription, sizeof subscription, "%s-%s", topic, mode);
  const char *argv[] = {path,
                        "--project",
                        PROJECT,
                        "--create",
                        "--topic",
                        topic,
                        "--mode",
                        mode,
                        "--source",
                        source,
                        "--prober",
                        psprobe_prober_url(d->prober),
                        "--subscription",
                        subscription,
                        NULL};
  const char *env[] = {host, NULL};
  code = psprobe_child_new(argv, env, child, error);
  if (code != PSPROBE_OK) return code;
  return psprobe_child_wait_line(*child, "subscriber: pulling", 10 * SECOND, line, sizeof line,
                                 error);
}

/* Whoever answers, on both topics. */
static psprobe_code start_responders(demo *d, psprobe_error *error) {
  const char *warm, *const topics[] = {TOPIC, COLD_TOPIC};
  psprobe_code code = add_function(d, TOPIC, 0, &warm, error);
  if (code == PSPROBE_OK) code = add_function(d, COLD_TOPIC, SECOND, &d->cold, error);
  for (int i = 0; i < SERVICES && code == PSPROBE_OK; i++)
    code = start_service(d, topics[i / 2], i % 2 == 0 ? "streaming" : "unary", sources[1 + i % 2],
                         &d->services[i], error);
  return code;
}

/* What the function host says of the rare probes. @return whether each was answered there */
static bool tell_cold(demo *d, uint64_t sent) {
  psprobe_local_function_stats host;
  psprobe_local_function_get_stats(d->local, d->cold, &host);
  psprobe_cli_print(
      stdout,
      "\nThe function of %s ran only for its probes: its host counts %llu cold starts "
      "for %llu of them.\n",
      COLD_TOPIC, (unsigned long long)host.ready, (unsigned long long)host.answered);
  return host.answered >= sent;
}

/* Prints the table, and whether each probe was answered by both and stored in both places. */
static psprobe_code finish(demo *d, bool *all, psprobe_error *error) {
  psprobe_filter filter = {.run = psprobe_recorder_run(d->recorder)->id};
  psprobe_text_options text = psprobe_cli_text_options(stdout, false);
  psprobe_report *report = NULL;
  psprobe_prober_stats stats;
  psprobe_uploader_stats upload;
  psprobe_code code = psprobe_recorder_end(d->recorder, error);
  if (code == PSPROBE_OK) code = psprobe_uploader_flush(d->uploader, 10 * SECOND, error);
  if (code == PSPROBE_OK) code = psprobe_report_load(d->store, &filter, &report, error);
  if (code != PSPROBE_OK) return code;
  psprobe_prober_get_stats(d->prober, &stats);
  psprobe_uploader_get_stats(d->uploader, &upload);
  code = psprobe_cli_put(psprobe_report_text(report, &text), NULL, error);
  if (code == PSPROBE_OK) code = psprobe_cli_put(psprobe_report_html(report), o.page, error);
  uint64_t count = (uint64_t)o.count;
  *all = stats.answered[0] == count && stats.answered[1] == count && stats.answered[2] == count &&
         psprobe_report_count(report) == count && upload.backlog == 0;
  *all = tell_cold(d, stats.cold_sent) && *all;
  if (!*all)
    psprobe_cli_print(
        stderr,
        "psprobe-demo: not every probe went all the way: %llu sent, %llu, %llu and %llu of %llu "
        "answered, %zu stored, %llu not uploaded\n",
        (unsigned long long)stats.sent, (unsigned long long)stats.answered[0],
        (unsigned long long)stats.answered[1], (unsigned long long)stats.answered[2],
        (unsigned long long)count, psprobe_report_count(report),
        (unsigned long long)upload.backlog);
  psprobe_report_free(report);
  return code;
}

static void close_all(demo *d) {
  for (int i = 0; i < SERVICES; i++)
    psprobe_child_free(d->services[i]);
  psprobe_prober_free(d->prober);
  psprobe_recorder_free(d->recorder);
  psprobe_uploader_free(d->uploader);
  psprobe_store_free(d->store);
  psprobe_client_free(d->client);
  psprobe_local_free(d->local);
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  demo d = {0};
  bool all = false;
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  psprobe_cli_forget_settings();

  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = open_all(&d, &logger, &error);
  if (code == PSPROBE_OK) code = start_responders(&d, &error);
  if (code == PSPROBE_OK) {
    psprobe_cli_print(
        stdout,
        "Pub/Sub, Firestore and a function host run in this process, subscribers beside it.\n"
        "Sending %lld probes to topic %s, and rare ones to %s, whose function sleeps between\n"
        "them; functions and subscribers answer at %s.\n\n",
        (long long)o.count, TOPIC, COLD_TOPIC, psprobe_prober_url(d.prober));
    fflush(stdout);
    code = psprobe_cli_run(&program, d.prober, signals, 8 * SECOND, &error);
    if (code == PSPROBE_OK) code = finish(&d, &all, &error);
  }
  status = code == PSPROBE_OK ? !all : psprobe_cli_fail(&program, &error);
  close_all(&d);
  char report[4096];
  if (status == 0)
    psprobe_cli_print(stdout,
                      "\nResults: %s\nGraphs:  %s (open it in a browser)\n"
                      "Next:    %s %s, and README.md: on Google's emulators, on Google Cloud\n",
                      o.db, o.page, psprobe_program_command("report", report, sizeof report), o.db);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
