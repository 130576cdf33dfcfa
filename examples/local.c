/* SPDX-License-Identifier: MIT */
/** @file The stand-in for Pub/Sub and Firestore by itself, for any client that knows emulators. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <psprobe/cli.h>
#include <psprobe/local.h>

static struct settings {
  psprobe_local_options local;
  int64_t pubsub_port, firestore_port;
} o;

static const psprobe_option options[] = {
    {"pubsub-port", PSPROBE_OPTION_INTEGER, &o.pubsub_port, "PORT", .help = "0 picks one", "8085",
     .max = 65535},
    {"firestore-port", PSPROBE_OPTION_INTEGER, &o.firestore_port, "PORT", .help = "0 picks one",
     "8086", .max = 65535},
    {"db", PSPROBE_OPTION_TEXT, &o.local.documents, "FILE",
     .help = "keep the documents there [in memory]"},
};

static const psprobe_program program = {
    .name = "local",
    .summary = "a stand-in for Pub/Sub and Firestore on this machine",
    .about =
        "Serves the REST of Pub/Sub and Firestore on loopback, as far as probing needs it, "
        "until Ctrl-C. Prints the two variables that Google's clients look for.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example =
        "eval \"$(psprobe-local --pubsub-port 0 --firestore-port 0 &)\"\n"
        "psprobe-prober --project demo-project --create\n"
        "kill $PSPROBE_LOCAL_PID",
};

/* Tells where we are. Standard output is closed then, so that `eval "$(psprobe-local &)"` goes on
 * while we do. */
static void announce(const psprobe_local *local) {
  psprobe_cli_print(stdout, "PUBSUB_EMULATOR_HOST=%s\nFIRESTORE_EMULATOR_HOST=%s\n",
                    psprobe_local_pubsub_host(local), psprobe_local_firestore_host(local));
  psprobe_cli_print(stdout,
                    "PSPROBE_LOCAL_PID=%ld\nexport PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST\n",
                    (long)getpid());
  fflush(stdout);
  if (isatty(STDOUT_FILENO) == 1) return;
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  if (nowhere >= 0) close(nowhere);
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_local *local = NULL;
  char pubsub[32], firestore[32];
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  snprintf(pubsub, sizeof pubsub, "127.0.0.1:%d", (int)o.pubsub_port);
  snprintf(firestore, sizeof firestore, "127.0.0.1:%d", (int)o.firestore_port);
  o.local.pubsub_listen = pubsub;
  o.local.firestore_listen = firestore;
  o.local.logger = &logger;

  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = psprobe_local_new(&o.local, &local, &error);
  if (code == PSPROBE_OK) {
    announce(local);
    psprobe_signals_wait(signals, -1);
  }
  status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
  psprobe_local_free(local);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
