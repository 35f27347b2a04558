#include "proprioception/hardware_sensors.h"

#include <unistd.h>

#include <algorithm>

#include "loader/sys/fixed.h"
#include "loader/sys/text.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/sensors.h"

namespace hosa {

void add_node_memory(std::string_view text, double& available_bytes, double& total_bytes) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    take_word(line);  // Node
    take_word(line);  // its number
    const std::string_view key = take_word(line);
    const auto number = to_number(take_word(line));
    if (!number) continue;
    const double bytes = static_cast<double>(*number) * 1024;
    if (key == "MemTotal:") total_bytes += bytes;
    if (key == "MemFree:" || key == "Active(file):" || key == "Inactive(file):") available_bytes += bytes;
    if (key == "SReclaimable:") available_bytes += bytes / 2;
  }
}

void HardwareSensors::open(const Fd& proc, const Fd& sys, const Topology& topology) {
  topology_ = &topology;
  ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  board_ = Board::open(sys);
  if (topology.cache_groups > 1) stat_ = KernelText::open(proc, "stat");
  const NumaNodes& nodes = topology.nodes;
  real_nodes_ = nodes.real > 1 ? std::min(nodes.real, kMaxSensedNodes) : 0;
  for (unsigned i = 0; real_nodes_ > 0 && i < nodes.count; ++i) {
    FixedString<64> path("devices/system/node/node");
    path.append_unsigned(nodes.number[i]).append("/meminfo");
    nodes_[i] = KernelText::open(sys, path.c_str());
  }
}

void HardwareSensors::read_caches(Hardware& out) {
  out.cache_groups = stat_.present() ? topology_->cache_groups : 0;
  char buffer[kKernelTextBytes];
  const auto text = out.cache_groups > 0 ? stat_.read(buffer) : std::nullopt;
  if (!text) return;
  GroupTicks now[kMaxCacheGroups];
  add_busy_by_group(*text, topology_->cache_group, {now, out.cache_groups});
  for (unsigned i = 0; i < out.cache_groups; ++i) {
    Group& group = groups_[i];
    if (now[i].cpus == group.cpus && now[i].busy > group.seen) group.ticks += now[i].busy - group.seen;
    group.cpus = now[i].cpus;
    group.seen = now[i].busy;
    out.cache_cpus[i] = std::max(1u, group.cpus);
    out.cache_busy_seconds[i] = static_cast<double>(group.ticks) / ticks_per_second_;
  }
}

void HardwareSensors::read_nodes(Hardware& out) const {
  out.nodes = real_nodes_;
  double available[kMaxSensedNodes] = {}, total[kMaxSensedNodes] = {};
  bool named[kMaxSensedNodes] = {};
  char buffer[4096];
  for (unsigned i = 0; real_nodes_ > 0 && i < topology_->nodes.count; ++i) {
    const unsigned group = topology_->nodes.group[i];
    if (group >= real_nodes_) continue;
    if (!named[group]) out.first_node[group] = topology_->nodes.number[i];
    named[group] = true;
    if (const auto text = nodes_[i].read(buffer)) add_node_memory(*text, available[group], total[group]);
  }
  // A node without memory (only CPUs, or a device) is never short of it.
  for (unsigned i = 0; i < real_nodes_; ++i) out.node_available[i] = total[i] > 0 ? available[i] / total[i] : 1;
}

void HardwareSensors::read(Sample& sample, Hardware& out) {
  read_caches(out);
  read_nodes(out);
  constexpr uint64_t kBoardNs = 2'000'000'000;
  if (board_read_ns_ == 0 || sample.monotonic_ns - board_read_ns_ >= kBoardNs) {
    board_state_ = board_.read();
    board_read_ns_ = sample.monotonic_ns;
  }
  const auto put = [&sample](Signal signal, std::optional<double> value) {
    sample.value[static_cast<std::size_t>(signal)] = value.value_or(0);
    sample.present[static_cast<std::size_t>(signal)] = value.has_value();
  };
  put(Signal::board_celsius, board_state_.celsius);
  put(Signal::board_slowed, board_state_.slowed_share);
  put(Signal::board_undervoltage, board_state_.undervoltage);
}

}  // namespace hosa
