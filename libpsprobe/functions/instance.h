/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_INSTANCE_H
#define PSP_FUNCTIONS_INSTANCE_H
/** @file This process as an instance of a function: its name, its age, how many calls it has had.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PSP_INSTANCE_SIZE 17

typedef struct psp_instance {
  char id[PSP_INSTANCE_SIZE]; /**< random, hexadecimal */
  int64_t start_ns;           /**< monotonic: the process's start */
  _Atomic int64_t ready_ns;   /**< from there until it listened or pulled; -1: not yet */
  _Atomic uint64_t calls;
} psp_instance;

/** False: the kernel gave no random numbers. */
bool psp_instance_init(psp_instance *instance);
/** It takes events from now on; the first time counts. */
void psp_instance_is_ready(psp_instance *instance);
/** Counts a call. @return its number, from 1 */
uint64_t psp_instance_call(psp_instance *instance);
/** Of a call that came at monotonic `received_ns`: its age, and the wall clock then. */
int64_t psp_instance_age_ns(const psp_instance *instance, int64_t received_ns);
int64_t psp_arrived_wall_ns(int64_t received_ns);

#endif
