// The probes on the kernel that runs: what a child is known to have done must be counted, attributed to it, and trip.
// (The daemon's class needs only the loader and proprioception/turn, so it is compiled into this program instead of
// linking the daemon.)
#include "tools/hosa/kernel_side.cpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <memory>
#include <vector>

#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

constexpr std::size_t kMegabyte = 1 << 20;
constexpr std::size_t kTouched = 64 * kMegabyte;

uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// A child that works when told to, then waits, so that it can be looked at before and after.
class Child {
 public:
  template <class Work>
  explicit Child(Work work) {
    REQUIRE(::pipe(go_) == 0);
    REQUIRE(::pipe(done_) == 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    char byte = 0;
    while (::read(go_[0], &byte, 1) == 1 && byte == 'g') {
      work();
      if (::write(done_[1], &byte, 1) != 1) break;
    }
    ::_exit(0);
  }
  ~Child() {
    tell('x');
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {go_[0], go_[1], done_[0], done_[1]}) ::close(fd);
  }
  void run() {
    tell('g');
    char byte = 0;
    REQUIRE(::read(done_[0], &byte, 1) == 1);
  }
  uint32_t pid() const { return static_cast<uint32_t>(pid_); }

 private:
  void tell(char byte) { REQUIRE(::write(go_[1], &byte, 1) == 1); }
  int go_[2], done_[2];
  pid_t pid_ = 0;
};

struct Opened {
  RungReport report;
  KernelSide side;
  explicit Opened(const KernelSources& sources = {}) { side.open(sources, monotonic_ns(), report); }

  hosa_usage usage_of(uint32_t tgid) {
    static std::array<ProcessShare, HOSA_PROCESSES> table;
    const auto count = side.read_usage_by_process(table);
    REQUIRE(count);
    for (std::size_t i = 0; i < *count; ++i)
      if (table[i].tgid == tgid) return table[i].usage;
    return {};
  }
  // All bytes that a cgroup was handed since the start, as far as they are attributed.
  uint64_t handed_to(uint64_t cgroup) {
    static std::array<CgroupShare, HOSA_CGROUPS> table;
    const auto count = side.read_usage_by_cgroup(table);
    REQUIRE(count);
    for (std::size_t i = 0; i < *count; ++i)
      if (table[i].cgroup == cgroup) return table[i].usage.all_bytes;
    return 0;
  }
  std::vector<hosa_event> quota_records() {
    std::vector<hosa_event> records;
    KernelEvents events;
    side.consume(events);
    for (const hosa_event& event : events)
      if (event.span == HOSA_QUOTA) records.push_back(event);
    return records;
  }
  static std::size_t cpus() { return possible_cpu_slots("/sys").value_or(1); }
  std::string rung(std::string_view sensor) const {
    for (const Rung& row : report)
      if (row.sensor == sensor) return std::string(row.rung.view());
    return "no row";
  }
  std::string why(std::string_view sensor) const {
    for (const Rung& row : report)
      if (row.sensor == sensor) return std::string(row.why_not_better.view());
    return "no row";
  }
};

void touch_anonymous(int advice) {
  constexpr std::size_t kHuge = 32 * kMegabyte;  // the largest huge page there is (16K base pages)
  void* const raw = ::mmap(nullptr, kTouched + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* const start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kHuge - 1) & ~(kHuge - 1));
  ::madvise(start, kTouched, advice);
  for (std::size_t i = 0; i < kTouched; i += 4096) start[i] = 1;
  ::munmap(raw, kTouched + kHuge);
}

bool probes_can_run() {
  if (!may_use_bpf()) return false;
  Opened opened;
  return opened.side.has(KernelSensor::memory);
}

}  // namespace

