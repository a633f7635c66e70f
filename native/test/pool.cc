// The thread pool under ThreadSanitizer: two JavaScript threads' worth of callers, while the number of threads changes.
// `npm run sanitize` compiles and runs it; it ends with 0 when every task ran once and nothing raced.
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "../pool.h"

namespace {

constexpr int64_t tasks = 64;
constexpr int rounds = 2000;

struct Sum {
  std::vector<int64_t> values = std::vector<int64_t>(tasks);
};

// Each task writes its own element, through scratch memory as kernels do.
void addOne(void* context, int64_t task) {
  float* mine = softbox::scratch(softbox::slotSmall, 16);
  mine[0] = 1;
  static_cast<Sum*>(context)->values[static_cast<size_t>(task)] += static_cast<int64_t>(mine[0]);
}

void call(std::atomic<bool>* good) {
  Sum sum;
  for (int round = 0; round < rounds; round++) softbox::parallelFor(tasks, addOne, &sum);
  for (const int64_t value : sum.values)
    if (value != rounds) *good = false;
}

}  // namespace

int main() {
  std::atomic<bool> good{true};
  softbox::setThreadCount(3);
  std::thread first(call, &good);
  std::thread second(call, &good);
  for (int threads = 1; threads <= 4; threads++) softbox::setThreadCount(threads);
  first.join();
  second.join();
  std::puts(good ? "pool: every task ran once" : "pool: a task was lost or ran twice");
  return good ? 0 : 1;
}
