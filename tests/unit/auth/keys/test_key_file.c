/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/keys/key_file.h"
#include "base/buf.h"
#include "keys.h"

/* Texts with ' for ", to be readable here. */
static char *json(const char *text) {
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *c = copy; *c != 0; c++)
    if (*c == '\'') *c = '"';
  return copy;
}

static psprobe_code parse(const char *text, psp_key_file **file, psprobe_error *error) {
  char *copy = json(text);
  *file = NULL;
  psprobe_error_clear(error);
  psprobe_code code = psp_key_file_parse(copy, strlen(copy), "x.json", false, file, error);
  free(copy);
  return code;
}

#define SA "{'type':'service_account','client_email':'a@b','private_key':'SECRET'"
#define USER                                                                                 \
  "{'type':'authorized_user','client_id':'id','client_secret':'SECRET','refresh_token':'1//" \
  "SECRET'"
#define TARGET \
  "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/t@p:generateAccessToken"
#define IMPERSONATED                                                                    \
  "{'type':'impersonated_service_account','service_account_impersonation_url':'" TARGET \
  "',"                                                                                  \
  "'source_credentials':" USER "}"
#define EXTERNAL                                                                          \
  "{'type':'external_account','audience':'//iam.googleapis.com/projects/1/locations/"     \
  "global/workloadIdentityPools/p/providers/o','subject_token_type':'urn:x','token_url':" \
  "'https://sts.googleapis.com/v1/token'"
#define WORKFORCE                                                                 \
  "{'type':'external_account','audience':'//iam.googleapis.com/locations/global/" \
  "workforcePools/p/providers/o','subject_token_type':'urn:x','token_url':"       \
  "'https://sts.googleapis.com/v1/token'"
#define EXTERNAL_USER                                                                     \
  "{'type':'external_account_authorized_user','client_id':'id','client_secret':'SECRET'," \
  "'refresh_token':'SECRET'"

