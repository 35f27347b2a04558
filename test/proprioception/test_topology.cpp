#include "proprioception/topology.h"

#include "proprioception/board.h"
#include "proprioception/hardware_sensors.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/sensors.h"
#include "test/catch.h"
#include "test/proprioception/flat_tree.h"
#include "test/proprioception/hostile.h"

using namespace hosa;

TEST_CASE("a Raspberry Pi has four cores, one cache and one node, whatever its firmware pretends") {
  const Topology pi4 = read_topology(FlatTree("pi4").open());
  CHECK(pi4.cores == 4);
  CHECK(pi4.threads_per_core == 1);
  CHECK(pi4.caches == 1);
  CHECK(pi4.cache_level == 2);
  CHECK(pi4.cache_groups == 0);
  CHECK(pi4.nodes.real == 1);
  CHECK(pi4.core_kinds == 1);
  const Topology pi3 = read_topology(FlatTree("pi3").open());
  CHECK(pi3.cores == 4);
  CHECK(pi3.packages == 1);
  CHECK(pi3.threads_per_core == 1);
  CHECK(pi3.caches == 1);
  CHECK(pi3.cache_level == 2);
  CHECK(pi3.cache_groups == 0);
  CHECK(pi3.clusters == 0);  // not told: a CPU alone is no cluster
  CHECK(pi3.nodes.real == 1);
  const Topology pi5 = read_topology(FlatTree("pi5").open());
  CHECK(pi5.caches == 1);
  CHECK(pi5.cache_level == 3);
  CHECK(pi5.nodes.count == 8);
  CHECK(pi5.nodes.real == 1);
}

TEST_CASE("two sockets of arm cores have four caches and four nodes, each its own dimension") {
  const Topology t = read_topology(FlatTree("two-sockets").open());
  CHECK(t.cpus == 128);
  CHECK(t.cores == 128);
  CHECK(t.packages == 2);
  CHECK(t.clusters == 32);
  CHECK(t.caches == 4);
  CHECK(t.cache_groups == 4);
  CHECK(t.cache_group[0] == t.cache_group[31]);
  CHECK(t.cache_group[31] != t.cache_group[32]);
  CHECK(t.cache_group[127] == 3);
  CHECK(t.cache_group[128] == Topology::kNoGroup);
  CHECK(t.nodes.real == 4);
}

TEST_CASE("four Opterons have eight caches and eight nodes") {
  const Topology t = read_topology(FlatTree("four-sockets").open());
  CHECK(t.cpus == 64);
  CHECK(t.packages == 4);
  CHECK(t.caches == 8);
  CHECK(t.cache_groups == 8);
  CHECK(t.nodes.real == 8);
  CHECK(t.clusters == 0);  // a kernel before 5.16 does not say
}

TEST_CASE("hybrid processors have cores of two kinds and different threads") {
  const Topology intel = read_topology(FlatTree("hybrid").open());
  CHECK(intel.cpus == 20);
  CHECK(intel.cores == 14);
  CHECK(intel.threads_per_core == 2);
  CHECK(intel.caches == 1);
  CHECK(intel.clusters == 8);
  const Topology arm = read_topology(FlatTree("arm-hybrid").open());
  CHECK(arm.cpus == 20);
  CHECK(arm.core_kinds >= 2);
  CHECK(arm.caches == 2);
  CHECK(arm.cache_groups == 2);
}

TEST_CASE("a virtual machine is what its host shows of itself, and nothing at all is one of everything") {
  const Topology vm = read_topology(FlatTree("vm").open());
  CHECK(vm.cpus == 2);
  CHECK(vm.caches == 1);
  CHECK(vm.cache_groups == 0);
  const Topology nothing = read_topology(Fd());
  CHECK(nothing.cpus == 1);
  CHECK(nothing.cores == 1);
  CHECK(nothing.caches == 0);
  CHECK(nothing.nodes.real == 1);
}

TEST_CASE("more caches than dimensions are taken together, neighbours with neighbours") {
  const FlatTree tree("none");
  tree.write("devices/system/cpu/online", "0-63");
  for (int cpu = 0; cpu < 64; ++cpu) {
    const std::string cache = "devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index0/";
    const int first = cpu / 4 * 4;
    tree.write(cache + "level", "3");
    tree.write(cache + "shared_cpu_list", std::to_string(first) + "-" + std::to_string(first + 3));
  }
  const Topology t = read_topology(tree.open());
  CHECK(t.caches == 16);
  CHECK(t.cache_groups == 8);
  for (unsigned cpu = 0; cpu < 64; ++cpu) CHECK(t.cache_group[cpu] == cpu / 8);
}

TEST_CASE("nonsense in sysfs makes no group out of range") {
  const char* const lists[] = {"", "x", "3-0", "0-4294967295", "8191", "5,1-2", "-1", "0-3"};
  for (const char* list : lists) {
    const FlatTree tree("none");
    tree.write("devices/system/cpu/online", "0-3");
    for (int cpu = 0; cpu < 4; ++cpu) {
      const std::string base = "devices/system/cpu/cpu" + std::to_string(cpu);
      tree.write(base + "/cache/index0/level", cpu == 1 ? "99999999999" : "3");
      tree.write(base + "/cache/index0/shared_cpu_list", cpu == 2 ? std::to_string(cpu) : list);
      tree.write(base + "/topology/thread_siblings_list", list);
    }
    const Topology t = read_topology(tree.open());
    CAPTURE(list);
    CHECK(t.cache_groups <= kMaxCacheGroups);
    for (const uint8_t group : t.cache_group) CHECK((group == Topology::kNoGroup || group < t.cache_groups));
  }
}

