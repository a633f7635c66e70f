// The Node-API face: typed arrays in, kernels called on their memory, nothing copied. Sizes are checked in TypeScript.
// No state of its own: several Node environments (worker threads) may load this library at once.
#include <node_api.h>

#include <cstring>
#include <string>
#include <vector>

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

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
};

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
#endif
};

const Kernels* bestKernels() {
  const Kernels* best = nullptr;
  for (const Variant& v : variants)
    if (v.usable()) best = v.kernels();
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

  Arguments(napi_env e, napi_callback_info info) : env(e) {
    size_t count = maxArguments;
    napi_value undefined;
    napi_get_undefined(env, &undefined);
    for (napi_value& v : values) v = undefined;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }

  void* pointer(napi_value value) const {
    bool isArray = false;
    napi_is_typedarray(env, value, &isArray);
    if (!isArray) return nullptr;
    void* data = nullptr;
    napi_get_typedarray_info(env, value, nullptr, nullptr, &data, nullptr, nullptr);
    return data;
  }
  float* floats(int i) const { return static_cast<float*>(pointer(values[i])); }
  int32_t* ints(int i) const { return static_cast<int32_t*>(pointer(values[i])); }
  double* doubles(int i) const { return static_cast<double*>(pointer(values[i])); }
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

#define SOFTBOX_KERNEL(name, body)                                        \
  napi_value name(napi_env env, napi_callback_info info) {                \
    return guarded(env, info, [](const Arguments& a) -> napi_value {      \
      const Kernels& kernels = *chosen();                                 \
      (void)kernels;                                                      \
      body return nullptr;                                                \
    });                                                                   \
  }

// ---- kernels, in the order of struct Kernels; the argument lists are those of addon.ts

SOFTBOX_KERNEL(matmul, {
  Matmul p{};
  p.a = a.floats(0);
  p.b = a.floats(1);
  p.c = a.floats(2);
  p.m = a.size(3);
  p.n = a.size(4);
  p.k = a.size(5);
  p.ta = a.flag(6);
  p.tb = a.flag(7);
  p.lda = p.ta ? p.m : p.k;
  p.ldb = p.tb ? p.k : p.n;
  p.ldc = p.n;
  p.bias = a.floats(8);
  p.activation = a.integer(9);
  const int64_t batch = a.size(10);
  if (batch == 1) kernels.matmul(p);
  else kernels.matmulBatch(p, batch, a.size(11), a.size(12), p.m * p.n);
})
SOFTBOX_KERNEL(unary, { kernels.unary(a.integer(0), a.floats(1), a.floats(2), a.size(3)); })
SOFTBOX_KERNEL(binary, {
  kernels.binary(a.integer(0), {a.floats(1), a.size(2), a.size(3)}, {a.floats(4), a.size(5), a.size(6)}, a.floats(7),
                 a.size(8), a.size(9));
})
SOFTBOX_KERNEL(softmax, { kernels.softmax(a.floats(0), a.floats(1), a.size(2), a.size(3), a.flag(4)); })
SOFTBOX_KERNEL(reduceRows, { kernels.reduceRows(a.integer(0), a.floats(1), a.floats(2), a.size(3), a.size(4)); })
SOFTBOX_KERNEL(reduceColumns, {
  kernels.reduceColumns(a.integer(0), a.floats(1), a.floats(2), a.size(3), a.size(4));
})
SOFTBOX_KERNEL(layerNorm, {
  kernels.layerNorm(a.floats(0), a.floats(1), a.floats(2), a.floats(3), a.size(4), a.size(5),
                    static_cast<float>(a.number(6)));
})
SOFTBOX_KERNEL(layerNormGrad, {
  kernels.layerNormGrad(a.floats(0), a.floats(1), a.floats(2), a.floats(3), a.floats(4), a.floats(5), a.size(6),
                        a.size(7), static_cast<float>(a.number(8)));
})
SOFTBOX_KERNEL(gelu, { kernels.gelu(a.floats(0), a.floats(1), a.size(2)); })
SOFTBOX_KERNEL(geluGrad, { kernels.geluGrad(a.floats(0), a.floats(1), a.floats(2), a.size(3)); })
SOFTBOX_KERNEL(gather, { kernels.gather(a.floats(0), a.ints(1), a.floats(2), a.size(3), a.size(4)); })
SOFTBOX_KERNEL(scatterAdd, {
  kernels.scatterAdd(a.floats(0), a.ints(1), a.floats(2), a.size(3), a.size(4), a.size(5));
})
SOFTBOX_KERNEL(dropout, {
  kernels.dropout(a.floats(0), a.floats(1), a.size(2), a.number(3), static_cast<uint32_t>(a.size(4)),
                  static_cast<uint32_t>(a.size(5)));
})
SOFTBOX_KERNEL(attention, {
  Attention p{};
  p.qkv = a.floats(0);
  p.out = a.floats(1);
  p.logSumExp = a.floats(2);
  p.batch = a.size(3);
  p.time = a.size(4);
  p.embed = a.size(5);
  p.heads = a.size(6);
  kernels.attention(p);
})
SOFTBOX_KERNEL(attentionGrad, {
  Attention p{};
  p.dOut = a.floats(0);
  p.qkv = a.floats(1);
  p.out = a.floats(2);
  p.logSumExp = a.floats(3);
  p.dqkv = a.floats(4);
  p.batch = a.size(5);
  p.time = a.size(6);
  p.embed = a.size(7);
  p.heads = a.size(8);
  kernels.attentionGrad(p);
})
SOFTBOX_KERNEL(linearLogSumExp, {
  Vocabulary p{};
  p.hidden = a.floats(0);
  p.weight = a.floats(1);
  p.bias = a.floats(2);
  p.targets = a.ints(3);
  p.targetLogit = a.floats(4);
  p.logSumExp = a.floats(5);
  p.tokens = a.size(6);
  p.embed = a.size(7);
  p.vocab = a.size(8);
  kernels.linearLogSumExp(p);
})
SOFTBOX_KERNEL(linearLogSumExpGrad, {
  Vocabulary p{};
  p.dTarget = a.floats(0);
  p.dLogSumExp = a.floats(1);
  p.hidden = a.floats(2);
  p.weight = a.floats(3);
  p.bias = a.floats(4);
  p.targets = a.ints(5);
  p.logSumExp = a.floats(6);
  p.dHidden = a.floats(7);
  p.dWeight = a.floats(8);
  p.dBias = a.floats(9);
  p.tokens = a.size(10);
  p.embed = a.size(11);
  p.vocab = a.size(12);
  kernels.linearLogSumExpGrad(p);
})

// adamW(arrays: p..., g..., m..., v..., sizes, weightDecay, step, learningRate, beta1, beta2, epsilon, clipNorm)
SOFTBOX_KERNEL(adamW, {
  const double* sizes = a.doubles(1);
  uint32_t length = 0;
  napi_get_array_length(a.env, a.values[0], &length);
  const int64_t count = length / 4;
  std::vector<float*> arrays(length);
  std::vector<int64_t> counts(count);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(a.env, a.values[0], i, &element);
    arrays[i] = static_cast<float*>(a.pointer(element));
  }
  for (int64_t i = 0; i < count; i++) counts[i] = static_cast<int64_t>(sizes[i]);
  AdamW p{};
  p.p = arrays.data();
  p.g = const_cast<const float**>(arrays.data() + count);
  p.m = arrays.data() + 2 * count;
  p.v = arrays.data() + 3 * count;
  p.sizes = counts.data();
  p.weightDecay = a.doubles(2);
  p.count = count;
  p.step = a.number(3);
  p.learningRate = a.number(4);
  p.beta1 = a.number(5);
  p.beta2 = a.number(6);
  p.epsilon = a.number(7);
  p.clipNorm = a.number(8);
  return numberValue(a.env, kernels.adamW(p));
})

