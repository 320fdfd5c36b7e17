// SPDX-License-Identifier: Apache-2.0
//
// Lifetime errors: somebody still uses what somebody else has destroyed.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "lockstep/tests/bugs/bugs.h"

namespace lockstep::tests {
namespace {

// An object is deleted while the thread that works on it has not been joined.
void DeletedBeforeJoin() {
  struct Session {
    std::atomic<int> requests{0};
  };
  auto session = std::make_unique<Session>();
  std::thread worker([raw = session.get()] { raw->requests.fetch_add(1); });
  session.reset();
  worker.join();
}

// The last user deletes the object, mutex included, before it unlocks.
void UnlockAfterDelete() {
  struct Shared {
    std::mutex mu;
    int users = 2;
  };
  auto* shared = new Shared;
  auto leave = [shared] {
    std::lock_guard<std::mutex> hold(shared->mu);
    if (--shared->users == 0) delete shared;
  };
  std::thread other(leave);
  leave();
  other.join();
}

// The waiter destroys the event as soon as it sees the flag. The notifier has
// set the flag outside the lock and still has to notify.
void NotifyAfterDelete() {
  struct Event {
    std::mutex mu;
    std::condition_variable changed;
    std::atomic<bool> set{false};
  };
  auto event = std::make_unique<Event>();
  std::thread notifier([raw = event.get()] {
    {
      std::lock_guard<std::mutex> hold(raw->mu);
      raw->set.store(true);
    }
    raw->changed.notify_one();
  });
  while (!event->set.load()) std::this_thread::yield();
  event.reset();
  notifier.join();
}

// A Treiber stack that deletes a node which another Pop() still looks at.
class LeakyStack {
 public:
  ~LeakyStack() {
    while (Pop()) {
    }
  }
  void Push(int value) {
    Node* node = new Node;
    node->value = value;
    node->next.store(top_.load());
    Node* expected = node->next.load();
    while (!top_.compare_exchange_strong(expected, node)) {
      node->next.store(expected);
    }
  }
  bool Pop() {
    Node* node = top_.load();
    while (node != nullptr) {
      if (top_.compare_exchange_strong(node, node->next.load())) {
        delete node;
        return true;
      }
    }
    return false;
  }

 private:
  struct Node {
    int value = 0;
    std::atomic<Node*> next{nullptr};
  };
  std::atomic<Node*> top_{nullptr};
};

void StackWithoutReclamation() {
  LeakyStack stack;
  stack.Push(1);
  stack.Push(2);
  std::thread other([&] { stack.Pop(); });
  stack.Pop();
  other.join();
}

// A raw pointer is taken out of the lock's protection and used after the
// owner has replaced the object.
void PointerEscapesLock() {
  struct Config {
    std::atomic<int> value{1};
  };
  absl::Mutex mu;
  auto config = std::make_unique<Config>();
  std::thread reloader([&] {
    absl::MutexLock hold(&mu);
    config = std::make_unique<Config>();
  });
  Config* seen;
  {
    absl::MutexLock hold(&mu);
    seen = config.get();
  }
  Expect(seen->value.load() == 1, "no such value was written");
  reloader.join();
}

// A reference count that is checked before it is taken: the object is revived
// after its last owner has let go.
void RevivedObject() {
  struct Counted {
    std::atomic<int> owners{1};
    std::atomic<int> uses{0};
  };
  auto* object = new Counted;
  std::atomic<Counted*> registry{object};
  std::thread owner([&] {
    if (object->owners.fetch_sub(1) == 1) {
      registry.store(nullptr);
      delete object;
    }
  });
  if (Counted* found = registry.load()) {
    found->owners.fetch_add(1);
    found->uses.fetch_add(1);
    found->owners.fetch_sub(1);
  }
  owner.join();
}

// A callback is unregistered and its state deleted while it runs: the caller
// copied the pointer under the lock and called it outside.
void CallbackOutlivesState() {
  struct Listener {
    std::atomic<int> events{0};
  };
  std::mutex mu;
  auto listener = std::make_unique<Listener>();
  std::vector<Listener*> listeners = {listener.get()};
  std::thread notifier([&] {
    std::vector<Listener*> copy;
    {
      std::lock_guard<std::mutex> hold(mu);
      copy = listeners;
    }
    for (Listener* each : copy) each->events.fetch_add(1);
  });
  {
    std::lock_guard<std::mutex> hold(mu);
    listeners.clear();
  }
  listener.reset();
  notifier.join();
}

// Both threads believe that they are the last one.
void DeletedTwice() {
  struct Shared {
    std::atomic<int> users{2};
  };
  auto* shared = new Shared;
  auto leave = [shared] {
    shared->users.fetch_sub(1);
    if (shared->users.load() == 0) delete shared;
  };
  std::thread other(leave);
  leave();
  other.join();
}

// The condition variable is a local variable of the waiter, which leaves when
// the flag is set. The notifier sets it and still has to notify: by then the
// variable may be gone, but its memory is part of the stack, which nobody
// frees.
void NotifyAfterReturn() {
  std::mutex mu;
  bool done = false;
  std::thread notifier;
  {
    std::condition_variable local;
    notifier = std::thread([&mu, &done, &local] {
      {
        std::lock_guard<std::mutex> hold(mu);
        done = true;
      }
      local.notify_one();
    });
    std::unique_lock<std::mutex> hold(mu);
    local.wait(hold, [&] { return done; });
  }
  notifier.join();
}

}  // namespace

std::vector<Program> LifetimeErrors() {
  using enum Verdict;
  // An access after `delete` may show as a use after free or, seen from the
  // other side, as a race with the delete. ThreadSanitizer reports either, but
  // only if the run happens to be unlucky, and some runs corrupt the heap.
  constexpr Tsan kUndefined = Tsan::kUndefined;
  return {
      {.name = "deleted_before_join",
       .body = DeletedBeforeJoin,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
      {.name = "unlock_after_delete",
       .body = UnlockAfterDelete,
       .expected = {kUseAfterFree, kMutexMisuse},
       .shows = Shows::kAlways,
       .tsan = kUndefined},
      {.name = "notify_after_delete",
       .body = NotifyAfterDelete,
       .expected = {kUseAfterFree, kMutexMisuse, kDataRace},
       .tsan = kUndefined},
      {.name = "notify_after_return",
       .body = NotifyAfterReturn,
       .expected = kUseAfterFree,
       .tsan = kUndefined},
      {.name = "stack_without_reclamation",
       .body = StackWithoutReclamation,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
      {.name = "pointer_escapes_lock",
       .body = PointerEscapesLock,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
      {.name = "revived_object",
       .body = RevivedObject,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
      {.name = "callback_outlives_state",
       .body = CallbackOutlivesState,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
      {.name = "deleted_twice",
       .body = DeletedTwice,
       .expected = {kUseAfterFree, kDataRace},
       .tsan = kUndefined},
  };
}

}  // namespace lockstep::tests
