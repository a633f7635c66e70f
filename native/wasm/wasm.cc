// The WebAssembly face of the kernels: each is exported under its name and finds its arguments in one block, a
// double each (numbers, flags, addresses), in the order of src/engine/native/addon.ts.
#include "../entries.h"
#include "../memory.h"
#include "../pool.h"
#include "module.h"

namespace softbox {

const Kernels* simd128Kernels();

namespace {

constexpr int maxArguments = 32;
constexpr size_t keptForScratch = 32 << 20;
double argumentValues[maxArguments];

struct Arguments {
  double number(int i) const { return argumentValues[i]; }
  int64_t size(int i) const { return static_cast<int64_t>(argumentValues[i]); }
  int integer(int i) const { return static_cast<int>(argumentValues[i]); }
  bool flag(int i) const { return argumentValues[i] != 0; }
  void* pointer(int i) const { return reinterpret_cast<void*>(static_cast<size_t>(argumentValues[i])); }
  float* floats(int i) const { return static_cast<float*>(pointer(i)); }
  int32_t* ints(int i) const { return static_cast<int32_t*>(pointer(i)); }
  double* doubles(int i) const { return static_cast<double*>(pointer(i)); }

  // Addresses, their count before them.
  struct List {
    float** data;
    int64_t count;
  };
  List list(int i) const {
    uint32_t* words = static_cast<uint32_t*>(pointer(i));
    return {reinterpret_cast<float**>(words + 1), words[0]};
  }
};

}  // namespace

#define SOFTBOX_BIND(name) \
  SOFTBOX_EXPORT(name) auto name##Export() { return entries::name(*simd128Kernels(), Arguments{}); }
SOFTBOX_ENTRIES(SOFTBOX_BIND)

// Where the arguments of the next call belong.
SOFTBOX_EXPORT(argumentBlock) double* argumentBlock() { return argumentValues; }

// An address, or 0 where there is no memory left but what is kept for scratch: threads cannot do without that.
SOFTBOX_EXPORT(allocate) void* allocateExport(size_t bytes) {
  void* block = allocateAligned(bytes);
  void* kept = allocateAligned(keptForScratch);
  releaseAligned(kept);
  if (kept) return block;
  releaseAligned(block);
  return nullptr;
}
SOFTBOX_EXPORT(release) void releaseExport(void* block) { releaseAligned(block); }

SOFTBOX_EXPORT(setThreads) void setThreadsExport(int threads) { setThreadCount(threads); }
SOFTBOX_EXPORT(threads) int threadsExport() { return threadCount(); }

}  // namespace softbox

// ---- what compilers call: the C library that there is none of

extern "C" {
SOFTBOX_IMPORT(exp) double softboxExp(double x);
SOFTBOX_IMPORT(log) double softboxLog(double x);
SOFTBOX_IMPORT(pow) double softboxPow(double x, double y);

float expf(float x) { return static_cast<float>(softboxExp(x)); }
float logf(float x) { return static_cast<float>(softboxLog(x)); }
double pow(double x, double y) { return softboxPow(x, y); }
}
