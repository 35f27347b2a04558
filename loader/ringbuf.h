// RingBuffer: the user side of a BPF_MAP_TYPE_RINGBUF (5.8+). Layout: Documentation/bpf/ringbuf.rst: one page with the
// consumer's position (ours to write), one page with the producer's, then the data, mapped twice in a row so that no
// record wraps. Every record: u32 length with two flag bits, u32 page offset, then the bytes, rounded up to 8.
//
// The loop watches fd() with EPOLLIN, level-triggered, and calls consume(); the kernel wakes us when the consumer had
// caught up (flags 0, "adaptive": findings 2). Lengths and positions are checked before use: a position that makes no
// sense drops what is there and counts as damage.
#pragma once
#include <cstdint>

#include "loader/bytes.h"
#include "loader/sys/error.h"
#include "loader/sys/mapping.h"

namespace hosa {

// Size to ask for when creating the map: 64 KiB, on 64-KiB-page machines one page; must be whole pages and a power
// of 2.
uint32_t ring_bytes();

class RingBuffer {
 public:
  // map: descriptor of a ring buffer map of `bytes` max_entries; stays the caller's.
  static Result<RingBuffer> open(int map, uint32_t bytes);

  // Calls each(Bytes) for at most `limit` records and returns how many there were. A record still being written ends
  // the round. The bytes are valid during the call only.
  template <class Each>
  std::size_t consume(Each each, std::size_t limit) {
    std::size_t count = 0;
    Bytes record;
    while (count < limit && next(record)) {
      if (record.data() != nullptr) {
        each(record);
        ++count;
      }
      advance();
    }
    return count;
  }

  uint64_t damaged() const { return damaged_; }
  explicit operator bool() const { return static_cast<bool>(consumer_); }

  // On memory laid out like a ring (tests, fuzzing): the same code without a kernel.
  static RingBuffer over(Mapping consumer, Mapping producer, std::size_t page_bytes, uint32_t bytes);

 private:
  bool next(Bytes& record);  // false: nothing there; a record without data was discarded by the kernel side
  void advance();

  Mapping consumer_;
  Mapping producer_;  // position page and data
  std::size_t page_bytes_ = 0;
  uint32_t bytes_ = 0;
  uint64_t position_ = 0;
  uint64_t step_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace hosa
