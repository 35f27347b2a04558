#include "proprioception/sensors.h"

#include <unistd.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "proprioception/machine.h"
#include "proprioception/numa.h"
#include "proprioception/self.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

using namespace hosa;

namespace {
void burn_cpu_ms(int milliseconds) {
  const clock_t end = ::clock() + milliseconds * (CLOCKS_PER_SEC / 1000);
  while (::clock() < end) {
  }
}
}  // namespace

TEST_CASE("a Raspberry Pi 5 without PSI is sensed with its pressure absent and all else there") {
  Sensors sensors = Sensors::open(fixture("pi5/proc"));
  Sample sample;
  sensors.read(sample);
  CHECK_FALSE(sensors.has_psi());
  CHECK_FALSE(sample.has(Signal::psi_memory_some_seconds));
  CHECK(sample[Signal::cpu_user_seconds] == Approx(1834.12));
  CHECK(sample[Signal::tasks] == 411);
  CHECK(sample[Signal::disk_busy_seconds] == Approx(50.812));
  CHECK(sample[Signal::tcp_memory_bytes] == 3.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  CHECK(sample.has(Signal::free_order_entropy));
  for (std::size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    const bool psi = signal_info(signal).name.substr(0, 3) == "psi";
    const bool board = signal >= Signal::board_celsius;  // HardwareSensors' business
    INFO(signal_info(signal).name);
    CHECK(sample.has(signal) == !(psi || board));
  }
}

TEST_CASE("a BusyBox appliance with half of the files is sensed with the rest absent") {
  Sensors sensors = Sensors::open(fixture("appliance/proc"));
  Sample sample;
  sensors.read(sample);
  CHECK(sample[Signal::memory_total_bytes] == 249344.0 * 1024);
  CHECK(sample[Signal::disk_reads] == 110);
  CHECK_FALSE(sample.has(Signal::net_rx_bytes));  // no such file; with a file and no interface it would be 0
  CHECK_FALSE(sample.has(Signal::tasks));
}

TEST_CASE("refused connections are asked for again once a segment has come in") {
  char name[] = "/tmp/hosa-proc.XXXXXX";
  const std::filesystem::path proc = ::mkdtemp(name);
  std::filesystem::create_directory(proc / "net");
  const auto tell = [&](int segments, int drops) {
    std::ofstream(proc / "net/snmp") << "Tcp: InSegs OutSegs\nTcp: " << segments << " 5\n";
    std::ofstream(proc / "net/netstat") << "TcpExt: ListenOverflows ListenDrops\nTcpExt: 0 " << drops << "\n";
  };
  tell(7, 2);
  Sensors sensors = Sensors::open(*open_directory(AT_FDCWD, proc.c_str()));
  Sample sample;
  const auto drops = [&] {
    sensors.read(sample);
    return sample[Signal::listen_drops];
  };
  CHECK(drops() == 2);
  tell(7, 3);
  CHECK(drops() == 2);
  tell(8, 3);
  CHECK(drops() == 3);
  std::filesystem::remove_all(proc);
}

TEST_CASE("when calm, what cannot have changed is not read again, and what moves slowly is two seconds old at most") {
  char name[] = "/tmp/hosa-proc.XXXXXX";
  const std::filesystem::path proc = ::mkdtemp(name);
  std::filesystem::create_directories(proc / "net");
  std::filesystem::create_directories(proc / "sys/fs");
  const auto tell = [&](int packets, int number) {
    std::ofstream(proc / "net/dev") << "eth0: 0 " << packets << " 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
    std::ofstream(proc / "net/snmp") << "Tcp: ActiveOpens InSegs\nTcp: " << number << " 5\n";
    std::ofstream(proc / "sys/fs/file-nr") << number << " 0 1000\n";
    std::ofstream(proc / "diskstats") << "   8 0 sda " << number << " 0 8 1 0 0 0 0 0 1 1\n";
  };
  tell(1, 1);
  Sensors sensors = Sensors::open(*open_directory(AT_FDCWD, proc.c_str()));
  Sample sample;
  const auto look = [&](uint64_t issues) { sensors.read(sample, {.calm = true, .block_issues = issues}); };
  look(5);
  tell(1, 2);
  look(5);  // issued before the last reading, it may have been completed since
  CHECK(sample[Signal::disk_reads] == 2);
  CHECK(sample[Signal::tcp_active_opens] == 1);
  CHECK(sample[Signal::open_files] == 1);
  tell(2, 3);
  look(5);
  CHECK(sample[Signal::disk_reads] == 2);
  CHECK(sample[Signal::tcp_active_opens] == 3);
  look(6);
  CHECK(sample[Signal::disk_reads] == 3);
  CHECK(sample[Signal::open_files] == 1);
  ::usleep(2'000'000);
  look(6);
  CHECK(sample[Signal::open_files] == 3);
  tell(2, 4);
  sensors.read(sample);
  CHECK(sample[Signal::open_files] == 4);
  CHECK(sample[Signal::disk_reads] == 4);
  CHECK(sample[Signal::tcp_active_opens] == 4);
  std::filesystem::remove_all(proc);
}

TEST_CASE("no procfs at all leaves every signal absent and still stamps the time") {
  Sensors sensors = Sensors::open(Fd());
  Sample sample;
  sensors.read(sample);
  for (const bool present : sample.present) CHECK_FALSE(present);
  CHECK(sample.monotonic_ns > 0);
  CHECK(sample.boottime_ns >= sample.monotonic_ns);
}

TEST_CASE("this machine's own procfs moves: counters never fall and CPU time passes") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  REQUIRE(proc);
  Sensors sensors = Sensors::open(*proc);
  Sample first, second;
  sensors.read(first);
  burn_cpu_ms(100);
  sensors.read(second);
  CHECK(second.monotonic_ns > first.monotonic_ns);
  const auto used = [](const Sample& s) { return s[Signal::cpu_user_seconds] + s[Signal::cpu_system_seconds]; };
  CHECK(used(second) > used(first));  // reading the CPU clock is a system call: time may be booked on either side
  CHECK(second[Signal::page_faults] >= first[Signal::page_faults]);
  for (std::size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    INFO(signal_info(signal).name);
    CHECK(std::isfinite(second[signal]));
    if (signal_info(signal).kind == SignalKind::counter && signal != Signal::cpu_iowait_seconds &&
        signal != Signal::cpu_idle_seconds)  // idle and iowait are known to step back (proc(5))
      CHECK(second[signal] >= first[signal]);
  }
}

