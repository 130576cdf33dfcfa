/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/cli.h>

#include "cli/parts.h"

static struct {
  const char *topic, *url, *file;
  int64_t interval, count;
  bool create;
  psprobe_text_list sources, pair;
} o;

static const psprobe_option options[] = {
    {"topic", PSPROBE_OPTION_TEXT, &o.topic, "NAME", .help = "a topic", "probes",
     .check = psprobe_check_topic},
    {"prober", PSPROBE_OPTION_URL, &o.url, "URL", .help = "a URL", "http://127.0.0.1:8080"},
    {"interval", PSPROBE_OPTION_DURATION, &o.interval, "TIME", .help = "a time", "5s", .min = 1},
    {"count", PSPROBE_OPTION_INTEGER, &o.count, "N", .help = "a number", "0", .max = 100,
     .also_env = "ALSO_COUNT"},
    {"create", PSPROBE_OPTION_FLAG, &o.create, NULL, .help = "a flag"},
    {"source-name", PSPROBE_OPTION_LIST, &o.sources, "NAME", .help = "repeatable"},
    {"compare", PSPROBE_OPTION_PAIR, &o.pair, "A B", .help = "two"},
};

static const psprobe_program program = {
    .name = "test",
    .summary = "a test",
    .about = "About it.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .operand = "FILE",
    .operand_value = &o.file,
};

#define GO_ON (-1)

/* Parses a command line of words, with standard error kept in `said`. @return GO_ON or the status
 */
static int parse(const char *line, char *said, size_t size) {
  char name[] = "test", copy[256], *argv[32] = {name}, *rest = copy, *word;
  int argc = 1;
  snprintf(copy, sizeof copy, "%s", line);
  while ((word = strsep(&rest, " ")) != NULL)
    if (*word != '\0') argv[argc++] = word;
  psprobe_cli_free(&program);
  memset(&o, 0, sizeof o);
  FILE *file = tmpfile();
  assert_non_null(file);
  fflush(stderr);
  int saved = dup(2);
  dup2(fileno(file), 2);
  /* The words must outlive the parse, whose texts point into them. */
  static char *kept[32];
  for (int i = 1; i < 32; i++) {
    free(kept[i]);
    kept[i] = i < argc ? strdup(argv[i]) : NULL;
    if (i < argc) argv[i] = kept[i];
  }
  int status = GO_ON;
  bool on = psprobe_cli_parse(&program, argc, argv, NULL, &status);
  assert_true(on == (status == GO_ON));
  fflush(stderr);
  dup2(saved, 2);
  close(saved);
  rewind(file);
  size_t len = fread(said, 1, size - 1, file);
  said[len] = '\0';
  fclose(file);
  return status;
}

static void defaults_hold_where_nothing_is_said(void **state) {
  char said[512];
  (void)state;
  assert_int_equal(parse("", said, sizeof said), GO_ON);
  assert_string_equal(o.topic, "probes");
  assert_int_equal(o.interval, 5000000000);
  assert_int_equal(o.count, 0);
  assert_false(o.create);
  assert_int_equal(o.sources.count, 0);
  assert_null(o.file);
}

static void arguments_are_read(void **state) {
  char said[512];
  (void)state;
  assert_int_equal(
      parse("--topic=abc --interval 20ms x.db --create --source-name a --source-name=b "
            "--count 7",
            said, sizeof said),
      GO_ON);
  assert_string_equal(o.topic, "abc");
  assert_int_equal(o.interval, 20000000);
  assert_int_equal(o.count, 7);
  assert_true(o.create);
  assert_int_equal(o.sources.count, 2);
  assert_string_equal(o.sources.items[1], "b");
  assert_string_equal(o.file, "x.db");
}

