/* SPDX-License-Identifier: MIT */
/**
 * @file The "regular" service: pulls a subscription all the time and answers each probe at the
 * prober.
 */
#include <stdio.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/probe.h>

/* What stops programs kills them after ten seconds, by default. */
#define GRACE_NS (8 * INT64_C(1000000000))

static struct settings {
  psprobe_client_options client;
  psprobe_responder_options responder;
  psprobe_subscriber_options subscriber;
  const char *topic, *prober_auth, *mode;
  int64_t pulls;
  bool create, once;
} o;

static const psprobe_option options[] = {
    {"project", PSPROBE_OPTION_TEXT, &o.client.project, "ID", .help = "Google Cloud project",
     .also_env = "GOOGLE_CLOUD_PROJECT", .check = psprobe_check_project},
    {"subscription", PSPROBE_OPTION_TEXT, &o.subscriber.subscription, "NAME",
     .help = "subscription to pull", "probes-regular-service", .check = psprobe_check_subscription},
    {"topic", PSPROBE_OPTION_TEXT, &o.topic, "NAME", .help = "the topic that it is of", "probes",
     .check = psprobe_check_topic},
    {"create", PSPROBE_OPTION_FLAG, &o.create, NULL, .help = "make topic and subscription"},
    {"prober", PSPROBE_OPTION_URL, &o.responder.prober, "URL", .help = "base URL of the prober",
     "http://127.0.0.1:8080"},
    {"prober-auth", PSPROBE_OPTION_TEXT, &o.prober_auth, "HOW",
     .help = "none, or oidc: our ID token goes with each answer", "none",
     .check = psprobe_check_prober_auth},
    {"source", PSPROBE_OPTION_TEXT, &o.responder.source, "NAME", .help = "who we answer as",
     PSPROBE_REGULAR_SERVICE, .check = psprobe_source_check},
    {"mode", PSPROBE_OPTION_TEXT, &o.mode, "HOW",
     .help = "streaming, or unary (long polls by REST)", "streaming", .check = psprobe_check_mode},
    {"pulls", PSPROBE_OPTION_INTEGER, &o.pulls, "N",
     .help = "streams or long polls; 0: 1 stream, or 4 polls", "0", .min = 0, .max = 1000},
    {"once", PSPROBE_OPTION_FLAG, &o.once, NULL, .help = "answer one message, then end"},
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take"},
};

static const psprobe_program program = {
    .name = "subscriber",
    .summary = "answer probes from a pull subscription, all the time",
    .about =
        "Pulls a Pub/Sub subscription constantly and answers each probe at the prober, until "
        "Ctrl-C. A message is acknowledged once the prober has the answer.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "psprobe-subscriber --project my-project --create --prober http://10.0.0.2:8080",
};

static void stop(void *arg, int count) {
  (void)count;
  psprobe_responder_stop(arg);
}

static void settle_options(const psprobe_logger *logger) {
  o.client.logger = o.responder.logger = o.subscriber.logger = logger;
  o.responder.prober_oidc = strcmp(o.prober_auth, "oidc") == 0;
  o.responder.limit = o.once ? 1 : 0;
  /* For one message, hold up no others. */
  o.subscriber.create_on = o.create ? o.topic : NULL;
  o.subscriber.pulls = o.once ? 1 : (int)o.pulls;
  o.subscriber.max_messages = o.subscriber.max_outstanding = o.once ? 1 : 0;
  o.subscriber.mode = strcmp(o.mode, "unary") == 0 ? PSPROBE_UNARY : PSPROBE_STREAMING;
  psprobe_client_options_from_environment(&o.client);
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_client *client = NULL;
  psprobe_responder *responder = NULL;
  psprobe_subscriber *subscriber = NULL;
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  settle_options(&logger);
  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = psprobe_client_new(&o.client, &client, &error);
  if (code == PSPROBE_OK) code = psprobe_responder_new(client, &o.responder, &responder, &error);
  if (code == PSPROBE_OK)
    code = psprobe_subscription_ready(client, o.subscriber.subscription, o.topic, o.create, &error);
  if (code == PSPROBE_OK)
    code = psprobe_responder_pull(responder, &o.subscriber, &subscriber, &error);
  if (code == PSPROBE_OK) {
    psprobe_cli_print(stdout, "subscriber: pulling %s, answering at %s\n",
                      o.subscriber.subscription, o.responder.prober);
    fflush(stdout);
    psprobe_signals_to(signals, stop, responder);
    psprobe_responder_run(responder, o.responder.limit);
    psprobe_signals_to(signals, NULL, NULL);
    code = psprobe_subscriber_stop(subscriber, GRACE_NS, &error);
  }
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_subscriber_free(subscriber);
  psprobe_responder_free(responder);
  psprobe_client_free(client);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
