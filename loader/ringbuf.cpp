#include "loader/ringbuf.h"

#include <linux/bpf.h>
#include <unistd.h>

#include <utility>

namespace hosa {
namespace {

constexpr uint32_t kSmallestRing = 64 * 1024;

uint64_t* position_at(const Mapping& mapping) {
  return reinterpret_cast<uint64_t*>(mapping.data());
}

}  // namespace

uint32_t ring_bytes() {
  const auto page = static_cast<uint32_t>(::getpagesize());
  return page > kSmallestRing ? page : kSmallestRing;
}

Result<RingBuffer> RingBuffer::open(int map, uint32_t bytes) {
  const auto page = static_cast<std::size_t>(::getpagesize());
  auto consumer = Mapping::of_file(map, 0, page, PROT_READ | PROT_WRITE);
  if (!consumer) return consumer.error();
  auto producer = Mapping::of_file(map, static_cast<off_t>(page), page + 2 * std::size_t{bytes}, PROT_READ);
  if (!producer) return producer.error();
  return over(std::move(*consumer), std::move(*producer), page, bytes);
}

RingBuffer RingBuffer::over(Mapping consumer, Mapping producer, std::size_t page_bytes, uint32_t bytes) {
  RingBuffer ring;
  ring.consumer_ = std::move(consumer);
  ring.producer_ = std::move(producer);
  ring.page_bytes_ = page_bytes;
  ring.bytes_ = bytes;
  ring.position_ = __atomic_load_n(position_at(ring.consumer_), __ATOMIC_RELAXED);
  return ring;
}

bool RingBuffer::next(Bytes& record) {
  const uint64_t produced = __atomic_load_n(position_at(producer_), __ATOMIC_ACQUIRE);
  const uint64_t waiting = produced - position_;
  if (waiting == 0) return false;
  const unsigned char* const start = producer_.data() + page_bytes_ + (position_ & (bytes_ - 1));
  const uint32_t header = __atomic_load_n(reinterpret_cast<const uint32_t*>(start), __ATOMIC_ACQUIRE);
  if (waiting <= bytes_ && (header & BPF_RINGBUF_BUSY_BIT) != 0) return false;
  const uint64_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
  step_ = (length + BPF_RINGBUF_HDR_SZ + 7) & ~uint64_t{7};
  if (waiting > bytes_ || position_ % 8 != 0 || step_ > waiting) {
    ++damaged_;
    step_ = waiting;  // nothing in here can be trusted: go on where the kernel is now
    record = Bytes();
    return true;
  }
  record = (header & BPF_RINGBUF_DISCARD_BIT) != 0
               ? Bytes()
               : Bytes(start + BPF_RINGBUF_HDR_SZ, static_cast<std::size_t>(length));
  return true;
}

void RingBuffer::advance() {
  position_ += step_;
  __atomic_store_n(position_at(consumer_), position_, __ATOMIC_RELEASE);
}

}  // namespace hosa
