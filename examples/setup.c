/* SPDX-License-Identifier: MIT */
/**
 * @file Sets the experiment up on a project and takes it down again: says what it will do, asks,
 * does it, says what that costs, and has the doctor look at it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/cli.h>
#include <psprobe/doctor.h>
#include <psprobe/probe.h>
#include <psprobe/setup.h>

static struct settings {
  psprobe_setup_options setup;
  const char *verb, *prober;
  bool yes, json, no_doctor;
} o;

static const psprobe_option options[] = {
    {"project", PSPROBE_OPTION_TEXT, &o.setup.client.project, "ID", .help = "Google Cloud project",
     .also_env = "GOOGLE_CLOUD_PROJECT", .check = psprobe_check_project},
    {"topic", PSPROBE_OPTION_TEXT, &o.setup.topic, "NAME", .help = "all is named after it",
     "probes", .check = psprobe_check_topic},
    {"region", PSPROBE_OPTION_TEXT, &o.setup.region, "NAME",
     .help = "[as it was made, or europe-west1]"},
    {"image", PSPROBE_OPTION_TEXT, &o.setup.image, "IMAGE",
     .help = "of make image: runs it all on Cloud Run"},
    {"all", PSPROBE_OPTION_FLAG, &o.setup.all, NULL, .help = "six sources, not two"},
    {"prober", PSPROBE_OPTION_TEXT, &o.prober, "WHERE",
     .help = "here, or the URL of one of yours [Cloud Run]"},
    {"function-url", PSPROBE_OPTION_URL, &o.setup.function_url, "URL",
     .help = "of a function that runs elsewhere: push there"},
    {"interval", PSPROBE_OPTION_DURATION, &o.setup.interval_ns, "TIME",
     .help = "from probe to probe", "5s", .min = 1000000},
    {"cold-every", PSPROBE_OPTION_DURATION, &o.setup.cold_every_ns, "TIME",
     .help = "rare probes too, for cold starts, as 20m [none]", .min = 1000000000},
    {"enable-apis", PSPROBE_OPTION_FLAG, &o.setup.enable_apis, NULL,
     .help = "turn on the APIs that are off"},
    {"yes", PSPROBE_OPTION_FLAG, &o.yes, NULL, .help = "do not ask"},
    {"json", PSPROBE_OPTION_FLAG, &o.json, NULL, .help = "print JSON, at the end"},
    {"no-doctor", PSPROBE_OPTION_FLAG, &o.no_doctor, NULL, .help = "do not look at the result"},
    {"allow-unsafe-key", PSPROBE_OPTION_FLAG, &o.setup.client.allow_unsafe_key, NULL,
     .help = "use a key file that others can read or git would take"},
};

static const psprobe_program program = {
    .name = "setup",
    .summary = "set the experiment up on a Google Cloud project, and take it down",
    .about =
        "plan says what apply would do, and what it costs; destroy deletes what apply made: what "
        "bears the label psprobe=TOPIC, and nothing else. Each can be repeated.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .operand = "plan|apply|destroy",
    .operand_value = &o.verb,
    .operand_required = true,
    .example =
        "psprobe-setup apply --project my-project --image IMAGE --enable-apis\n"
        "psprobe-setup destroy --project my-project",
};

static void stop(void *arg, int count) {
  (void)count;
  psprobe_setup_stop(arg);
}

/* A line as soon as a step is done. */
static void show(void *arg, const psprobe_setup_step *step) {
  (void)arg;
  if (step->state != PSPROBE_SETUP_RUNNING)
    psprobe_cli_print(stdout, "%-6s  %s %s\n",
                      step->state == PSPROBE_SETUP_DONE ? "done" : "FAILED", step->kind,
                      step->name);
  fflush(stdout);
}

/* Nobody there to ask is a no. */
static bool asked(psprobe_error *error) {
  char line[16] = "";
  if (o.yes) return true;
  if (isatty(STDIN_FILENO)) {
    psprobe_cli_print(stdout, "Go on? [y/N] ");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y')) return true;
  }
  error->code = PSPROBE_CANCELLED;
  snprintf(error->message, sizeof error->message, "nothing was changed (--yes does not ask)");
  return false;
}

/* Until it is done, or a signal comes; a line on standard error says what is being done. */
typedef psprobe_code work_fn(psprobe_setup *setup, psprobe_error *error);
static psprobe_code attend(psprobe_setup *setup, psprobe_signals *signals, work_fn *work,
                           psprobe_error *error) {
  psprobe_progress *progress = NULL;
  psprobe_code code = psprobe_progress_new(stderr, psprobe_setup_progress, setup, &progress, error);
  psprobe_signals_to(signals, stop, setup);
  if (code == PSPROBE_OK) code = work(setup, error);
  psprobe_signals_to(signals, NULL, NULL);
  psprobe_progress_free(progress);
  return code;
}

static bool is_destroy(void) {
  return strcmp(o.verb, "destroy") == 0;
}

static psprobe_code look(psprobe_setup *setup, psprobe_error *error) {
  return psprobe_setup_plan(setup, is_destroy() ? PSPROBE_SETUP_DESTROY : PSPROBE_SETUP_APPLY,
                            error);
}

