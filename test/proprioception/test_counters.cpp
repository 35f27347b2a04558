#include "proprioception/buddyinfo.h"
#include "proprioception/diskstats.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/meminfo.h"
#include "proprioception/network_counters.h"
#include "proprioception/pressure.h"
#include "proprioception/vmstat.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

#include <cmath>

using namespace hosa;

TEST_CASE("meminfo is read in bytes, on 16 KiB pages as well") {
  const Meminfo pi = parse_meminfo(fixture_text("pi5/proc/meminfo"));
  CHECK(pi.total_bytes == 8257184ull * 1024);
  CHECK(pi.available_bytes == 6954112ull * 1024);
  CHECK(pi.anon_bytes == 670704ull * 1024);
  CHECK(pi.active_file_bytes == 346464ull * 1024);
  CHECK(pi.slab_unreclaimable_bytes == 101216ull * 1024);
  CHECK(pi.swap_free_bytes == 2097136ull * 1024);
  const Meminfo small = parse_meminfo(fixture_text("appliance/proc/meminfo"));
  CHECK(small.total_bytes == 249344ull * 1024);
  CHECK_FALSE(small.active_file_bytes.has_value());
}

TEST_CASE("what is in use and in no other account is the kernel's own, messages in local sockets among it") {
  Meminfo pi = parse_meminfo(fixture_text("pi5/proc/meminfo"));
  REQUIRE(kernel_bytes(pi) == 387472ull * 1024);
  *pi.free_bytes -= 50ull << 20;
  CHECK(kernel_bytes(pi) == (387472ull << 10) + (50ull << 20));
  *pi.free_bytes = *pi.total_bytes;
  CHECK(kernel_bytes(pi) == 0u);
  const Meminfo small = parse_meminfo(fixture_text("appliance/proc/meminfo"));
  CHECK(kernel_bytes(small) == small.slab_unreclaimable_bytes);
}

TEST_CASE("numbers that are negative, too large or no numbers leave a field of meminfo empty") {
  CHECK_FALSE(parse_meminfo("MemTotal: -5 kB\n").total_bytes.has_value());
  CHECK_FALSE(parse_meminfo("MemTotal: 18446744073709551615 kB\n").total_bytes.has_value());
  CHECK_FALSE(parse_meminfo("MemTotal: 99999999999999999999999 kB\n").total_bytes.has_value());
  CHECK_FALSE(parse_meminfo("MemTotal: kB\n").total_bytes.has_value());
  CHECK_FALSE(parse_meminfo("MemTotal2: 5 kB\n").total_bytes.has_value());
}

TEST_CASE("vmstat sums what kernels split and does not count reclaim twice") {
  const Vmstat pi = parse_vmstat(fixture_text("pi5/proc/vmstat"));
  CHECK(pi.page_faults == 60122311u);
  CHECK(pi.direct_reclaims == 7u);
  CHECK(pi.pages_scanned == 2460u);
  CHECK(pi.pages_reclaimed == 1230u);
  CHECK(pi.pages_allocated == 16002234u);
  CHECK(pi.refault_file == 901u);
  const Vmstat old = parse_vmstat(fixture_text("appliance/proc/vmstat"));
  CHECK(old.refault_file == 33u);
  CHECK_FALSE(old.oom_kills.has_value());
  const Vmstat server = parse_vmstat(fixture_text("server/proc/vmstat"));
  CHECK(server.page_faults.value_or(0) > 0);
  CHECK(server.oom_kills.has_value());
}

TEST_CASE("stat gives CPU time of all CPUs together and the counters beside it") {
  const KernelStat pi = parse_kernel_stat(fixture_text("pi5/proc/stat"));
  REQUIRE(pi.cpu.has_value());
  CHECK(pi.cpu->user == 183412);
  CHECK(pi.cpu->steal == 0);
  CHECK(pi.cpu->busy() == 183412u + 1204 + 65210 + 3211);
  CHECK(pi.context_switches == 71200412u);
  CHECK(pi.interrupts == 41022310u);
  CHECK(pi.forks == 41233u);
  CHECK(pi.procs_running == 2u);
  CHECK_FALSE(parse_kernel_stat("cpu 1 2 3\n").cpu.has_value());
  CHECK_FALSE(parse_kernel_stat("cpu 1 2 3 4 5 6 7 -8\n").cpu.has_value());
  CHECK(parse_task_count(fixture_text("pi5/proc/loadavg")) == 411u);
  CHECK(parse_running_count("0.02 0.08 0.06 2/97 8046") == 2u);
  CHECK_FALSE(parse_running_count("0.02 0.08").has_value());
  CHECK_FALSE(parse_task_count("0.1 0.2 0.3 nothing 4").has_value());
  const OpenFiles files = parse_file_nr(fixture_text("pi5/proc/sys/fs/file-nr"));
  CHECK(files.open == 2944u);
  CHECK(files.most == 9223372036854775807u);
}

TEST_CASE("pressure totals are taken, averages are not") {
  const Pressure both = parse_pressure(
      "some avg10=0.00 avg60=0.05 avg300=0.07 total=5248816\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=17\n");
  CHECK(both.some_us == 5248816u);
  CHECK(both.full_us == 17u);
  CHECK_FALSE(parse_pressure("some avg10=0.00 total=5").full_us.has_value());
  CHECK_FALSE(parse_pressure("").some_us.has_value());
}

