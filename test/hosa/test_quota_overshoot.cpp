// By how much a process has gone beyond its byte quota when the loop hears of it.
#include <sys/epoll.h>

#include <algorithm>

#include "proprioception/turn.h"
#include "test/hosa/kernel_child.h"

namespace {

constexpr std::size_t kPiece = 16384;
constexpr uint64_t kPieceNs = kPiece * 1'000'000'000ull / 50'000'000;  // 50 MB/s
constexpr std::size_t kQuota = 2 * kMegabyte, kMost = 4 * kMegabyte;

void leak(volatile std::size_t* touched) {
  auto* const memory =
      static_cast<volatile char*>(::mmap(nullptr, kMost, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ::madvise(const_cast<char*>(memory), kMost, MADV_NOHUGEPAGE);
  const uint64_t begun = monotonic_ns();
  for (std::size_t at = 0; at < kMost; at += kPiece) {
    for (std::size_t page = at; page < at + kPiece; page += 4096) {
      memory[page] = 1;
      *touched = page + 4096;
    }
    const uint64_t due = begun + (at / kPiece + 1) * kPieceNs;
    const timespec when{static_cast<time_t>(due / 1'000'000'000), static_cast<long>(due % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
  }
  ::munmap(const_cast<char*>(memory), kMost);
}

// At the urgency of the agent's loop, and at the test's own afterwards.
struct Urgent {
  Urgent() { become_urgent(); }
  ~Urgent() {
    const sched_param ordinary{};
    (void)::sched_setscheduler(0, SCHED_OTHER, &ordinary);
  }
};

}  // namespace

// Each CPU keeps less than 64 KiB to itself; who crosses the line where others are handed pages too pays for them.
TEST_CASE("a leak of 50 MB/s is heard of at most 256 KiB and a page beyond its quota") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  auto* const touched = static_cast<volatile std::size_t*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  Opened opened;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, opened.side.ring_fd(), &wanted) == 0);
  std::vector<double> beyond;
  for (int turn = 0; turn < 15; ++turn) {
    *touched = 0;
    Child child([touched] { leak(touched); });
    (void)opened.quota_records();
    REQUIRE(opened.side.arm_process_quota(0, child.pid(), kQuota));
    const Urgent urgent;
    child.start();
    const bool heard = ::epoll_wait(epoll, &wanted, 1, 2000) == 1;
    const double at = static_cast<double>(*touched);
    CHECK(heard);
    CHECK(opened.quota_records().size() >= 1);
    if (heard) beyond.push_back(at - static_cast<double>(kQuota));
    child.wait();
  }
  std::sort(beyond.begin(), beyond.end());
  REQUIRE_FALSE(beyond.empty());
  CAPTURE(beyond);
  CHECK(beyond[beyond.size() / 2] <= 256 * 1024 + ::getpagesize());
  ::close(epoll);
}
