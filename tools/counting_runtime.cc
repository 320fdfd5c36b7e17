// SPDX-License-Identifier: Apache-2.0
//
// The smallest runtime that resolves the calls a compiler adds for
// -fsanitize=thread to instrumented_test.cc: it counts them.

namespace {

int reads = 0;
int writes = 0;
int entries = 0;

}  // namespace

extern "C" {

int CountedReads() { return reads; }
int CountedWrites() { return writes; }
int CountedEntries() { return entries; }

void __tsan_init() {}
void __tsan_func_entry(void*) { ++entries; }
void __tsan_func_exit() {}

void __tsan_read1(void*) { ++reads; }
void __tsan_read2(void*) { ++reads; }
void __tsan_read4(void*) { ++reads; }
void __tsan_read8(void*) { ++reads; }
void __tsan_read16(void*) { ++reads; }
void __tsan_write1(void*) { ++writes; }
void __tsan_write2(void*) { ++writes; }
void __tsan_write4(void*) { ++writes; }
void __tsan_write8(void*) { ++writes; }
void __tsan_write16(void*) { ++writes; }

}  // extern "C"
