// SPDX-License-Identifier: Apache-2.0
//
// The functions that code compiled with -fsanitize=thread calls: one for every
// memory access, atomic operation and function entry (g++ 12 and clang 14).
// ThreadSanitizer's own runtime is not linked; this file takes its place.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lockstep/runtime/atomic_model.h"
#include "lockstep/runtime/race_detector.h"
#include "lockstep/runtime/scheduler.h"

namespace lockstep::internal {
namespace {

// A thread that loops over plain variables has no scheduling points; after so
// many accesses it gets one, or the thread it waits for would never run.
constexpr uint32_t kAccessesPerPoint = 200'000;
// Of a longer access only this much is looked at: a length gone wrong should
// end in a crash, not in shadow memory for the whole address space.
constexpr size_t kLongestAccess = size_t{1} << 20;

template <size_t kSize, bool kWrite>
inline void Check(Thread* me, const volatile void* address, CodeAddress pc) {
  if (!g_detect_races || me->ignore_accesses != 0) return;
  CheckAccess<kSize, kWrite>(me, reinterpret_cast<uintptr_t>(address), pc);
}

// Apart from Access, which so gets by without a stack frame.
template <size_t kSize, bool kWrite>
__attribute__((noinline)) void CheckAfterPoint(Thread* me,
                                               const volatile void* address,
                                               CodeAddress pc) {
  g_scheduler.TooManyAccesses(me, pc);
  Check<kSize, kWrite>(me, address, pc);
}

template <size_t kSize, bool kWrite>
inline void Access(const volatile void* address, CodeAddress pc) {
  Thread* me = self;
  if (me == nullptr) return;
  if (__builtin_expect(++me->accesses_since_point > kAccessesPerPoint, false)) {
    return CheckAfterPoint<kSize, kWrite>(me, address, pc);
  }
  Check<kSize, kWrite>(me, address, pc);
}

inline void AccessRange(const volatile void* address, size_t size, bool write,
                        CodeAddress pc) {
  Thread* me = self;
  if (me == nullptr) return;
  if (__builtin_expect(++me->accesses_since_point > kAccessesPerPoint, false)) {
    g_scheduler.TooManyAccesses(me, pc);
  }
  if (!g_detect_races || me->ignore_accesses != 0) return;
  if (size > kLongestAccess) size = kLongestAccess;
  CheckRange(me, reinterpret_cast<uintptr_t>(address), size, write, pc);
}

template <size_t kSize>
inline void Read(const volatile void* address, CodeAddress pc) {
  Access<kSize, false>(address, pc);
}

template <size_t kSize>
inline void Write(const volatile void* address, CodeAddress pc) {
  Access<kSize, true>(address, pc);
}

inline void ReadRange(const volatile void* address, size_t size,
                      CodeAddress pc) {
  AccessRange(address, size, false, pc);
}

inline void WriteRange(const volatile void* address, size_t size,
                       CodeAddress pc) {
  AccessRange(address, size, true, pc);
}

bool g_instrumented = false;

}  // namespace
}  // namespace lockstep::internal

namespace lockstep {
bool Instrumented() { return internal::g_instrumented; }
}  // namespace lockstep

using namespace lockstep;            // NOLINT: this file defines
using namespace lockstep::internal;  // NOLINT: names of libc and the compiler

