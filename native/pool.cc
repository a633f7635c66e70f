// One thread pool a process: workers spin for 200 microseconds after a job, then sleep. The gaps between the kernels of a step are
// shorter, and a virtual machine's processor that has gone to sleep may be slow to wake.
#include "pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "memory.h"

namespace softbox {
namespace {

inline void pauseBriefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool insideTask = false;

struct Pool {
  std::mutex owner;       // held by the thread whose job is running
  std::mutex sleepLock;   // guards going to sleep and waking
  std::condition_variable wake;
  std::vector<std::thread> workers;
  std::atomic<int> threads{1};
  std::atomic<int> sleepers{0};

  // The job. `gate` is generation << 32 | open << 31 | workers inside.
  Task task = nullptr;
  void* context = nullptr;
  int64_t tasks = 0;
  std::atomic<int64_t> next{0};
  std::atomic<uint64_t> gate{0};
};

constexpr uint64_t openBit = 1ull << 31;
constexpr uint64_t insideMask = openBit - 1;

// Never destroyed: sleeping workers must not see their condition variable vanish at exit.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

void work(Pool& p) {
  insideTask = true;
  for (;;) {
    const int64_t i = p.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= p.tasks) break;
    p.task(p.context, i);
  }
  insideTask = false;
}

bool enter(Pool& p, uint64_t& seen) {
  uint64_t gate = p.gate.load(std::memory_order_acquire);
  for (;;) {
    if (!(gate & openBit) || (gate >> 32) == (seen >> 32)) return false;
    if (p.gate.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) {
      seen = gate;
      return true;
    }
  }
}

void sleepUntilWork(Pool& p, int index, uint64_t seen) {
  std::unique_lock<std::mutex> lock(p.sleepLock);
  p.sleepers.fetch_add(1);
  p.wake.wait(lock, [&] {
    const uint64_t gate = p.gate.load();
    return index < p.threads.load() && (gate & openBit) && (gate >> 32) != (seen >> 32);
  });
  p.sleepers.fetch_sub(1);
}

void workerLoop(Pool& p, int index) {
  using clock = std::chrono::steady_clock;
  uint64_t seen = 0;
  auto idleSince = clock::now();
  for (int spins = 0;; spins++) {
    if (index < p.threads.load(std::memory_order_relaxed) && enter(p, seen)) {
      work(p);
      p.gate.fetch_sub(1, std::memory_order_release);
      idleSince = clock::now();
    } else if (spins % 64 == 63 && clock::now() - idleSince > std::chrono::microseconds(200)) {
      sleepUntilWork(p, index, seen);
      idleSince = clock::now();
    } else if (spins % 16 == 15) {
      std::this_thread::yield();  // on a busy machine the caller may be waiting for this very core
    } else {
      pauseBriefly();
    }
  }
}

void runInline(int64_t tasks, Task task, void* context) {
  for (int64_t i = 0; i < tasks; i++) task(context, i);
}

void open(Pool& p, int64_t tasks, Task task, void* context) {
  p.task = task;
  p.context = context;
  p.tasks = tasks;
  p.next.store(0, std::memory_order_relaxed);
  const uint64_t generation = (p.gate.load() >> 32) + 1;
  p.gate.store(generation << 32 | openBit);
  if (p.sleepers.load() > 0) {
    std::lock_guard<std::mutex> lock(p.sleepLock);
    p.wake.notify_all();
  }
}

void closeAndWait(Pool& p) {
  p.gate.fetch_and(~openBit);
  for (int spins = 0; p.gate.load(std::memory_order_acquire) & insideMask; spins++) {
    if (spins > 200) std::this_thread::yield();
    else pauseBriefly();
  }
}

struct Scratch {
  void* data[slotCount] = {};
  size_t bytes[slotCount] = {};
  ~Scratch() {
    for (void* block : data) releaseAligned(block);
  }
};

thread_local Scratch threadScratch;

}  // namespace

void parallelFor(int64_t tasks, Task task, void* context) {
  Pool& p = pool();
  if (tasks <= 1 || insideTask || p.threads.load(std::memory_order_relaxed) == 1) return runInline(tasks, task, context);
  std::unique_lock<std::mutex> owner(p.owner, std::try_to_lock);
  if (!owner.owns_lock()) return runInline(tasks, task, context);
  open(p, tasks, task, context);
  work(p);
  closeAndWait(p);
}

int threadCount() { return pool().threads.load(); }

void setThreadCount(int threads) {
  Pool& p = pool();
  std::lock_guard<std::mutex> owner(p.owner);
  while (static_cast<int>(p.workers.size()) < threads - 1) {
    const int index = static_cast<int>(p.workers.size()) + 1;
    p.workers.emplace_back([&p, index] { workerLoop(p, index); });
    p.workers.back().detach();
  }
  p.threads.store(threads);
}

void* scratchBytes(Slot slot, uint64_t bytes) {
  Scratch& s = threadScratch;
  if (s.bytes[slot] < bytes) {
    releaseAligned(s.data[slot]);
    s.bytes[slot] = 0;
    s.data[slot] = allocateAligned(bytes + bytes / 4);
    if (!s.data[slot]) throw std::bad_alloc();
    s.bytes[slot] = bytes + bytes / 4;
  }
  return s.data[slot];
}

}  // namespace softbox
