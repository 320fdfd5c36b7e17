// SPDX-License-Identifier: Apache-2.0
#include "lockstep/runtime/hooks.h"
extern "C" void* __libc_malloc(size_t);
extern "C" void __libc_free(void*);
namespace lockstep::internal {
void* RawAllocate(size_t size) { return __libc_malloc(size); }
void RawFree(void* block) { __libc_free(block); }
void BeginHeap() {}
void EndHeap() {}
bool FindHeapBlock(uintptr_t, HeapBlock*) { return false; }
}  // namespace lockstep::internal