TEST_CASE("every probe attaches on some rung, and closing gives every descriptor back") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  const int before = open_descriptors();
  {
    Opened opened;
    for (const Rung& row : opened.report)
      UNSCOPED_INFO(row.sensor.c_str() << ": " << row.rung.c_str() << " " << row.why_not_better.c_str());
    for (const KernelSensor sensor :
         {KernelSensor::memory, KernelSensor::wakeups, KernelSensor::faults, KernelSensor::brk, KernelSensor::block_io,
          KernelSensor::block_bytes, KernelSensor::packets, KernelSensor::forks, KernelSensor::syscalls})
      CHECK(opened.side.has(sensor));
    opened.side.open({}, monotonic_ns(), opened.report);  // opening again starts anew
    CHECK(opened.side.ring_fd() >= 0);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("64 MB of small pages are counted and attributed to their process within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });  // before the attachment, which it would inherit
  opened.side.watch_faults(true);
  const Counters before = opened.side.totals();
  const hosa_usage usage_before = opened.usage_of(child.pid());
  child.run();
  const Counters after = opened.side.totals();
  const hosa_usage usage = opened.usage_of(child.pid());
  CHECK(after.anon_bytes - before.anon_bytes > kTouched * 0.97);
  CHECK(after.all_bytes - before.all_bytes >= after.anon_bytes - before.anon_bytes);
  CHECK(static_cast<double>(usage.anon_bytes - usage_before.anon_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.faults - before.faults >= kTouched / static_cast<std::size_t>(::getpagesize()));
#ifdef __SANITIZE_ADDRESS__
  constexpr double kOff = 0.15;  // one shadow page per eight is read as well
#else
  constexpr double kOff = 0.05;
#endif
  if (opened.rung("page faults").find("raw tracepoint") == 0)
    CHECK(static_cast<double>(usage.faults - usage_before.faults) ==
          Approx(static_cast<double>(kTouched) / ::getpagesize()).epsilon(kOff));
  opened.side.watch_faults(false);
  const uint64_t counted = opened.side.totals().faults;
  touch_anonymous(MADV_NOHUGEPAGE);
  CHECK(opened.side.totals().faults == counted);  // off is off
  CHECK(usage.cgroup != 0);
  static std::array<CgroupShare, HOSA_CGROUPS> table;
  const auto count = opened.side.read_usage_by_cgroup(table);
  REQUIRE(count);
  uint64_t in_its_cgroup = 0;
  for (std::size_t i = 0; i < *count; ++i)
    if (table[i].cgroup == usage.cgroup) in_its_cgroup = table[i].usage.anon_bytes;
  CHECK(in_its_cgroup >= usage.anon_bytes);
}

TEST_CASE("64 MB of huge pages are counted and attributed as the same bytes") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  char buffer[128];
  const auto mode = read_file(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/enabled", buffer);
  if (!mode || mode->find("[never]") != std::string_view::npos) HOSA_SKIP("transparent huge pages are off");
  Opened opened;
  Child child([] { touch_anonymous(MADV_HUGEPAGE); });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
}

TEST_CASE("a file that is read and written is no anonymous memory, but it is in the count of all pages") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    char path[] = "build/kernel_side_file_XXXXXX";
    const int fd = ::mkstemp(path);
    ::unlink(path);
    static char megabyte[kMegabyte];
    for (int i = 0; i < 32; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) break;
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(after.anon_bytes - before.anon_bytes < 4 * kMegabyte);
  CHECK(after.all_bytes - before.all_bytes > 28 * kMegabyte);
}

TEST_CASE("brk calls are counted while a turn runs, and not outside it") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  if (!opened.side.has(KernelSensor::brk)) HOSA_SKIP("brk can be had neither by kprobe nor by tracepoint");
  Child child([] {
    for (int i = 0; i < 5000; ++i) ::syscall(SYS_brk, 0);
  });
  REQUIRE(opened.side.start_turn(monotonic_ns()));
  const uint64_t before = opened.side.totals().brk_calls;
  child.run();
  const uint64_t after = opened.side.totals().brk_calls;
  CHECK(after - before >= 5000);
  CHECK(after - before < 10000);
  opened.side.stop_turn(monotonic_ns());
  const uint64_t observed = opened.side.brk_observed_ns(monotonic_ns());
  CHECK(observed > 0);
  if (!opened.side.brk_in_turns()) return;
  const uint64_t stopped = opened.side.totals().brk_calls;
  child.run();
  CHECK(opened.side.totals().brk_calls == stopped);
  CHECK(opened.side.brk_observed_ns(monotonic_ns()) == observed);
}

