// SPDX-License-Identifier: Apache-2.0
//
// The heap of controlled threads. A block that was freed is not handed out
// again in the same schedule, so every later access to it is known to be a
// use after free; and addresses are the same in every run, because the heap
// starts at a fixed address and is empty again after most schedules.
//
// Memory comes from 1 MiB chunks, by moving a pointer; a chunk is used again
// once all its blocks are freed. Everybody else's memory comes from libc.

#include <malloc.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "lockstep/runtime/hooks.h"
#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/real.h"
#include "lockstep/runtime/scheduler.h"

extern "C" {
void* __libc_malloc(size_t);
void __libc_free(void*);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace lockstep::internal {
namespace real {
LOCKSTEP_REAL(malloc_usable_size)
}  // namespace real

namespace {

constexpr uintptr_t kHeapBase = 0x4000000000;
// A bound on what a schedule can hold, and small enough for a process whose
// address space is limited (ulimit -v), as a grader's is.
constexpr size_t kHeapSize = size_t{2} << 30;
constexpr size_t kChunkSize = size_t{1} << 20;
constexpr size_t kChunks = kHeapSize / kChunkSize;
// Freed memory a schedule may hold back before it is used again after all.
constexpr size_t kQuarantine = size_t{256} << 20;

struct Header {
  uint64_t size;   // asked for
  uint32_t span;   // header, alignment and rounding included, / 16
  uint32_t where;  // allocated here; see race_detector.h
};
static_assert(sizeof(Header) == 16);
constexpr uint64_t kFreedBit = uint64_t{1} << 63;

struct Chunk {
  uint32_t live;        // blocks not freed
  uint32_t used;        // bytes / 16
  uint32_t generation;  // of the schedule that used it last
  uint32_t run;         // chunks of a large block that starts here
  bool large;           // part of a large block
  bool recycled;        // used twice in this schedule
};

Chunk* g_chunks;
uintptr_t g_base;
size_t g_current;
size_t g_frontier;  // chunks never used
size_t g_used_now;  // bytes handed out in this schedule
// The chunk this schedule began with, how full it was, and how many blocks of
// this schedule still live there.
size_t g_first;
uint32_t g_first_used;
uint32_t g_first_live;
bool g_broken;  // no address space: libc's heap for everybody

char* ChunkStart(size_t i) {
  return reinterpret_cast<char*>(g_base + i * kChunkSize);
}

bool Start() {
  void* heap = mmap(reinterpret_cast<void*>(kHeapBase), kHeapSize,
                    PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void* chunks = mmap(nullptr, kChunks * sizeof(Chunk), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (heap == MAP_FAILED || chunks == MAP_FAILED) {
    g_broken = true;
    return false;
  }
  madvise(heap, kHeapSize, MADV_NOHUGEPAGE);
  g_base = reinterpret_cast<uintptr_t>(heap);
  g_chunks = static_cast<Chunk*>(chunks);
  return true;
}

bool Usable(const Chunk& chunk, uint32_t generation) {
  if (chunk.large) return false;
  if (chunk.live == 0) {
    return chunk.generation != generation || g_used_now > kQuarantine;
  }
  // Something of an earlier schedule is still there: use what is left.
  return chunk.generation != generation && chunk.used < kChunkSize / 16 / 2;
}

// Makes `i` the chunk to allocate from.
void Open(size_t i, uint32_t generation) {
  Chunk& chunk = g_chunks[i];
  chunk.recycled = chunk.generation == generation;
  if (chunk.live == 0) chunk.used = 0;
  chunk.generation = generation;
  g_current = i;
  if (i >= g_frontier) g_frontier = i + 1;
}

bool OpenNext(size_t from, uint32_t generation) {
  for (size_t i = from; i < kChunks; ++i) {
    if (i >= g_frontier || Usable(g_chunks[i], generation)) {
      Open(i, generation);
      return true;
    }
  }
  return false;
}

void* FinishBlock(char* start, size_t span, size_t size, size_t alignment,
                  uint32_t where, Chunk* chunk) {
  ++chunk->live;
  if (chunk == &g_chunks[g_first]) ++g_first_live;
  g_used_now += span;
  if (chunk->recycled) {
    ForgetAccesses(reinterpret_cast<uintptr_t>(start), span);
  }
  // The header stands at the start; with a bigger alignment, a second one
  // right before the block says how far away that is.
  auto* header = reinterpret_cast<Header*>(start);
  *header = {size, static_cast<uint32_t>(span / 16), where};
  if (alignment <= 16) return start + sizeof(Header);
  const uintptr_t first = reinterpret_cast<uintptr_t>(start) + 32;
  const uintptr_t block = (first + alignment - 1) & ~(alignment - 1);
  auto* near_header = reinterpret_cast<Header*>(block) - 1;
  *near_header = {
      static_cast<uint64_t>(block - reinterpret_cast<uintptr_t>(start)), 0, 0};
  return reinterpret_cast<void*>(block);
}

void* AllocateLarge(size_t span, size_t size, size_t alignment,
                    uint32_t where) {
  const size_t run = (span + kChunkSize - 1) / kChunkSize;
  const uint32_t generation = g_scheduler.generation();
  size_t found = 0;
  for (size_t i = 0; i + run <= kChunks; ++i) {
    const bool free =
        i >= g_frontier || (g_chunks[i].live == 0 && !g_chunks[i].large &&
                            i != g_current && Usable(g_chunks[i], generation));
    found = free ? found + 1 : 0;
    if (found < run) continue;
    const size_t first = i + 1 - run;
    bool recycled = false;
    for (size_t c = first; c <= i; ++c) {
      if (g_chunks[c].generation == generation) recycled = true;
      g_chunks[c].large = true;
      g_chunks[c].generation = generation;
    }
    g_chunks[first].run = static_cast<uint32_t>(run);
    g_chunks[first].recycled = recycled;
    if (i >= g_frontier) g_frontier = i + 1;
    return FinishBlock(ChunkStart(first), run * kChunkSize, size, alignment,
                       where, &g_chunks[first]);
  }
  return nullptr;
}

void* Allocate(Thread* me, size_t size, size_t alignment, CodeAddress pc) {
  ++g_scheduler.counters().allocations;
  const uint32_t where = RememberPlace(me, pc);
  size_t span = sizeof(Header) + ((size + 15) & ~size_t{15});
  if (span < 32) span = 32;
  if (alignment > 16) span += 16 + alignment;
  if (size >= kHeapSize / 2) return nullptr;
  if (span > kChunkSize / 4) {
    return AllocateLarge(span, size, alignment, where);
  }
  Chunk* chunk = &g_chunks[g_current];
  if (chunk->used * size_t{16} + span > kChunkSize) {
    if (!OpenNext(g_current + 1, g_scheduler.generation()) &&
        !OpenNext(0, g_scheduler.generation())) {
      return nullptr;
    }
    chunk = &g_chunks[g_current];
  }
  char* start = ChunkStart(g_current) + chunk->used * size_t{16};
  chunk->used += static_cast<uint32_t>(span / 16);
  return FinishBlock(start, span, size, alignment, where, chunk);
}

inline bool IsOurs(const void* block) {
  return reinterpret_cast<uintptr_t>(block) - g_base < kHeapSize && g_base != 0;
}

Header* HeaderOf(void* block) {
  auto* header = static_cast<Header*>(block) - 1;
  if (header->span == 0) {  // aligned: the real one is further down
    header =
        reinterpret_cast<Header*>(static_cast<char*>(block) - header->size);
  }
  return header;
}

void Free(void* block, CodeAddress pc) {
  Header* header = HeaderOf(block);
  Thread* me = self;
  const auto address = reinterpret_cast<uintptr_t>(block);
  if ((header->size & kFreedBit) != 0) {
    if (me != nullptr) {
      g_scheduler.Fail(me, Verdict::kUseAfterFree,
                       "a block of memory is freed twice", pc,
                       "frees the memory again");
    }
    return;
  }
  const uint64_t size = header->size;
  if (me != nullptr) {
    CheckNoLockInside(me, address, size, pc);
    if (me->ignore_accesses == 0) MarkFreed(me, address, size, pc);
  }
  header->size |= kFreedBit;
  const size_t i = (reinterpret_cast<uintptr_t>(header) - g_base) / kChunkSize;
  Chunk& chunk = g_chunks[i];
  --chunk.live;
  if (i == g_first && g_first_live != 0 &&
      reinterpret_cast<char*>(header) >=
          ChunkStart(i) + g_first_used * size_t{16}) {
    --g_first_live;
  }
  if (chunk.large) {
    const size_t run = chunk.run;
    madvise(ChunkStart(i), run * kChunkSize, MADV_DONTNEED);
    for (size_t c = i; c < i + run; ++c) g_chunks[c].large = false;
    // The header went with the pages; a second free() must still be seen.
    if (me != nullptr) *header = {size | kFreedBit, 0xFFFFFFFFu, 0};
  }
}

bool Controlled() { return self != nullptr && !g_broken; }

void* New(size_t size, size_t alignment, CodeAddress pc) {
  if (size == 0) size = 1;
  void* block;
  if (Controlled()) {
    block = Allocate(self, size, alignment, pc);
  } else if (alignment <= 16) {
    block = __libc_malloc(size);
  } else {
    block = __libc_memalign(alignment, size);
  }
  return block;
}

void* NewOrThrow(size_t size, size_t alignment, CodeAddress pc) {
  void* block = New(size, alignment, pc);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void Delete(void* block, CodeAddress pc) {
  if (block == nullptr) return;
  if (IsOurs(block)) {
    Free(block, pc);
  } else {
    __libc_free(block);
  }
}

}  // namespace

void* RawAllocate(size_t size) {
  void* block = __libc_malloc(size);
  if (block == nullptr) abort();
  return block;
}

void* RawAllocateZeroed(size_t size) {
  void* block = __libc_calloc(1, size);
  if (block == nullptr) abort();
  return block;
}

void RawFree(void* block) { __libc_free(block); }

void BeginHeap() {
  if (g_broken || (g_base == 0 && !Start())) return;
  g_used_now = 0;
  OpenNext(0, g_scheduler.generation());
  g_first = g_current;
  g_first_used = g_chunks[g_first].used;
  g_first_live = 0;
}

void EndHeap() {
  // Nothing of this schedule is left: the next one starts at the same place,
  // although earlier ones may have left something before it.
  if (!g_broken && g_first_live == 0) {
    g_chunks[g_first].used = g_first_used;
  }
}

bool FindHeapBlock(uintptr_t address, HeapBlock* found) {
  if (!IsOurs(reinterpret_cast<void*>(address))) return false;
  size_t i = (address - g_base) / kChunkSize;
  while (i > 0 && g_chunks[i].large && g_chunks[i].run == 0) --i;
  char* at = ChunkStart(i);
  char* end = at + (g_chunks[i].large ? 16 : g_chunks[i].used * size_t{16});
  while (at < end) {
    const auto* header = reinterpret_cast<Header*>(at);
    const size_t span = header->span * size_t{16};
    if (span == 0) return false;
    const auto start = reinterpret_cast<uintptr_t>(at);
    if (address < start + span) {
      found->address = start + sizeof(Header);
      found->size = header->size & ~kFreedBit;
      found->freed = (header->size & kFreedBit) != 0;
      found->allocated_where = header->where;
      return address >= found->address;
    }
    at += span;
  }
  return false;
}

}  // namespace lockstep::internal

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

void* malloc(size_t size) noexcept {
  if (__builtin_expect(!Controlled(), true)) return __libc_malloc(size);
  return Allocate(self, size, 16, LOCKSTEP_CALLER());
}

void free(void* block) noexcept {
  if (block == nullptr) return;
  if (__builtin_expect(!IsOurs(block), true)) return __libc_free(block);
  Free(block, LOCKSTEP_CALLER());
}

void* calloc(size_t count, size_t size) noexcept {
  if (__builtin_expect(!Controlled(), true)) return __libc_calloc(count, size);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  void* block = Allocate(self, bytes, 16, LOCKSTEP_CALLER());
  if (block != nullptr) std::memset(block, 0, bytes);
  return block;
}

void* realloc(void* block, size_t size) noexcept {
  const CodeAddress pc = LOCKSTEP_CALLER();
  const bool ours = block != nullptr && IsOurs(block);
  if (!ours && (block != nullptr || !Controlled())) {
    return __libc_realloc(block, size);
  }
  void* copy =
      Controlled() ? Allocate(self, size, 16, pc) : __libc_malloc(size);
  if (copy == nullptr) return nullptr;
  if (ours) {
    const size_t old = HeaderOf(block)->size & ~kFreedBit;
    std::memcpy(copy, block, old < size ? old : size);
    Free(block, pc);
  }
  return copy;
}

void* memalign(size_t alignment, size_t size) noexcept {
  if (!Controlled()) return __libc_memalign(alignment, size);
  return Allocate(self, size, alignment < 16 ? 16 : alignment,
                  LOCKSTEP_CALLER());
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  if (!Controlled()) return __libc_memalign(alignment, size);
  return Allocate(self, size, alignment < 16 ? 16 : alignment,
                  LOCKSTEP_CALLER());
}

int posix_memalign(void** result, size_t alignment, size_t size) noexcept {
  if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) {
    return EINVAL;
  }
  void* block = Controlled()
                    ? Allocate(self, size, alignment < 16 ? 16 : alignment,
                               LOCKSTEP_CALLER())
                    : __libc_memalign(alignment, size);
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

size_t malloc_usable_size(void* block) noexcept {
  if (block != nullptr && IsOurs(block)) {
    return HeaderOf(block)->size & ~kFreedBit;
  }
  return real::malloc_usable_size(block);
}

}  // extern "C"

// operator new and delete as well, to know the place in the student's code.
// Weak: a program may define its own.
#define LOCKSTEP_WEAK __attribute__((weak))

LOCKSTEP_WEAK void* operator new(size_t size) {
  return NewOrThrow(size, 16, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void* operator new[](size_t size) {
  return NewOrThrow(size, 16, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return New(size, 16, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void* operator new[](size_t size,
                                   const std::nothrow_t&) noexcept {
  return New(size, 16, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void* operator new(size_t size, std::align_val_t alignment) {
  return NewOrThrow(size, static_cast<size_t>(alignment), LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void* operator new[](size_t size, std::align_val_t alignment) {
  return NewOrThrow(size, static_cast<size_t>(alignment), LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete(void* block) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete[](void* block) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete(void* block, size_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete[](void* block, size_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete(void* block, std::align_val_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete[](void* block, std::align_val_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete(void* block, size_t,
                                   std::align_val_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete[](void* block, size_t,
                                     std::align_val_t) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete(void* block,
                                   const std::nothrow_t&) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
LOCKSTEP_WEAK void operator delete[](void* block,
                                     const std::nothrow_t&) noexcept {
  Delete(block, LOCKSTEP_CALLER());
}
