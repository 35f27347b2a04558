// What the machine is, for `hosa doctor`.
#include "tools/hosa/doctor.h"

namespace hosa {
namespace {

using Text = FixedString<255>;

Text bytes(uint64_t amount) {
  Text text;
  constexpr uint64_t kKilo = 1024;
  if (amount >= 10 * kKilo * kKilo * kKilo) return text.append_unsigned(amount / kKilo / kKilo / kKilo).append(" GB");
  if (amount >= kKilo * kKilo) return text.append_unsigned(amount / kKilo / kKilo).append(" MB");
  return text.append_unsigned(amount / kKilo).append(" KB");
}

const char* huge_pages_name(HugePages pages) {
  switch (pages) {
    case HugePages::absent: return "absent";
    case HugePages::never: return "never";
    case HugePages::madvise: return "madvise";
    case HugePages::always: return "always";
  }
  return "absent";
}

Text describe_cpus(const Topology& t) {
  Text text;
  text.append_unsigned(t.cpus)
      .append(" online, ")
      .append_unsigned(t.cores)
      .append(t.cores == 1 ? " core, " : " cores, ");
  text.append_unsigned(t.threads_per_core).append(t.threads_per_core == 1 ? " thread a core, " : " threads a core, ");
  text.append_unsigned(t.packages).append(t.packages == 1 ? " package" : " packages");
  if (t.core_kinds > 1) text.append(", ").append_unsigned(t.core_kinds).append(" kinds of cores");
  if (t.clusters > 0) text.append(", ").append_unsigned(t.clusters).append(t.clusters == 1 ? " cluster" : " clusters");
  return text;
}

Text describe_caches(const Topology& t) {
  Text text;
  if (t.caches == 0) return text.append("not told by this kernel: taken as one (cpu_busy says it all)");
  text.append_unsigned(t.caches).append(t.caches == 1 ? " of level " : " of level ").append_unsigned(t.cache_level);
  if (t.cache_groups == 0) return text.append(" (cpu_busy says it all)");
  text.append(", ").append_unsigned(t.cache_groups).append(" dimensions");
  if (t.cache_groups < t.caches) text.append(" (neighbours together)");
  return text;
}

Text describe_nodes(const NumaNodes& nodes) {
  Text text;
  text.append_unsigned(nodes.real).append(nodes.real == 1 ? " real node" : " real nodes");
  if (nodes.count > nodes.real)
    text.append(" (the kernel shows ").append_unsigned(nodes.count).append("; those at distance 10 are one)");
  if (nodes.real > kMaxSensedNodes) text.append(", the first 8 are sensed");
  if (nodes.real == 1) text.append(" (memory_available says it all)");
  return text;
}

Text describe_controllers(const Surroundings& s) {
  Text text;
  if (!s.cgroup.directory) return text.append("no cgroup v2: ").append(s.cgroup.reason.view());
  text.append("cgroup v2 at ").append(s.cgroup.mount_point.view()).append(":");
  bool any = false;
  const struct {
    const char* name;
    const Controller& controller;
  } all[] = {{" memory", s.memory}, {" cpu", s.cpu}, {" pids", s.pids}, {" io", s.io}};
  for (const auto& one : all)
    if (one.controller.available) text.append(one.name), any = true;
  return any ? text : text.append(" no controllers");
}

Text describe_privileges(const Surroundings& s) {
  Text text(s.root ? "root" : "not root");
  const struct {
    unsigned number;
    const char* name;
  } wanted[] = {{kCapBpf, "CAP_BPF"},
                {kCapPerfmon, "CAP_PERFMON"},
                {kCapSysAdmin, "CAP_SYS_ADMIN"},
                {kCapSysNice, "CAP_SYS_NICE"}};
  for (const auto& one : wanted) text.append(s.may(one.number) ? ", " : ", no ").append(one.name);
  return text;
}

}  // namespace

void describe_machine(const Surroundings& s, const Topology& topology, Facts& out) {
  const Machine& m = s.machine;
  Text kind(m.model.empty() ? std::string_view("unnamed") : m.model.view());
  kind.append(m.virtualized ? " (virtual machine)" : " (no hypervisor seen)");
  out.push_back({"machine", kind});
  out.push_back({"kernel", Text(m.kernel.view()).append(" ").append(s.architecture.view())});
  out.push_back({"page", bytes(m.page_bytes)});
  Text huge(huge_pages_name(m.huge_pages));
  if (m.huge_pages != HugePages::absent) huge.append(", ").append(bytes(m.huge_page_bytes).view());
  out.push_back({"huge pages", huge});
  Text memory = bytes(m.ram_bytes);
  memory.append(", swap ").append(m.swap_bytes == 0 ? "none" : bytes(m.swap_bytes).view());
  out.push_back({"memory", memory});
  out.push_back({"cpus", describe_cpus(topology)});
  out.push_back({"last-level caches", describe_caches(topology)});
  out.push_back({"memory nodes", describe_nodes(topology.nodes)});
  out.push_back({"controllers", describe_controllers(s)});
  out.push_back({"pressure (PSI)", s.no_psi.empty() ? Text("readable") : Text("absent: ").append(s.no_psi.view())});
  out.push_back({"kernel BTF", s.btf ? "present (not needed)" : "absent (not needed)"});
  out.push_back({"tracefs", s.no_tracefs.empty() ? Text("readable") : Text("absent: ").append(s.no_tracefs.view())});
  out.push_back({"lockdown", s.lockdown.empty() ? std::string_view("not told") : s.lockdown.view()});
  out.push_back({"privileges", describe_privileges(s)});
}

}  // namespace hosa