TEST_CASE("system calls are counted by number while they are watched, and not otherwise") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  if (!opened.side.has(KernelSensor::syscalls)) HOSA_SKIP("sys_enter cannot be had");
  Child child([] {
    for (int i = 0; i < 5000; ++i) ::syscall(SYS_getpgid, 0);
  });
  static KernelSide::SyscallCounts before, after;
  opened.side.read_syscalls(before);
  child.run();
  opened.side.read_syscalls(after);
  CHECK(after[SYS_getpgid] - before[SYS_getpgid] < 1000);  // nobody watches
  opened.side.watch_syscalls(true);
  CHECK(opened.side.watching_syscalls());
  opened.side.read_syscalls(before);
  child.run();
  opened.side.watch_syscalls(false);
  opened.side.read_syscalls(after);
  CHECK(after[SYS_getpgid] - before[SYS_getpgid] >= 5000);
  CHECK(after[SYS_getpgid] - before[SYS_getpgid] < 6000);
}

TEST_CASE("wake-ups can be left out and taken back") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  opened.side.watch_wakeups(false);  // before there is a child, which would inherit the attachment
  ::usleep(10'000);                  // one may be under way
  Child child([] {});
  const uint64_t wakeups = opened.side.totals().wakeups;
  child.run();
  CHECK(opened.side.totals().wakeups == wakeups);
  opened.side.watch_wakeups(true);
  child.run();
  CHECK(opened.side.totals().wakeups > wakeups);
}

TEST_CASE("forks and wake-ups are counted, forks under the parent that forks") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    for (int i = 0; i < 20; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(0);
      ::waitpid(pid, nullptr, 0);
    }
  });
  const Counters before = opened.side.totals();
  child.run();
  const Counters after = opened.side.totals();
  CHECK(after.forks - before.forks >= 20);
  CHECK(after.wakeups - before.wakeups >= 20);
  CHECK(opened.usage_of(child.pid()).forks == 20);
}

TEST_CASE("what a process asks of its disk is attributed to it within 5 %, written and read, and to its cgroup") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  char path[] = "build/kernel_side_disk_XXXXXX";
  const int fd = ::mkstemp(path);
  REQUIRE(fd >= 0);
  const int direct = ::open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
  ::unlink(path);
  struct statfs on {};
  constexpr auto kTmpfs = 0x01021994;
  if (direct < 0 || ::fstatfs(fd, &on) != 0 || on.f_type == kTmpfs)
    HOSA_SKIP("build/ is on no disk that takes O_DIRECT");
  Opened opened;
  if (!opened.side.has(KernelSensor::block_bytes)) HOSA_SKIP("block_bio_queue cannot be had");
  Child child([direct] {
    alignas(4096) static char megabyte[kMegabyte];
    for (std::size_t i = 0; i < 32; ++i)
      if (::pwrite(direct, megabyte, sizeof megabyte, static_cast<off_t>(i * sizeof megabyte)) < 0) ::_exit(1);
    for (std::size_t i = 0; i < 32; ++i)
      if (::pread(direct, megabyte, sizeof megabyte, static_cast<off_t>(i * sizeof megabyte)) < 0) ::_exit(1);
  });
  const Counters before = opened.side.totals();
  const hosa_usage usage_before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage usage = opened.usage_of(child.pid());
  CHECK(opened.side.totals().block_bytes - before.block_bytes >= kTouched);
  CHECK(static_cast<double>(usage.block_bytes - usage_before.block_bytes) == Approx(kTouched).epsilon(0.05));
  ::close(direct);
  ::close(fd);
}

