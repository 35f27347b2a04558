#include "proprioception/kernel_stat.h"

#include "loader/sys/text.h"

namespace hosa {

namespace {

std::optional<CpuTicks> parse_cpu(std::string_view numbers) {
  CpuTicks cpu;
  uint64_t* const fields[] = {&cpu.user,   &cpu.nice, &cpu.system,  &cpu.idle,
                              &cpu.iowait, &cpu.irq,  &cpu.softirq, &cpu.steal};
  for (uint64_t* field : fields) {
    const auto value = to_number(take_word(numbers));
    // 2^60 ticks are 365 million years: nothing real is above, and sums of eight cannot overflow.
    if (!value || *value >> 60 != 0) return std::nullopt;
    *field = *value;
  }
  return cpu;
}

}  // namespace

KernelStat parse_kernel_stat(std::string_view text) {
  KernelStat out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view key = take_word(line);
    if (key == "cpu") out.cpu = parse_cpu(line);
    if (key == "ctxt") out.context_switches = to_number(take_word(line));
    if (key == "intr") out.interrupts = to_number(take_word(line));
    if (key == "processes") out.forks = to_number(take_word(line));
    if (key == "procs_running") out.procs_running = to_number(take_word(line));
    if (key == "procs_blocked") out.procs_blocked = to_number(take_word(line));
  }
  return out;
}

void add_busy_by_group(std::string_view text, std::span<const uint8_t> group, std::span<GroupTicks> out) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view key = take_word(line);
    if (!key.starts_with("cpu")) return;  // these lines stand first
    const auto number = to_number<unsigned>(slice(key, 3));
    if (!number || *number >= group.size() || group[*number] >= out.size()) continue;
    const auto cpu = parse_cpu(line);
    if (!cpu) continue;
    out[group[*number]].busy += cpu->busy();
    ++out[group[*number]].cpus;
  }
}

std::optional<uint64_t> parse_task_count(std::string_view loadavg) {
  for (int average = 0; average < 3; ++average) take_word(loadavg);
  std::string_view both = take_word(loadavg);
  take_until(both, '/');
  return to_number(both);
}

std::optional<uint64_t> parse_running_count(std::string_view loadavg) {
  for (int average = 0; average < 3; ++average) take_word(loadavg);
  std::string_view both = take_word(loadavg);
  return to_number(take_until(both, '/'));
}

OpenFiles parse_file_nr(std::string_view text) {
  OpenFiles out;
  out.open = to_number(take_word(text));
  take_word(text);
  out.most = to_number(take_word(text));
  return out;
}

}  // namespace hosa