static void mistakes_name_the_option(void **state) {
  static const struct {
    const char *line, *said;
  } cases[] = {
      {"--bogus", "--bogus: unknown option"},
      {"-x", "-x: unknown option"},
      {"--interval 5_parsecs", "--interval: '5_parsecs' is not a duration"},
      {"--interval 0", "--interval: '0' is too short"},
      {"--interval -5s", "--interval: '-5s' is not a duration"},
      {"--interval", "--interval: needs a value"},
      {"--count 101", "--count: '101' is not a whole number from 0 to 100"},
      {"--count 1x", "--count: '1x'"},
      {"--create=yes", "--create: takes no value"},
      {"--topic ab", "--topic: "},
      {"--topic googly", "--topic: "},
      {"--topic=", "--topic: must not be empty"},
      {"--prober 127.0.0.1:8080", "--prober: '127.0.0.1:8080' is not a URL"},
      {"--log-level loud", "--log-level: 'loud'"},
      {"a b", "b: one argument too many"},
  };
  char said[1024];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(parse(cases[i].line, said, sizeof said), 2);
    if (strstr(said, cases[i].said) == NULL) fail_msg("for '%s' it said: %s", cases[i].line, said);
  }
}

/* A password in a URL, a key in the wrong place: the mistake is told, they are not. */
static void secrets_are_not_told(void **state) {
  static const struct {
    const char *line, *said;
  } cases[] = {
      {"--prober http://user:hush@h:1", "--prober: 'http://***@h:1' is not a URL"},
      {"--prober=user:hush@h", "--prober: '***@h' is not a URL"},
      {"--prober ftp://user:hush@h/?hush", "--prober: 'ftp://***@h/?***' is not a URL"},
      {"--topic http://user:hush@h", "--topic: topic \"http://***@h\": a name is"},
      {"--interval http://user:hush@h", "--interval: 'http://***@h' is not a duration"},
      {"--count ya29.hush", "--count: '(a token, not shown)' is not a whole number"},
      {"--probber=http://user:hush@h", "--probber: unknown option"},
      {"file http://user:hush@h", "http://***@h: one argument too many"},
      {"--log-level user:hush@h", "--log-level: '***@h' is none of"},
  };
  char said[1024];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(parse(cases[i].line, said, sizeof said), 2);
    if (strstr(said, cases[i].said) == NULL) fail_msg("for '%s' it said: %s", cases[i].line, said);
    if (strstr(said, "hush") != NULL) fail_msg("for '%s' it told: %s", cases[i].line, said);
  }
  setenv("PSPROBE_PROBER", "http://user:hush@h", 1);
  assert_int_equal(parse("", said, sizeof said), 2);
  assert_non_null(strstr(said, "PSPROBE_PROBER: 'http://***@h' is not a URL"));
  assert_null(strstr(said, "hush"));
  unsetenv("PSPROBE_PROBER");
}

static void environment_stands_between_option_and_default(void **state) {
  char said[512];
  (void)state;
  setenv("PSPROBE_TOPIC", "from-env", 1);
  setenv("PSPROBE_CREATE", "1", 1);
  setenv("PSPROBE_SOURCE_NAME", "a,b,c", 1);
  setenv("ALSO_COUNT", "9", 1);
  assert_int_equal(parse("", said, sizeof said), GO_ON);
  assert_string_equal(o.topic, "from-env");
  assert_true(o.create);
  assert_int_equal(o.sources.count, 3);
  assert_int_equal(o.count, 9);
  assert_int_equal(parse("--topic by-option --source-name z", said, sizeof said), GO_ON);
  assert_string_equal(o.topic, "by-option");
  assert_int_equal(o.sources.count, 1);
  setenv("PSPROBE_COUNT", "many", 1);
  assert_int_equal(parse("", said, sizeof said), 2);
  assert_non_null(strstr(said, "PSPROBE_COUNT: 'many'"));
  unsetenv("PSPROBE_COUNT");
  unsetenv("ALSO_COUNT");
  unsetenv("PSPROBE_SOURCE_NAME");
  unsetenv("PSPROBE_CREATE");
  unsetenv("PSPROBE_TOPIC");
}