TEST_CASE("--without psi takes the pressure signals away and nothing else") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  Sample with, without;
  Sensors::open(*proc).read(with);
  Sensors::open(*proc, {.psi = true}).read(without);
  for (std::size_t i = 0; i < kSignals; ++i)
    if (signal_info(static_cast<Signal>(i)).name.substr(0, 3) == "psi")
      CHECK_FALSE(without.present[i]);
    else
      CHECK(without.present[i] == with.present[i]);
}

TEST_CASE("the machine's facts are those of the fixture") {
  const Machine pi = read_machine(fixture("pi5/proc"), fixture("pi5/sys"), fixture("pi5/cgroup"));
  CHECK(pi.model == "Raspberry Pi 5 Model B Rev 1.0");
  CHECK(pi.possible_cpus == 4);
  CHECK(pi.online_cpus == 4);
  CHECK(pi.numa_nodes == 1);  // numa=fake=8
  CHECK(pi.huge_pages == HugePages::always);
  CHECK(pi.huge_page_bytes == 33554432);
  CHECK_FALSE(pi.memory_controller);
  CHECK(pi.cpu_controller);
  CHECK_FALSE(pi.psi);
  CHECK_FALSE(pi.virtualized);
  CHECK(pi.max_tasks == 32768);
  CHECK(pi.swap_bytes == 2097136ull * 1024);
  CHECK(pi.kernel == "6.12.47+rpt-rpi-2712");
  const Machine server = read_machine(fixture("server/proc"), fixture("server/sys"), fixture("cgroup"));
  CHECK(server.model == "QEMU Standard PC (Q35 + ICH9, 2009)");
  CHECK(server.virtualized);
  CHECK(server.psi);
  CHECK(server.memory_controller);
  CHECK(server.boot_id.size() == 36);
  const Machine nothing = read_machine(Fd(), Fd(), Fd());
  CHECK(nothing.possible_cpus == 1);
  CHECK(nothing.numa_nodes == 1);
  CHECK(nothing.page_bytes >= 4096);
}

TEST_CASE("lists of CPUs are checked before they are believed") {
  CHECK(parse_cpu_set("0-3,8\n").slots == 9);
  CHECK(parse_cpu_set("0-3,8\n").count == 5);
  CHECK(parse_cpu_set("").slots == 0);
  CHECK(parse_cpu_set("3-0").slots == 0);
  CHECK(parse_cpu_set("0-4294967295").slots == 0);
  CHECK(parse_cpu_set("0-3,-1").slots == 0);
  damage("0-3,8,10-12,64-127\n", [](std::string_view text) {
    const CpuSet set = parse_cpu_set(text);
    CHECK(set.count <= set.slots);
  });
  CHECK(parse_huge_pages("always madvise [never]") == HugePages::never);
  CHECK(parse_huge_pages("nonsense") == HugePages::absent);
}

TEST_CASE("hosa knows what it costs") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  const Self self = Self::open(*proc);
  const SelfCost first = self.read();
  CHECK(first.rss_bytes > 100'000);
  burn_cpu_ms(5);
  ::usleep(1000);
  const SelfCost second = self.read();
  CHECK(second.cpu_ns > first.cpu_ns);
  CHECK(second.wakeups > first.wakeups);
}