static const struct {
  const char *text;
  const char *why; /* NULL: accepted */
} cases[] = {
    {"", "no proper JSON"},
    {"[]", "no proper JSON"},
    {"{}", "field type is missing"},
    {"{'type':1}", "field type is missing"},
    {"{'client_email':'a@b','private_key':'SECRET'}", "field type is missing"},
    {"{'type':'Service_Account'}", "\"Service_Account\", which is not supported"},
    {"{'type':'gdch_service_account'}", "\"gdch_service_account\", which is not supported"},
    {"{'web':{'client_id':'x'}}", "field type is missing"},
    {SA "}", NULL},
    {SA ",'type':'authorized_user'}", "twice"},
    {"{'type':'service_account','private_key':'SECRET'}", "field client_email is missing"},
    {"{'type':'service_account','client_email':'a@b'}", "field private_key is missing"},
    {"{'type':'service_account','client_email':'','private_key':'SECRET'}",
     "field client_email is missing"},
    {"{'type':'service_account','client_email':7,'private_key':'SECRET'}",
     "field client_email is missing"},
    {"{'type':'service_account','client_email':'a@b/../c','private_key':'SECRET'}",
     "client_email is no account"},
    {SA ",'private_key_id':['x']}", "private_key_id must be text"},
    {SA ",'private_key_id':'a\\nb'}", "private_key_id has a control character"},
    {SA ",'quota_project_id':'q\\r\\nx-evil: 1'}", "quota_project_id has a control character"},
    {SA ",'universe_domain':'a b'}", "universe_domain is no domain name"},
    {SA ",'universe_domain':'evil.example/'}", "universe_domain is no domain name"},
    /* Where a signed request may be sent. */
    {SA ",'token_uri':'https://oauth2.googleapis.com/token'}", NULL},
    {SA ",'token_uri':'https://oauth2.googleapis.com:443/token'}", NULL},
    {SA ",'token_uri':'https://OAUTH2.GOOGLEAPIS.COM/token'}", NULL},
    {SA ",'token_uri':'https://accounts.google.com/o/oauth2/token'}", NULL},
    {SA ",'token_uri':'http://accounts.google.com/o/oauth2/token'}", "must be https"},
    {SA ",'token_uri':'https://accounts.google.com.evil.example/o/oauth2/token'}",
     "universe_domain"},
    {SA ",'token_uri':'http://127.0.0.1:8080/token'}", NULL},
    {SA ",'token_uri':'https://localhost:8080/token'}", NULL},
    {SA ",'universe_domain':'universe.example','token_uri':'https://oauth2.universe.example/t'}",
     NULL},
    {SA ",'token_uri':'http://oauth2.googleapis.com/token'}", "token_uri must be https"},
    {SA ",'token_uri':'https://oauth2.googleapis.com:8443/token'}", "port 443"},
    {SA ",'token_uri':'https://evilgoogleapis.com/token'}", "universe_domain"},
    {SA ",'token_uri':'https://googleapis.com.evil.example/token'}", "universe_domain"},
    {SA ",'token_uri':'https://oauth2.googleapis.com@evil.example/token'}", "user name"},
    {SA ",'token_uri':'https://evil.example/?x=.googleapis.com'}", "universe_domain"},
    {SA ",'token_uri':'https://evil.example#.googleapis.com'}", "fragment"},
    {SA ",'token_uri':'https://evil.example\\\\.googleapis.com/'}", "token_uri"},
    {SA ",'token_uri':'file:///etc/passwd'}", "http"},
    {USER "}", NULL},
    {USER ",'account':'','universe_domain':'googleapis.com'}", NULL},
    {"{'type':'authorized_user','client_id':'x','client_secret':'SECRET'}",
     "field refresh_token is missing"},
    {"{'type':'authorized_user','client_id':'x','refresh_token':'SECRET'}",
     "field client_secret is missing"},
    {"{'type':'authorized_user','client_secret':'SECRET','refresh_token':'SECRET'}",
     "field client_id is missing"},
    {IMPERSONATED "}", NULL},
    {IMPERSONATED ",'delegates':['projects/-/serviceAccounts/m@p'],'scopes':['s'],'lifetime':60}",
     NULL},
    {IMPERSONATED ",'delegates':'m@p'}", "delegates must be a list of texts"},
    {IMPERSONATED ",'delegates':[1]}", "delegates must be a list of texts"},
    {IMPERSONATED ",'delegates':['']}", "delegates must be a list of texts"},
    {IMPERSONATED ",'lifetime':0}", "lifetime must be"},
    {IMPERSONATED ",'lifetime':43201}", "lifetime must be"},
    {IMPERSONATED ",'lifetime':'1h'}", "lifetime must be"},
    {"{'type':'impersonated_service_account','source_credentials':" USER "}}",
     "service_account_impersonation_url is missing"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'" TARGET "'}",
     "source_credentials is missing"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'" TARGET
     "','source_credentials':{'type':'authorized_user','client_id':'x','client_secret':'SECRET'}}",
     "field source_credentials.refresh_token is missing"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'" TARGET
     "','source_credentials':" IMPERSONATED "}}",
     "nested twice"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'https://x/y',"
     "'source_credentials':" USER "}}",
     "generateAccessToken"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'https://x/"
     "serviceAccounts/:generateAccessToken','source_credentials':" USER "}}",
     "generateAccessToken"},
    {"{'type':'impersonated_service_account','service_account_impersonation_url':'https://x/"
     "a%2Fb:generateAccessToken','source_credentials':" USER "}}",
     "generateAccessToken"},
    {EXTERNAL ",'credential_source':{'file':'/t'}}", NULL},
    {EXTERNAL ",'credential_source':{'file':'/t','format':{'type':'text'}}}", NULL},
    {EXTERNAL
     ",'credential_source':{'file':'/t','format':{'type':'json','subject_token_field_name':'x'}}}",
     NULL},
    {EXTERNAL ",'credential_source':{'file':'/t','format':{'type':'json'}}}",
     "subject_token_field_name is missing"},
    {EXTERNAL ",'credential_source':{'file':'/t','format':{'type':'xml'}}}", "text or json"},
    {EXTERNAL "}", "credential_source is missing"},
    {EXTERNAL ",'credential_source':{}}", "one of file, url and executable"},
    {EXTERNAL ",'credential_source':{'file':'/t','url':'https://x/'}}",
     "one of file, url and executable"},
    {EXTERNAL ",'credential_source':{'environment_id':'aws1'}}", "of kind AWS"},
    {EXTERNAL ",'credential_source':{'certificate':{}}}", "of kind certificate"},
    {EXTERNAL ",'credential_source':{'url':'https://idp.example/','headers':{'A':'b'}}}", NULL},
    {EXTERNAL ",'credential_source':{'url':'http://169.254.169.254/x'}}", NULL},
    {EXTERNAL ",'credential_source':{'url':'http://[fd00:ec2::254]/x'}}", NULL},
    {EXTERNAL ",'credential_source':{'url':'http://127.0.0.1:1/x'}}", NULL},
    {EXTERNAL ",'credential_source':{'url':'http://idp.example/x'}}", "must be https"},
    {EXTERNAL ",'credential_source':{'url':'https://x/','headers':{'A':1}}}", "must be texts"},
    {EXTERNAL ",'credential_source':{'executable':{'command':'x'}}}", NULL},
    {EXTERNAL ",'credential_source':{'executable':{}}}", "command is missing"},
    {EXTERNAL ",'credential_source':{'executable':{'command':'x','timeout_millis':4999}}}",
     "from 5000"},
    {EXTERNAL ",'credential_source':{'executable':{'command':'x','timeout_millis':120001}}}",
     "from 5000"},
    {EXTERNAL ",'credential_source':{'file':'/t'},'token_url':'https://x/'}", "twice"},
    {EXTERNAL ",'credential_source':{'file':'/t'},'service_account_impersonation_url':'" TARGET
              "'}",
     NULL},
    {EXTERNAL ",'credential_source':{'file':'/t'},'service_account_impersonation_url':"
              "'https://evil.example/serviceAccounts/t@p:generateAccessToken'}",
     "universe_domain"},
    {EXTERNAL ",'credential_source':{'file':'/t'},'service_account_impersonation':"
              "{'token_lifetime_seconds':599}}",
     "from 600"},
    {EXTERNAL ",'credential_source':{'file':'/t'},'workforce_pool_user_project':'1'}",
     "no workforce pool"},
    {WORKFORCE ",'credential_source':{'file':'/t'},'workforce_pool_user_project':'1'}", NULL},
    {"{'type':'external_account','audience':'//x','subject_token_type':'u','token_url':"
     "'http://sts.googleapis.com/','credential_source':{'file':'/t'}}",
     "token_url must be https"},
    {"{'type':'external_account','audience':'//x','subject_token_type':'u',"
     "'credential_source':{'file':'/t'}}",
     NULL},
    {"{'type':'external_account','subject_token_type':'u','credential_source':{'file':'/t'}}",
     "audience is missing"},
    {EXTERNAL_USER "}", NULL},
    {EXTERNAL_USER ",'token_url':'https://evil.example/'}", "universe_domain"},
};