extern "C" {

// Every instrumented source file calls it before main().
void __tsan_init() { g_instrumented = true; }

// --- Functions
// -----------------------------------------------------------------

void __tsan_func_entry(void* call_site) {
  Thread* me = self;
  if (me == nullptr) return;
  const uint32_t depth = me->depth++;
  if (__builtin_expect(depth < Thread::kMaxDepth, true)) {
    me->calls[depth] = ReturnAddress(call_site);
  }
}

void __tsan_func_exit() {
  Thread* me = self;
  if (me != nullptr && me->depth != 0) --me->depth;
}

// --- Plain accesses
// --------------------------------------------------------------

#define LOCKSTEP_ACCESS(size)                                                  \
  void __tsan_read##size(void* p) { Read<size>(p, LOCKSTEP_CALLER()); }        \
  void __tsan_write##size(void* p) { Write<size>(p, LOCKSTEP_CALLER()); }      \
  void __tsan_read_write##size(void* p) { Write<size>(p, LOCKSTEP_CALLER()); } \
  void __tsan_unaligned_read##size(const void* p) {                            \
    Read<size>(p, LOCKSTEP_CALLER());                                          \
  }                                                                            \
  void __tsan_unaligned_write##size(void* p) {                                 \
    Write<size>(p, LOCKSTEP_CALLER());                                         \
  }                                                                            \
  void __tsan_unaligned_read_write##size(void* p) {                            \
    Write<size>(p, LOCKSTEP_CALLER());                                         \
  }                                                                            \
  void __tsan_volatile_read##size(void* p) {                                   \
    Read<size>(p, LOCKSTEP_CALLER());                                          \
  }                                                                            \
  void __tsan_volatile_write##size(void* p) {                                  \
    Write<size>(p, LOCKSTEP_CALLER());                                         \
  }                                                                            \
  void __tsan_unaligned_volatile_read##size(void* p) {                         \
    Read<size>(p, LOCKSTEP_CALLER());                                          \
  }                                                                            \
  void __tsan_unaligned_volatile_write##size(void* p) {                        \
    Write<size>(p, LOCKSTEP_CALLER());                                         \
  }
LOCKSTEP_ACCESS(1)
LOCKSTEP_ACCESS(2)
LOCKSTEP_ACCESS(4)
LOCKSTEP_ACCESS(8)
LOCKSTEP_ACCESS(16)

void __tsan_read_range(void* p, size_t size) {
  ReadRange(p, size, LOCKSTEP_CALLER());
}
void __tsan_write_range(void* p, size_t size) {
  WriteRange(p, size, LOCKSTEP_CALLER());
}

// Called before a constructor or destructor stores the object's vtable
// pointer. Storing the value that is there already conflicts with nothing.
void __tsan_vptr_update(void** vptr, void* value) {
  if (*vptr != value) Write<sizeof(void*)>(vptr, LOCKSTEP_CALLER());
}
void __tsan_vptr_read(void** vptr) {
  Read<sizeof(void*)>(vptr, LOCKSTEP_CALLER());
}

// Clang calls __tsan_memcpy, g++ memcpy, which the linker sends to
// __wrap_memcpy: see plain_memory.h.
#define LOCKSTEP_MEMORY(prefix)                                    \
  void* prefix##memcpy(void* to, const void* from, size_t size) {  \
    if (size != 0) {                                               \
      ReadRange(from, size, LOCKSTEP_CALLER());                    \
      WriteRange(to, size, LOCKSTEP_CALLER());                     \
    }                                                              \
    return std::memcpy(to, from, size);                            \
  }                                                                \
  void* prefix##memmove(void* to, const void* from, size_t size) { \
    if (size != 0) {                                               \
      ReadRange(from, size, LOCKSTEP_CALLER());                    \
      WriteRange(to, size, LOCKSTEP_CALLER());                     \
    }                                                              \
    return std::memmove(to, from, size);                           \
  }                                                                \
  void* prefix##memset(void* to, int value, size_t size) {         \
    if (size != 0) WriteRange(to, size, LOCKSTEP_CALLER());        \
    return std::memset(to, value, size);                           \
  }
LOCKSTEP_MEMORY(__tsan_)
LOCKSTEP_MEMORY(__wrap_)

// --- Atomic operations
// -------------------------------------------------------------

