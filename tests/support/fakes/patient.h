/* SPDX-License-Identifier: MIT */
#ifndef TEST_PATIENT_H
#define TEST_PATIENT_H
/** @file The doctor in front of a Google of our own, and what it says. */
#include <psprobe/doctor.h>

#include "base/buf.h"
#include "fake_cloud.h"

#define PATIENT_ACCOUNT "prober@file-project.iam.gserviceaccount.com"
#define PATIENT_MEMBER  "--member=serviceAccount:" PATIENT_ACCOUNT

/** One run: what was found, as the program would print it. */
typedef struct patient {
  fake_cloud *google;
  psprobe_doctor_options options;
  psp_buf text;
  unsigned failed, warnings;
} patient;

/** cmocka's setup and teardown: *state is a patient with whom all is well. */
int patient_setup(void **state);
int patient_teardown(void **state);
/** Examines. Nothing of a secret may be in what is said. */
void patient_examine(patient *p);
/** A line that begins so (state and check), with `part` in it or in the commands under it. */
void patient_says(const patient *p, const char *begin, const char *part);
void patient_finds(const patient *p, unsigned failed, unsigned warnings);

#endif
