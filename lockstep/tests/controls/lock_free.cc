// SPDX-License-Identifier: Apache-2.0
//
// Correct code without locks: publication, reclamation, reference counts.

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lockstep/tests/controls/controls.h"

namespace lockstep::tests {
namespace {

// Double-checked locking with acquire and release.
void DoubleCheckedLocking() {
  struct Config {
    int value = 42;
  };
  std::mutex mu;
  std::atomic<Config*> config{nullptr};
  std::unique_ptr<Config> owner;
  auto get = [&]() -> Config* {
    Config* seen = config.load(std::memory_order_acquire);
    if (seen == nullptr) {
      std::lock_guard<std::mutex> hold(mu);
      seen = config.load(std::memory_order_relaxed);
      if (seen == nullptr) {
        owner = std::make_unique<Config>();
        seen = owner.get();
        config.store(seen, std::memory_order_release);
      }
    }
    return seen;
  };
  std::thread other([&] { Expect(get()->value == 42, "half-built object"); });
  Expect(get()->value == 42, "half-built object");
  other.join();
}

// A message published with release and received with acquire.
void Publication() {
  int message = 0;
  std::atomic<bool> ready{false};
  std::thread sender([&] {
    message = 42;
    ready.store(true, std::memory_order_release);
  });
  while (!ready.load(std::memory_order_acquire)) std::this_thread::yield();
  Expect(message == 42, "message not yet written");
  sender.join();
}

// The same with relaxed operations between fences.
void PublicationThroughFences() {
  int message = 0;
  std::atomic<bool> ready{false};
  std::thread sender([&] {
    message = 42;
    std::atomic_thread_fence(std::memory_order_release);
    ready.store(true, std::memory_order_relaxed);
  });
  if (ready.load(std::memory_order_relaxed)) {
    std::atomic_thread_fence(std::memory_order_acquire);
    Expect(message == 42, "message not yet written");
  }
  sender.join();
}

// A read-modify-write continues the release sequence, even a relaxed one in
// another thread.
void ReleaseSequence() {
  int message = 0;
  std::atomic<int> state{0};
  std::thread sender([&] {
    message = 42;
    state.store(1, std::memory_order_release);
  });
  std::thread relay([&] {
    int expected = 1;
    state.compare_exchange_strong(expected, 2, std::memory_order_relaxed);
  });
  if (state.load(std::memory_order_acquire) == 2) {
    Expect(message == 42, "message not yet written");
  }
  sender.join();
  relay.join();
}

// Relaxed counting is enough where only the total after the join matters.
void RelaxedStatistics() {
  std::atomic<int> hits{0};
  auto work = [&] { hits.fetch_add(1, std::memory_order_relaxed); };
  std::thread one(work), two(work);
  one.join();
  two.join();
  Expect(hits.load(std::memory_order_relaxed) == 2, "a hit is lost");
}

// std::shared_ptr's pattern: release on every decrement, an acquire fence
// before the destruction.
void ReferenceCount() {
  struct Object {
    std::atomic<int> owners{2};
    int value = 0;
  };
  auto* object = new Object;
  auto release = [object] {
    Expect(object->value == 0, "used after it was destroyed");
    if (object->owners.fetch_sub(1, std::memory_order_release) == 1) {
      std::atomic_thread_fence(std::memory_order_acquire);
      object->value = -1;
      delete object;
    }
  };
  std::thread other(release);
  release();
  other.join();
}

// Copies of one std::shared_ptr in several threads.
void SharedPointerCopies() {
  auto shared = std::make_shared<int>(7);
  auto work = [copy = shared] { Expect(*copy == 7, "wrong value"); };
  std::thread one(work), two(work);
  shared.reset();
  one.join();
  two.join();
}

// A sequence lock whose data are relaxed atomics (Boehm, "Can seqlocks get
// along with programming language memory models?").
void Seqlock() {
  std::atomic<unsigned> sequence{0};
  std::atomic<int> data[2] = {0, 0};
  std::thread writer([&] {
    for (int i = 1; i <= 2; ++i) {
      sequence.store(2 * i - 1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_release);
      data[0].store(i, std::memory_order_relaxed);
      data[1].store(i, std::memory_order_relaxed);
      sequence.store(2 * i, std::memory_order_release);
    }
  });
  for (;;) {
    const unsigned before = sequence.load(std::memory_order_acquire);
    const int first = data[0].load(std::memory_order_relaxed);
    const int second = data[1].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    const unsigned after = sequence.load(std::memory_order_relaxed);
    if (before == after && before % 2 == 0) {
      Expect(first == second, "torn read");
      break;
    }
    std::this_thread::yield();
  }
  writer.join();
}

// Lamport's queue for one producer and one consumer.
void SingleProducerQueue() {
  constexpr unsigned kCapacity = 2;
  int slots[kCapacity] = {0, 0};
  std::atomic<unsigned> head{0}, tail{0};
  std::thread producer([&] {
    for (int value = 1; value <= 3; ++value) {
      const unsigned at = tail.load(std::memory_order_relaxed);
      while (at - head.load(std::memory_order_acquire) == kCapacity) {
        std::this_thread::yield();
      }
      slots[at % kCapacity] = value;
      tail.store(at + 1, std::memory_order_release);
    }
  });
  for (int expected = 1; expected <= 3; ++expected) {
    const unsigned at = head.load(std::memory_order_relaxed);
    while (tail.load(std::memory_order_acquire) == at) {
      std::this_thread::yield();
    }
    Expect(slots[at % kCapacity] == expected, "items out of order");
    head.store(at + 1, std::memory_order_release);
  }
  producer.join();
}

// Lazy initialisation by compare-and-swap: the loser deletes its object.
void FirstOneWins() {
  struct Instance {
    int value = 7;
  };
  std::atomic<Instance*> instance{nullptr};
  auto get = [&] {
    Instance* seen = instance.load(std::memory_order_acquire);
    if (seen == nullptr) {
      auto mine = std::make_unique<Instance>();
      if (instance.compare_exchange_strong(seen, mine.get(),
                                           std::memory_order_acq_rel)) {
        seen = mine.release();
      }
    }
    return seen;
  };
  Instance* by_other = nullptr;
  std::thread other([&] { by_other = get(); });
  Instance* by_main = get();
  other.join();
  Expect(by_main == by_other && by_main->value == 7, "two instances");
  delete instance.load();
}

// Treiber's stack with hazard pointers (Michael 2004): a popped node is
// deleted only when no thread has announced that it looks at it.
class HazardStack {
 public:
  static constexpr int kThreads = 2;

