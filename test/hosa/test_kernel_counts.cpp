// What is counted beside memory, on the kernel that runs: calls, forks, wake-ups, bytes of disks, packets.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "test/hosa/kernel_child.h"

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
