// SPDX-License-Identifier: Apache-2.0
#include "lockstep/runtime/hooks.h"
namespace lockstep::internal {
void DeliverPendingSignals(Thread*) {}
}  // namespace lockstep::internal
