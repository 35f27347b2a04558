#include "test/catch.h"
#include "tools/hosa/boot_remedy.h"
#include "tools/hosa/dimension_table.h"
#include "tools/hosa/doctor.h"
#include "tools/hosa/options.h"

#include <filesystem>
#include <fstream>

using namespace hosa;

namespace {
constexpr const char* kHybrid =
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\ncpu\t1\t1\t1\nmemory\t4\t17\t1\npids\t8\t1\t1\n";
constexpr const char* kPi =
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t80\t1\nmemory\t0\t80\t0\npids\t0\t80\t1\n";
}  // namespace

TEST_CASE("a controller is told apart: held by v1, switched off at boot, not built, there") {
  const Controller on_v1 = parse_controller(kHybrid, "", "memory");
  CHECK(on_v1.built_in);
  CHECK(on_v1.on_v1);
  CHECK_FALSE(on_v1.disabled);
  const Controller off = parse_controller(kPi, "cpu pids", "memory");
  CHECK(off.disabled);
  CHECK_FALSE(off.available);
  CHECK_FALSE(off.on_v1);
  CHECK(parse_controller(kPi, "cpu pids", "pids").available);
  CHECK_FALSE(parse_controller(kPi, "cpu pids", "rdma").built_in);
  CHECK_FALSE(parse_controller("", "", "memory").built_in);
  CHECK(parse_controller("blkio\t0\t80\t1\n", "cpu io", "io", "blkio").available);
  CHECK(parse_controller("blkio\t7\t80\t1\n", "cpu", "io", "blkio").on_v1);
}

TEST_CASE("a Raspberry Pi without the memory controller is told the word for the end of its cmdline.txt") {
  Surroundings s;
  s.root = true;
  s.memory.built_in = s.memory.disabled = true;
  s.cgroup.directory = std::move(*open_directory(AT_FDCWD, "/"));
  s.machine.model = "Raspberry Pi 5 Model B Rev 1.0";
  s.boot_line = {"/boot/firmware/cmdline.txt", ": at the end of its one line", ""};
  const KernelSide kernel;
  Diagnoses means;
  diagnose_means(kernel, s, means);
  CHECK(means[0].name == "memory insurance");
  CHECK(means[0].why == "the controller memory is switched off on the kernel command line");
  CHECK(means[0].improve ==
        "add cgroup_enable=memory to the kernel command line, /boot/firmware/cmdline.txt: at the end of its one line; "
        "restart");
}

TEST_CASE("a word that the kernel's command line has already is changed, not added where it would not count") {
  Surroundings s;
  CHECK(boot_argument(s, "psi=1") == "add psi=1 to the kernel command line; restart");
  s.boot_words = "root=/dev/vda1 psi=0 lockdown=confidentiality cgroup_no_v1=cpu quiet";
  s.boot_line = {"/etc/default/grub", ": in GRUB_CMDLINE_LINUX", "update-grub"};
  CHECK(psi_remedy(s) ==
        "change psi=0 to psi=1 on the kernel command line, /etc/default/grub: in GRUB_CMDLINE_LINUX; update-grub; "
        "restart");
  CHECK(lockdown_remedy(s).view().starts_with("change lockdown=confidentiality to lockdown=integrity on"));
  CHECK(boot_argument(s, "cgroup_no_v1=memory").view().starts_with("add cgroup_no_v1=memory to"));  // a list
  s.boot_line.then = "grubby";
  CHECK(psi_remedy(s) == "sudo grubby --update-kernel=ALL --remove-args=psi=0 --args=psi=1   (then restart)");
}

TEST_CASE("what no boot argument gives is not promised by one") {
  Surroundings s;
  s.no_psi = "no such file";
  s.psi_built_in = false;
  CHECK(psi_remedy(s) == "a kernel built with CONFIG_PSI=y");
  s.no_psi = "--without psi";
  CHECK(psi_remedy(s) == "leave out --without");
  s.boot_words = "quiet";  // locked by the kernel's own configuration
  CHECK(lockdown_remedy(s).view().find("lockdown=integrity") == std::string_view::npos);
}

