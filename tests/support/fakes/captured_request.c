/* SPDX-License-Identifier: MIT */
#include "captured_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "auth/sources/claims.h"
#include "base/text.h"
#include "fake_transport.h"
#include "keys.h"

/* ---- JSON ---- */

const psp_json *captured_get(const psp_json *object, const char *name) {
  const psp_json *member = psp_json_get(object, name);
  if (member == NULL) fail_msg("the capture has no %s", name);
  return member;
}

char *captured_text(const psp_json *json) {
  psp_buf buf = {0};
  psp_json_writer w = {.buf = &buf};
  psp_json_put_json(&w, json);
  return psp_buf_take(&buf, NULL);
}

psp_json *captured_parse(const char *text) {
  psp_json *json = NULL;
  psprobe_error error;
  if (psp_json_parse(text, strlen(text), "golden", &json, &error) != PSPROBE_OK)
    fail_msg("%s: %s", error.message, text);
  return json;
}

/* The same members with the same values, in whatever order; but `field` has `value` (NULL: is not
 * there), where the flow says so. */
static void same_members(const captured_flow *f, const char *field, const char *value,
                         const psp_json *ours, const psp_json *theirs) {
  size_t expected = 0;
  for (const psp_json *m = psp_json_first(theirs); m != NULL; m = psp_json_next(m)) {
    const char *key = psp_json_key(m);
    char *wanted = captured_text(m);
    if (psp_text_equal(field, key)) {
      free(wanted);
      wanted = psp_strdup(value);
      if (wanted == NULL) continue;
    }
    expected++;
    const psp_json *mine = psp_json_get(ours, key);
    if (mine == NULL) fail_msg("%s: we do not send %s", f->name, key);
    char *got = captured_text(mine);
    if (strcmp(got, wanted) != 0) fail_msg("%s: %s is %s, not %s", f->name, key, got, wanted);
    free(got);
    free(wanted);
  }
  assert_int_equal(psp_json_count(ours), expected);
}

/* ---- what was sent ---- */

void captured_check_jwt(const captured_flow *f, const char *jwt, const psp_json *decoded) {
  assert_true(test_jwt_verifies(jwt, TEST_KEY_RSA));
  char *header_text = test_jwt_part(jwt, 0), *claims_text = test_jwt_part(jwt, 1);
  psp_json *header = captured_parse(header_text), *claims = captured_parse(claims_text);
  free(header_text);
  free(claims_text);
  assert_string_equal(psp_json_string(captured_get(header, "alg")), "RS256");
  assert_string_equal(psp_json_string(captured_get(header, "typ")), "JWT");
  assert_string_equal(psp_json_string(captured_get(header, "kid")),
                      "0123456789abcdef0123456789abcdef01234567");
  assert_int_equal(psp_json_count(header), 3);
  const psp_json *theirs = captured_get(decoded, "claims");
  size_t expected = 0;
  for (const psp_json *m = psp_json_first(theirs); m != NULL; m = psp_json_next(m)) {
    const char *key = psp_json_key(m);
    if (psp_text_equal(key, f->field)) continue;
    expected++;
    int64_t seconds;
    if (strcmp(key, "iat") == 0 || strcmp(key, "exp") == 0) {
      assert_true(psp_json_int64(captured_get(claims, key), &seconds));
      assert_int_equal(seconds, key[0] == 'i' ? f->wall_s : f->wall_s + 3600);
    } else {
      const char *ours = psp_json_string(psp_json_get(claims, key));
      if (!psp_text_equal(ours, psp_json_string(m)) &&
          !(strcmp(key, "scope") == 0 && psp_text_equal(ours, PSP_SCOPE_CLOUD)))
        fail_msg("%s: %s is %s, not %s", f->name, key, ours, psp_json_string(m));
    }
  }
  assert_int_equal(psp_json_count(claims), expected);
  psp_json_free(header);
  psp_json_free(claims);
}

