/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <endian.h>
#include <string.h>

/* Ids are read and written on the timing path, many digits at a time: with a branch for each digit
 * the processor guesses half of them wrong, and that costs more than all the rest of a look-up. */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The value of eight digits, 0 to 15 in each byte, the first in the highest. */
static uint32_t pack(uint64_t nibbles) {
  nibbles = (nibbles | nibbles >> 4) & UINT64_C(0x00ff00ff00ff00ff);
  nibbles = (nibbles | nibbles >> 8) & UINT64_C(0x0000ffff0000ffff);
  return (uint32_t)(nibbles | nibbles >> 16);
}

/* Sixteen bytes in one register, on any processor that has such (gcc and clang). */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* Reads sixteen digits. Makes `bad` other than 0 when they are none. */
static uint64_t parse_digits(const char *text, bytes16 *bad) {
  bytes16 word;
  uint64_t half[2];
  memcpy(&word, text, sizeof word);
  bytes16 letter = (bytes16)((word & 0x40) != 0); /* all ones for 'a' (0x61), 0 for '0' (0x30) */
  bytes16 nibble = (word & 0x0f) + (letter & 9);  /* 'a' has 1 in its low half */
  *bad |= (word & 0xf0) ^ (0x30 + (letter & 0x30));
  *bad |= nibble & 0x10;                  /* past f */
  *bad |= ((nibble + 6) ^ letter) & 0x10; /* past 9, or before a */
  memcpy(half, &nibble, sizeof half);
  return (uint64_t)pack(be64toh(half[0])) << 32 | pack(be64toh(half[1]));
}

bool psp_id_parse(const char *text, uint64_t out[2]) {
  if (text == NULL || strnlen(text, PSP_ID_SIZE) != PSP_ID_SIZE - 1) return false;
  bytes16 bad = {0};
  uint64_t high = parse_digits(text, &bad), low = parse_digits(text + 16, &bad), any[2];
  memcpy(any, &bad, sizeof any);
  if ((any[0] | any[1]) != 0) return false;
  out[0] = high;
  out[1] = low;
  return true;
}

static void format_digits(char *out, uint32_t value) {
  uint64_t nibbles = value;
  nibbles = (nibbles | nibbles << 16) & UINT64_C(0x0000ffff0000ffff);
  nibbles = (nibbles | nibbles << 8) & UINT64_C(0x00ff00ff00ff00ff);
  nibbles = (nibbles | nibbles << 4) & EACH(0x0f);
  uint64_t letters = (nibbles + EACH(6)) >> 4 & EACH(1);
  uint64_t word = htobe64(nibbles + EACH('0') + letters * ('a' - '0' - 10));
  memcpy(out, &word, sizeof word);
}

void psp_id_format(char out[PSP_ID_SIZE], const uint64_t id[2]) {
  for (size_t i = 0; i < 4; i++)
    format_digits(out + 8 * i, (uint32_t)(id[i / 2] >> (i % 2 == 0 ? 32 : 0)));
  out[PSP_ID_SIZE - 1] = '\0';
}
