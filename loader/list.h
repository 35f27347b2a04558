// List: a growing array for tools that read whole objects (hosa-load); the agent uses FixedVector and never this.
// Its room doubles, so its size is bounded by the input that fills it. push_back answers false when memory is gone.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace hosa {

template <class T>
class List {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  List(List&& other) noexcept { *this = static_cast<List&&>(other); }
  List& operator=(List&& other) noexcept {
    if (this == &other) return *this;
    std::free(items_);
    items_ = other.items_;
    size_ = other.size_;
    room_ = other.room_;
    other.items_ = nullptr;
    other.size_ = other.room_ = 0;
    return *this;
  }
  ~List() { std::free(items_); }

  bool push_back(const T& item) {
    const T copy = item;  // may lie in the room that moves
    if (!reserve(size_ + 1)) return false;
    items_[size_++] = copy;
    return true;
  }
  bool append(const void* items, std::size_t count) {
    if (!reserve(size_ + count)) return false;
    if (count > 0) std::memcpy(static_cast<void*>(items_ + size_), items, count * sizeof(T));
    size_ += count;
    return true;
  }
  bool reserve(std::size_t count) {
    if (count <= room_) return true;
    std::size_t room = room_ == 0 ? 8 : room_ * 2;
    if (room < count) room = count;
    void* const grown = std::realloc(static_cast<void*>(items_), room * sizeof(T));
    if (grown == nullptr) return false;
    items_ = static_cast<T*>(grown);
    room_ = room;
    return true;
  }
  void clear() { size_ = 0; }
  void resize_down(std::size_t size) {
    if (size < size_) size_ = size;
  }
  // What comes from `from` on, by less(a, b). The C library's sort is one function for all kinds of items (std::sort is
  // 5 KB for each) and all but linear on what is sorted already, as most tables of an object are.
  template <class Less>
  void sort(Less less, std::size_t from = 0) {
    if (size_ - from < 2) return;
    ::qsort_r(
        static_cast<void*>(items_ + from), size_ - from, sizeof(T),
        [](const void* a, const void* b, void* by) {
          const Less& before = *static_cast<const Less*>(by);
          const T &x = *static_cast<const T*>(a), &y = *static_cast<const T*>(b);
          return before(x, y) ? -1 : before(y, x) ? 1 : 0;
        },
        static_cast<void*>(&less));
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }
  T* data() { return items_; }
  const T* data() const { return items_; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }

 private:
  T* items_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace hosa
