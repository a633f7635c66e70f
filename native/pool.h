// The thread pool and its scratch memory, as the kernels see them. No STL here: kernels are compiled with
// instruction sets the machine may lack, and an inline std function compiled that way could be linked anywhere.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace softbox {

using Task = void (*)(void* context, int64_t task);

// Runs task(context, i) for every i in [0, tasks), on the pool and the calling thread; returns when all are done.
// Runs inline when called from inside a task or while another thread is using the pool.
void parallelFor(int64_t tasks, Task task, void* context);

// Number of threads that take part, the caller included.
int threadCount();
void setThreadCount(int threads);

// Memory of the calling thread, 64-byte aligned, kept between calls; one block a slot, valid until the slot is asked
// for again by the same thread.
enum Slot {
  slotPackA, slotPackB, slotTail, slotTile, slotTile2, slotPartial, slotKeys, slotRows, slotSmall, slotScores, slotCount
};
void* scratchBytes(Slot slot, uint64_t bytes);
inline float* scratch(Slot slot, int64_t floats) {
  return static_cast<float*>(scratchBytes(slot, static_cast<uint64_t>(floats) * sizeof(float)));
}

}  // namespace softbox
