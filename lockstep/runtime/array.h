// SPDX-License-Identifier: Apache-2.0
//
// A growable array for the runtime itself. Not std::vector: the linker keeps
// one copy of each template function, and if that copy came from instrumented
// code the runtime would call its own hooks (or, the other way round, a
// student's vector would escape them).

#ifndef LOCKSTEP_RUNTIME_ARRAY_H_
#define LOCKSTEP_RUNTIME_ARRAY_H_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

namespace lockstep::internal {

// libc's allocator, whoever has replaced malloc. Never returns null.
void* RawAllocate(size_t size);
void* RawAllocateZeroed(size_t size);
void RawFree(void* block);

// Elements must be trivially copyable; memory is only given back by clear().
template <typename T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  constexpr Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  void push_back(const T& value) {
    if (__builtin_expect(size_ == capacity_, false)) Grow(size_ + 1);
    data_[size_++] = value;
  }
  void pop_back() { --size_; }
  // Keeps the capacity.
  void reset() { size_ = 0; }
  void clear() {
    RawFree(data_);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }
  // New elements are zero.
  void resize(size_t size) {
    if (size > capacity_) Grow(size);
    if (size > size_) {
      std::memset(static_cast<void*>(data_ + size_), 0,
                  (size - size_) * sizeof(T));
    }
    size_ = size;
  }
  // Keeps the order of the others.
  void erase(size_t i) {
    --size_;
    for (; i < size_; ++i) data_[i] = data_[i + 1];
  }
  void insert(size_t at, const T& value) {
    push_back(value);
    for (size_t i = size_ - 1; i > at; --i) data_[i] = data_[i - 1];
    data_[at] = value;
  }

 private:
  __attribute__((noinline)) void Grow(size_t needed) {
    size_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
    while (capacity < needed) capacity *= 2;
    T* data = static_cast<T*>(RawAllocate(capacity * sizeof(T)));
    if (size_ != 0) {
      std::memcpy(static_cast<void*>(data), data_, size_ * sizeof(T));
    }
    RawFree(data_);
    data_ = data;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace lockstep::internal

#endif  // LOCKSTEP_RUNTIME_ARRAY_H_
