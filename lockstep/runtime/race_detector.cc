// SPDX-License-Identifier: Apache-2.0
//
// Shadow memory and the checks. See race_detector.h.
//
// Every 8 bytes of memory have a Granule that knows the last write and the
// reads since then. It starts with one cell for all 8 bytes, or two for 4
// each, as the first access suggests, and is split when a smaller access
// comes. A granule of an earlier schedule counts as empty (its generation
// tells), so a new schedule starts clean at no cost.

#include "lockstep/runtime/race_detector.h"

#include <cstdio>
#include <cstring>

#include "lockstep/runtime/hooks.h"

namespace lockstep::internal {

bool g_detect_races;

namespace {

// A moment in a thread's life: thread << 32 | its clock. 0: never.
using Epoch = uint64_t;
// In Cell::read: several threads have read; the rest is a SharedReads index.
constexpr Epoch kShared = Epoch{1} << 63;

struct Cell {
  Epoch write;
  Epoch read;
};

// Where an access was made. Usually the distance of its code address from
// kAnchor; in recorded runs 1 + the index of an AccessRecord.
using Where = uint32_t;

enum Flags : uint8_t {
  kFreed = 1,   // cells[0].write, writes[0]: who freed it, where
  kAtomic = 2,  // some SyncObject here knows atomic accesses
};

struct alignas(64) Granule {
  uint32_t generation;
  uint8_t unit;  // bytes per cell: 8, 4 or 1 (then see `bytes`)
  uint8_t flags;
  uint32_t bytes;
  Where writes[2];
  Where reads[2];
  Cell cells[2];
};
static_assert(sizeof(Granule) == 64);

struct ByteCells {
  Cell cells[8];
  Where writes[8];
  Where reads[8];
};

// The last read of each thread since the last write.
struct SharedReads {
  Array<uint32_t> clocks;  // by thread; 0: none
  Array<Where> wheres;
};

constexpr uintptr_t kPageBits = 12;
constexpr size_t kGranulesPerPage = (size_t{1} << kPageBits) / 8;
struct ShadowPage {
  Granule granules[kGranulesPerPage];
};

struct PageSlot {
  uintptr_t number;  // 1 + (address >> kPageBits); 0: free
  ShadowPage* page;
};

struct AccessRecord {
  uint32_t first_frame, frames;
  uint32_t first_lock, locks;
  uint32_t step;  // steps recorded before it
};

uint32_t g_generation;
bool g_record;

Array<PageSlot> g_pages;  // open addressing
size_t g_page_count;
constexpr size_t kCacheSize = 64;
PageSlot g_cache[kCacheSize];

Array<ByteCells*> g_bytes;
uint32_t g_bytes_used;
Array<SharedReads*> g_shared;
uint32_t g_shared_used;

Array<AccessRecord> g_records;
Array<CodeAddress> g_frames;
Array<ObjectId> g_locks;

// --- Where -------------------------------------------------------------------

CodeAddress Anchor() {
  return reinterpret_cast<CodeAddress>(&BeginRaceDetection);
}

__attribute__((noinline)) Where RecordAccess(Thread* me, CodeAddress pc) {
  AccessRecord record;
  record.first_frame = static_cast<uint32_t>(g_frames.size());
  g_frames.push_back(pc);
  const CodeAddress caller = ProgramCaller(pc);
  if (caller != 0) g_frames.push_back(caller);
  uint32_t depth =
      me->depth < Thread::kMaxDepth ? me->depth : Thread::kMaxDepth;
  constexpr uint32_t kFrames = 24;
  for (uint32_t i = 0; i < kFrames && depth > 0; ++i) {
    g_frames.push_back(me->calls[--depth]);
  }
  record.frames = static_cast<uint32_t>(g_frames.size()) - record.first_frame;
  record.first_lock = static_cast<uint32_t>(g_locks.size());
  for (const HeldLock& held : me->held) g_locks.push_back(held.object->id);
  record.locks = static_cast<uint32_t>(g_locks.size()) - record.first_lock;
  record.step = static_cast<uint32_t>(g_scheduler.trace()->steps.size());
  g_records.push_back(record);
  return static_cast<Where>(g_records.size());
}

inline Where MakeWhere(Thread* me, CodeAddress pc) {
  if (__builtin_expect(g_record, false)) return RecordAccess(me, pc);
  return static_cast<Where>(pc - Anchor());
}

void FillSite(Where where, Site* site) {
  if (!g_record) {
    site->stack.push_back(
        Anchor() + static_cast<uintptr_t>(
                       static_cast<intptr_t>(static_cast<int32_t>(where))));
    return;
  }
  if (where == 0 || where > g_records.size()) return;
  const AccessRecord& record = g_records[where - 1];
  for (uint32_t i = 0; i < record.frames; ++i) {
    site->stack.push_back(g_frames[record.first_frame + i]);
  }
  for (uint32_t i = 0; i < record.locks; ++i) {
    site->locks_held.push_back(g_locks[record.first_lock + i]);
  }
  site->step = record.step;
}

// --- Shadow memory
// -------------------------------------------------------------

size_t HashPage(uintptr_t number, size_t mask) {
  return (number * 0x9E3779B97F4A7C15u >> 40) & mask;
}

ShadowPage* LookUpPage(uintptr_t number) {
  if (g_pages.empty()) return nullptr;
  const size_t mask = g_pages.size() - 1;
  for (size_t i = HashPage(number, mask);; i = (i + 1) & mask) {
    if (g_pages[i].number == number) return g_pages[i].page;
    if (g_pages[i].number == 0) return nullptr;
  }
}

void InsertPage(PageSlot slot) {
  const size_t mask = g_pages.size() - 1;
  size_t i = HashPage(slot.number, mask);
  while (g_pages[i].number != 0) i = (i + 1) & mask;
  g_pages[i] = slot;
}

__attribute__((noinline)) ShadowPage* FindOrMakePage(uintptr_t number) {
  ShadowPage* page = LookUpPage(number);
  if (page == nullptr) {
    if (g_page_count * 2 >= g_pages.size()) {
      Array<PageSlot> old;
      for (const PageSlot& slot : g_pages) old.push_back(slot);
      const size_t size = g_pages.empty() ? 256 : g_pages.size() * 2;
      g_pages.reset();
      g_pages.resize(size);
      for (const PageSlot& slot : old) {
        if (slot.number != 0) InsertPage(slot);
      }
      old.clear();
    }
    page = static_cast<ShadowPage*>(RawAllocateZeroed(sizeof(ShadowPage)));
    InsertPage({number, page});
    ++g_page_count;
  }
  g_cache[number % kCacheSize] = {number, page};
  return page;
}

inline uintptr_t PageNumber(uintptr_t address) {
  return 1 + (address >> kPageBits);
}

inline Granule* GranuleOf(uintptr_t address) {
  const uintptr_t number = PageNumber(address);
  const PageSlot& cached = g_cache[number % kCacheSize];
  ShadowPage* page = __builtin_expect(cached.number == number, true)
                         ? cached.page
                         : FindOrMakePage(number);
  return &page->granules[(address >> 3) % kGranulesPerPage];
}

// --- Reports
// -------------------------------------------------------------------

struct Access {
  Thread* me;
  uintptr_t address;
  uint32_t size;
  bool write;
  bool atomic;
  CodeAddress pc;
};

const char* Describe(bool write, bool atomic, uint32_t size, char* text,
                     size_t text_size) {
  std::snprintf(text, text_size, "%s %u byte%s%s", write ? "writes" : "reads",
                size, size == 1 ? "" : "s", atomic ? " atomically" : "");
  return text;
}

SyncObject* MemoryObject(const Access& access) {
  return g_scheduler.Object(access.address, ObjectKind::kMemory, access.pc);
}

// Shows the two accesses of a finding among the recorded steps, each where it
// happened.
void RecordAccesses(const Access& access, Epoch other, Where where, Op other_op,
                    SyncObject* object) {
  if (!g_record || where == 0 || where > g_records.size()) return;
  RuntimeScope scope;
  std::vector<Step>& steps = g_scheduler.trace()->steps;
  const AccessRecord& record = g_records[where - 1];
  Step step;
  step.thread = static_cast<ThreadId>((other & ~kShared) >> 32);
  step.op = other_op;
  step.object = object->id;
  step.size = static_cast<uint8_t>(access.size);
  for (uint32_t i = 0; i < record.frames; ++i) {
    step.stack.push_back(g_frames[record.first_frame + i]);
  }
  const size_t at = record.step < steps.size() ? record.step : steps.size();
  if (at > 0) step.time_ns = steps[at - 1].time_ns;
  steps.insert(steps.begin() + static_cast<ptrdiff_t>(at), step);
  step.thread = access.me->id;
  step.op = access.write ? Op::kWrite : Op::kRead;
  step.time_ns = g_scheduler.now();
  CaptureStack(access.me, access.pc, &step.stack);
  steps.push_back(step);
}

void AddOtherSite(Epoch epoch, Where where, const char* what,
                  SyncObject* object) {
  RuntimeScope scope;
  Site& site = g_scheduler.finding()->sites.emplace_back();
  site.thread = static_cast<ThreadId>((epoch & ~kShared) >> 32);
  site.what = what;
  site.object = object->id;
  FillSite(where, &site);
}

[[noreturn]] __attribute__((noinline)) void ReportRace(const Access& access,
                                                       Epoch other, Where where,
                                                       bool other_write,
                                                       bool other_atomic) {
  Thread* me = access.me;
  if (g_scheduler.has_finding()) g_scheduler.EndSchedule(me);
  SyncObject* object = MemoryObject(access);
  char message[200];
  std::snprintf(message, sizeof(message),
                "T%u and T%u access the same memory, at least one of them "
                "writes, and nothing orders the two",
                static_cast<ThreadId>(other >> 32), me->id);
  g_scheduler.SetFinding(Verdict::kDataRace, message);
  char text[80];
  AddOtherSite(
      other, where,
      Describe(other_write, other_atomic, access.size, text, sizeof(text)),
      object);
  char own[80];
  g_scheduler.AddSite(
      me, Describe(access.write, access.atomic, access.size, own, sizeof(own)),
      access.pc, object);
  RecordAccesses(access, other, where, other_write ? Op::kWrite : Op::kRead,
                 object);
  g_scheduler.EndSchedule(me);
}

[[noreturn]] __attribute__((noinline)) void ReportUseAfterFree(
    const Access& access, const Granule& granule) {
  Thread* me = access.me;
  if (g_scheduler.has_finding()) g_scheduler.EndSchedule(me);
  SyncObject* object = MemoryObject(access);
  g_scheduler.SetFinding(Verdict::kUseAfterFree,
                         "memory is used after it was freed");
  char own[80];
  g_scheduler.AddSite(
      me, Describe(access.write, access.atomic, access.size, own, sizeof(own)),
      access.pc, object);
  AddOtherSite(granule.cells[0].write, granule.writes[0], "frees the memory",
               object);
  RecordAccesses(access, granule.cells[0].write, granule.writes[0], Op::kFree,
                 object);
  g_scheduler.EndSchedule(me);
}

// --- Checks
// --------------------------------------------------------------------

inline bool Known(const Thread* me, Epoch epoch) {
  const auto thread = static_cast<ThreadId>(epoch >> 32);
  return thread == me->id ||
         me->clock.Get(thread) >= static_cast<uint32_t>(epoch);
}

SharedReads* NewSharedReads(uint32_t* index) {
  if (g_shared_used == g_shared.size()) {
    g_shared.push_back(new (RawAllocate(sizeof(SharedReads))) SharedReads);
  }
  SharedReads* reads = g_shared[g_shared_used];
  *index = g_shared_used++;
  reads->clocks.reset();
  reads->wheres.reset();
  return reads;
}

void AddSharedRead(SharedReads* reads, Epoch epoch, Where where) {
  const auto thread = static_cast<ThreadId>(epoch >> 32);
  if (thread >= reads->clocks.size()) {
    reads->clocks.resize(thread + 1);
    reads->wheres.resize(thread + 1);
  }
  reads->clocks[thread] = static_cast<uint32_t>(epoch);
  reads->wheres[thread] = where;
}

__attribute__((noinline)) void ReadByMany(Thread* me, Cell* cell,
                                          Where* read_where, Where where) {
  SharedReads* reads;
  if ((cell->read & kShared) == 0) {
    uint32_t index;
    reads = NewSharedReads(&index);
    AddSharedRead(reads, cell->read, *read_where);
    cell->read = kShared | index;
  } else {
    reads = g_shared[static_cast<uint32_t>(cell->read)];
  }
  AddSharedRead(reads, me->epoch, where);
}

inline void ReadCell(const Access& access, Cell* cell, Where* write_where,
                     Where* read_where) {
  Thread* me = access.me;
  const Epoch now = me->epoch;
  if (cell->read == now || cell->write == now) return;
  if (cell->write != 0 && !Known(me, cell->write)) {
    ReportRace(access, cell->write, *write_where, true, false);
  }
  const Where where = MakeWhere(me, access.pc);
  if (__builtin_expect((cell->read & kShared) != 0 ||
                           (cell->read != 0 && !Known(me, cell->read)),
                       false)) {
    ReadByMany(me, cell, read_where, where);
    return;
  }
  cell->read = now;
  *read_where = where;
}

void CheckSharedReads(const Access& access, const Cell& cell) {
  const SharedReads& reads = *g_shared[static_cast<uint32_t>(cell.read)];
  for (size_t i = 0; i < reads.clocks.size(); ++i) {
    const Epoch read = Epoch{i} << 32 | reads.clocks[i];
    if (reads.clocks[i] != 0 && !Known(access.me, read)) {
      ReportRace(access, read, reads.wheres[i], false, false);
    }
  }
}

inline void CheckReadsOf(const Access& access, const Cell& cell,
                         Where read_where) {
  if (cell.read == 0) return;
  if (__builtin_expect((cell.read & kShared) != 0, false)) {
    CheckSharedReads(access, cell);
  } else if (!Known(access.me, cell.read)) {
    ReportRace(access, cell.read, read_where, false, false);
  }
}

inline void WriteCell(const Access& access, Cell* cell, Where* write_where,
                      Where* read_where) {
  Thread* me = access.me;
  const Epoch now = me->epoch;
  if (cell->write == now && cell->read == 0) return;
  if (cell->write != 0 && !Known(me, cell->write)) {
    ReportRace(access, cell->write, *write_where, true, false);
  }
  CheckReadsOf(access, *cell, *read_where);
  cell->write = now;
  cell->read = 0;
  *write_where = MakeWhere(me, access.pc);
}

inline void TouchCell(const Access& access, Cell* cell, Where* write_where,
                      Where* read_where) {
  if (access.write) {
    WriteCell(access, cell, write_where, read_where);
  } else {
    ReadCell(access, cell, write_where, read_where);
  }
}

void CopyCell(const Granule& from, int i, Cell* cell, Where* write_where,
              Where* read_where) {
  *cell = from.cells[i];
  *write_where = from.writes[i];
  *read_where = from.reads[i];
}

__attribute__((noinline)) void Split(Granule* granule, uint8_t unit) {
  if (granule->unit == 8) {
    // A shared-read entry may be shared by both halves: only ever added to.
    CopyCell(*granule, 0, &granule->cells[1], &granule->writes[1],
             &granule->reads[1]);
    granule->unit = 4;
  }
  if (unit == 4) return;
  if (g_bytes_used == g_bytes.size()) {
    g_bytes.push_back(new (RawAllocate(sizeof(ByteCells))) ByteCells);
  }
  ByteCells* bytes = g_bytes[g_bytes_used];
  granule->bytes = g_bytes_used++;
  for (int i = 0; i < 8; ++i) {
    CopyCell(*granule, i / 4, &bytes->cells[i], &bytes->writes[i],
             &bytes->reads[i]);
  }
  granule->unit = 1;
}

// Two granule halves that share one SharedReads entry would see each other's
// reads after a split; give the second its own.
void Unshare(Cell* cell) {
  if ((cell->read & kShared) == 0) return;
  const SharedReads& old = *g_shared[static_cast<uint32_t>(cell->read)];
  uint32_t index;
  SharedReads* copy = NewSharedReads(&index);
  for (size_t i = 0; i < old.clocks.size(); ++i) {
    copy->clocks.push_back(old.clocks[i]);
    copy->wheres.push_back(old.wheres[i]);
  }
  cell->read = kShared | index;
}

__attribute__((noinline)) void SplitGranule(Granule* granule, uint8_t unit) {
  const uint8_t old_unit = granule->unit;
  Split(granule, unit);
  if (old_unit == 8 && granule->unit == 4) Unshare(&granule->cells[1]);
  if (granule->unit == 1) {
    ByteCells* bytes = g_bytes[granule->bytes];
    for (int i = 1; i < 8; ++i) Unshare(&bytes->cells[i]);
  }
}

inline void StartGranule(Granule* granule, uint32_t offset, uint32_t size) {
  granule->generation = g_generation;
  granule->flags = 0;
  granule->cells[0] = {};
  granule->cells[1] = {};
  if (size == 8) {
    granule->unit = 8;
  } else {
    granule->unit = 4;
    if (size != 4 || (offset & 3) != 0) Split(granule, 1);
  }
}

// Plain accesses to memory that was also accessed atomically.
void CheckAgainstAtomics(const Access& access) {
  const uintptr_t base = access.address & ~uintptr_t{7};
  for (uintptr_t a = base; a < base + 8; ++a) {
    SyncObject* object = g_scheduler.FindObject(a);
    if (object == nullptr || object->atomic_pc == 0) continue;
    if (a >= access.address + access.size ||
        a + object->atomic_size <= access.address) {
      continue;
    }
    const VectorClock& clock = access.me->clock;
    ThreadId other = object->atomic_writes.FirstUnknown(clock);
    bool write = true;
    if (other == kNoThread && access.write) {
      other = object->atomic_reads.FirstUnknown(clock);
      write = false;
    }
    if (other == kNoThread || other == access.me->id) continue;
    const Array<uint32_t>& places =
        write ? object->atomic_write_places : object->atomic_read_places;
    ReportRace(access, Epoch{other} << 32, places[other], write, true);
  }
}

__attribute__((noinline)) void CheckFlags(const Access& access,
                                          const Granule& granule) {
  if ((granule.flags & kFreed) != 0) ReportUseAfterFree(access, granule);
  if (!access.atomic && (granule.flags & kAtomic) != 0) {
    CheckAgainstAtomics(access);
  }
}

// An access that does not cross an 8-byte boundary.
inline void TouchGranule(const Access& access) {
  Granule* granule = GranuleOf(access.address);
  const auto offset = static_cast<uint32_t>(access.address & 7);
  const uint32_t size = access.size;
  if (granule->generation != g_generation) {
    StartGranule(granule, offset, size);
  } else if (__builtin_expect(granule->flags != 0, false)) {
    CheckFlags(access, *granule);
  }
  if (granule->unit == 8) {
    if (__builtin_expect(size == 8, true)) {
      TouchCell(access, &granule->cells[0], &granule->writes[0],
                &granule->reads[0]);
      return;
    }
    SplitGranule(granule, size == 4 && (offset & 3) == 0 ? 4 : 1);
  }
  if (granule->unit == 4) {
    if (size == 4 && (offset & 3) == 0) {
      const uint32_t i = offset >> 2;
      TouchCell(access, &granule->cells[i], &granule->writes[i],
                &granule->reads[i]);
      return;
    }
    if (size == 8) {
      for (int i = 0; i < 2; ++i) {
        TouchCell(access, &granule->cells[i], &granule->writes[i],
                  &granule->reads[i]);
      }
      return;
    }
    SplitGranule(granule, 1);
  }
  ByteCells* bytes = g_bytes[granule->bytes];
  for (uint32_t i = offset; i < offset + size; ++i) {
    TouchCell(access, &bytes->cells[i], &bytes->writes[i], &bytes->reads[i]);
  }
}

__attribute__((noinline)) void TouchRange(Access access, size_t size) {
  uintptr_t address = access.address;
  while (size != 0) {
    const size_t part = 8 - (address & 7);
    access.address = address;
    access.size = static_cast<uint32_t>(part < size ? part : size);
    TouchGranule(access);
    address += access.size;
    size -= access.size;
  }
}

__attribute__((noinline)) void Touch(Thread* me, uintptr_t address, size_t size,
                                     bool write, CodeAddress pc) {
  const Access access{me,    address, static_cast<uint32_t>(size),
                      write, false,   pc};
  if (__builtin_expect((address & 7) + size <= 8, true)) {
    TouchGranule(access);
  } else {
    TouchRange(access, size);
  }
}

// What nearly all accesses are: to one whole cell, and ordered after all that
// was done to it before. Does the same as Touch, without a call. Returns false
// if there is more to it.
template <size_t kSize, bool kWrite>
inline bool TouchWholeCell(Thread* me, uintptr_t address, CodeAddress pc) {
  const uintptr_t number = PageNumber(address);
  const PageSlot& cached = g_cache[number % kCacheSize];
  if (cached.number != number || address % kSize != 0) return false;
  Granule& granule = cached.page->granules[(address >> 3) % kGranulesPerPage];
  if (granule.generation != g_generation) {
    StartGranule(&granule, address & 7, kSize);
  } else if (granule.unit != kSize || granule.flags != 0) {
    return false;
  }
  const size_t i = (address & 7) / kSize;
  Cell& cell = granule.cells[i];
  const Epoch now = me->epoch;
  // Nothing new since this thread's last release.
  if (cell.write == now && (!kWrite || cell.read == 0)) return true;
  if (cell.read == now && !kWrite) return true;
  if (g_record || (cell.write != 0 && !Known(me, cell.write)) ||
      (cell.read & kShared) != 0 || (cell.read != 0 && !Known(me, cell.read))) {
    return false;
  }
  const Where where = MakeWhere(me, pc);
  if (kWrite) {
    cell.write = now;
    cell.read = 0;
    granule.writes[i] = where;
  } else {
    cell.read = now;
    granule.reads[i] = where;
  }
  return true;
}

}  // namespace

void BeginRaceDetection(bool detect, bool record, uint32_t generation) {
  g_detect_races = detect;
  g_record = record;
  if (generation < g_generation) {  // the counter went round
    for (const PageSlot& slot : g_pages) {
      if (slot.number != 0) {
        std::memset(static_cast<void*>(slot.page), 0, sizeof(ShadowPage));
      }
    }
  }
  g_generation = generation;
  g_bytes_used = 0;
  g_shared_used = 0;
  g_records.reset();
  g_frames.reset();
  g_locks.reset();
}

uint32_t RememberPlace(Thread* me, CodeAddress pc) { return MakeWhere(me, pc); }

void RecallPlace(uint32_t where, std::vector<CodeAddress>* stack) {
  Site site;
  FillSite(where, &site);
  *stack = site.stack;
}

template <size_t kSize, bool kWrite>
void CheckAccess(Thread* me, uintptr_t address, CodeAddress pc) {
  if constexpr (kSize == 4 || kSize == 8) {
    if (TouchWholeCell<kSize, kWrite>(me, address, pc)) return;
  }
  Touch(me, address, kSize, kWrite, pc);
}

#define LOCKSTEP_INSTANTIATE(size)                                         \
  template void CheckAccess<size, false>(Thread*, uintptr_t, CodeAddress); \
  template void CheckAccess<size, true>(Thread*, uintptr_t, CodeAddress);
LOCKSTEP_INSTANTIATE(1)
LOCKSTEP_INSTANTIATE(2)
LOCKSTEP_INSTANTIATE(4)
LOCKSTEP_INSTANTIATE(8)
LOCKSTEP_INSTANTIATE(16)
#undef LOCKSTEP_INSTANTIATE

void CheckRange(Thread* me, uintptr_t address, size_t size, bool write,
                CodeAddress pc) {
  Touch(me, address, size, write, pc);
}

void CheckAtomicAccess(Thread* me, SyncObject* object, size_t size, bool write,
                       CodeAddress pc) {
  const uintptr_t address = object->address;
  for (size_t done = 0; done < size; done += 8) {
    Granule* granule = GranuleOf(address + done);
    const auto part = static_cast<uint32_t>(size - done < 8 ? size - done : 8);
    const auto offset = static_cast<uint32_t>((address + done) & 7);
    const Access access{me, address + done, part, write, true, pc};
    if (granule->generation != g_generation) {
      StartGranule(granule, offset, part);
    } else {
      if (granule->flags != 0) CheckFlags(access, *granule);
      // The cells hold plain accesses only.
      for (uint32_t byte = offset; byte < offset + part; ++byte) {
        const Cell* cell;
        Where write_where, read_where;
        if (granule->unit == 1) {
          const ByteCells& bytes = *g_bytes[granule->bytes];
          cell = &bytes.cells[byte];
          write_where = bytes.writes[byte];
          read_where = bytes.reads[byte];
        } else {
          const uint32_t i = granule->unit == 8 ? 0 : byte >> 2;
          cell = &granule->cells[i];
          write_where = granule->writes[i];
          read_where = granule->reads[i];
          byte |= granule->unit - 1u;  // the rest of the cell is the same
        }
        if (cell->write != 0 && !Known(me, cell->write)) {
          ReportRace(access, cell->write, write_where, true, false);
        }
        if (write) CheckReadsOf(access, *cell, read_where);
      }
    }
    granule->flags |= kAtomic;
  }
  VectorClock& clock = write ? object->atomic_writes : object->atomic_reads;
  clock.Set(me->id, static_cast<uint32_t>(me->epoch));
  object->atomic_pc = pc;
  object->atomic_size = static_cast<uint32_t>(size);
  Array<uint32_t>& places =
      write ? object->atomic_write_places : object->atomic_read_places;
  if (me->id >= places.size()) places.resize(me->id + 1);
  places[me->id] = MakeWhere(me, pc);
}

void ForgetAccesses(uintptr_t address, size_t size) {
  if (!g_detect_races) return;
  const uintptr_t end = address + size;
  uintptr_t a = address & ~uintptr_t{7};
  while (a < end) {
    const uintptr_t page_end = ((a >> kPageBits) + 1) << kPageBits;
    ShadowPage* page = LookUpPage(PageNumber(a));
    if (page == nullptr) {
      a = page_end;
      continue;
    }
    for (; a < end && a < page_end; a += 8) {
      page->granules[(a >> 3) % kGranulesPerPage].generation = 0;
    }
  }
}

void MarkFreed(Thread* me, uintptr_t address, size_t size, CodeAddress pc) {
  if (!g_detect_races) return;
  const Where where = MakeWhere(me, pc);
  const uintptr_t end = address + size;
  uintptr_t a = address;  // blocks are 16-byte aligned
  while (a < end) {
    const uintptr_t page_end = ((a >> kPageBits) + 1) << kPageBits;
    ShadowPage* page = LookUpPage(PageNumber(a));
    if (page == nullptr) {
      a = page_end;
      continue;
    }
    for (; a < end && a < page_end; a += 8) {
      Granule* granule = &page->granules[(a >> 3) % kGranulesPerPage];
      if (granule->generation == g_generation) {
        // Freeing is a write: whoever uses the block must be done before.
        // Padding at the end of the block is never accessed: 8 bytes fit.
        TouchGranule({me, a, 8, true, false, pc});
      } else {
        StartGranule(granule, 0, 8);
      }
      granule->flags = kFreed;
      granule->cells[0].write = me->epoch;
      granule->writes[0] = where;
    }
  }
}

}  // namespace lockstep::internal
