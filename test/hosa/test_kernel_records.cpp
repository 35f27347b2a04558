// Tripwires, quotas and their records on the kernel that runs.
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "test/hosa/kernel_child.h"

TEST_CASE("what windows held is told by the histogram of those that are over") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  const auto ended = [&](std::size_t span) {
    uint64_t windows = 0, full = 0;
    for (std::size_t cpu = 0; cpu < opened.side.cpu_slots(); ++cpu)
      for (std::size_t bucket = 1; bucket < HOSA_BUCKETS; ++bucket) {
        const uint64_t count = opened.side.ended_windows(cpu, HOSA_ANON_BYTES, span, bucket);
        windows += count;
        if (bucket >= 10) full += count;  // 32 units of 16 KiB: half a megabyte
      }
    return std::pair(windows, full);
  };
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  for (int turn = 0; turn < 3; ++turn) {
    child.run();
    ::usleep(20'000);
  }
  child.run();
  CHECK(ended(HOSA_SHORT_WINDOW).first >= 3);
  CHECK(ended(HOSA_SHORT_WINDOW).second >= 3);  // 64 MB in some 20 ms
  CHECK(opened.side.ended_windows(100'000, 0, 0, 0) == 0);
}

TEST_CASE("a burst reaches user space as one record per window, or few, naming who did it") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  WindowLimits limits{};
  limits[HOSA_ANON_BYTES][HOSA_SHORT_WINDOW] = 256 * 1024;
  limits[HOSA_FORKS][HOSA_LONG_WINDOW] = 1;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, opened.side.ring_fd(), &wanted) == 0);
  const uint64_t start = monotonic_ns();
  opened.side.set_limits(limits);
  child.run();
  const uint64_t end = monotonic_ns();
  opened.side.set_limits({});
  CHECK(::epoll_wait(epoll, &wanted, 1, 0) == 1);
  KernelEvents events;
  opened.side.consume(events);
  struct InARow {
    uint32_t who = 0;
    uint64_t last_ns = 0, before_ns = 0;
  };
  std::array<InARow, 4096> per_cpu{};
  bool named = false;
  for (const hosa_event& event : events) {
    CHECK(event.time_ns >= start);
    CHECK(event.time_ns <= end);
    if (event.subject != HOSA_ANON_BYTES) continue;
    CHECK(event.amount >= 256 * 1024);
    named = named || (event.tgid == child.pid() && std::string_view(event.comm) == "test-hosa");
    if (event.span != HOSA_SHORT_WINDOW) continue;
    // One a window unless others on this CPU trip in between: of three in a row the last is a whole window later.
    InARow& row = per_cpu[event.cpu % 4096];
    if (row.who != event.tgid) row = {event.tgid, 0, 0};
    if (row.before_ns > 0) CHECK(event.time_ns - row.before_ns >= HOSA_SHORT_WINDOW_NS);
    row = {event.tgid, event.time_ns, row.last_ns};
  }
  CHECK(named);
  CHECK(opened.side.records_damaged() == 0);
  opened.side.consume(events);
  CHECK(::epoll_wait(epoll, &wanted, 1, 0) == 0);
  ::close(epoll);
}

TEST_CASE("no memory window trips while they are quiet, nor for hosa itself") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  WindowLimits limits{};
  limits[HOSA_ANON_BYTES][HOSA_SHORT_WINDOW] = limits[HOSA_ANON_BYTES][HOSA_LONG_WINDOW] = 256 * 1024;
  for (const auto span : {HOSA_SHORT_WINDOW, HOSA_LONG_WINDOW})
    opened.side.quiet_until(HOSA_ANON_BYTES, span, monotonic_ns() + uint64_t{60} * 1000000000);
  opened.side.set_limits(limits);
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  child.run();
  KernelEvents events;
  opened.side.consume(events);
  CHECK(events.empty());
  for (const auto span : {HOSA_SHORT_WINDOW, HOSA_LONG_WINDOW}) opened.side.quiet_until(HOSA_ANON_BYTES, span, 0);
  touch_anonymous(MADV_NOHUGEPAGE);
  opened.side.set_limits({});
  opened.side.consume(events);
  for (const hosa_event& event : events) CHECK(event.tgid != static_cast<uint32_t>(::getpid()));
  CHECK(opened.usage_of(static_cast<uint32_t>(::getpid())).anon_bytes == 0);
}

// dd takes a buffer of its block size and fills it from /dev/zero: 16 MB at once and as little as a start, or 64.
TEST_CASE("a program that starts up trips no wire of memory, one that takes too much for a start does") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  WindowLimits limits{};
  limits[HOSA_ANON_BYTES][HOSA_SHORT_WINDOW] = 256 * 1024;
  const auto records_of = [&](const char* block) {
    KernelEvents events;
    opened.side.consume(events);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execlp("dd", "dd", "if=/dev/zero", "of=/dev/null", "count=1", block, "status=none",
               static_cast<char*>(nullptr));
      ::_exit(127);
    }
    int status = 1;
    ::waitpid(pid, &status, 0);
    REQUIRE(status == 0);
    opened.side.consume(events);
    const auto by_it = [pid](const hosa_event& e) { return e.tgid == static_cast<uint32_t>(pid); };
    return std::count_if(events.begin(), events.end(), by_it);
  };
  opened.side.set_limits(limits);
  // Beside others it may take longer than a start-up lasts (0.2 s) and is told then: one that does not is waited for.
  for (int i = 0; i < 20; ++i) {
    const uint64_t begun_ns = monotonic_ns();
    const auto records = records_of("bs=16M");
    if (monotonic_ns() - begun_ns >= HOSA_START_NS / 2 && i < 19) continue;
    CHECK(records == 0);
    break;
  }
  CHECK(records_of("bs=64M") > 0);
}

