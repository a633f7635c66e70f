// Products of 32 x 32 on AMX tile registers: two tiles of left rows, two of right columns, four sums. Everything that
// is AMX stands in the five functions or macros at the top; SOFTBOX_TILES_EMULATED computes them in plain C++, for tests on
// other CPUs.
#pragma once
#include "packing.h"

#if SOFTBOX_TILES

SOFTBOX_BEGIN

#if defined(SOFTBOX_TILES_EMULATED)

struct EmulatedTile {
  uint32_t words[16][16];
};
static thread_local EmulatedTile emulatedTiles[8];

static void prepareTiles() {}
FORCE_INLINE void zeroTile(int t) { emulatedTiles[t] = {}; }
FORCE_INLINE void loadTile(int t, const float* from, int64_t step) {
  for (int i = 0; i < 16; i++) memcpy(emulatedTiles[t].words[i], from + i * step, 64);
}
FORCE_INLINE void storeTile(int t, float* to, int64_t step) {
  for (int i = 0; i < 16; i++) memcpy(to + i * step, emulatedTiles[t].words[i], 64);
}
static float floatOfHigh(uint32_t word) { float x; word &= 0xffff0000u; memcpy(&x, &word, 4); return x; }
// c += a · b over 16 words of two numbers (TDPBF16PS).
static void multiplyTiles(int c, int a, int b) {
  for (int i = 0; i < 16; i++)
    for (int k = 0; k < 16; k++) {
      const uint32_t left = emulatedTiles[a].words[i][k];
      for (int j = 0; j < 16; j++) {
        const uint32_t right = emulatedTiles[b].words[k][j];
        float sum;
        memcpy(&sum, &emulatedTiles[c].words[i][j], 4);
        sum += floatOfHigh(left << 16) * floatOfHigh(right << 16);
        sum += floatOfHigh(left) * floatOfHigh(right);
        memcpy(&emulatedTiles[c].words[i][j], &sum, 4);
      }
    }
}

#else

// Palette 1: eight tiles of 16 rows of 64 bytes, the same for all products; set once a thread.
static void prepareTiles() {
  static thread_local bool ready = false;
  if (ready) return;
  alignas(64) uint8_t config[64] = {};
  config[0] = 1;
  for (int t = 0; t < 8; t++) {
    config[16 + 2 * t] = 64;  // bytes a row, 16 bits
    config[48 + t] = 16;      // rows
  }
  _tile_loadconfig(config);
  ready = true;
}
// Macros: the names of tile registers stand in the instructions.
#define zeroTile(t) _tile_zero(t)
#define loadTile(t, from, step) _tile_loadd(t, from, (step) * 4)
#define storeTile(t, to, step) _tile_stored(t, to, (step) * 4)
#define multiplyTiles(c, a, b) _tile_dpbf16ps(c, a, b)

#endif

// sums [32, 32] = 32 rows of a, `depth` words each (a multiple of 16), times a packed panel b.
static void multiplyOnTiles(int64_t depth, const float* a, int64_t stepA, const float* b, float* sums) {
  prepareTiles();
  zeroTile(0);
  zeroTile(1);
  zeroTile(2);
  zeroTile(3);
  for (int64_t w = 0; w < depth; w += 16) {
    loadTile(4, a + w, stepA);
    loadTile(5, a + 16 * stepA + w, stepA);
    loadTile(6, b + w * tileColumns, tileColumns);
    loadTile(7, b + w * tileColumns + 16, tileColumns);
    multiplyTiles(0, 4, 6);
    multiplyTiles(1, 4, 7);
    multiplyTiles(2, 5, 6);
    multiplyTiles(3, 5, 7);
  }
  storeTile(0, sums, 32);
  storeTile(1, sums + 16, 32);
  storeTile(2, sums + 16 * 32, 32);
  storeTile(3, sums + 16 * 32 + 16, 32);
}

SOFTBOX_END

#endif