// copyStrided(from, fromOffset, to, toOffset, layout): layout holds the shape, the strides of `from`, those of `to`.
SOFTBOX_KERNEL(copyStrided, {
  StridedCopy c{};
  c.from = static_cast<const uint32_t*>(a.pointer(a.values[0])) + a.size(1);
  c.to = static_cast<uint32_t*>(a.pointer(a.values[2])) + a.size(3);
  const double* layout = a.doubles(4);
  c.rank = a.size(5);
  for (int64_t i = 0; i < c.rank; i++) {
    c.shape[i] = static_cast<int64_t>(layout[i]);
    c.fromStride[i] = static_cast<int64_t>(layout[c.rank + i]);
    c.toStride[i] = static_cast<int64_t>(layout[2 * c.rank + i]);
  }
  kernels.copyStrided(c);
})

// ---- the engine itself

void releaseExternal(napi_env, void* data, void*) { releaseAligned(data); }

// An ArrayBuffer of `bytes`, aligned and not zeroed. V8 counts external buffers by their length.
SOFTBOX_KERNEL(allocate, {
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

SOFTBOX_KERNEL(setThreads, { setThreadCount(a.integer(0)); })
SOFTBOX_KERNEL(threads, { return numberValue(a.env, threadCount()); })
SOFTBOX_KERNEL(instructionSet, { return textValue(a.env, kernels.name); })

SOFTBOX_KERNEL(instructionSets, {
  napi_value list;
  napi_create_array(a.env, &list);
  uint32_t count = 0;
  for (const Variant& v : variants)
    if (v.usable()) napi_set_element(a.env, list, count++, textValue(a.env, v.name));
  return list;
})

SOFTBOX_KERNEL(setInstructionSet, {
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

const Export exports_[] = {{"matmul", matmul},
                           {"unary", unary},
                           {"binary", binary},
                           {"softmax", softmax},
                           {"reduceRows", reduceRows},
                           {"reduceColumns", reduceColumns},
                           {"layerNorm", layerNorm},
                           {"layerNormGrad", layerNormGrad},
                           {"gelu", gelu},
                           {"geluGrad", geluGrad},
                           {"gather", gather},
                           {"scatterAdd", scatterAdd},
                           {"dropout", dropout},
                           {"attention", attention},
                           {"attentionGrad", attentionGrad},
                           {"linearLogSumExp", linearLogSumExp},
                           {"linearLogSumExpGrad", linearLogSumExpGrad},
                           {"adamW", adamW},
                           {"copyStrided", copyStrided},
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
