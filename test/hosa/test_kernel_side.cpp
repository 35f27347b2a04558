// The probes on the kernel that runs: they attach, say on which rung, and leave nothing behind.
#include "test/hosa/kernel_child.h"

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
  opened.side.quiet_until(HOSA_ANON_BYTES, HOSA_SHORT_WINDOW, 1);
}
