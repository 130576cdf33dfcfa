/* SPDX-License-Identifier: MIT */
/** @file gcloud's configuration files, read without gcloud, which takes a second to start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/adc.h"
#include "auth/keys/hygiene.h"
#include "base/text.h"

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != 0 ? value : NULL;
}

char *psp_gcloud_path(const char *name) {
  const char *directory = variable("CLOUDSDK_CONFIG"), *home = variable("HOME");
  psp_buf path = {0};
  if (directory != NULL)
    psp_buf_printf(&path, "%s/%s", directory, name);
  else if (home != NULL)
    psp_buf_printf(&path, "%s/.config/gcloud/%s", home, name);
  else
    return NULL;
  return psp_buf_take(&path, NULL);
}

/* Moves to the next line of an INI text and cuts the white space around it. */
static bool next_line(const char **text, const char **line, size_t *len) {
  if (**text == 0) return false;
  size_t all = strcspn(*text, "\n");
  *line = *text;
  *text += all + ((*text)[all] == '\n');
  while (all > 0 && strchr(" \t\r", **line) != NULL) {
    (*line)++;
    all--;
  }
  while (all > 0 && strchr(" \t\r", (*line)[all - 1]) != NULL)
    all--;
  *len = all;
  return true;
}

/* What stands behind "key =" or "key:" in a line; false: that is not what it says. */
static bool read_value(const char *line, size_t len, const char *key, const char **value,
                       size_t *value_len) {
  size_t key_len = strlen(key);
  if (len <= key_len || memcmp(line, key, key_len) != 0) return false;
  const char *at = line + key_len, *end = line + len;
  at += strspn(at, " \t");
  if (at >= end || (*at != '=' && *at != ':')) return false;
  at++;
  at += strspn(at, " \t");
  *value = at;
  *value_len = at < end ? (size_t)(end - at) : 0;
  return true;
}

char *psp_gcloud_ini_get(const char *text, const char *section, const char *key) {
  const char *line, *value;
  size_t len, value_len, section_len = strlen(section);
  bool inside = false;
  while (next_line(&text, &line, &len)) {
    if (len >= 2 && line[0] == '[' && line[len - 1] == ']')
      inside = len - 2 == section_len && memcmp(line + 1, section, section_len) == 0;
    else if (inside && read_value(line, len, key, &value, &value_len))
      return value_len > 0 ? strndup(value, value_len) : NULL;
  }
  return NULL;
}

/* A small file of gcloud's, as a text to free. */
static char *read_file(const char *name) {
  char *path = psp_gcloud_path(name);
  psp_secret text = {0};
  psp_key_seen seen;
  char *copy = NULL;
  if (path != NULL && psp_key_file_read(path, &text, &seen, NULL) == PSPROBE_OK)
    copy = psp_strdup(text.data);
  psp_secret_free(&text);
  free(path);
  return copy;
}

char *psp_gcloud_project(void) {
  const char *set = variable("CLOUDSDK_CORE_PROJECT");
  if (set != NULL) return psp_strdup(set);
  const char *name = variable("CLOUDSDK_ACTIVE_CONFIG_NAME");
  char *active = name == NULL ? read_file("active_config") : NULL;
  if (active != NULL) active[strcspn(active, " \t\r\n")] = 0;
  if (name == NULL) name = active != NULL && active[0] != 0 ? active : "default";
  char file[200];
  int len = snprintf(file, sizeof file, "configurations/config_%s", name);
  bool fits = len > 0 && (size_t)len < sizeof file && strchr(name, '/') == NULL;
  free(active);
  char *text = fits ? read_file(file) : NULL;
  char *project = text != NULL ? psp_gcloud_ini_get(text, "core", "project") : NULL;
  free(text);
  return project;
}
