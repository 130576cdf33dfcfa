/* SPDX-License-Identifier: MIT */
/**
 * @file The doctor: looks whether the experiment could run, explains, says what mends it, and
 * changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include <psprobe/cli.h>
#include <psprobe/doctor.h>
#include <psprobe/probe.h>

static struct settings {
  psprobe_doctor_options doctor;
  psprobe_text_list pull, push;
  bool json;
} o;

static const psprobe_option options[] = {
    {"project", PSPROBE_OPTION_TEXT, &o.doctor.client.project, "ID", .help = "Google Cloud project",
     .also_env = "GOOGLE_CLOUD_PROJECT", .check = psprobe_check_project},
    {"topic", PSPROBE_OPTION_TEXT, &o.doctor.topic, "NAME", .help = "the prober's topic", "probes",
     .check = psprobe_check_topic},
    {"subscription", PSPROBE_OPTION_LIST, &o.pull, "NAME",
     .help = "to pull; repeatable [probes-regular-service]", .check = psprobe_check_subscription},
    {"push-subscription", PSPROBE_OPTION_LIST, &o.push, "NAME",
     .help = "to push; repeatable [probes-cloud-function]", .check = psprobe_check_subscription},
    {"prober", PSPROBE_OPTION_URL, &o.doctor.prober, "URL",
     .help = "the prober's address as others see it"},
    {"collection", PSPROBE_OPTION_TEXT, &o.doctor.collection, "NAME",
     .help = "Firestore collection", PSPROBE_COLLECTION, .check = psprobe_check_collection},
    {"no-publish", PSPROBE_OPTION_FLAG, &o.doctor.no_publish, NULL,
     .help = "this machine need not be allowed to publish"},
    {"no-consume", PSPROBE_OPTION_FLAG, &o.doctor.no_consume, NULL,
     .help = "this machine need not be allowed to pull"},
    {"no-firestore", PSPROBE_OPTION_FLAG, &o.doctor.no_firestore, NULL,
     .help = "results stay in the prober's file"},
    {"json", PSPROBE_OPTION_FLAG, &o.json, NULL, .help = "print JSON, at the end"},
    {"resource-manager", PSPROBE_OPTION_URL, &o.doctor.resource_manager, "URL",
     .help = "base URL of that API, for private endpoints"},
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.doctor.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take"},
};

static const psprobe_program program = {
    .name = "doctor",
    .summary = "look whether the experiment can run, and say what mends it",
    .about =
        "Looks at credentials, APIs, permissions, topic, subscriptions, database, clock and the "
        "way to the prober, and changes nothing. Exit status 1 when something failed.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "psprobe-doctor --project my-project --prober http://203.0.113.7:8080",
};

/* A line as soon as a check is done: somebody waits. */
static void show(void *arg, const psprobe_finding *finding) {
  const psprobe_text_options *text = arg;
  psprobe_cli_put(psprobe_finding_text(finding, text->color), NULL, NULL);
}

/* What it came to, in one line. */
static void sum_up(const psprobe_diagnosis *diagnosis) {
  size_t failed = psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_FAILED);
  size_t warnings = psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_WARNING);
  psprobe_cli_print(
      stdout, "\n%zu ok, %zu %s, %zu failed, %zu skipped. %s\n",
      psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_OK), warnings,
      warnings == 1 ? "warning" : "warnings", failed,
      psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_SKIPPED),
      failed > 0 ? "Run the commands behind \"mend:\", from the top, then psprobe-doctor again."
                 : "Nothing failed.");
}

int main(int argc, char **argv) {
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_diagnosis *diagnosis = NULL;
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  psprobe_client_options_from_environment(&o.doctor.client);
  o.doctor.client.logger = &logger;
  o.doctor.subscriptions = o.pull.count > 0 ? o.pull.items : NULL;
  o.doctor.subscription_count = o.pull.count;
  o.doctor.push_subscriptions = o.push.count > 0 ? o.push.items : NULL;
  o.doctor.push_subscription_count = o.push.count;
  psprobe_text_options text = psprobe_cli_text_options(stdout, false);

  psprobe_code code =
      psprobe_doctor_run(&o.doctor, o.json ? NULL : show, &text, &diagnosis, &error);
  if (code != PSPROBE_OK) {
    status = psprobe_cli_fail(&program, &error);
    if (code == PSPROBE_INVALID_ARGUMENT) status = 2;
  } else {
    status = psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_FAILED) > 0 ? 1 : 0;
    if (o.json)
      status |= psprobe_cli_put(psprobe_diagnosis_json(diagnosis), NULL, &error) != PSPROBE_OK;
    else
      sum_up(diagnosis);
  }
  psprobe_diagnosis_free(diagnosis);
  psprobe_cli_free(&program);
  return status;
}
