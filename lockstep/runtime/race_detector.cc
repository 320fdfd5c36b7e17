// SPDX-License-Identifier: Apache-2.0
#include "lockstep/runtime/race_detector.h"
namespace lockstep::internal {
bool g_detect_races;
void BeginRaceDetection(bool detect, bool, uint32_t) { g_detect_races = detect; }
void CheckRead(Thread*, uintptr_t, size_t, CodeAddress) {}
void CheckWrite(Thread*, uintptr_t, size_t, CodeAddress) {}
void CheckAtomicAccess(Thread*, SyncObject*, size_t, bool, CodeAddress) {}
void ForgetAccesses(uintptr_t, size_t) {}
void MarkFreed(Thread*, uintptr_t, size_t, CodeAddress) {}
}
