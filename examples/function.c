/* SPDX-License-Identifier: MIT */
/**
 * @file A function of one's own, to copy: `greet` takes messages of Pub/Sub's, by whatever trigger
 * they come; `hello` answers requests. FUNCTION_TARGET names which of them is served.
 */
#include <stdio.h>

#include <psprobe/cli.h>
#include <psprobe/function.h>

/* What is not PSPROBE_OK goes to the log with the error's words, and the event comes again. */
static psprobe_code greet(void *arg, psprobe_call *call, psprobe_error *error) {
  const psprobe_message *message = psprobe_call_message(call);
  psprobe_invocation invocation = psprobe_call_invocation(call);
  (void)arg, (void)error;
  psprobe_cli_print(stdout, "greet: hello, %.*s (call %llu, %s start)\n", (int)message->data_len,
                    message->data_len > 0 ? (const char *)message->data : "",
                    (unsigned long long)invocation.number, invocation.cold ? "cold" : "warm");
  fflush(stdout);
  return PSPROBE_OK;
}

static psprobe_code hello(void *arg, psprobe_call *call, psprobe_error *error) {
  (void)arg, (void)error;
  psprobe_call_reply(call, 200, "text/plain", "hello\n", 6);
  return PSPROBE_OK;
}

static const psprobe_target targets[] = {
    {.name = "greet", .kind = PSPROBE_TARGET_MESSAGE, .function = greet},
    {.name = "hello", .kind = PSPROBE_TARGET_HTTP, .function = hello},
};

static psprobe_function_options o;
static const psprobe_option options[] = {
    {"target", PSPROBE_OPTION_TEXT, &o.target, "NAME", .help = "greet or hello", "greet",
     .also_env = "FUNCTION_TARGET"},
    {"listen", PSPROBE_OPTION_TEXT, &o.listen, "ADDRESS",
     .help = "address to listen on [every one, at $PORT or 8080]", .check = psprobe_check_listen},
};

static const psprobe_program program = {
    .name = "function",
    .summary = "a function in C, as Cloud Run calls it",
    .about = "Serves one of two functions that are there to be copied, until SIGTERM.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .example = "PORT=8081 psprobe-function --target greet",
};

int main(int argc, char **argv) {
  psprobe_logger logger;
  psprobe_error error = {0};
  int status;
  if (!psprobe_cli_parse(&program, argc, argv, &logger, &status)) return status;
  o.logger = &logger;
  psprobe_code code = psprobe_function_serve(targets, 2, &o, &error);
  return code == PSPROBE_OK ? 0 : psprobe_cli_fail(&program, &error);
}
