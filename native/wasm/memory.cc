// The heap of the WebAssembly module: first fit over a list of free blocks in the order of their addresses, neighbours
// joined. Few calls reach it: tensors come from the buffer pool in TypeScript, scratch memory is kept by its thread.
#include "../memory.h"

#include <stdint.h>

#include "module.h"

namespace softbox {
namespace {

constexpr size_t pageBytes = 65536;
constexpr size_t granule = 64;  // blocks and their headers begin and end at multiples of it

struct Block {
  size_t bytes;  // header included
  Block* next;
};

Block* firstFree = nullptr;
size_t heapEnd = 0;
int lock = 0;

struct Locked {
  Locked() {
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {}
  }
  ~Locked() { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }
};

Block* blockAt(size_t address) { return reinterpret_cast<Block*>(address); }
size_t addressOf(const Block* block) { return reinterpret_cast<size_t>(block); }

// Puts a block among the free ones, joined with those it touches.
void insert(Block* block) {
  Block* before = nullptr;
  Block* after = firstFree;
  while (after && after < block) {
    before = after;
    after = after->next;
  }
  block->next = after;
  if (after && addressOf(block) + block->bytes == addressOf(after)) {
    block->bytes += after->bytes;
    block->next = after->next;
  }
  if (!before) {
    firstFree = block;
  } else if (addressOf(before) + before->bytes == addressOf(block)) {
    before->bytes += block->bytes;
    before->next = block->next;
  } else {
    before->next = block;
  }
}

// Cuts `bytes` from the first free block that holds them.
Block* cut(size_t bytes) {
  for (Block** link = &firstFree; *link; link = &(*link)->next) {
    Block* found = *link;
    if (found->bytes < bytes) continue;
    if (found->bytes - bytes >= 2 * granule) {
      Block* rest = blockAt(addressOf(found) + bytes);
      rest->bytes = found->bytes - bytes;
      rest->next = found->next;
      *link = rest;
      found->bytes = bytes;
    } else {
      *link = found->next;
    }
    return found;
  }
  return nullptr;
}

// Takes more memory: an eighth of what there is, so that growing is rare.
bool grow(size_t bytes) {
  if (heapEnd == 0) heapEnd = (reinterpret_cast<size_t>(&__heap_base) + granule - 1) / granule * granule;
  const size_t pages = __builtin_wasm_memory_size(0), top = pages * pageBytes;
  const size_t free = heapEnd < top ? top - heapEnd : 0;
  if (free < bytes) {
    const size_t needed = (bytes - free + pageBytes - 1) / pageBytes, wanted = pages / 8 + 16;
    if ((needed >= wanted || __builtin_wasm_memory_grow(0, wanted) == SIZE_MAX) &&
        __builtin_wasm_memory_grow(0, needed) == SIZE_MAX)
      return false;
  }
  Block* block = blockAt(heapEnd);
  block->bytes = __builtin_wasm_memory_size(0) * pageBytes - heapEnd;
  heapEnd += block->bytes;
  insert(block);
  return true;
}

}  // namespace

void* allocateAligned(size_t bytes) {
  if (bytes > largestBlock) return nullptr;
  const size_t whole = (bytes + granule - 1) / granule * granule + granule;
  const Locked locked;
  Block* block = cut(whole);
  if (!block && grow(whole)) block = cut(whole);
  return block ? reinterpret_cast<char*>(block) + granule : nullptr;
}

void releaseAligned(void* block) {
  if (!block) return;
  const Locked locked;
  insert(reinterpret_cast<Block*>(static_cast<char*>(block) - granule));
}

}  // namespace softbox
