// Aligned memory, not zero-filled.
#pragma once
#include <stddef.h>

namespace softbox {

// 64-byte aligned; large blocks on huge pages where the system has them. Null when there is no memory.
void* allocateAligned(size_t bytes);
void releaseAligned(void* block);

}  // namespace softbox
