// The thread pool of the WebAssembly module: workers of Node run `worker` on the same memory. They join when they have
// started, so nobody waits for them, and sleep in the kernel's futex when there is nothing to do.
// One JavaScript thread drives a memory: jobs never compete.
#include "../pool.h"

#include "../memory.h"
#include "module.h"

namespace softbox {
namespace {

constexpr uint64_t openBit = 1ull << 31;
constexpr uint64_t insideMask = openBit - 1;
constexpr int workerSpins = 10000, callerSpins = 2000;  // some tens of microseconds; a few
constexpr int64_t forever = -1, aMillisecond = 1000000;

// The job. `gate` is generation << 32 | open << 31 | workers inside.
Task job = nullptr;
void* jobContext = nullptr;
int64_t jobTasks = 0;
int64_t next = 0;
uint64_t gate = 0;

int threads = 1;
int sleepers = 0;
int opened = 0;         // counts jobs; workers sleep on it
int left = 0;           // counts workers that left while the caller slept on it
int callerSleeps = 0;

thread_local bool insideTask = false;

template <class T>
T atomicLoad(const T& x) { return __atomic_load_n(&x, __ATOMIC_SEQ_CST); }
template <class T>
T atomicAdd(T& x, T by) { return __atomic_fetch_add(&x, by, __ATOMIC_SEQ_CST); }
template <class T>
void atomicStore(T& x, T value) { __atomic_store_n(&x, value, __ATOMIC_SEQ_CST); }

void work() {
  insideTask = true;
  for (int64_t i = atomicAdd<int64_t>(next, 1); i < jobTasks; i = atomicAdd<int64_t>(next, 1)) job(jobContext, i);
  insideTask = false;
}

bool enter(uint64_t& seen) {
  uint64_t found = atomicLoad(gate);
  while ((found & openBit) && (found >> 32) != (seen >> 32)) {
    if (__atomic_compare_exchange_n(&gate, &found, found + 1, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      seen = found;
      return true;
    }
  }
  return false;
}

void leave() {
  atomicAdd<uint64_t>(gate, -1);
  if (!atomicLoad(callerSleeps)) return;
  atomicAdd(left, 1);
  __builtin_wasm_memory_atomic_notify(&left, 1);
}

void sleepUntilOpened(int seenOpened) {
  atomicAdd(sleepers, 1);
  __builtin_wasm_memory_atomic_wait32(&opened, seenOpened, forever);
  atomicAdd(sleepers, -1);
}

void open(int64_t tasks, Task task, void* context) {
  job = task;
  jobContext = context;
  jobTasks = tasks;
  atomicStore<int64_t>(next, 0);
  atomicStore(gate, ((gate >> 32) + 1) << 32 | openBit);
  atomicAdd(opened, 1);
  if (atomicLoad(sleepers) > 0) __builtin_wasm_memory_atomic_notify(&opened, threads - 1);
}

void closeAndWait() {
  __atomic_fetch_and(&gate, ~openBit, __ATOMIC_SEQ_CST);
  for (int spins = 0; atomicLoad(gate) & insideMask; spins++) {
    if (spins < callerSpins) continue;
    const int seen = atomicLoad(left);
    atomicStore(callerSleeps, 1);
    if (atomicLoad(gate) & insideMask) __builtin_wasm_memory_atomic_wait32(&left, seen, aMillisecond);
    atomicStore(callerSleeps, 0);
  }
}

struct Scratch {
  void* data[slotCount];
  size_t bytes[slotCount];
};
thread_local Scratch threadScratch;

}  // namespace

void parallelFor(int64_t tasks, Task task, void* context) {
  if (tasks <= 1 || insideTask || threads == 1) {
    for (int64_t i = 0; i < tasks; i++) task(context, i);
    return;
  }
  open(tasks, task, context);
  work();
  closeAndWait();
}

int threadCount() { return threads; }
void setThreadCount(int count) { atomicStore(threads, count); }

void* scratchBytes(Slot slot, uint64_t bytes) {
  Scratch& s = threadScratch;
  if (s.bytes[slot] >= bytes) return s.data[slot];
  releaseAligned(s.data[slot]);
  s.bytes[slot] = 0;
  const uint64_t wanted = bytes + bytes / 4;
  s.data[slot] = wanted < largestBlock ? allocateAligned(static_cast<size_t>(wanted)) : nullptr;
  if (!s.data[slot]) softboxOutOfMemory(static_cast<double>(wanted));
  s.bytes[slot] = static_cast<size_t>(wanted);
  return s.data[slot];
}

// What a worker does all its life. `index` is 1 for the first.
SOFTBOX_EXPORT(worker) void worker(int index) {
  uint64_t seen = 0;
  for (int spins = 0;; spins++) {
    const int seenOpened = atomicLoad(opened);
    if (index < atomicLoad(threads) && enter(seen)) {
      work();
      leave();
      spins = 0;
    } else if (spins >= workerSpins) {
      sleepUntilOpened(seenOpened);
      spins = 0;
    }
  }
}

}  // namespace softbox
