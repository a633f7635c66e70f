#include "memory.h"

#include <cstdlib>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace softbox {

namespace {
constexpr size_t hugePage = 2u << 20;
}

void* allocateAligned(size_t bytes) {
  if (bytes == 0) bytes = 64;
  const size_t alignment = bytes >= 2 * hugePage ? hugePage : 64;
  void* block = nullptr;
  if (posix_memalign(&block, alignment, (bytes + 63) / 64 * 64) != 0) return nullptr;
#if defined(__linux__)
  if (alignment == hugePage) madvise(block, bytes / hugePage * hugePage, MADV_HUGEPAGE);
#endif
  return block;
}

void releaseAligned(void* block) { std::free(block); }

}  // namespace softbox
