#include "proprioception/cgroup_files.h"

#include "loader/sys/text.h"
#include "proprioception/machine.h"
#include "proprioception/turn.h"

namespace hosa {

MemoryEvents parse_memory_events(std::string_view text) {
  MemoryEvents events;
  events.high = find_field(text, "high").value_or(0);
  events.max = find_field(text, "max").value_or(0);
  events.oom_kill = find_field(text, "oom_kill").value_or(0);
  return events;
}

std::optional<MemoryEvents> read_memory_events(const Fd& cgroup) {
  char buffer[512];
  const auto text = read_text(cgroup, "memory.events", buffer);
  if (!text) return std::nullopt;
  return parse_memory_events(*text);
}

std::optional<uint64_t> parse_limit(std::string_view text) {
  text = trim(text);
  return text == "max" ? UINT64_MAX : to_number(text);
}

std::optional<uint64_t> read_limit(const Fd& cgroup, const char* file) {
  char buffer[64];
  const auto text = read_word(cgroup, file, buffer);
  return text ? parse_limit(*text) : std::nullopt;
}

Headroom memory_headroom(const Fd& root, std::string_view path) {
  Headroom tightest;
  FixedString<kCgroupPathBytes> name(path);
  for (int steps = 0; steps <= kMaxCgroupDepth && name.size() > 1; ++steps) {
    if (const auto cgroup = open_directory(root.get(), name.c_str() + 1)) {
      const auto limit = read_limit(*cgroup, "memory.max");
      const CgroupUsage usage = limit && *limit != UINT64_MAX ? read_cgroup_usage(*cgroup) : CgroupUsage{};
      const uint64_t left = limit && *limit > usage.undroppable_bytes ? *limit - usage.undroppable_bytes : 0;
      if (usage.has_memory && left < tightest.bytes) tightest = {left, *limit, name};
    }
    const std::string_view whole = name.view();
    const FixedString<kCgroupPathBytes> above(slice(whole, 0, whole.rfind('/')));
    name = above;
  }
  return tightest;
}

Controllers parse_controllers(std::string_view text) {
  text = trim(text);
  return {has_word(text, "cpu"), has_word(text, "io"), has_word(text, "memory"), has_word(text, "pids")};
}

namespace {
Controllers read_list(const Fd& cgroup, const char* file) {
  char buffer[512];
  const auto text = read_word(cgroup, file, buffer);
  return text ? parse_controllers(*text) : Controllers{};
}
}  // namespace

Controllers read_controllers(const Fd& cgroup) {
  return read_list(cgroup, "cgroup.controllers");
}

Controllers read_subtree_control(const Fd& cgroup) {
  return read_list(cgroup, "cgroup.subtree_control");
}

Result<void> read_procs(const Fd& cgroup, PidList& pids) {
  pids.clear();
  let_others_run();
  const auto file = open_file(cgroup.get(), "cgroup.procs");
  if (!file) return file.error();
  char probe[1];
  if (const auto readable = read_at_start(file->get(), probe); !readable) return readable.error();
  LineReader lines(file->get());
  while (const auto line = lines.next()) {
    const auto pid = to_number<int>(trim(*line));
    if (!pid || *pid <= 0) continue;
    if (!pids.push_back(*pid)) return make_error(E2BIG, "list the processes of a cgroup");
  }
  return {};
}

std::optional<CgroupState> read_cgroup_state(const Fd& cgroup) {
  char buffer[256];
  const auto text = read_text(cgroup, "cgroup.events", buffer);
  if (!text) return std::nullopt;
  return CgroupState{find_field(*text, "populated").value_or(0) != 0, find_field(*text, "frozen").value_or(0) != 0};
}

}  // namespace hosa
