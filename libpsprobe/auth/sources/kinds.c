/* SPDX-License-Identifier: MIT */
#include "auth/sources/kinds.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"

/* By psp_key_type; the metadata server has no file. */
static psp_source_getter *const kinds[] = {
    [PSP_KEY_SERVICE_ACCOUNT] = psp_service_account_get,
    [PSP_KEY_AUTHORIZED_USER] = psp_user_get,
    [PSP_KEY_IMPERSONATED] = psp_impersonated_get,
    [PSP_KEY_EXTERNAL] = psp_external_get,
    [PSP_KEY_EXTERNAL_USER] = psp_user_get,
};

static psprobe_code prepare(psp_source *source, const char *path, psprobe_error *error) {
  psp_key_file *f = source->file;
  const char *account =
      f->type == PSP_KEY_SERVICE_ACCOUNT ? f->client_email : f->impersonated_email;
  source->path = psp_strdup(path);
  source->account = psp_strdup(account);
  if ((path != NULL && source->path == NULL) || (account != NULL && source->account == NULL))
    return psp_fail_memory(error, "credentials");
  if (f->type == PSP_KEY_SERVICE_ACCOUNT) {
    char what[PSP_WHAT_SIZE];
    snprintf(what, sizeof what, "credentials file %s: private_key", path != NULL ? path : "");
    psprobe_code code =
        psp_signer_new(f->private_key.data, f->private_key_id, what, &source->signer, error);
    psp_secret_free(&f->private_key); /* the signer has what it needs of it */
    return code;
  }
  if (f->type != PSP_KEY_IMPERSONATED) return PSPROBE_OK;
  psp_key_file *nested = f->source;
  f->source = NULL;
  return psp_source_new(nested, path, &source->inner, error);
}

psprobe_code psp_source_new(psp_key_file *file, const char *path, psp_source **source,
                            psprobe_error *error) {
  psp_source *made = calloc(1, sizeof *made);
  if (made == NULL) {
    psp_key_file_free(file);
    return psp_fail_memory(error, "credentials");
  }
  made->file = file;
  made->get = kinds[file->type];
  psprobe_code code = prepare(made, path, error);
  if (code == PSPROBE_OK)
    *source = made;
  else
    psp_source_free(made);
  return code;
}

psprobe_code psp_source_new_metadata(const char *host, psp_source **source, psprobe_error *error) {
  psp_source *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "credentials");
  made->get = psp_metadata_get;
  made->metadata.host = psp_strdup(host);
  if (made->metadata.host == NULL) {
    free(made);
    return psp_fail_memory(error, "credentials");
  }
  *source = made;
  return PSPROBE_OK;
}