TEST_CASE("the end of a process that is watched is told, a thread's or another's is not") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  const auto ends = [&] {
    KernelEvents events;
    std::vector<uint32_t> who;
    opened.side.consume(events);
    for (const hosa_event& event : events)
      if (event.subject == HOSA_EXIT) who.push_back(event.tgid);
    return who;
  };
  uint32_t pid = 0;
  {
    Child watched([] { std::thread([] {}).join(); });
    const Child other([] {});
    pid = watched.pid();
    opened.side.watch_exit(HOSA_WATCHED - 1, pid);
    opened.side.watch_exit(HOSA_WATCHED, other.pid());  // there is no such slot
    watched.run();
    CHECK(ends().empty());
  }
  CHECK(ends() == std::vector<uint32_t>{pid});
  Child no_longer([] {});
  opened.side.watch_exit(0, no_longer.pid());
  opened.side.watch_exit(0, 0);
  CHECK(ends().empty());
}

TEST_CASE("what the OOM killer does is told at once, with who asked for the memory", "[guest]") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  if (::getenv("HOSA_GUEST") == nullptr) HOSA_SKIP("guests only (HOSA_GUEST)");
  const std::string cgroup = "/sys/fs/cgroup/hosa-oom";
  const auto put = [&](const char* file, const std::string& text) {
    return static_cast<bool>(std::ofstream(cgroup + "/" + file) << text << std::flush);
  };
  std::ofstream("/sys/fs/cgroup/cgroup.subtree_control") << "+memory" << std::flush;
  if (::mkdir(cgroup.c_str(), 0755) != 0 || !put("memory.max", "16M")) HOSA_SKIP("no memory controller of cgroup v2");
  put("memory.swap.max", "0");  // where there is swap
  Opened opened;
  CHECK(opened.side.has(KernelSensor::oom_kills));
  CHECK(opened.side.has(KernelSensor::reclaim));
  const pid_t pid = ::fork();
  if (pid == 0) {
    put("cgroup.procs", "0");
    touch_anonymous(MADV_NOHUGEPAGE);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::rmdir(cgroup.c_str());
  REQUIRE(WIFSIGNALED(status));
  KernelEvents events;
  opened.side.consume(events);
  const auto told =
      std::find_if(events.begin(), events.end(), [](const hosa_event& e) { return e.subject == HOSA_OOM_KILL; });
  REQUIRE(told != events.end());
  CHECK(told->tgid == static_cast<uint32_t>(pid));
}

// Where everybody is in the root cgroup others count too, so the table says how much was handed out, and when.
TEST_CASE("a byte quota sends one record once it is used up, not before, and again when it is armed again") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  constexpr uint64_t kQuota = 4 * kTouched;
  Opened opened;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  child.run();
  const uint64_t cgroup = opened.usage_of(child.pid()).cgroup;
  REQUIRE(cgroup != 0);
  CHECK(opened.quota_records().empty());  // nothing is armed
  for (int turn = 0; turn < 2; ++turn) {
    const uint64_t before = opened.handed_to(cgroup);
    opened.side.arm_quota(turn == 0 ? 0 : HOSA_QUOTAS - 1, cgroup, kQuota);
    while (opened.handed_to(cgroup) - before < kQuota) {
      const auto early = opened.quota_records();
      if (opened.handed_to(cgroup) - before < kQuota) CHECK(early.empty());
      child.run();
    }
    child.run();
    const auto records = opened.quota_records();
    REQUIRE_FALSE(records.empty());
    CHECK(records.size() <= opened.cpus());  // two may find it used up at once; 64 MB are a thousand samples
    CHECK(records[0].cgroup == cgroup);
    CHECK(records[0].subject == HOSA_ALL_BYTES);
    CHECK(records[0].amount >= HOSA_SAMPLE_LEAST);
    child.run();
    CHECK(opened.quota_records().empty());
  }
}

TEST_CASE("a quota that was dropped, is far away or is another cgroup's sends nothing") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  child.run();
  const uint64_t cgroup = opened.usage_of(child.pid()).cgroup;
  opened.side.arm_quota(0, cgroup, uint64_t{1} << 40);
  opened.side.arm_quota(1, cgroup + 1'000'000, 1);
  opened.side.arm_quota(2, cgroup, kTouched);
  opened.side.drop_quota(2);
  opened.side.arm_quota(HOSA_QUOTAS, cgroup, 1);  // there is no such slot
  opened.side.drop_quota(HOSA_QUOTAS);
  const auto early = opened.quota_records();  // others may have used it up between arming and dropping
  child.run();
  child.run();
  CHECK(opened.quota_records().empty());
  KernelSide closed;
  closed.arm_quota(0, cgroup, 1);
  closed.drop_quota(0);
}

TEST_CASE("more records than one look takes wait for the next look") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  child.run();
  const uint64_t cgroup = opened.usage_of(child.pid()).cgroup;
  constexpr std::size_t kTurns = 5;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t slot = 0; slot < HOSA_QUOTAS; ++slot) opened.side.arm_quota(slot, cgroup, kTouched / 2);
    child.run();
  }
  KernelEvents events;
  opened.side.consume(events);
  CHECK(events.size() == KernelEvents::capacity());
  const std::size_t first = events.size();
  opened.side.consume(events);
  CHECK(first + events.size() >= kTurns * HOSA_QUOTAS);
  CHECK(opened.side.totals().records_lost == 0);
  CHECK(opened.side.records_damaged() == 0);
}
