// The probes on the kernel that runs: what a child is known to have done must be counted and attributed to it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <fstream>

#include "loader/sys/file.h"
#include "test/hosa/kernel_child.h"

namespace {

uint64_t number_in(const char* path) {
  uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

uint64_t number_after(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  uint64_t number = 0;
  while (file >> word)
    if (word == key && file >> number) break;
  return number;
}
uint64_t swap_free_bytes() {
  return number_after("/proc/meminfo", "SwapFree:") * 1024;
}
uint64_t swapped_out_pages() {
  return number_after("/proc/vmstat", "pswpout");
}

// A setting of the kernel, as it was again afterwards.
class Setting {
 public:
  Setting(const char* path, const char* value) : path_(path) {
    std::string words;
    std::getline(std::ifstream(path), words);
    const std::size_t from = words.find('['), to = words.find(']');
    if (from == std::string::npos || to == std::string::npos) return;
    before_ = words.substr(from + 1, to - from - 1);
    set_ = static_cast<bool>(std::ofstream(path_) << value << std::flush);
  }
  ~Setting() {
    if (set_) std::ofstream(path_) << before_ << std::flush;
  }
  explicit operator bool() const { return set_; }

 private:
  const char* path_;
  std::string before_;
  bool set_ = false;
};

// Mappings of a megabyte each, between which nothing may be touched: no room for a huge page of 2 MB.
void touch_pieces_of_a_megabyte(int advice) {
  constexpr std::size_t kGap = 64 * 1024, kStride = kMegabyte + kGap;
  constexpr std::size_t kBytes = kTouched / kMegabyte * kStride + kGap;
  void* const raw = ::mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  auto* const start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kGap - 1) & ~(kGap - 1));
  for (std::size_t piece = 0; piece < kTouched / kMegabyte; ++piece) {
    char* const at = start + piece * kStride;
    ::mprotect(at, kMegabyte, PROT_READ | PROT_WRITE);
    ::madvise(at, kMegabyte, advice);
    for (std::size_t i = 0; i < kMegabyte; i += 4096) at[i] = 1;
  }
  ::munmap(raw, kBytes);
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
  CHECK(usage.shared_bytes - usage_before.shared_bytes < 2 * kMegabyte);
  CHECK(usage.kernel_bytes - usage_before.kernel_bytes < 2 * kMegabyte);
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

TEST_CASE("64 MB of multi-size huge pages are counted and attributed as the same bytes") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  const Setting size("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", "madvise");
  if (!size) HOSA_SKIP("no multi-size huge pages (6.8+)");
  const auto folios = [] {
    return number_in("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/stats/anon_fault_alloc");
  };
  Opened opened;
  Child child([] { touch_pieces_of_a_megabyte(MADV_HUGEPAGE); });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t folios_before = folios();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  if (folios() - folios_before < kTouched / (64 * 1024) / 2) HOSA_SKIP("this kernel gave no folios of 64 KB");
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.shared_bytes - before.shared_bytes < 2 * kMegabyte);
}

TEST_CASE("memory that is swapped out and in again is attributed once", "[guest]") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  if (swap_free_bytes() < 2 * kTouched) HOSA_SKIP("no swap of 128 MB");
  constexpr int kPageOut = 21;  // MADV_PAGEOUT, 5.4
  Opened opened;
  Child child([] {
    void* const raw = ::mmap(nullptr, kTouched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(raw, kTouched, MADV_NOHUGEPAGE);
    for (int turn = 0; turn < 3; ++turn) {
      for (std::size_t i = 0; i < kTouched; i += 512) static_cast<char*>(raw)[i] = static_cast<char>(i * 31);
      ::madvise(raw, kTouched, kPageOut);
    }
    ::munmap(raw, kTouched);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t swap_before = swapped_out_pages();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK((swapped_out_pages() - swap_before) * static_cast<uint64_t>(::getpagesize()) > 2 * kTouched);
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
  CHECK(after.shared_bytes - before.shared_bytes < 2 * kMegabyte);
  CHECK(after.kernel_bytes - before.kernel_bytes < 2 * kMegabyte);
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
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));

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
  CHECK(sender_after.shared_bytes - sender_before.shared_bytes < 2 * kMegabyte);
  CHECK(sender_after.kernel_bytes - sender_before.kernel_bytes > 64 * kMegabyte);
}

TEST_CASE("shared memory that is mapped is in no anonymous count, and its toucher's within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    void* const start = ::mmap(nullptr, kTouched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (std::size_t i = 0; i < kTouched; i += 4096) static_cast<char*>(start)[i] = 1;
    ::munmap(start, kTouched);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);
}

TEST_CASE("a tmpfs with huge pages is its writer's within 5 %, and not anonymous; anonymous huge pages beside it are") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  // In a mount namespace of this thread's own: it shows in its mountinfo, and goes with it.
  struct Namespace {
    int home = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), here = ::open(".", O_RDONLY | O_CLOEXEC);
    bool entered = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    bool mounted = entered && ::mount("tmpfs", "/mnt", "tmpfs", 0, "size=256m,huge=always") == 0;
    ~Namespace() {
      if (mounted) ::umount2("/mnt", MNT_DETACH);
      const bool back = ::setns(home, CLONE_NEWNS) == 0 && ::fchdir(here) == 0;
      ::close(home), ::close(here);
      if (!back) ::_exit(1);
    }
  } const own;
  if (!own.mounted) HOSA_SKIP("no tmpfs with huge= here");
  const auto huge = [] { return number_after("/proc/meminfo", "ShmemHugePages:"); };
  Opened opened;
  Child child([] {
    const int fd = ::open("/mnt/file", O_RDWR | O_CREAT, 0600);
    static char megabyte[kMegabyte];
    for (std::size_t i = 0; i < kTouched / kMegabyte; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) ::_exit(1);
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t huge_before = huge();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  if (huge() - huge_before < kTouched / 2 / 1024) HOSA_SKIP("this kernel gave no huge pages to tmpfs");
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);
  Child toucher([] { touch_anonymous(MADV_HUGEPAGE); });
  const hosa_usage toucher_before = opened.usage_of(toucher.pid());
  toucher.run();
  const hosa_usage touched = opened.usage_of(toucher.pid());
  CHECK(static_cast<double>(touched.anon_bytes - toucher_before.anon_bytes) == Approx(kTouched).epsilon(0.05));
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
  opened.side.quiet_memory_until(1);
}
