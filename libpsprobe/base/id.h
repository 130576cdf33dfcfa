/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_ID_H
#define PSP_BASE_ID_H
/** @file Ids: 128 bits as 32 lower-case hexadecimal digits. */
#include <stdbool.h>
#include <stdint.h>

#define PSP_ID_SIZE 33

/** Reads back what psp_id_format wrote. False: not of that form. */
bool psp_id_parse(const char *text, uint64_t out[2]);
void psp_id_format(char out[PSP_ID_SIZE], const uint64_t id[2]);

#endif