  ~HazardStack() {
    for (Node* node = top_.load(); node != nullptr;) {
      Node* next = node->next;
      delete node;
      node = next;
    }
    for (const std::vector<Node*>& retired : retired_) {
      for (Node* node : retired) delete node;
    }
  }
  void Push(int value) {
    Node* node = new Node{value, top_.load(std::memory_order_relaxed)};
    while (!top_.compare_exchange_weak(node->next, node,
                                       std::memory_order_release,
                                       std::memory_order_relaxed)) {
    }
  }
  int Pop(int self) {
    Node* node;
    for (;;) {
      node = top_.load();
      if (node == nullptr) return 0;
      hazard_[self].store(node);
      if (top_.load() != node) continue;
      Node* expected = node;
      if (top_.compare_exchange_strong(expected, node->next)) break;
    }
    hazard_[self].store(nullptr);
    const int value = node->value;
    Retire(self, node);
    return value;
  }

 private:
  struct Node {
    int value;
    Node* next;
  };
  void Retire(int self, Node* node) {
    std::vector<Node*>& retired = retired_[self];
    retired.push_back(node);
    std::erase_if(retired, [&](Node* each) {
      for (const std::atomic<Node*>& hazard : hazard_) {
        if (hazard.load() == each) return false;
      }
      delete each;
      return true;
    });
  }
  std::atomic<Node*> top_{nullptr};
  std::atomic<Node*> hazard_[kThreads] = {nullptr, nullptr};
  std::vector<Node*> retired_[kThreads];
};

void HazardPointers() {
  HazardStack stack;
  stack.Push(1);
  stack.Push(2);
  int by_other = 0;
  std::thread other([&] {
    by_other = stack.Pop(1);
    stack.Push(4);
  });
  const int by_main = stack.Pop(0) + stack.Pop(0);
  other.join();
  int rest = 0;
  while (int value = stack.Pop(0)) rest += value;
  Expect(by_other + by_main + rest == 7, "an item is lost or doubled");
}

// Treiber's stack with epochs (Fraser 2004): a popped node is deleted two
// epochs later, when every thread has left the epoch in which it could see it.
class EpochStack {
 public:
  static constexpr int kThreads = 2;

  ~EpochStack() {
    for (Node* node = top_.load(); node != nullptr;) {
      Node* next = node->next;
      delete node;
      node = next;
    }
    for (auto& of_thread : retired_) {
      for (auto& of_epoch : of_thread) Free(of_epoch);
    }
  }
  void Push(int value) {
    Node* node = new Node{value, top_.load(std::memory_order_relaxed)};
    while (!top_.compare_exchange_weak(node->next, node,
                                       std::memory_order_release,
                                       std::memory_order_relaxed)) {
    }
  }
  int Pop(int self) {
    Enter(self);
    Node* node = top_.load();
    while (node != nullptr && !top_.compare_exchange_weak(node, node->next)) {
    }
    const int value = node == nullptr ? 0 : node->value;
    if (node != nullptr) {
      // The epoch is read after the node has been unlinked.
      retired_[self][epoch_.load() % 3].push_back(node);
    }
    local_[self].store(kOutside);
    return value;
  }