TEST_CASE("each node's available memory is its own") {
  const FlatTree tree("two-sockets");
  const Topology topology = read_topology(tree.open());
  HardwareSensors sensors;
  sensors.open(Fd(), tree.open(), topology);
  Sample sample;
  Hardware hardware;
  sensors.read(sample, hardware);
  REQUIRE(hardware.nodes == 4);
  // Node 2: (77430888 free + 1552 + 9176848 file + half of 33128) of 132117936.
  CHECK(hardware.node_available[2] == Approx((77430888.0 + 1552 + 9176848 + 16564) / 132117936));
  CHECK(hardware.node_available[0] > 0.98);
  CHECK(hardware.cache_groups == 0);  // no /proc/stat in this tree
}

TEST_CASE("a CPU that is unplugged and comes back makes no jump in its cache's busy time") {
  const FlatTree tree("none"), proc("none");
  tree.write("devices/system/cpu/online", "0-3");
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string cache = "devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index0/";
    tree.write(cache + "level", "3");
    tree.write(cache + "shared_cpu_list", cpu < 2 ? "0-1" : "2-3");
  }
  const auto stat = [&](const char* cpu1) {
    return std::string("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 1000 0 0 9 0 0 0 0 0 0\n") + cpu1 +
           "cpu2 50 0 0 9 0 0 0 0 0 0\ncpu3 50 0 0 9 0 0 0 0 0 0\nintr 1";
  };
  const Topology topology = read_topology(tree.open());
  HardwareSensors sensors;
  proc.write("stat", stat("cpu1 500000 0 0 9 0 0 0 0 0 0\n"));
  const Fd root = proc.open();
  sensors.open(root, tree.open(), topology);
  Sample sample;
  Hardware hardware;
  const auto busy_with = [&](const char* cpu1) {
    const Fd file(::openat(root.get(), "stat", O_WRONLY | O_TRUNC | O_CLOEXEC));
    const std::string text = stat(cpu1);
    REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    sensors.read(sample, hardware);
    return hardware.cache_busy_seconds[0];
  };
  CHECK(busy_with("cpu1 500000 0 0 9 0 0 0 0 0 0\n") == 0);
  CHECK(busy_with("cpu1 500100 0 0 9 0 0 0 0 0 0\n") == Approx(1));
  CHECK(busy_with("") == Approx(1));  // unplugged
  CHECK(hardware.cache_cpus[0] == 1);
  CHECK(busy_with("cpu1 500200 0 0 9 0 0 0 0 0 0\n") == Approx(1));  // back: its past is not now
  CHECK(busy_with("cpu1 500300 0 0 9 0 0 0 0 0 0\n") == Approx(2));
}

TEST_CASE("a Raspberry Pi tells how warm it is, that it has slowed down and that its supply sags") {
  const BoardState pi4 = Board::open(FlatTree("pi4").open()).read();
  CHECK(*pi4.celsius == Approx(48.686));
  CHECK(*pi4.slowed_share == Approx(1 - 1500.0 / 1800));
  CHECK(*pi4.undervoltage == 1);
  const BoardState pi3 = Board::open(FlatTree("pi3").open()).read();
  CHECK(*pi3.celsius == Approx(59.072));
  CHECK(*pi3.slowed_share == Approx(1 - 1200.0 / 1400));  // its firmware's soft limit at 60 degrees
  CHECK(*pi3.undervoltage == 0);
  const BoardState pi5 = Board::open(FlatTree("pi5").open()).read();
  CHECK(*pi5.slowed_share == 0);
  CHECK(*pi5.undervoltage == 0);
  const BoardState vm = Board::open(FlatTree("vm").open()).read();
  CHECK_FALSE(vm.celsius.has_value());
  CHECK_FALSE(vm.slowed_share.has_value());
}

TEST_CASE("a thermal zone that is broken is not believed") {
  const FlatTree tree("none");
  tree.write("class/thermal/thermal_zone0/temp", "-274000");
  tree.write("class/thermal/thermal_zone1/temp", "99999999999999999999");
  tree.write("class/thermal/thermal_zone2/temp", "nonsense");
  CHECK_FALSE(Board::open(tree.open()).read().celsius.has_value());
}

TEST_CASE("damaged texts of nodes and CPUs are read without harm") {
  damage("Node 0 MemTotal: 131732940 kB\nNode 0 MemFree: 130167340 kB\nNode 0 SReclaimable: 80320 kB\n",
         [](std::string_view text) {
           double available = 0, total = 0;
           add_node_memory(text, available, total);
         });
  const uint8_t group[] = {0, 1, 0, 255};
  damage(fixture_text("pi5/proc/stat"), [&](std::string_view text) {
    GroupTicks out[2];
    add_busy_by_group(text, group, out);
  });
}