/* A form as a JSON object of texts. */
static psp_json *parse_form(const char *form) {
  psp_buf json = {0};
  psp_json_writer w = {.buf = &json};
  psp_json_begin_object(&w);
  while (*form != 0) {
    size_t len = strcspn(form, "&"), name = strcspn(form, "=");
    assert_true(name < len);
    char key[64];
    snprintf(key, sizeof key, "%.*s", (int)name, form);
    psp_buf value = {0};
    assert_true(psp_percent_decode(&value, form + name + 1, len - name - 1));
    psp_json_put_key(&w, key);
    psp_json_put_string(&w, value.data != NULL ? value.data : "");
    psp_buf_free(&value);
    form += len + (form[len] == '&');
  }
  psp_json_end_object(&w);
  psp_json *parsed = captured_parse(json.data);
  psp_buf_free(&json);
  return parsed;
}

static void check_form(const captured_flow *f, const char *body, const psp_json *captured) {
  psp_json *form = parse_form(body);
  const psp_json *theirs = captured_get(captured, "body_decoded");
  const char *assertion = psp_json_string(psp_json_get(form, "assertion"));
  if (assertion != NULL) {
    captured_check_jwt(f, assertion, captured_get(captured, "decoded_jwt"));
    assert_string_equal(psp_json_string(captured_get(form, "grant_type")),
                        psp_json_string(captured_get(theirs, "grant_type")));
    assert_int_equal(psp_json_count(form), 2);
  } else {
    char *value = NULL;
    if (f->value != NULL && f->value[0] != '[') {
      psp_buf quoted = {0};
      psp_json_writer w = {.buf = &quoted};
      psp_json_put_string(&w, f->value);
      value = psp_buf_take(&quoted, NULL);
    }
    same_members(f, value != NULL ? f->field : NULL, value, form, theirs);
    free(value);
  }
  psp_json_free(form);
}

/* The value of a header in the capture's list of lines. */
static const char *captured_header(const psp_json *captured, const char *name) {
  const psp_json *lines = captured_get(captured, "headers");
  size_t len = strlen(name);
  for (const psp_json *line = psp_json_first(lines); line != NULL; line = psp_json_next(line)) {
    const char *text = psp_json_string(line);
    if (strncasecmp(text, name, len) == 0 && text[len] == ':')
      return text + len + 1 + strspn(text + len + 1, " ");
  }
  return NULL;
}

void captured_check_request(const captured_flow *f, const psp_http_request *sent,
                            const psp_json *captured) {
  static const char *const names[] = {"authorization", "x-goog-user-project", "metadata-flavor",
                                      "metadata"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *ours = fake_request_header(sent, names[i]);
    const char *theirs = captured_header(captured, names[i]);
    if (!psp_text_equal(ours, theirs)) fail_msg("%s: %s is %s", f->name, names[i], ours);
  }
  const char *type = fake_request_header(sent, "content-type");
  const char *their_type = captured_header(captured, "content-type");
  assert_true((type == NULL) == (their_type == NULL));
  assert_true(sent->secret);
  /* Google's metadata server must be reached directly: a proxy would see the token. */
  assert_int_equal(sent->no_proxy, strncmp(sent->url, "http:", 5) == 0);
  /* What the request says of its kind, after the names of the library. */
  const char *client = captured_header(captured, "x-goog-api-client");
  const char *byoid = client != NULL ? strstr(client, "google-byoid-sdk") : NULL;
  const char *our_client = fake_request_header(sent, "x-goog-api-client");
  if (byoid != NULL) assert_string_equal(strstr(our_client, "google-byoid-sdk"), byoid);
  if (type == NULL) {
    assert_int_equal(sent->body_len, 0);
    return;
  }
  assert_int_equal(strncmp(type, their_type, strlen(type)), 0);
  if (strcmp(type, "application/json") != 0) {
    check_form(f, sent->body, captured);
    return;
  }
  psp_json *ours = captured_parse(sent->body);
  same_members(f, f->field, f->value, ours, captured_get(captured, "body_decoded"));
  psp_json_free(ours);
}
