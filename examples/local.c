/* SPDX-License-Identifier: MIT */
/**
 * @file The stand-in for Pub/Sub and Firestore by itself, for any client that knows emulators; with
 * a command, a function host too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <psprobe/cli.h>
#include <psprobe/local.h>
#include <psprobe/pubsub_subscriptions.h>

#define PROJECT "demo-project"

static struct settings {
  psprobe_local_options local;
  psprobe_local_function_options function;
  int64_t pubsub_port, firestore_port, function_port;
  int64_t concurrency, max_instances, min_instances;
  const char *trigger;
} o;

static const psprobe_option options[] = {
    {"pubsub-port", PSPROBE_OPTION_INTEGER, &o.pubsub_port, "PORT", .help = "0 picks one", "8085",
     .max = 65535},
    {"firestore-port", PSPROBE_OPTION_INTEGER, &o.firestore_port, "PORT", .help = "0 picks one",
     "8086", .max = 65535},
    {"db", PSPROBE_OPTION_TEXT, &o.local.documents, "FILE",
     .help = "keep the documents there [in memory]"},
    {"trigger", PSPROBE_OPTION_TEXT, &o.trigger, "TOPIC",
     .help = "make it, and push its messages to the function", .check = psprobe_check_topic},
    {"function-port", PSPROBE_OPTION_INTEGER, &o.function_port, "PORT",
     .help = "where it takes events; 0 picks one", "0", .max = 65535},
    {"function-name", PSPROBE_OPTION_TEXT, &o.function.name, "NAME",
     .help = "K_SERVICE; begins its instances' names", "function",
     .check = psprobe_check_subscription},
    {"concurrency", PSPROBE_OPTION_INTEGER, &o.concurrency, "N",
     .help = "events that an instance gets at once", "1", .min = 1, .max = 1000},
    {"max-instances", PSPROBE_OPTION_INTEGER, &o.max_instances, "N", .help = "of it", "8", .min = 1,
     .max = 1000},
    {"min-instances", PSPROBE_OPTION_INTEGER, &o.min_instances, "N",
     .help = "that run though none is needed", "0", .max = 1000},
    {"idle", PSPROBE_OPTION_DURATION, &o.function.idle_ns, "TIME",
     .help = "an instance without an event is stopped after it", "15s", .min = 1000000},
    {"start-timeout", PSPROBE_OPTION_DURATION, &o.function.start_ns, "TIME",
     .help = "until an instance listens", "10s", .min = 1000000},
    {"event-timeout", PSPROBE_OPTION_DURATION, &o.function.timeout_ns, "TIME",
     .help = "until it has answered an event; then 504", "5m", .min = 1000000},
    {"wait", PSPROBE_OPTION_DURATION, &o.function.wait_ns, "TIME",
     .help = "an event waits for an instance so long; then 429", "10s", .min = 1000000},
    {"grace", PSPROBE_OPTION_DURATION, &o.function.grace_ns, "TIME",
     .help = "from SIGTERM to SIGKILL", "10s", .min = 1000000},
};

static const psprobe_program program = {
    .name = "local",
    .summary = "a stand-in for Pub/Sub, Firestore and Cloud Run on this machine",
    .about =
        "Serves Pub/Sub (REST and gRPC) and Firestore (REST) on loopback, as far as probing needs "
        "it, "
        "until Ctrl-C. Prints the two variables that Google's clients look for. With a command, "
        "that program is a function: it is started when events come, as Cloud Run starts a "
        "container, with the PORT to listen on in its environment, and stopped when none do. "
        "--log-level info shows what becomes of it and what it prints.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .command_value = &o.function.argv,
    .example =
        "eval \"$(psprobe-local --pubsub-port 0 --firestore-port 0 &)\"\n"
        "psprobe-prober --project demo-project --create\n"
        "kill $PSPROBE_LOCAL_PID\n"
        "psprobe-local --trigger news --log-level info -- node index.js",
};

/* The function, and what its topic pushes there. */
static psprobe_code add_function(psprobe_local *local, const char **url, psprobe_error *error) {
  psprobe_client *client = NULL;
  psprobe_client_options stand_in = {.project = PROJECT,
                                     .pubsub_emulator = psprobe_local_pubsub_host(local)};
  psprobe_subscription_config config = {.topic = o.trigger};
  o.function.concurrency = (int)o.concurrency;
  o.function.max_instances = (int)o.max_instances;
  o.function.min_instances = (int)o.min_instances;
  psprobe_code code = psprobe_local_function_add(local, &o.function, url, error);
  if (code != PSPROBE_OK || o.trigger == NULL) return code;
  config.push_endpoint = *url;
  code = psprobe_client_new(&stand_in, &client, error);
  if (code == PSPROBE_OK) code = psprobe_topic_create(client, o.trigger, NULL, 0, NULL, error);
  if (code == PSPROBE_OK)
    code = psprobe_subscription_create(client, o.function.name, &config, NULL, error);
  psprobe_client_free(client);
  return code;
}

/* Tells where we are. Standard output is closed then, so that `eval "$(psprobe-local &)"` goes on
 * while we do. */
static void announce(const psprobe_local *local, const char *function) {
  psprobe_cli_print(stdout, "PUBSUB_EMULATOR_HOST=%s\nFIRESTORE_EMULATOR_HOST=%s\n",
                    psprobe_local_pubsub_host(local), psprobe_local_firestore_host(local));
  if (function != NULL) psprobe_cli_print(stdout, "PSPROBE_FUNCTION_URL=%s\n", function);
  psprobe_cli_print(stdout,
                    "PSPROBE_LOCAL_PID=%ld\nexport PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST\n",
                    (long)getpid());
  fflush(stdout);
  if (isatty(STDOUT_FILENO) == 1) return;
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  if (nowhere >= 0) close(nowhere);
}

/* Everything that listens and runs, until a signal. */
static psprobe_code serve(psprobe_signals *signals, psprobe_error *error) {
  psprobe_local *local = NULL;
  const char *function = NULL;
  char pubsub[32], firestore[32], functions[32];
  snprintf(pubsub, sizeof pubsub, "127.0.0.1:%d", (int)o.pubsub_port);
  snprintf(firestore, sizeof firestore, "127.0.0.1:%d", (int)o.firestore_port);
  snprintf(functions, sizeof functions, "127.0.0.1:%d", (int)o.function_port);
  o.local.pubsub_listen = pubsub;
  o.local.firestore_listen = firestore;
  o.local.functions_listen = functions;
  psprobe_code code = psprobe_local_new(&o.local, &local, error);
  if (code == PSPROBE_OK && o.function.argv != NULL) code = add_function(local, &function, error);
  if (code == PSPROBE_OK) {
    announce(local, function);
    psprobe_signals_wait(signals, -1);
  }
  psprobe_local_free(local);
  return code;
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  if (o.trigger != NULL && o.function.argv == NULL)
    return psprobe_cli_usage(&program, "trigger", "needs a function: a command after --");
  if (o.min_instances > o.max_instances)
    return psprobe_cli_usage(&program, "min-instances", "is more than --max-instances");
  o.local.logger = &logger;
  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = serve(signals, &error);
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
