// Who trips while others churn: the probes on the kernel that runs.
#include <algorithm>

#include "test/hosa/kernel_child.h"
#include "tools/hosa/trip_quiet.h"

namespace {

double now_s() {
  return static_cast<double>(monotonic_ns()) * 1e-9;
}

// Three times, in windows of their own: a compiler beside it may be the one that is told of in one of them.
void take_and_give_back() {
  constexpr std::size_t kBytes = 2 * kMegabyte;
  for (int turn = 0; turn < 3; ++turn) {
    void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory, kBytes, MADV_NOHUGEPAGE);
    for (std::size_t i = 0; i < kBytes; i += 4096) static_cast<char*>(memory)[i] = 1;
    ::munmap(memory, kBytes);
    ::usleep(HOSA_SHORT_WINDOW_NS / 1000);
  }
}

struct Wired : Opened {
  Child churner{take_and_give_back}, leaker{take_and_give_back};
  Wired() {
    WindowLimits limits{};
    limits[HOSA_ANON_BYTES][HOSA_SHORT_WINDOW] = 256 * 1024;
    side.set_limits(limits);
  }
  // Whether it trips by taking memory now; what tripped before has had its window.
  bool trips(Child& child) {
    ::usleep(HOSA_SHORT_WINDOW_NS / 1000);
    KernelEvents events;
    side.consume(events);
    child.run();
    side.consume(events);
    return std::any_of(events.begin(), events.end(), [&](const hosa_event& e) { return e.tgid == child.pid(); });
  }
};

hosa_event record_of(uint32_t tgid) {
  hosa_event event{};
  event.subject = HOSA_ANON_BYTES;
  event.span = HOSA_SHORT_WINDOW;
  event.tgid = tgid;
  return event;
}

}  // namespace

TEST_CASE("a process that is quiet trips nothing, and one that leaks beside it is told all the same") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Wired w;
  CHECK(w.trips(w.churner));
  w.side.quiet_process_until(w.churner.pid(), monotonic_ns() + uint64_t{60} * 1000000000);
  CHECK_FALSE(w.trips(w.churner));
  CHECK(w.trips(w.leaker));
  w.side.quiet_process_until(w.churner.pid(), 0);
  CHECK(w.trips(w.churner));
}

// It does not, unless it took longer than the silence was to last.
#define CHECK_SILENT(w, child, until_s)                 \
  if (const bool tripped = (w).trips(child); tripped) { \
    CHECK(now_s() >= (until_s));                        \
  }

TEST_CASE("whose record is being looked at is quiet for a tenth of a second, whose was churn for longer each time") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Wired w;
  TripQuiet quiet;
  double begun = now_s();
  quiet.told(w.side, record_of(w.churner.pid()), begun);
  CHECK_SILENT(w, w.churner, begun + 0.1);
  CHECK(w.trips(w.leaker));
  ::usleep(110'000);
  CHECK(w.trips(w.churner));
  quiet.dismissed(w.side, record_of(w.churner.pid()), now_s());
  ::usleep(210'000);
  CHECK(w.trips(w.churner));
  begun = now_s();
  quiet.dismissed(w.side, record_of(w.churner.pid()), begun);
  quiet.told(w.side, record_of(w.churner.pid()), now_s());  // takes nothing back
  ::usleep(210'000);
  CHECK_SILENT(w, w.churner, begun + 0.4);
  ::usleep(200'000);
  CHECK(w.trips(w.churner));
}

TEST_CASE("so many looks a second are allowed, whoever trips") {
  TripQuiet quiet;
  KernelSide closed;
  int allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += quiet.may_check(closed, record_of(7), 10) ? 1 : 0;
  CHECK(allowed == static_cast<int>(TripQuiet::kChecksPerS));
  for (int i = 0; i < 100; ++i) allowed += quiet.may_check(closed, record_of(7), 10 + 0.01 * i) ? 1 : 0;
  CHECK(allowed == 2 * static_cast<int>(TripQuiet::kChecksPerS) - 1);
}

TEST_CASE("more records than are worth their time silence all for a moment") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Wired w;
  TripQuiet quiet;
  const double at = now_s() + 0.5;
  for (uint32_t i = 0; i < static_cast<uint32_t>(TripQuiet::kRecordsPerS); ++i)
    quiet.told(w.side, record_of(4'000'000 + i), at);
  CHECK(w.trips(w.leaker));
  quiet.told(w.side, record_of(5'000'000), at);
  CHECK_SILENT(w, w.leaker, at + 1 / TripQuiet::kRecordsPerS);
  ::usleep(550'000);
  CHECK(w.trips(w.leaker));
}
