// SPDX-License-Identifier: Apache-2.0
//
// Donors, and both ways of running logical threads on them. See execution.h.

#include "lockstep/runtime/execution.h"

#include <alloca.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include "lockstep/runtime/array.h"
#include "lockstep/runtime/raw_syscall.h"
#include "lockstep/runtime/real.h"

namespace lockstep::internal {
namespace {

constexpr uintptr_t kSlotBase = 0x2000000000;  // far from code, heap and mmap
constexpr size_t kSlotSize = 16u << 20;
constexpr size_t kGuardSize = 64u << 10;
constexpr size_t kDefaultStack = 8u << 20;
constexpr size_t kMaxSlots = 8192;
// Above a borrowed stack: the parked donor's own frames. A signal sent to it
// (SIGSTOP and the like) must not run into the borrowed part.
constexpr size_t kParkedFrames = 48u << 10;
constexpr size_t kSignalStack = 1u << 20;

// The thread-local storage of one loaded module, and how it looks when new.
struct TlsBlock {
  char* at;
  const char* image;
  size_t image_size;
  size_t size;
};

}  // namespace

struct Donor {
  size_t slot = 0;
  bool in_use = false;
  pthread_t id{};
  uintptr_t thread_pointer = 0;
  char* low = nullptr;   // of the stack, above the guard
  char* high = nullptr;  // one past its end
  char* top = nullptr;   // where borrowed frames start
  int* error_number = nullptr;
  Array<TlsBlock> tls;
  // OS execution: what to run when `go` becomes 1.
  int go = 0;
  int idle = 0;           // 1: waiting in DonorMain for the next job
  bool started = false;   // the job has been entered
  bool finished = false;  // the job has given the token away for good
  bool abandon = false;
  void (*entry)(void*) = nullptr;
  void* arg = nullptr;
  std::jmp_buf base;
};

namespace {

Array<Donor*> g_donors;     // by slot
size_t g_first_maybe_free;  // no donor below this slot is free
Execution g_execution;
uint64_t g_donors_made;
uintptr_t g_kernel_thread_pointer;

// Thread-local storage is re-made from each module's image when a donor gets
// a new logical thread. libc's own block stays: it belongs to the kernel
// thread (its malloc cache, its locale).
int CollectTls(dl_phdr_info* info, size_t, void* arg) {
  auto* donor = static_cast<Donor*>(arg);
  if (info->dlpi_tls_modid == 0 || info->dlpi_tls_data == nullptr) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    char* at = static_cast<char*>(info->dlpi_tls_data);
    const char* in_libc = reinterpret_cast<char*>(&errno);
    if (in_libc >= at && in_libc < at + header.p_memsz) return 0;
    donor->tls.push_back(
        {at, reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr),
         header.p_filesz, header.p_memsz});
  }
  return 0;
}

void ResetThreadLocals(Donor* donor) {
  for (const TlsBlock& block : donor->tls) {
    std::memcpy(block.at, block.image, block.image_size);
    std::memset(block.at + block.image_size, 0, block.size - block.image_size);
  }
  *donor->error_number = 0;
}

// Both executions start a logical thread at donor->top, so that addresses of
// local variables agree as far as possible.
__attribute__((noinline)) void RunJobAtTop(Donor* donor) {
  const auto here = static_cast<char*>(__builtin_frame_address(0));
  if (here > donor->top) {
    volatile char* gap =
        static_cast<char*>(alloca(static_cast<size_t>(here - donor->top)));
    gap[0] = 0;
    donor->entry(donor->arg);
  } else {
    donor->entry(donor->arg);
  }
}

void* DonorMain(void* arg) {
  auto* donor = static_cast<Donor*>(arg);
  donor->id = pthread_self();
  if (user_level::Available()) {
    donor->thread_pointer = user_level::CurrentThreadPointer();
  }
  donor->error_number = &errno;
  dl_iterate_phdr(CollectTls, donor);
  donor->top = reinterpret_cast<char*>(
      (reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) -
       kParkedFrames) &
      ~uintptr_t{63});
  stack_t signal_stack = {};
  signal_stack.ss_sp = mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  signal_stack.ss_size = kSignalStack;
  if (signal_stack.ss_sp != MAP_FAILED) sigaltstack(&signal_stack, nullptr);
  for (;;) {
    __atomic_store_n(&donor->idle, 1, __ATOMIC_RELEASE);
    FutexWake(&donor->idle);
    while (__atomic_load_n(&donor->go, __ATOMIC_ACQUIRE) == 0) {
      FutexWait(&donor->go, 0);
    }
    __atomic_store_n(&donor->go, 0, __ATOMIC_RELAXED);
    donor->started = true;
    if (_setjmp(donor->base) == 0) RunJobAtTop(donor);
  }
}

void AwaitIdle(Donor* donor) {
  while (__atomic_load_n(&donor->idle, __ATOMIC_ACQUIRE) == 0) {
    FutexWait(&donor->idle, 0);
  }
}

