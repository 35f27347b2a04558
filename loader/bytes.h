// Bytes: a checked view of bytes from outside. Every read says where and how much, and answers nothing (optional) when
// any part of it lies outside. Values are copied out, so alignment never matters and no struct is cast onto a file.
// Numbers are taken as they lie: little-endian files on little-endian machines (amd64, arm64), see elf.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace hosa {

class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr Bytes(const unsigned char* data, std::size_t size) : data_(data), size_(size) {}

  constexpr const unsigned char* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }

  // Written so that offset + size cannot wrap.
  constexpr bool holds(uint64_t offset, uint64_t size) const { return offset <= size_ && size <= size_ - offset; }

  std::optional<Bytes> part(uint64_t offset, uint64_t size) const {
    if (!holds(offset, size)) return std::nullopt;
    return Bytes(data_ + offset, static_cast<std::size_t>(size));
  }

  template <class T>
  std::optional<T> read(uint64_t offset) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!holds(offset, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, data_ + offset, sizeof value);
    return value;
  }

  // The NUL-terminated text at offset; its NUL must lie inside.
  std::optional<std::string_view> text(uint64_t offset) const {
    if (offset >= size_) return std::nullopt;
    const auto* const start = data_ + offset;
    const void* const end = std::memchr(start, 0, size_ - static_cast<std::size_t>(offset));
    if (end == nullptr) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(start),
                            static_cast<std::size_t>(static_cast<const unsigned char*>(end) - start));
  }

 private:
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace hosa
