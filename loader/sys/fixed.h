// FixedString and FixedVector: containers with their capacity in the type. They never allocate and never throw;
// what does not fit is cut (string) or refused (vector, push_back returns false), so the caller decides.
#pragma once
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hosa {

template <std::size_t N>
class FixedString {
 public:
  FixedString() = default;
  FixedString(std::string_view text) { append(text); }               // NOLINT: implicit on purpose
  FixedString(const char* text) { append(std::string_view(text)); }  // NOLINT

  FixedString& append(std::string_view text) {
    const std::size_t room = N - size_;
    const std::size_t take = text.size() < room ? text.size() : room;
    if (take < text.size()) cut_ = true;
    if (take > 0) std::memcpy(data_ + size_, text.data(), take);
    size_ += take;
    data_[size_] = 0;
    return *this;
  }
  FixedString& append_number(int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return append({digits, static_cast<std::size_t>(end - digits)});
  }
  FixedString& append_unsigned(uint64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return append({digits, static_cast<std::size_t>(end - digits)});
  }
  void clear() {
    size_ = 0;
    cut_ = false;
    data_[0] = 0;
  }
  std::string_view view() const { return {data_, size_}; }
  const char* c_str() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool cut() const { return cut_; }  // true when something was lost
  static constexpr std::size_t capacity() { return N; }
  friend bool operator==(const FixedString& a, std::string_view b) { return a.view() == b; }
  friend bool operator==(const FixedString& a, const char* b) { return a.view() == b; }
  friend bool operator==(const FixedString& a, const FixedString& b) { return a.view() == b.view(); }

 private:
  std::size_t size_ = 0;
  bool cut_ = false;
  char data_[N + 1] = {};
};

template <class T, std::size_t N>
class FixedVector {
 public:
  FixedVector() = default;
  // Copies what is in use, not the capacity: some of these are tables of 200 KB with a dozen rows.
  FixedVector(const FixedVector& other) { *this = other; }
  FixedVector& operator=(const FixedVector& other) {
    if (this == &other) return *this;
    for (std::size_t i = 0; i < other.size_; ++i) items_[i] = other.items_[i];
    size_ = other.size_;
    return *this;
  }

  bool push_back(const T& item) {
    if (size_ == N) return false;
    items_[size_++] = item;
    return true;
  }
  void erase_unordered(std::size_t i) { items_[i] = items_[--size_]; }
  void clear() { size_ = 0; }
  void resize_down(std::size_t size) {
    if (size < size_) size_ = size;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  static constexpr std::size_t capacity() { return N; }
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }
  T& back() { return items_[size_ - 1]; }
  T* data() { return items_.data(); }
  const T* data() const { return items_.data(); }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

}  // namespace hosa
