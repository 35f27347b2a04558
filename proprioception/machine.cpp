#include "proprioception/machine.h"

#include <unistd.h>

#include <algorithm>

#include "loader/sys/cpu_list.h"
#include "proprioception/kernel_text.h"
#include "proprioception/meminfo.h"
#include "proprioception/numa.h"
#include "proprioception/pressure.h"

namespace hosa {

namespace {

template <std::size_t N>
void copy_line(const Fd& root, const char* path, FixedString<N>& out) {
  char buffer[256];
  if (const auto text = read_word(root, path, buffer)) out.append(*text);
}

uint64_t read_number(const Fd& root, const char* path) {
  char buffer[64];
  const auto text = read_word(root, path, buffer);
  return text ? to_number(*text).value_or(0) : 0;
}

CpuSet read_cpu_set(const Fd& sys, const char* path) {
  char buffer[4096];
  const auto text = read_word(sys, path, buffer);
  return text ? parse_cpu_set(*text) : CpuSet{};
}

// Devicetree strings end in NUL, DMI ones in a newline. DMI fillers say nothing and are left out.
void read_model(const Fd& proc, const Fd& sys, FixedString<128>& model) {
  char buffer[256];
  auto text = read_word(sys, "firmware/devicetree/base/model", buffer);
  if (!text) text = read_word(proc, "device-tree/model", buffer);
  if (text && !text->empty()) {
    model.append(slice(*text, 0, text->find('\0')));
    return;
  }
  for (const char* path : {"class/dmi/id/sys_vendor", "class/dmi/id/product_name"}) {
    const auto part = read_word(sys, path, buffer);
    if (!part || part->empty() || *part == "To Be Filled By O.E.M." || *part == "System Product Name") continue;
    if (!model.empty()) model.append(" ");
    model.append(*part);
  }
}

bool is_virtual(const Fd& proc, const Fd& sys, std::string_view model) {
  char buffer[4096];
  if (const auto text = read_text(proc, "cpuinfo", buffer)) {
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (line.starts_with("flags") && has_word(line, "hypervisor")) return true;
    }
  }
  if (read_word(sys, "hypervisor/type", buffer)) return true;
  for (const std::string_view maker : {"QEMU", "KVM", "VMware", "VirtualBox", "Amazon EC2", "linux,dummy-virt"})
    if (model.find(maker) != std::string_view::npos) return true;
  return false;
}

void read_controllers(const Fd& cgroup_root, Machine& machine) {
  char buffer[512];
  if (!cgroup_root) return;
  const auto text = read_word(cgroup_root, "cgroup.controllers", buffer);
  if (!text) return;
  machine.memory_controller = has_word(*text, "memory");
  machine.cpu_controller = has_word(*text, "cpu");
}

}  // namespace

CpuSet parse_cpu_set(std::string_view list) {
  constexpr unsigned kHighestCpu = 8191;  // NR_CPUS ends there on every architecture
  CpuSet set;
  bool good = for_each_range(list, [&](unsigned first, unsigned last) {
    if (last > kHighestCpu) set.slots = kHighestCpu + 2;
    if (last > kHighestCpu || set.slots > kHighestCpu + 1) return;
    set.slots = std::max(set.slots, last + 1);
    set.count += last - first + 1;
  });
  good = good && set.slots <= kHighestCpu + 1 && set.count <= set.slots;
  return good ? set : CpuSet{};
}

HugePages parse_huge_pages(std::string_view text) {
  if (text.find("[always]") != std::string_view::npos) return HugePages::always;
  if (text.find("[madvise]") != std::string_view::npos) return HugePages::madvise;
  if (text.find("[never]") != std::string_view::npos) return HugePages::never;
  return HugePages::absent;
}

bool has_word(std::string_view line, std::string_view word) {
  for (std::string_view next = take_word(line); !next.empty(); next = take_word(line))
    if (next == word) return true;
  return false;
}

Machine read_machine(const Fd& proc, const Fd& sys, const Fd& cgroup_root) {
  Machine machine;
  char buffer[8192];
  machine.page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (const auto text = read_word(sys, "kernel/mm/transparent_hugepage/enabled", buffer))
    machine.huge_pages = parse_huge_pages(*text);
  machine.huge_page_bytes = read_number(sys, "kernel/mm/transparent_hugepage/hpage_pmd_size");
  machine.possible_cpus = read_cpu_set(sys, "devices/system/cpu/possible").slots;
  machine.online_cpus = read_cpu_set(sys, "devices/system/cpu/online").count;
  if (machine.online_cpus == 0) machine.online_cpus = 1;
  machine.possible_cpus = std::max(machine.possible_cpus, machine.online_cpus);
  machine.numa_nodes = count_numa_nodes(sys);
  if (const auto text = read_text(proc, "meminfo", buffer)) {
    const Meminfo memory = parse_meminfo(*text);
    machine.ram_bytes = memory.total_bytes.value_or(0);
    machine.swap_bytes = memory.swap_total_bytes.value_or(0);
  }
  const uint64_t pids = read_number(proc, "sys/kernel/pid_max"), threads = read_number(proc, "sys/kernel/threads-max");
  machine.max_tasks = pids == 0 || threads == 0 ? std::max(pids, threads) : std::min(pids, threads);
  if (const auto text = read_text(proc, "pressure/memory", buffer))
    machine.psi = parse_pressure(*text).some_us.has_value();
  read_controllers(cgroup_root, machine);
  copy_line(proc, "sys/kernel/random/boot_id", machine.boot_id);
  copy_line(proc, "sys/kernel/osrelease", machine.kernel);
  read_model(proc, sys, machine.model);
  machine.virtualized = is_virtual(proc, sys, machine.model.view());
  return machine;
}

}  // namespace hosa
