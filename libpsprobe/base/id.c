/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool psp_random(void *out, size_t len) {
  unsigned char *at = out;
  while (len > 0) {
    ssize_t got = getrandom(at, len, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    len -= (size_t)got;
  }
  return true;
}

bool psp_id_new(char out[PSP_ID_SIZE]) {
  uint64_t id[2];
  if (!psp_random(id, sizeof id)) {
    out[0] = '\0';
    return false;
  }
  psp_id_format(out, id);
  return true;
}

/* Ids are read and written on the timing path, eight digits at a time: with a branch for each digit
 * the processor guesses half of them wrong, and that costs more than all the rest of a look-up. */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/** The first of eight digits in the highest byte. */
static uint64_t load_digits(const char *text) {
  uint64_t word;
  memcpy(&word, text, sizeof word);
  return be64toh(word);
}

/** The value of eight digits, which have 0 to 15 in each byte. */
static uint32_t pack(uint64_t nibbles) {
  nibbles = (nibbles | nibbles >> 4) & UINT64_C(0x00ff00ff00ff00ff);
  nibbles = (nibbles | nibbles >> 8) & UINT64_C(0x0000ffff0000ffff);
  return (uint32_t)(nibbles | nibbles >> 16);
}

/** Reads eight digits. Makes `bad` other than 0 when they are none. */
static uint32_t parse_digits(const char *text, uint64_t *bad) {
  uint64_t word = load_digits(text);
  uint64_t letters = word >> 6 & EACH(1);               /* 'a' is 0x61, '0' is 0x30 */
  uint64_t nibbles = (word & EACH(0x0f)) + letters * 9; /* 'a' has 1 in its low half */
  *bad |= (word & EACH(0xf0)) ^ (EACH(0x30) + letters * 0x30);
  *bad |= nibbles & EACH(0x10);                           /* past f */
  *bad |= ((nibbles + EACH(6)) >> 4 & EACH(1)) ^ letters; /* past 9, or before a */
  return pack(nibbles & EACH(0x0f));
}

bool psp_id_parse(const char *text, uint64_t out[2]) {
  if (text == NULL || strnlen(text, PSP_ID_SIZE) != PSP_ID_SIZE - 1) return false;
  uint64_t bad = 0;
  uint64_t high = (uint64_t)parse_digits(text, &bad) << 32 | parse_digits(text + 8, &bad);
  uint64_t low = (uint64_t)parse_digits(text + 16, &bad) << 32 | parse_digits(text + 24, &bad);
  if (bad != 0) return false;
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
