// What the WebAssembly module takes from JavaScript, and facts about its memory. src/engine/wasm/ is the other side.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SOFTBOX_IMPORT(name) __attribute__((import_module("softbox"), import_name(#name)))
#define SOFTBOX_EXPORT(name) __attribute__((export_name(#name)))

extern "C" {
extern char __heap_base;  // set by the linker: behind the stack and the statics

// Throws in JavaScript.
SOFTBOX_IMPORT(outOfMemory) void softboxOutOfMemory(double bytes);
}

namespace softbox {

constexpr size_t largestBlock = 0xfff00000;

}  // namespace softbox