static void test_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_key_file *file;
    psprobe_error error;
    psprobe_code code = parse(cases[i].text, &file, &error);
    if ((code == PSPROBE_OK) != (cases[i].why == NULL))
      fail_msg("%s: %s", cases[i].text, code == PSPROBE_OK ? "accepted" : error.message);
    if (code != PSPROBE_OK) {
      if (strstr(error.message, cases[i].why) == NULL)
        fail_msg("%s: %s", cases[i].text, error.message);
      /* The field is named, the file too; a secret never is. */
      assert_non_null(strstr(error.message, "credentials file x.json"));
      assert_null(strstr(error.message, "SECRET"));
    }
    psp_key_file_free(file);
  }
}

static void test_fields(void **state) {
  (void)state;
  psp_key_file *f;
  psprobe_error error;
  assert_int_equal(
      parse(SA ",'project_id':'p','private_key_id':'k','quota_project_id':'q'}", &f, &error),
      PSPROBE_OK);
  assert_int_equal(f->type, PSP_KEY_SERVICE_ACCOUNT);
  assert_string_equal(f->client_email, "a@b");
  assert_string_equal(f->private_key.data, "SECRET");
  assert_string_equal(f->project_id, "p");
  assert_string_equal(f->private_key_id, "k");
  assert_string_equal(f->quota_project_id, "q");
  assert_string_equal(f->universe_domain, "googleapis.com");
  assert_string_equal(f->token_uri, "https://oauth2.googleapis.com/token");
  assert_true(f->has_secret);
  psp_key_file_free(f);

  assert_int_equal(parse(IMPERSONATED ",'delegates':['d1','d2']}", &f, &error), PSPROBE_OK);
  assert_string_equal(f->impersonated_email, "t@p");
  assert_int_equal(f->delegate_count, 2);
  assert_string_equal(f->delegates[1], "d2");
  assert_int_equal(f->lifetime_s, 3600);
  assert_string_equal(f->source->refresh_token.data, "1//SECRET");
  assert_true(f->has_secret); /* the nested one's */
  psp_key_file_free(f);

  assert_int_equal(parse(EXTERNAL ",'credential_source':{'url':'https://x/','headers':{'A':'b',"
                                  "'C':'d'}}}",
                         &f, &error),
                   PSPROBE_OK);
  assert_int_equal(f->subject.kind, PSP_SUBJECT_URL);
  assert_int_equal(f->subject.header_count, 2);
  assert_string_equal(f->subject.headers[2], "C");
  assert_string_equal(f->subject.headers[3], "d");
  assert_false(f->has_secret); /* so it may lie anywhere */
  psp_key_file_free(f);

  assert_int_equal(parse(EXTERNAL ",'client_id':'i','client_secret':'s','credential_source':"
                                  "{'file':'/t'}}",
                         &f, &error),
                   PSPROBE_OK);
  assert_true(f->has_secret);
  psp_key_file_free(f);
}

