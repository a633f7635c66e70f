// The Node-API face: typed arrays in, kernels called on their memory, nothing copied. Sizes are checked in TypeScript.
// No state of its own: several Node environments (worker threads) may load this library at once.
#include <node_api.h>

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#if !defined(_WIN32)
#include <dlfcn.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "entries.h"
#include "kernels.h"
#include "memory.h"
#include "pool.h"

namespace softbox {
namespace {

constexpr int maxArguments = 20;

// ---- instruction sets

struct Variant {
  const char* name;
  const Kernels* (*kernels)();
  bool (*usable)();
  bool forTests = false;
};

#if defined(__x86_64__)
bool hasBfloat16() { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512dq"); }

// AMX with bfloat16, and the system's leave to use its tile registers.
bool hasTiles() {
#if defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & (1u << 22)) || !(d & (1u << 24))) return false;
  constexpr long requestPermission = 0x1023, tileData = 18;
  static const bool allowed = syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  return allowed;
#else
  return false;
#endif
}
#endif

const Variant variants[] = {
    {"portable", portableKernels, [] { return true; }},
#if defined(__x86_64__)
    {"avx2", avx2Kernels, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
    {"avx512", avx512Kernels,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("fma");
     }},
    {"avx512bf16", avx512bf16Kernels, [] { return hasBfloat16(); }},
    {"amx", amxKernels, [] { return hasBfloat16() && hasTiles(); }},
#if defined(SOFTBOX_EMULATE_AMX)
    {"amxEmulated", amxEmulatedKernels, [] { return hasBfloat16(); }, true},
#endif
#endif
};

const Kernels* bestKernels() {
  const Kernels* best = nullptr;
  for (const Variant& v : variants)
    if (v.usable() && !v.forTests) best = v.kernels();
  return best;
}

// The one choice of the process.
const Kernels*& chosen() {
  static const Kernels* kernels = bestKernels();
  return kernels;
}

// ---- arguments

struct Arguments {
  napi_env env;
  napi_value values[maxArguments];
  mutable std::vector<float*> listed;

  Arguments(napi_env e, napi_callback_info info) : env(e) {
    size_t count = maxArguments;
    napi_value undefined;
    napi_get_undefined(env, &undefined);
    for (napi_value& v : values) v = undefined;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }

  void* pointerTo(napi_value value) const {
    bool isArray = false;
    napi_is_typedarray(env, value, &isArray);
    if (!isArray) return nullptr;
    void* data = nullptr;
    napi_get_typedarray_info(env, value, nullptr, nullptr, &data, nullptr, nullptr);
    return data;
  }
  void* pointer(int i) const { return pointerTo(values[i]); }
  float* floats(int i) const { return static_cast<float*>(pointer(i)); }
  int32_t* ints(int i) const { return static_cast<int32_t*>(pointer(i)); }
  double* doubles(int i) const { return static_cast<double*>(pointer(i)); }
  int64_t size(int i) const {
    int64_t n = 0;
    napi_get_value_int64(env, values[i], &n);
    return n;
  }
  int integer(int i) const { return static_cast<int>(size(i)); }
  double number(int i) const {
    double x = 0;
    napi_get_value_double(env, values[i], &x);
    return x;
  }
  bool flag(int i) const {
    bool x = false;
    napi_get_value_bool(env, values[i], &x);
    return x;
  }
  // The arrays of an array; valid as long as these arguments.
  struct List {
    float** data;
    int64_t count;
  };
  List list(int i) const {
    uint32_t length = 0;
    napi_get_array_length(env, values[i], &length);
    listed.resize(length);
    for (uint32_t k = 0; k < length; k++) {
      napi_value element;
      napi_get_element(env, values[i], k, &element);
      listed[k] = static_cast<float*>(pointerTo(element));
    }
    return {listed.data(), length};
  }
  std::string text(int i) const {
    char buffer[64] = {};
    size_t length = 0;
    napi_get_value_string_utf8(env, values[i], buffer, sizeof buffer, &length);
    return std::string(buffer, length);
  }
};

napi_value numberValue(napi_env env, double x) {
  napi_value value;
  napi_create_double(env, x, &value);
  return value;
}
napi_value textValue(napi_env env, const char* text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

// Runs body(arguments); C++ exceptions (memory) become JavaScript errors.
template <class F>
napi_value guarded(napi_env env, napi_callback_info info, const F& body) {
  try {
    const Arguments a(env, info);
    return body(a);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

// ---- kernels

template <class F>
napi_value resultOf(napi_env env, const F& kernel) {
  if constexpr (std::is_void_v<decltype(kernel())>) {
    kernel();
    return nullptr;
  } else {
    return numberValue(env, kernel());
  }
}

#define SOFTBOX_BIND(name)                                                         \
  napi_value name(napi_env env, napi_callback_info info) {                         \
    return guarded(env, info, [](const Arguments& a) {                             \
      return resultOf(a.env, [&] { return entries::name(*chosen(), a); });         \
    });                                                                            \
  }
SOFTBOX_ENTRIES(SOFTBOX_BIND)

// ---- the engine itself

#define SOFTBOX_FUNCTION(name, body)                                 \
  napi_value name(napi_env env, napi_callback_info info) {           \
    return guarded(env, info, [](const Arguments& a) -> napi_value { \
      (void)a;                                                       \
      body return nullptr;                                           \
    });                                                              \
  }

void releaseExternal(napi_env, void* data, void*) { releaseAligned(data); }

// An ArrayBuffer of `bytes`, aligned and not zeroed. V8 counts external buffers by their length.
SOFTBOX_FUNCTION(allocate, {
  const size_t bytes = static_cast<size_t>(a.size(0));
  void* data = allocateAligned(bytes);
  napi_value buffer = nullptr;
  if (!data || napi_create_external_arraybuffer(a.env, data, bytes, releaseExternal, nullptr, &buffer) != napi_ok) {
    releaseAligned(data);
    napi_throw_error(a.env, nullptr, "out of memory");
    return nullptr;
  }
  return buffer;
})

SOFTBOX_FUNCTION(setThreads, { setThreadCount(a.integer(0)); })
SOFTBOX_FUNCTION(threads, { return numberValue(a.env, threadCount()); })
SOFTBOX_FUNCTION(instructionSet, { return textValue(a.env, chosen()->name); })

SOFTBOX_FUNCTION(instructionSets, {
  napi_value list;
  napi_create_array(a.env, &list);
  uint32_t count = 0;
  for (const Variant& v : variants)
    if (v.usable()) napi_set_element(a.env, list, count++, textValue(a.env, v.name));
  return list;
})

SOFTBOX_FUNCTION(setInstructionSet, {
  const std::string name = a.text(0);
  for (const Variant& v : variants)
    if (name == v.name && v.usable()) {
      chosen() = v.kernels();
      return nullptr;
    }
  napi_throw_range_error(a.env, nullptr, ("this CPU has no instruction set \"" + name + "\"").c_str());
})

// Pool threads run this library's code: it must stay mapped when the worker that loaded it ends.
void stayLoaded() {
#if !defined(_WIN32)
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
#endif
}

struct Export {
  const char* name;
  napi_callback function;
};

#define SOFTBOX_EXPORT(name) {#name, name},
const Export exports_[] = {SOFTBOX_ENTRIES(SOFTBOX_EXPORT)  //
                           {"allocate", allocate},
                           {"setThreads", setThreads},
                           {"threads", threads},
                           {"instructionSet", instructionSet},
                           {"instructionSets", instructionSets},
                           {"setInstructionSet", setInstructionSet}};

}  // namespace
}  // namespace softbox

NAPI_MODULE_INIT() {
  softbox::stayLoaded();
  for (const softbox::Export& e : softbox::exports_) {
    napi_value function;
    napi_create_function(env, e.name, NAPI_AUTO_LENGTH, e.function, nullptr, &function);
    napi_set_named_property(env, exports, e.name, function);
  }
  return exports;
}
