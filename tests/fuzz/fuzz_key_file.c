/* SPDX-License-Identifier: MIT */
/** @file Credentials files, gcloud's INI files, commands, and PEM keys. */
#include <stdlib.h>
#include <string.h>

#include "auth/adc.h"
#include "auth/keys/key_file.h"
#include "auth/sources/jwt_sign.h"
#include "fuzz.h"
#include "os/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_key_file *file = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  bool others = size > 0 && (data[0] & 1) != 0;
  psprobe_code code = psp_key_file_parse((const char *)data, size, "x.json", others, &file, &error);
  FUZZ_ASSERT((code == PSPROBE_OK) == (file != NULL));
  FUZZ_ASSERT(code == PSPROBE_OK || error.message[0] != 0);
  if (file != NULL && file->type == PSP_KEY_SERVICE_ACCOUNT) {
    psp_signer *signer = NULL;
    psp_signer_new(file->private_key.data, "kid", "private_key", &signer, &error);
    psp_signer_free(signer);
  }
  psp_key_file_free(file);

  /* The same bytes as a text: a key by itself, an INI file, a command. */
  char *text = malloc(size + 1);
  FUZZ_ASSERT(text != NULL);
  memcpy(text, data, size);
  text[size] = 0;
  psp_signer *signer = NULL;
  psp_secret jwt = {0};
  if (psp_signer_new(text, NULL, "key", &signer, NULL) == PSPROBE_OK)
    psp_signer_jwt(signer, "{}", &jwt, NULL);
  psp_secret_free(&jwt);
  psp_signer_free(signer);
  free(psp_gcloud_ini_get(text, "core", "project"));
  free(psp_command_split(text));
  free(text);
  return 0;
}
