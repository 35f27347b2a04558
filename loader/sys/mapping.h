// Mapping: one mmapped region, one owner; unmapped exactly once. Used for BPF arrays and the ring buffer (start-up
// only) and for a scratch region that must not live on the stack (the verifier's log).
#pragma once
#include <sys/mman.h>
#include <sys/types.h>

#include <cstddef>

#include "loader/sys/error.h"

namespace hosa {

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept : data_(other.data_), size_(other.size_) { other.forget(); }
  Mapping& operator=(Mapping&& other) noexcept {
    if (this != &other) {
      reset();
      data_ = other.data_;
      size_ = other.size_;
      other.forget();
    }
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { reset(); }

  // protection: PROT_READ or PROT_READ | PROT_WRITE; offset a multiple of the page size.
  static Result<Mapping> of_file(int fd, off_t offset, std::size_t size, int protection) {
    return map(fd, offset, size, protection, MAP_SHARED);
  }
  // Zeroed memory of our own.
  static Result<Mapping> of_memory(std::size_t size) {
    return map(-1, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  }

  // Takes over what was mapped elsewhere.
  static Mapping owning(void* data, std::size_t size) {
    Mapping mapping;
    mapping.data_ = data;
    mapping.size_ = size;
    return mapping;
  }

  unsigned char* data() const { return static_cast<unsigned char*>(data_); }
  std::size_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }
  void reset() {
    if (data_ != nullptr) ::munmap(data_, size_);
    forget();
  }

 private:
  static Result<Mapping> map(int fd, off_t offset, std::size_t size, int protection, int flags) {
    void* const data = ::mmap(nullptr, size, protection, flags, fd, offset);
    if (data == MAP_FAILED) return errno_error("map memory");
    return owning(data, size);
  }
  void forget() {
    data_ = nullptr;
    size_ = 0;
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace hosa
