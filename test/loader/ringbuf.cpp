// The ring's user side on memory laid out like a ring: order, wrapping, and lengths that lie.
#include "loader/ringbuf.h"

#include <linux/bpf.h>

#include <cstring>
#include <random>

#include "test/catch.h"

using namespace hosa;

namespace {

constexpr std::size_t kPage = 4096;
constexpr uint32_t kBytes = 65536;

// The kernel's half of the ring, in ordinary memory; the data is there twice, as the kernel maps it.
struct Kernel {
  unsigned char* consumer;
  unsigned char* producer;
  RingBuffer ring;

  Kernel() {
    auto consumer_page = Mapping::of_memory(kPage);
    auto producer_pages = Mapping::of_memory(kPage + 2 * kBytes);
    consumer = consumer_page->data();
    producer = producer_pages->data();
    ring = RingBuffer::over(std::move(*consumer_page), std::move(*producer_pages), kPage, kBytes);
  }
  uint64_t produced() const {
    uint64_t position;
    std::memcpy(&position, producer, 8);
    return position;
  }
  void set_produced(uint64_t position) { std::memcpy(producer, &position, 8); }
  void put_byte(uint64_t position, unsigned char byte) {
    producer[kPage + position % kBytes] = producer[kPage + kBytes + position % kBytes] = byte;
  }
  void submit(uint32_t header, unsigned char fill) {
    const uint64_t at = produced();
    const uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    for (unsigned i = 0; i < 8; ++i) put_byte(at + i, i < 4 ? static_cast<unsigned char>(header >> (8 * i)) : 0);
    for (uint32_t i = 0; i < length; ++i) put_byte(at + 8 + i, fill);
    set_produced(at + ((length + 8 + 7) & ~7U));
  }
};

}  // namespace

TEST_CASE("records come out in order, across the end of the buffer, discarded ones left out") {
  Kernel kernel;
  for (unsigned round = 0; round < 3000; ++round) {
    const auto fill = static_cast<unsigned char>(round);
    kernel.submit(50, fill);
    kernel.submit(24 | BPF_RINGBUF_DISCARD_BIT, 0xee);
    unsigned seen = 0;
    kernel.ring.consume(
        [&](Bytes record) {
          ++seen;
          REQUIRE(record.size() == 50);
          REQUIRE(record.data()[0] == fill);
          REQUIRE(record.data()[49] == fill);
        },
        64);
    REQUIRE(seen == 1);
    REQUIRE(std::memcmp(kernel.consumer, kernel.producer, 8) == 0);
  }
  CHECK(kernel.ring.damaged() == 0);
}

TEST_CASE("a record that is still being written waits, and a round takes no more than it was allowed") {
  Kernel kernel;
  unsigned seen = 0;
  const auto count = [&](Bytes) { ++seen; };
  kernel.submit(8 | BPF_RINGBUF_BUSY_BIT, 1);
  CHECK(kernel.ring.consume(count, 64) == 0);
  kernel.put_byte(3, 0);  // the busy bit goes
  for (int i = 0; i < 9; ++i) kernel.submit(8, 2);
  CHECK(kernel.ring.consume(count, 4) == 4);
  CHECK(kernel.ring.consume(count, 64) == 6);
  CHECK(seen == 10);
}

TEST_CASE("lengths and positions that lie are damage, not a crash, and the ring goes on afterwards") {
  Kernel kernel;
  const auto nothing = [](Bytes) {};
  kernel.submit(8, 1);
  kernel.put_byte(2, 0x7f);  // a length of 8 MB in a record of 8
  CHECK(kernel.ring.consume(nothing, 64) == 0);
  CHECK(kernel.ring.damaged() == 1);
  kernel.set_produced(kernel.produced() + uint64_t{1} << 40);
  CHECK(kernel.ring.consume(nothing, 64) == 0);
  CHECK(kernel.ring.damaged() == 2);
  kernel.submit(16, 3);
  CHECK(kernel.ring.consume(nothing, 64) == 1);
}

TEST_CASE("random bytes in the ring end every round") {
  std::mt19937 random(7);
  Kernel kernel;
  unsigned sum = 0;
  for (int round = 0; round < 2000; ++round) {
    for (int i = 0; i < 512; ++i) kernel.put_byte(random() % kBytes, static_cast<unsigned char>(random()));
    kernel.set_produced(kernel.produced() + random() % (2 * kBytes));
    kernel.ring.consume(
        [&](Bytes record) {
          for (std::size_t i = 0; i < record.size(); ++i) sum += record.data()[i];
        },
        1000);
  }
  CHECK(kernel.ring.damaged() > 0);
  CHECK(sum != 0);
}