static void a_pair_takes_two_values(void **state) {
  char said[512];
  (void)state;
  assert_int_equal(parse("--compare a b file", said, sizeof said), GO_ON);
  assert_int_equal(o.pair.count, 2);
  assert_string_equal(o.pair.items[0], "a");
  assert_string_equal(o.pair.items[1], "b");
  assert_string_equal(o.file, "file");
  assert_int_equal(parse("--compare=a b", said, sizeof said), GO_ON);
  assert_string_equal(o.pair.items[1], "b");
  assert_int_equal(parse("--compare a", said, sizeof said), 2);
  assert_non_null(strstr(said, "--compare: needs two values"));
  assert_int_equal(parse("--compare a b --compare c d", said, sizeof said), 2);
  setenv("PSPROBE_COMPARE", "x,y", 1);
  assert_int_equal(parse("", said, sizeof said), GO_ON);
  assert_string_equal(o.pair.items[1], "y");
  setenv("PSPROBE_COMPARE", "x", 1);
  assert_int_equal(parse("", said, sizeof said), 2);
  unsetenv("PSPROBE_COMPARE");
}

static void rates(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ns; /* from one to the next; 0: refused */
  } cases[] = {{"1/s", 1000000000},
               {"10/s", 100000000},
               {"1/5s", 5000000000},
               {"6/1m", 10000000000},
               {"3/h", 1200000000000},
               {"1000000000/s", 0},
               {"0/s", 0},
               {"1", 0},
               {"/s", 0},
               {"1/", 0},
               {"-1/s", 0},
               {"1/0s", 0},
               {"1/x", 0},
               {"1.5/s", 0},
               {"99999999999999999999/s", 0}};
  int64_t value;
  const psprobe_option option = {
      .name = "rate", .kind = PSPROBE_OPTION_RATE, .value = &value, .min = 1000};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    value = 0;
    psprobe_code code = psp_cli_set_whole(&option, cases[i].text, &error);
    if ((code == PSPROBE_OK) != (cases[i].ns > 0) || value != cases[i].ns)
      fail_msg("%s: %lld %s", cases[i].text, (long long)value, error.message);
  }
}

static void help_fits_a_screen(void **state) {
  psp_buf out = {0};
  (void)state;
  psp_cli_help(&out, &program);
  assert_false(out.failed);
  size_t lines = 0;
  for (char *line = out.data; *line != '\0'; lines++) {
    size_t len = strcspn(line, "\n");
    assert_in_range(len, 0, 80);
    line += len + (line[len] == '\n');
  }
  assert_in_range(lines, 1, 24);
  assert_non_null(strstr(out.data, "--interval TIME"));
  psp_buf_reset(&out);
  psp_cli_man(&out, &program);
  assert_non_null(strstr(out.data, ".B \\-\\-source\\-name \\fINAME\\fR"));
  assert_non_null(strstr(out.data, "Environment: PSPROBE_SOURCE_NAME."));
  psp_buf_free(&out);
}