char* MapStack(size_t slot, size_t size) {
  void* wanted = reinterpret_cast<void*>(kSlotBase + slot * kSlotSize);
  if (size > kSlotSize - kGuardSize) wanted = nullptr;  // a student's attribute
  void* got =
      mmap(wanted, size + kGuardSize, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  madvise(got, size + kGuardSize, MADV_NOHUGEPAGE);
  mprotect(got, kGuardSize, PROT_NONE);
  return static_cast<char*>(got);
}

bool StartDonor(Donor* donor, size_t stack_size) {
  char* map = MapStack(donor->slot, stack_size);
  if (map == nullptr) return false;
  donor->low = map + kGuardSize;
  donor->high = donor->low + stack_size;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, donor->low, stack_size);
  // Donors take no signals but those their own code causes.
  sigset_t blocked, old;
  sigfillset(&blocked);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    sigdelset(&blocked, signal);
  }
  real::pthread_sigmask(SIG_SETMASK, &blocked, &old);
  const int error =
      real::pthread_create(&donor->id, &attributes, DonorMain, donor);
  real::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    munmap(map, stack_size + kGuardSize);
    return false;
  }
  AwaitIdle(donor);
  ++g_donors_made;
  return true;
}

Donor* TakeDonor(size_t stack_size) {
  if (stack_size == 0) stack_size = kDefaultStack;
  for (size_t slot = g_first_maybe_free; slot < kMaxSlots; ++slot) {
    if (slot == g_donors.size()) g_donors.push_back(nullptr);
    Donor*& donor = g_donors[slot];
    if (donor != nullptr && donor->in_use) {
      if (slot == g_first_maybe_free) ++g_first_maybe_free;
      continue;
    }
    if (donor != nullptr &&
        static_cast<size_t>(donor->high - donor->low) < stack_size) {
      continue;  // a thread that asked for an unusually big stack
    }
    if (donor == nullptr) {
      auto* made = new (RawAllocate(sizeof(Donor))) Donor;
      made->slot = slot;
      if (!StartDonor(made, stack_size)) {
        RawFree(made);
        return nullptr;
      }
      donor = made;
    }
    donor->in_use = true;
    return donor;
  }
  return nullptr;
}

void Give(Context* context) {
  int* go = context->donor != nullptr ? &context->donor->go : &context->go;
  __atomic_store_n(go, 1, __ATOMIC_RELEASE);
  FutexWake(go);
}

void Park(Context* context) {
  Donor* donor = context->donor;
  int* go = donor != nullptr ? &donor->go : &context->go;
  while (__atomic_load_n(go, __ATOMIC_ACQUIRE) == 0) FutexWait(go, 0);
  __atomic_store_n(go, 0, __ATOMIC_RELAXED);
  if (donor != nullptr && donor->abandon) {
    donor->abandon = false;
    _longjmp(donor->base, 1);
  }
}

}  // namespace

bool UserLevelSupported() { return user_level::Available(); }

void BeginExecution(Execution execution, Context* controller) {
  g_execution = execution;
  if (execution == Execution::kUserLevel) {
    g_kernel_thread_pointer = user_level::CurrentThreadPointer();
    controller->thread_pointer = g_kernel_thread_pointer;
  }
}

bool SpawnContext(Context* context, size_t stack_size, void (*entry)(void*),
                  void* arg) {
  Donor* donor = TakeDonor(stack_size);
  if (donor == nullptr) return false;
  ResetThreadLocals(donor);
  context->donor = donor;
  if (g_execution == Execution::kUserLevel) {
    context->thread_pointer = donor->thread_pointer;
    context->stack_pointer = user_level::PrepareStack(donor->top, entry, arg);
  } else {
    donor->entry = entry;
    donor->arg = arg;
    donor->idle = 0;
    donor->started = false;
    donor->finished = false;
  }
  return true;
}

void SwitchContext(Context* from, Context* to) {
  if (g_execution == Execution::kUserLevel) {
    user_level::Switch(&from->stack_pointer, to->stack_pointer,
                       to->thread_pointer);
  } else {
    Give(to);
    Park(from);
  }
}

void FinishContext(Context* from, Context* to) {
  if (g_execution == Execution::kUserLevel) {
    user_level::Switch(&from->stack_pointer, to->stack_pointer,
                       to->thread_pointer);
    __builtin_trap();
  }
  std::jmp_buf& base = from->donor->base;
  from->donor->finished = true;
  Give(to);
  _longjmp(base, 1);
}

void ReclaimContext(Context* context) {
  Donor* donor = context->donor;
  if (donor == nullptr) return;
  if (g_execution == Execution::kOsThreads) {
    if (!donor->started) {
      donor->idle = 1;  // still waiting in DonorMain
    } else if (!donor->finished) {
      donor->abandon = true;
      Give(context);
    }
    AwaitIdle(donor);
  }
  donor->in_use = false;
  if (donor->slot < g_first_maybe_free) g_first_maybe_free = donor->slot;
  context->donor = nullptr;
}

pthread_t ContextPthread(const Context& context) { return context.donor->id; }

void ContextStack(const Context& context, uintptr_t* low, uintptr_t* high) {
  *low = reinterpret_cast<uintptr_t>(context.donor->low);
  *high = reinterpret_cast<uintptr_t>(context.donor->high);
}

bool IsStackGuard(uintptr_t address) {
  for (Donor* donor : g_donors) {
    if (donor == nullptr) continue;
    const auto low = reinterpret_cast<uintptr_t>(donor->low);
    if (address >= low - kGuardSize && address < low) return true;
  }
  return false;
}

void ForgetDonors() {
  // Their kernel threads do not exist in this process; their memory does.
  g_donors.clear();
  g_first_maybe_free = 0;
}

uint64_t DonorsMade() { return g_donors_made; }

void CallOnKernelThread(void (*function)(void*), void* arg) {
  if (g_execution != Execution::kUserLevel) return function(arg);
  const uintptr_t own = user_level::CurrentThreadPointer();
  user_level::SetThreadPointer(g_kernel_thread_pointer);
  function(arg);
  user_level::SetThreadPointer(own);
}

}  // namespace lockstep::internal
