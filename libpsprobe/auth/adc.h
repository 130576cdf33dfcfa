/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_ADC_H
#define PSP_AUTH_ADC_H
/** @file Where credentials come from (AIP-4110), and what gcloud's configuration says. */
#include "auth/sources/source.h"

/**
 * Looks for credentials: the file that the options name; GOOGLE_APPLICATION_CREDENTIALS; gcloud's
 * application_default_credentials.json; the metadata server. A place that has some decides, also
 * when they are broken: none is passed over.
 * Blocks: at most 0.8 s for the metadata server, and for git (see hygiene.h).
 */
psprobe_code psp_adc_find(const psprobe_credentials_options *options, psp_fetcher *fetcher,
                          psp_source **source, psprobe_error *error);

/** Reads one credentials file. */
psprobe_code psp_adc_load(const char *path, const psprobe_credentials_options *options,
                          psp_source **source, psprobe_error *error);

/**
 * The project of gcloud's active configuration, read from its files, without running gcloud.
 * @return the text, to free(); NULL: none is set
 */
char *psp_gcloud_project(void);
/** The value of `key` in section `section` of an INI text (gcloud's form), to free(). Pure. */
char *psp_gcloud_ini_get(const char *text, const char *section, const char *key);
/** gcloud's configuration directory with `name` after it, to free(). NULL: no home, no memory. */
char *psp_gcloud_path(const char *name);

#endif
