// SPDX-License-Identifier: Apache-2.0
//
// Who holds and who waits for each object, as the steps of a schedule go by.

#ifndef LOCKSTEP_REPORT_HOLDERS_H_
#define LOCKSTEP_REPORT_HOLDERS_H_

#include <map>
#include <vector>

#include "lockstep/trace.h"

namespace lockstep {

class Holders {
 public:
  // The new state of an object, its threads in the order in which they came.
  struct Change {
    ObjectId object = 0;
    std::vector<ThreadId> holders;
    std::vector<ThreadId> waiters;
  };

  // Takes the next step of a schedule. Returns the objects whose state it
  // changed, ascending.
  std::vector<Change> Take(const Step& step);

 private:
  struct Lists {
    std::vector<ThreadId> holders;
    std::vector<ThreadId> waiters;
  };
  std::map<ObjectId, Lists> objects_;
  std::map<ThreadId, ObjectId> waits_for_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_REPORT_HOLDERS_H_