TEST_CASE("the boot configuration is found where each kind of machine has it") {
  char root[] = "/tmp/hosa-boot.XXXXXX";
  REQUIRE(::mkdtemp(root) != nullptr);
  const std::filesystem::path path = root;
  const auto put = [&](const char* file) {
    std::filesystem::create_directories((path / file).parent_path());
    std::ofstream(path / file) << "x";
  };
  CHECK(std::string_view(find_boot_line(root).file).empty());
  put("etc/default/grub");
  CHECK(std::string_view(find_boot_line(root).then).starts_with("grub-mkconfig"));
  put("usr/sbin/grubby");
  CHECK(std::string_view(find_boot_line(root).then) == "grubby");
  put("usr/sbin/update-grub");
  CHECK(std::string_view(find_boot_line(root).then) == "update-grub");
  put("boot/extlinux/extlinux.conf");
  CHECK(std::string_view(find_boot_line(root).file) == "/boot/extlinux/extlinux.conf");
  put("boot/cmdline.txt");
  CHECK(std::string_view(find_boot_line(root).file) == "/boot/cmdline.txt");
  std::filesystem::remove_all(path);
}

TEST_CASE("every row of the dimension table has a name of its own, a source and a sign") {
  const std::span<const DimensionRow> table = dimension_table();
  CHECK(table.size() <= detect::kMaxDimensions);
  for (std::size_t i = 0; i < table.size(); ++i) {
    CAPTURE(table[i].dimension.name);
    for (std::size_t j = 0; j < i; ++j)
      CHECK(std::string_view(table[i].dimension.name) != std::string_view(table[j].dimension.name));
    CHECK((table[i].dimension.sign == 1 || table[i].dimension.sign == -1));
    CHECK(table[i].dimension.floor > 0);
    CHECK(table[i].chain[0].name != nullptr);
    CHECK(*table[i].means != 0);
    bool ended = false;
    for (const DimensionSource& source : table[i].chain) {
      ended = ended || source.name == nullptr;
      CHECK((source.exists != nullptr && source.read != nullptr) == !ended);
    }
  }
}

TEST_CASE("a fallback is used when the first source is missing, and the doctor says why and what it costs") {
  Sample sample;
  Hardware hardware;
  const KernelSide nothing;
  Readings readings;
  readings.sample = &sample;
  readings.hardware = &hardware;
  readings.kernel = &nothing;
  StateVector vector;
  vector.select(readings);
  CHECK(vector.dimensions().empty());  // no procfs, no probes: nothing is sensed, and nothing crashes
  sample.present[static_cast<std::size_t>(Signal::allocated_bytes)] = true;
  vector.select(readings);
  REQUIRE(vector.dimensions().size() == 1);
  CHECK(std::string_view(vector.dimensions()[0].name) == "memory_allocated");
  CHECK(std::string_view(vector.source(0)) == "/proc/vmstat pgalloc");
}

TEST_CASE("several caches and nodes bring their dimensions, one brings none") {
  Sample sample;
  Hardware hardware;
  const KernelSide nothing;
  Readings readings;
  readings.sample = &sample;
  readings.hardware = &hardware;
  readings.kernel = &nothing;
  hardware.cache_groups = 4;
  hardware.nodes = 2;
  for (double& cpus : hardware.cache_cpus) cpus = 16;
  hardware.cache_busy_seconds[2] = 32;
  hardware.node_available[1] = 0.25;
  StateVector vector;
  vector.select(readings);
  CHECK(vector.dimensions().size() == 6);
  const std::span<const double> values = vector.read(readings, false);
  CHECK(std::string_view(vector.dimensions()[2].name) == "cpu_busy_cache2");
  CHECK(values[2] == 2);
  CHECK(std::string_view(vector.dimensions()[5].name) == "memory_available_node1");
  CHECK(values[5] == 0.25);
}

TEST_CASE("the mean time of a request is of the last half second, and nothing when there was none") {
  MeanLatency latency;
  Sample sample;
  const auto at = [&](uint64_t ms, double seconds, double requests) {
    sample.monotonic_ns = ms * 1'000'000;
    sample.value[static_cast<std::size_t>(Signal::disk_request_seconds)] = seconds;
    sample.value[static_cast<std::size_t>(Signal::disk_reads)] = requests;
    latency.add(sample);
    return latency.mean_s();
  };
  CHECK(at(1000, 10, 100) == 0);
  CHECK(at(1500, 11, 150) == Approx(0.02));
  CHECK(at(1510, 99, 151) == Approx(0.02));  // too soon
  CHECK(at(2000, 11, 150) == 0);             // no requests
  CHECK(at(2500, 1, 10) == 0);               // the device was replaced
  CHECK(at(3000, 2, 20) == Approx(0.1));
}