 private:
  struct Node {
    int value;
    Node* next;
  };
  static constexpr unsigned kOutside = ~0u;

  static void Free(std::vector<Node*>& nodes) {
    for (Node* node : nodes) delete node;
    nodes.clear();
  }
  void Enter(int self) {
    unsigned now = epoch_.load();
    local_[self].store(now);
    for (const std::atomic<unsigned>& local : local_) {
      const unsigned seen = local.load();
      if (seen != kOutside && seen != now) return;
    }
    if (epoch_.compare_exchange_strong(now, now + 1)) {
      // Nobody is in an epoch before `now`, so nobody can see what was retired
      // in the one before that.
      Free(retired_[self][(now + 2) % 3]);
    }
  }
  std::atomic<Node*> top_{nullptr};
  std::atomic<unsigned> epoch_{3};
  std::atomic<unsigned> local_[kThreads] = {kOutside, kOutside};
  // Nodes by thread and by epoch modulo 3.
  std::array<std::vector<Node*>, 3> retired_[kThreads];
};

void Epochs() {
  EpochStack stack;
  stack.Push(1);
  stack.Push(2);
  int by_other = 0;
  std::thread other([&] {
    by_other = stack.Pop(1);
    stack.Push(4);
  });
  const int by_main = stack.Pop(0) + stack.Pop(0);
  other.join();
  int rest = 0;
  while (int value = stack.Pop(0)) rest += value;
  Expect(by_other + by_main + rest == 7, "an item is lost or doubled");
}

// A stack of numbered cells that counts its changes beside the top cell, so
// that a cell that comes back is noticed: the cure for ABA.
void TaggedIndexStack() {
  constexpr int kEmpty = 0xff;
  std::atomic<unsigned> top{kEmpty};  // change count << 8 | cell
  std::atomic<unsigned> next[2] = {kEmpty, kEmpty};
  auto push = [&](unsigned cell) {
    unsigned seen = top.load();
    do {
      next[cell].store(seen & 0xff);
    } while (!top.compare_exchange_strong(seen, ((seen >> 8) + 1) << 8 | cell));
  };
  auto pop = [&]() -> unsigned {
    unsigned seen = top.load();
    while ((seen & 0xff) != kEmpty) {
      const unsigned after = next[seen & 0xff].load();
      if (top.compare_exchange_strong(seen, ((seen >> 8) + 1) << 8 | after)) {
        return seen & 0xff;
      }
    }
    return kEmpty;
  };
  push(0);
  push(1);
  unsigned by_other = kEmpty;
  std::thread other([&] {
    const unsigned first = pop();
    by_other = pop();
    if (first != kEmpty) push(first);
  });
  const unsigned by_main = pop();
  other.join();
  int owners[2] = {0, 0};
  auto count = [&](unsigned cell) {
    if (cell != kEmpty) ++owners[cell];
  };
  count(by_main);
  count(by_other);
  count(pop());
  count(pop());
  Expect(owners[0] == 1 && owners[1] == 1, "a cell has two owners or none");
}

}  // namespace

std::vector<Program> CorrectLockFree() {
  // ThreadSanitizer does not model std::atomic_thread_fence (GCC's -Wtsan says
  // so): it reports races that the fences rule out.
  constexpr Tsan kUndefined = Tsan::kUndefined;
  return {
      {.name = "double_checked_locking", .body = DoubleCheckedLocking},
      {.name = "publication", .body = Publication},
      {.name = "publication_through_fences",
       .body = PublicationThroughFences,
       .tsan = kUndefined},
      {.name = "release_sequence", .body = ReleaseSequence},
      {.name = "relaxed_statistics", .body = RelaxedStatistics},
      {.name = "reference_count", .body = ReferenceCount, .tsan = kUndefined},
      {.name = "shared_pointer_copies", .body = SharedPointerCopies},
      {.name = "seqlock", .body = Seqlock},
      {.name = "single_producer_queue", .body = SingleProducerQueue},
      {.name = "first_one_wins", .body = FirstOneWins},
      {.name = "hazard_pointers", .body = HazardPointers},
      {.name = "epochs", .body = Epochs},
      {.name = "tagged_index_stack", .body = TaggedIndexStack},
  };
}

}  // namespace lockstep::tests