TEST_CASE("packets are attributed to the process that sends them, within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  constexpr int kPackets = 20'000;
  const int sink = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof to;
  REQUIRE(::bind(sink, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  REQUIRE(::getsockname(sink, reinterpret_cast<sockaddr*>(&to), &length) == 0);
  Opened opened;
  Child child([to] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < kPackets; ++i)
      if (::sendto(fd, "hosa", 4, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) ::_exit(1);
    ::close(fd);
  });
  const Counters before = opened.side.totals();
  child.run();
  CHECK(opened.side.totals().packets - before.packets >= kPackets);
  CHECK(static_cast<double>(opened.usage_of(child.pid()).packets) == Approx(kPackets).epsilon(0.05));
  ::close(sink);
}

TEST_CASE("tmpfs and socket buffers are in the count of all pages within 5 %, and not anonymous") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    const int fd = ::memfd_create("hosa", MFD_CLOEXEC);
    static char megabyte[kMegabyte];
    for (std::size_t i = 0; i < kTouched / kMegabyte; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) ::_exit(1);
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.all_bytes - before.all_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);

  Child sender([] {
    for (int pair = 0; pair < 64; ++pair) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) ::_exit(1);
      const int room = 1 << 20;
      ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
      static char bytes[16384];
      while (::write(ends[0], bytes, sizeof bytes) > 0) {
      }
    }
  });
  const hosa_usage sender_before = opened.usage_of(sender.pid());
  sender.run();
  const hosa_usage sender_after = opened.usage_of(sender.pid());
  // 2 MB of buffer space (twice SO_SNDBUF) each, bookkeeping included: at least 1 MB of it is pages.
  CHECK(sender_after.all_bytes - sender_before.all_bytes > 64 * kMegabyte);
  CHECK(sender_after.anon_bytes - sender_before.anon_bytes < 2 * kMegabyte);
}

TEST_CASE("more processes than the table holds: what is dropped is counted") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  constexpr unsigned kMany = 3 * HOSA_PROCESSES;
  for (unsigned i = 0; i < kMany; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {  // one fork: enough for an entry of its own
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      ::waitpid(child, nullptr, 0);
      ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
  }
  const Counters now = opened.side.totals();
  CHECK(now.made_processes >= kMany);
  const KernelSide::Forgotten forgotten = opened.side.forgotten();
  CHECK(forgotten.processes >= now.made_processes - HOSA_PROCESSES);
  CHECK(forgotten.processes <= now.made_processes);
  CHECK(forgotten.samples == now.unattributed);
}

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

TEST_CASE("a burst reaches user space as one record per window, naming who did it") {
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
  std::array<uint64_t, 4096> per_cpu{};
  bool named = false;
  for (const hosa_event& event : events) {
    CHECK(event.time_ns >= start);
    CHECK(event.time_ns <= end);
    if (event.subject != HOSA_ANON_BYTES) continue;
    CHECK(event.amount >= 256 * 1024);
    ++per_cpu[event.cpu % 4096];
    named = named || (event.tgid == child.pid() && std::string_view(event.comm) == "test-loader");
  }
  CHECK(named);
  for (const uint64_t count : per_cpu) CHECK(count <= (end - start) / HOSA_SHORT_WINDOW_NS + 1);
  CHECK(opened.side.records_damaged() == 0);
  opened.side.consume(events);
  CHECK(::epoll_wait(epoll, &wanted, 1, 0) == 0);
  ::close(epoll);
}