static psprobe_code run(psprobe_setup *setup, psprobe_error *error) {
  return psprobe_setup_run(setup, o.json ? NULL : show, NULL, error);
}

static void show_finding(void *arg, const psprobe_finding *finding) {
  (void)arg;
  if (finding->state == PSPROBE_DOCTOR_FAILED || finding->state == PSPROBE_DOCTOR_WARNING)
    psprobe_cli_put(psprobe_finding_text(finding, false), NULL, NULL);
}

/* What it finds is said by its lines, not by our status: Google may take a while yet. */
static void see_doctor(const psprobe_setup *setup) {
  const char *pulled[8], *pushed[8];
  psprobe_error error = {0};
  psprobe_diagnosis *diagnosis = NULL;
  psprobe_doctor_options look = {.client = o.setup.client,
                                 .topic = o.setup.topic,
                                 .subscriptions = pulled,
                                 .push_subscriptions = pushed,
                                 .resource_manager = o.setup.client.admin_endpoint,
                                 .no_consume = true,
                                 .no_publish = o.setup.image != NULL && o.prober == NULL};
  look.subscription_count = psprobe_setup_subscriptions(setup, false, pulled, 8);
  look.push_subscription_count = psprobe_setup_subscriptions(setup, true, pushed, 8);
  if (psprobe_doctor_run(&look, show_finding, NULL, &diagnosis, &error) == PSPROBE_OK)
    psprobe_cli_print(stdout, "The doctor: %zu ok, %zu warnings, %zu failed (psprobe-doctor).\n",
                      psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_OK),
                      psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_WARNING),
                      psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_FAILED));
  else
    psprobe_cli_fail(&program, &error);
  psprobe_diagnosis_free(diagnosis);
}

static psprobe_code carry_out(psprobe_setup *setup, psprobe_signals *signals,
                              psprobe_error *error) {
  psprobe_code code = attend(setup, signals, look, error);
  if (code != PSPROBE_OK) return code;
  if (!o.json) psprobe_cli_put(psprobe_setup_text(setup), NULL, NULL);
  if (!o.json && !is_destroy() && !o.yes) psprobe_cli_put(psprobe_setup_cost(setup), NULL, NULL);
  if (strcmp(o.verb, "plan") == 0) return code;
  if (psprobe_setup_changes(setup) > 0 && !asked(error)) return error->code;
  code = attend(setup, signals, run, error);
  if (code != PSPROBE_OK || o.json) return code;
  psprobe_cli_print(
      stdout, "%s\n",
      psprobe_setup_changes(setup) > 0 ? "All is done." : "Nothing was to be changed.");
  return code;
}

/* What there is to know and to do after an apply. */
static void conclude(const psprobe_setup *setup) {
  if (!o.no_doctor) see_doctor(setup);
  psprobe_cli_put(psprobe_setup_next(setup), NULL, NULL);
  psprobe_cli_put(psprobe_setup_cost(setup), NULL, NULL);
}

/* The commands, also of a plan that would be refused. */
static int finish(const psprobe_setup *setup, psprobe_code code, const psprobe_error *error) {
  if (o.json && setup != NULL)
    psprobe_cli_put(psprobe_setup_json(setup, code == PSPROBE_OK ? NULL : error), NULL, NULL);
  int status = code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, error);
  for (size_t i = 0; setup != NULL && psprobe_setup_mend(setup, i) != NULL; i++)
    psprobe_cli_print(stderr, "%9s%s %s\n", "", i == 0 ? "mend:" : "     ",
                      psprobe_setup_mend(setup, i));
  return code == PSPROBE_INVALID_ARGUMENT && setup == NULL ? 2 : status;
}

static bool is_verb(const char *verb) {
  return strcmp(verb, "plan") == 0 || strcmp(verb, "apply") == 0 || strcmp(verb, "destroy") == 0;
}

int main(int argc, char **argv) {
  psprobe_signals *signals = NULL;
  psprobe_logger logger;
  psprobe_error error = {0};
  psprobe_setup *setup = NULL;
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  if (!is_verb(o.verb)) {
    psprobe_cli_print(stderr, "psprobe-setup: %s: it must be plan, apply or destroy\n", o.verb);
    return 2;
  }
  psprobe_client_options_from_environment(&o.setup.client);
  o.setup.client.logger = &logger;
  if (strcmp(o.prober != NULL ? o.prober : "", "here") != 0) {
    o.setup.prober_url = o.prober;
  } else if (o.setup.image != NULL) {
    return psprobe_cli_usage(&program, "prober",
                             "what runs on Cloud Run must reach it: say its URL, not here");
  }
  psprobe_code code = psprobe_signals_new(&signals, &error);
  if (code == PSPROBE_OK) code = psprobe_setup_new(&o.setup, &setup, &error);
  if (code == PSPROBE_OK) code = carry_out(setup, signals, &error);
  if (code == PSPROBE_OK && !o.json && strcmp(o.verb, "apply") == 0) conclude(setup);
  status = finish(setup, code, &error);
  psprobe_setup_free(setup);
  psprobe_signals_free(signals);
  psprobe_cli_free(&program);
  return status;
}
