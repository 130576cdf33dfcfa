/* SPDX-License-Identifier: MIT */
/**
 * @file The cloud function: takes events over HTTP, in whatever form its trigger sends them, and
 * answers each probe at the prober, or (--direct) writes its own document.
 */
#include <stdio.h>
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/probe.h>

static struct settings {
  psprobe_client_options client;
  psprobe_responder_options responder;
  psprobe_callers callers;
  psprobe_verifier_options verify;
  const char *address, *prober_auth;
  int64_t port;
  bool once;
} o;

static const psprobe_option options[] = {
    {"listen", PSPROBE_OPTION_TEXT, &o.address, "ADDR",
     .help = "where pushes come in; port 0 picks one", ":8080", .check = psprobe_check_listen_host},
    {"port", PSPROBE_OPTION_INTEGER, &o.port, "PORT", .help = "its port, in place of that one",
     .also_env = "PORT", .max = 65535},
    {"prober", PSPROBE_OPTION_URL, &o.responder.prober, "URL", .help = "base URL of the prober",
     "http://127.0.0.1:8080"},
    {"prober-auth", PSPROBE_OPTION_TEXT, &o.prober_auth, "HOW",
     .help = "none, or oidc: our ID token goes with each answer", "none",
     .check = psprobe_check_prober_auth},
    {"source", PSPROBE_OPTION_TEXT, &o.responder.source, "NAME", .help = "who we answer as",
     PSPROBE_CLOUD_FUNCTION, .check = psprobe_source_check},
    {"once", PSPROBE_OPTION_FLAG, &o.once, NULL, .help = "answer one event, then end"},
    {"direct", PSPROBE_OPTION_FLAG, &o.responder.direct, NULL,
     .help = "write a document of our own instead"},
    {"collection", PSPROBE_OPTION_TEXT, &o.responder.collection, "NAME",
     .help = "Firestore collection, for --direct", PSPROBE_COLLECTION,
     .check = psprobe_check_collection},
    {"project", PSPROBE_OPTION_TEXT, &o.client.project, "ID",
     .help = "Google Cloud project, for --direct", .also_env = "GOOGLE_CLOUD_PROJECT",
     .check = psprobe_check_project},
    PSPROBE_CALLER_OPTIONS(o.callers, "push-account", "pushes", "push-audience",
                           ", as the subscription says", NULL),
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take"},
};

static const psprobe_program program = {
    .name = "responder",
    .summary = "answer probes that a trigger brings: the cloud function",
    .about =
        "Takes events of Pub/Sub's in every form that a trigger sends (push, wrapped or not; "
        "CloudEvents; events of the first generation) and answers each probe at the prober. Says "
        "204 once the prober has the answer, 503 when it could not be reached (Pub/Sub then "
        "delivers again) and 400 to what is no event.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "psprobe-responder --port 8081 --prober http://10.0.0.2:8080",
};

static void stop(void *arg, int count) {
  (void)count;
  psprobe_responder_stop(arg);
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_client *client = NULL;
  psprobe_responder *responder = NULL;
  char listen[300];
  int status, port = 0;
  o.port = -1;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  if (!psprobe_cli_callers(&program, &o.callers, &logger, &o.verify, &status)) return status;
  o.responder.limit = o.once ? 1 : 0;
  if (o.verify.audience != NULL) o.responder.verify = &o.verify;
  o.responder.prober_oidc = strcmp(o.prober_auth, "oidc") == 0;
  o.client.logger = o.responder.logger = &logger;
  psprobe_client_options_from_environment(&o.client);
  psprobe_listen_with(o.address, o.port, listen, sizeof listen);
  if (psprobe_check_listen(listen, &error) != PSPROBE_OK)
    return psprobe_cli_usage(&program, "listen", error.message);

  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = psprobe_client_new(&o.client, &client, &error);
  if (code == PSPROBE_OK) code = psprobe_responder_new(client, &o.responder, &responder, &error);
  if (code == PSPROBE_OK) code = psprobe_responder_listen(responder, listen, &port, &error);
  if (code == PSPROBE_OK) {
    psprobe_listen_with(o.address, port, listen, sizeof listen);
    psprobe_cli_print(stdout, "responder: listening on http://%s%s\n",
                      listen[0] == ':' ? "[::]" : "", listen);
    fflush(stdout);
    psprobe_signals_to(signals, stop, responder);
    psprobe_responder_run(responder, o.responder.limit);
    psprobe_signals_to(signals, NULL, NULL);
  }
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_responder_free(responder);
  psprobe_client_free(client);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