TEST_CASE("nothing trips before quiet_until, nor for hosa itself") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  WindowLimits limits{};
  limits[HOSA_ANON_BYTES][HOSA_SHORT_WINDOW] = limits[HOSA_ANON_BYTES][HOSA_LONG_WINDOW] = 256 * 1024;
  opened.side.quiet_until(monotonic_ns() + uint64_t{60} * 1000000000);
  opened.side.set_limits(limits);
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });
  child.run();
  KernelEvents events;
  opened.side.consume(events);
  CHECK(events.empty());
  opened.side.quiet_until(0);
  touch_anonymous(MADV_NOHUGEPAGE);
  opened.side.set_limits({});
  opened.side.consume(events);
  for (const hosa_event& event : events) CHECK(event.tgid != static_cast<uint32_t>(::getpid()));
  CHECK(opened.usage_of(static_cast<uint32_t>(::getpid())).anon_bytes == 0);
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
    CHECK(records[0].amount >= HOSA_SAMPLE_BYTES);
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

TEST_CASE("what is taken away lowers single sensors and says so") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  KernelSources sources;
  sources.without_tracefs = true;
  sources.sys = "test/fixtures/loader/sys";  // six CPUs, no kprobe PMU
  {
    Opened opened(sources);
    CHECK(opened.side.has(KernelSensor::memory));
    CHECK_FALSE(opened.side.has(KernelSensor::brk));
    CHECK(opened.rung("brk") == "absent");
    CHECK(opened.why("brk").find("--without tracefs") != std::string::npos);
    CHECK(opened.rung("allocation flags") == "values of 4.13-6.18");
  }
  sources.without_bpf = true;
  sources.sys = "/sys";
  Opened opened(sources);
  CHECK_FALSE(opened.side.has(KernelSensor::memory));
  CHECK(opened.side.has(KernelSensor::faults));
  CHECK(opened.rung("page faults") == "perf counter per CPU, from level 1");
  opened.side.watch_faults(true);
  CHECK(opened.why("memory") == "--without bpf");
  CHECK(opened.side.ring_fd() == -1);
  const uint64_t before = opened.side.totals().faults;
  touch_anonymous(MADV_NOHUGEPAGE);
  const uint64_t counted = opened.side.totals().faults;
  CHECK(counted > before + 1000);
  opened.side.watch_faults(false);
  CHECK(opened.side.totals().faults >= counted);
  std::array<ProcessShare, 4> table;
  CHECK(*opened.side.read_usage_by_process(table) == 0);
  opened.side.set_limits({});
  opened.side.quiet_until(1);
}

TEST_CASE("the tables are read whole, in batches as key by key, and never beyond the room that was given") {
  if (!may_use_bpf()) HOSA_SKIP("BPF needs root");
  raise_memlock_limit();
  const auto map = bpf_create_map("table", {BPF_MAP_TYPE_LRU_HASH, 4, sizeof(hosa_usage), 4096, 0});
  REQUIRE(map);
  for (uint32_t key = 1; key <= 1000; ++key) {
    hosa_usage usage{};
    usage.anon_bytes = key;
    REQUIRE(bpf_update(map->get(), &key, &usage));
  }
  const auto fill = [](uint32_t key, const hosa_usage& usage) { return ProcessShare{key, usage}; };
  std::array<ProcessShare, 4096> table;
  const auto sum = [&](std::size_t count) {
    uint64_t total = 0;
    for (std::size_t i = 0; i < count; ++i) total += table[i].usage.anon_bytes;
    return total;
  };
  const std::span<ProcessShare> all(table);
  const auto batched = read_usage<uint32_t>(map->get(), all, fill);
  REQUIRE(batched);
  CHECK(*batched == 1000);
  CHECK(sum(*batched) == 500500);
  const auto walked = read_usage_by_key<uint32_t>(map->get(), all, fill);
  REQUIRE(walked);
  CHECK(*walked == 1000);
  CHECK(sum(*walked) == 500500);
  const auto few = read_usage<uint32_t>(map->get(), all.first(10), fill);
  REQUIRE(few);
  CHECK(*few <= 10);
  CHECK(*read_usage_by_key<uint32_t>(map->get(), all.first(10), fill) == 10);
}