#define LOCKSTEP_ATOMIC(bits, T)                                          \
  T __tsan_atomic##bits##_load(const volatile T* p, int order) {          \
    return AtomicLoad<T>(p, order, LOCKSTEP_CALLER());                    \
  }                                                                       \
  void __tsan_atomic##bits##_store(volatile T* p, T value, int order) {   \
    AtomicStore<T>(p, value, order, LOCKSTEP_CALLER());                   \
  }                                                                       \
  T __tsan_atomic##bits##_exchange(volatile T* p, T value, int order) {   \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(),                   \
                           [value](T) { return value; });                 \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T value, int order) {  \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(old + value);                                 \
    });                                                                   \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_sub(volatile T* p, T value, int order) {  \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(old - value);                                 \
    });                                                                   \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_and(volatile T* p, T value, int order) {  \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(old & value);                                 \
    });                                                                   \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_or(volatile T* p, T value, int order) {   \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(old | value);                                 \
    });                                                                   \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_xor(volatile T* p, T value, int order) {  \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(old ^ value);                                 \
    });                                                                   \
  }                                                                       \
  T __tsan_atomic##bits##_fetch_nand(volatile T* p, T value, int order) { \
    return AtomicUpdate<T>(p, order, LOCKSTEP_CALLER(), [value](T old) {  \
      return static_cast<T>(~(old & value));                              \
    });                                                                   \
  }                                                                       \
  int __tsan_atomic##bits##_compare_exchange_strong(                      \
      volatile T* p, T* expected, T desired, int order, int failure) {    \
    return AtomicCompareExchange<T>(p, expected, desired, order, failure, \
                                    LOCKSTEP_CALLER());                   \
  }                                                                       \
  int __tsan_atomic##bits##_compare_exchange_weak(                        \
      volatile T* p, T* expected, T desired, int order, int failure) {    \
    return AtomicCompareExchange<T>(p, expected, desired, order, failure, \
                                    LOCKSTEP_CALLER());                   \
  }                                                                       \
  T __tsan_atomic##bits##_compare_exchange_val(                           \
      volatile T* p, T expected, T desired, int order, int failure) {     \
    AtomicCompareExchange<T>(p, &expected, desired, order, failure,       \
                             LOCKSTEP_CALLER());                          \
    return expected;                                                      \
  }
LOCKSTEP_ATOMIC(8, uint8_t)
LOCKSTEP_ATOMIC(16, uint16_t)
LOCKSTEP_ATOMIC(32, uint32_t)
LOCKSTEP_ATOMIC(64, uint64_t)
__extension__ typedef unsigned __int128 lockstep_uint128;
LOCKSTEP_ATOMIC(128, lockstep_uint128)

void __tsan_atomic_thread_fence(int order) {
  AtomicFence(order, LOCKSTEP_CALLER());
}
void __tsan_atomic_signal_fence(int) {}

// --- Annotations
// -----------------------------------------------------------------

void AnnotateIgnoreReadsBegin(const char*, int) {
  if (Thread* me = self) ++me->ignore_accesses;
}
void AnnotateIgnoreReadsEnd(const char*, int) {
  if (Thread* me = self) --me->ignore_accesses;
}
void AnnotateIgnoreWritesBegin(const char*, int) {
  if (Thread* me = self) ++me->ignore_accesses;
}
void AnnotateIgnoreWritesEnd(const char*, int) {
  if (Thread* me = self) --me->ignore_accesses;
}
void AnnotateBenignRaceSized(const char*, int, const volatile void* address,
                             size_t size, const char*) {
  if (self != nullptr) {
    ForgetAccesses(reinterpret_cast<uintptr_t>(address), size);
  }
}
void AnnotateHappensBefore(const char*, int, const volatile void* address) {
  Thread* me = self;
  if (me == nullptr || !g_detect_races) return;
  SyncObject* object =
      g_scheduler.Object(reinterpret_cast<uintptr_t>(address),
                         ObjectKind::kUnknown, LOCKSTEP_CALLER());
  ReleaseJoinClock(me, &object->clock);
}
void AnnotateHappensAfter(const char*, int, const volatile void* address) {
  Thread* me = self;
  if (me == nullptr) return;
  if (SyncObject* object =
          g_scheduler.FindObject(reinterpret_cast<uintptr_t>(address))) {
    AcquireClock(me, object->clock);
  }
}
void __tsan_acquire(void* address) {
  AnnotateHappensAfter(nullptr, 0, address);
}
void __tsan_release(void* address) {
  AnnotateHappensBefore(nullptr, 0, address);
}

}  // extern "C"