static void project_ids_follow_google(void **state) {
  static const char *const good[] = {"demo-project", "abc123", "example.com:my-project"};
  static const char *const bad[] = {
      "short",       "Upper-case", "1st-project",
      "ends-with-",  "",           "a b c d",
      "under_score", ":project",   "way-too-long-a-name-for-a-project-id"};
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(psprobe_check_project(good[i], NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psprobe_check_project(bad[i], NULL), PSPROBE_INVALID_ARGUMENT);
}

static void emulators_take_other_projects(void **state) {
  static const char *const variables[] = {"PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    psprobe_error error = {0};
    assert_int_equal(psprobe_check_project("test", NULL), PSPROBE_INVALID_ARGUMENT);
    setenv(variables[i], "127.0.0.1:8085", 1);
    assert_int_equal(psprobe_check_project("test", NULL), PSPROBE_OK);
    assert_int_equal(psprobe_check_project("Test_1", NULL), PSPROBE_OK);
    assert_int_equal(psprobe_check_project("a b", &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "\"a b\""));
    assert_int_equal(psprobe_check_project("a/b", NULL), PSPROBE_INVALID_ARGUMENT);
    setenv(variables[i], "", 1);
    assert_int_equal(psprobe_check_project("test", NULL), PSPROBE_INVALID_ARGUMENT);
    unsetenv(variables[i]);
  }
}

static void settings_are_forgotten_and_nothing_else(void **state) {
  (void)state;
  setenv("PSPROBE_TOPIC", "mine", 1);
  const char *topic = getenv("PSPROBE_TOPIC");
  setenv("PSPROBE_INTERVAL", "5s", 1);
  setenv("PSPROB", "stays", 1);
  setenv("PUBSUB_EMULATOR_HOST", "stays", 1);
  psprobe_cli_forget_settings();
  assert_null(getenv("PSPROBE_TOPIC"));
  assert_null(getenv("PSPROBE_INTERVAL"));
  assert_string_equal(getenv("PSPROB"), "stays");
  assert_string_equal(getenv("PUBSUB_EMULATOR_HOST"), "stays");
  assert_string_equal(topic, "mine"); /* an option may have it */
  unsetenv("PSPROB");
  unsetenv("PUBSUB_EMULATOR_HOST");
}

/* Kubernetes sets PSPROBE_PORT for a service called psprobe. */
static void what_kubernetes_sets_is_passed_by(void **state) {
  static int64_t port;
  static const psprobe_option port_option = {
      "port", PSPROBE_OPTION_INTEGER, &port, "PORT", .help = "a port", "8080", .max = 65535};
  static const psprobe_program listener = {.name = "test",
                                           .summary = "a test",
                                           .about = "About it.",
                                           .options = &port_option,
                                           .option_count = 1};
  char name[] = "test", *argv[] = {name, NULL};
  int status;
  (void)state;
  setenv("PSPROBE_PORT", "tcp://10.0.3.240:8080", 1);
  assert_true(psprobe_cli_parse(&listener, 1, argv, NULL, &status));
  assert_int_equal(port, 8080);
  setenv("PSPROBE_PORT", "81", 1);
  assert_true(psprobe_cli_parse(&listener, 1, argv, NULL, &status));
  assert_int_equal(port, 81);
  unsetenv("PSPROBE_PORT");
}

/* All that follows is the command's, options too. */
static void a_command_is_taken_whole(void **state) {
  static int64_t port;
  static const char *const *command;
  static const psprobe_option port_option = {
      "port", PSPROBE_OPTION_INTEGER, &port, "PORT", .help = "a port", "8080", .max = 65535};
  static const psprobe_program runner = {.name = "test",
                                         .summary = "a test",
                                         .about = "About it.",
                                         .options = &port_option,
                                         .option_count = 1,
                                         .command_value = &command};
  char name[] = "test", dash[] = "--", node[] = "node", option[] = "--port", seven[] = "7";
  char *marked[] = {name, option, seven, dash, node, option, seven, NULL};
  char *plain[] = {name, node, option, seven, NULL}, *none[] = {name, NULL};
  int status;
  (void)state;
  assert_true(psprobe_cli_parse(&runner, 7, marked, NULL, &status));
  assert_int_equal(port, 7);
  assert_ptr_equal(command, marked + 4);
  assert_true(psprobe_cli_parse(&runner, 4, plain, NULL, &status));
  assert_int_equal(port, 8080);
  assert_ptr_equal(command, plain + 1);
  command = NULL;
  assert_true(psprobe_cli_parse(&runner, 1, none, NULL, &status));
  assert_null(command);
  psp_buf help = {0};
  psp_cli_help(&help, &runner);
  assert_non_null(strstr(help.data, "psprobe-test [OPTION]... [-- COMMAND [ARGUMENT]...]\n"));
  psp_buf_free(&help);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_hold_where_nothing_is_said),
      cmocka_unit_test(arguments_are_read),
      cmocka_unit_test(mistakes_name_the_option),
      cmocka_unit_test(secrets_are_not_told),
      cmocka_unit_test(environment_stands_between_option_and_default),
      cmocka_unit_test(a_pair_takes_two_values),
      cmocka_unit_test(settings_are_forgotten_and_nothing_else),
      cmocka_unit_test(what_kubernetes_sets_is_passed_by),
      cmocka_unit_test(a_command_is_taken_whole),
      cmocka_unit_test(rates),
      cmocka_unit_test(help_fits_a_screen),
      cmocka_unit_test(project_ids_follow_google),
      cmocka_unit_test(emulators_take_other_projects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