static void test_other_hosts_when_allowed(void **state) {
  (void)state;
  char *text = json(SA ",'token_uri':'https://other.example.com/token'}");
  psp_key_file *file = NULL;
  assert_int_equal(psp_key_file_parse(text, strlen(text), "x", false, &file, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_key_file_parse(text, strlen(text), "x", true, &file, NULL), PSPROBE_OK);
  psp_key_file_free(file);
  free(text);
  text = json(SA ",'token_uri':'http://other.example.com/token'}");
  assert_int_equal(psp_key_file_parse(text, strlen(text), "x", true, &file, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  free(text);
}

static void test_cut(void **state) {
  (void)state;
  char *text = test_service_account(NULL, "");
  size_t whole = strlen(text);
  for (size_t len = 0; len < whole; len++) {
    char *copy = malloc(len + 1);
    memcpy(copy, text, len);
    psp_key_file *file = NULL;
    psprobe_error error;
    assert_int_equal(psp_key_file_parse(copy, len, "x", false, &file, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_null(strstr(error.message, "BEGIN"));
    free(copy);
  }
  free(text);
}

/* Keys that Google handed out before 2018 are as good as ever; their token comes from where all
 * come from today. */
static void test_old_token_uri(void **state) {
  (void)state;
  psp_key_file *file;
  psprobe_error error;
  assert_int_equal(
      parse(SA ",'token_uri':'https://accounts.google.com/o/oauth2/token'}", &file, &error),
      PSPROBE_OK);
  assert_string_equal(file->token_uri, PSP_OAUTH_TOKEN_URL);
  psp_key_file_free(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_old_token_uri), cmocka_unit_test(test_cases),
      cmocka_unit_test(test_fields),        cmocka_unit_test(test_other_hosts_when_allowed),
      cmocka_unit_test(test_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