TEST_CASE("diskstats counts whole disks once, never partitions, loop, ram or zram") {
  const Diskstats pi = parse_diskstats(fixture_text("pi5/proc/diskstats"));
  CHECK(pi.disks == 2);  // mmcblk0 and nvme0n1
  CHECK(pi.reads == 22011u);
  CHECK(pi.write_bytes == (3300112ull + 160000) * 512);
  CHECK(pi.busy_ms == 50812u);
  const Diskstats flash = parse_diskstats(fixture_text("appliance/proc/diskstats"));  // 14 fields of an old kernel
  CHECK(flash.disks == 2);
  CHECK(flash.reads == 110u);
  CHECK(is_partition_of("sda1", "sda"));
  CHECK(is_partition_of("nvme0n1p2", "nvme0n1"));
  CHECK_FALSE(is_partition_of("nvme0n2", "nvme0n1"));
  CHECK_FALSE(is_partition_of("sdaa", "sda"));
  CHECK_FALSE(is_partition_of("mmcblk0boot0", "mmcblk0"));
  CHECK_FALSE(is_partition_of("sda", "sda"));
}

TEST_CASE("network counters leave out what bridges, veth pairs and VLANs carry again") {
  const NetDev pi = parse_net_dev(fixture_text("pi5/proc/net/dev"));
  CHECK(pi.outside.rx_packets == 8000u);
  CHECK(pi.outside.tx_bytes == 1000000u);
  CHECK(pi.outside.drops == 7u);
  CHECK(pi.loopback.rx_packets == 120u);
  const NetProtocols protocols = parse_snmp(fixture_text("pi5/proc/net/snmp"));
  CHECK(protocols.tcp_active_opens == 210u);
  CHECK(protocols.tcp_passive_opens == 77u);
  CHECK(protocols.tcp_retransmits == 41u);
  CHECK(protocols.tcp_resets_sent == 9u);
  CHECK(protocols.udp_in == 5012u);
  const Sockstat sockets = parse_sockstat(fixture_text("pi5/proc/net/sockstat"));
  CHECK(sockets.sockets_used == 301u);
  CHECK(sockets.tcp_in_use == 9u);
  CHECK(sockets.tcp_memory_pages == 3u);
  CHECK(sockets.udp_memory_pages == 2u);
}

TEST_CASE("the entropy of free orders agrees with its reference and is 0 for one order only") {
  const Buddyinfo one = parse_buddyinfo("Node 0, zone   Normal   1200 600 310 150 80 41 20 9 5 2 1\n");
  CHECK(one.orders == 11);
  CHECK(free_order_entropy_bits(one) == Approx(2.0105718876992982).epsilon(1e-14));
  CHECK(*free_order_entropy_norm(one) == Approx(2.0105718876992982 / std::log2(11.0)).epsilon(1e-14));
  CHECK(free_order_entropy_bits(parse_buddyinfo("Node 0, zone DMA 7 0 0\n")) == 0.0);
  CHECK(free_order_entropy_bits(parse_buddyinfo("Node 0, zone DMA 5 5 5 5\n")) == Approx(2.0).epsilon(1e-15));
  CHECK_FALSE(free_order_entropy_norm(parse_buddyinfo("")).has_value());
  const Buddyinfo eight_nodes = parse_buddyinfo(fixture_text("pi5/proc/buddyinfo"));
  CHECK(eight_nodes.free_blocks[1] == 8 * 31);
  for (double x = 1e-9; x < 1e9; x *= 1.37)
    CHECK(log2_portable(x) == Approx(std::log2(x)).epsilon(4e-15).margin(4e-16));
}

TEST_CASE("damaged texts never crash a counter parser and never give impossible results") {
  damage(fixture_text("server/proc/meminfo"), [](std::string_view text) { parse_meminfo(text); });
  damage(fixture_text("server/proc/vmstat"), [](std::string_view text) { parse_vmstat(text); });
  damage(fixture_text("server/proc/stat"), [](std::string_view text) {
    const KernelStat stat = parse_kernel_stat(text);
    if (stat.cpu) CHECK(stat.cpu->busy() >= stat.cpu->user);
  });
  damage(fixture_text("server/proc/diskstats"), [](std::string_view text) { parse_diskstats(text); });
  damage(fixture_text("pi5/proc/net/dev"), [](std::string_view text) { parse_net_dev(text); });
  damage(fixture_text("pi5/proc/net/snmp"), [](std::string_view text) { parse_snmp(text); });
  damage(fixture_text("pi5/proc/net/sockstat"), [](std::string_view text) { parse_sockstat(text); });
  damage(fixture_text("server/proc/pressure/cpu"), [](std::string_view text) { parse_pressure(text); });
  damage(fixture_text("server/proc/buddyinfo"), [](std::string_view text) {
    const auto entropy = free_order_entropy_norm(parse_buddyinfo(text));
    if (entropy) CHECK((*entropy >= 0.0 && *entropy <= 1.0 + 1e-12));
  });
}
