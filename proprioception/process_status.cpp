#include "proprioception/process_status.h"

#include <unistd.h>

#include "loader/sys/text.h"
#include "proprioception/kernel_text.h"
#include "proprioception/turn.h"

namespace hosa {

namespace {

// The text behind "Key:" at the start of a line.
std::string_view behind(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
      return trim(slice(line, key.size() + 1));
  }
  return {};
}

constexpr std::string_view kWatchdog = "WATCHDOG_USEC=";
constexpr std::size_t kMaxEnvironment = 256 * 1024;

}  // namespace

std::optional<ProcessStatus> parse_status(std::string_view text) {
  ProcessStatus status;
  std::string_view uids = behind(text, "Uid");  // real, effective, saved, file system
  take_word(uids);
  const auto uid = to_number<unsigned>(take_word(uids));
  if (!uid) return std::nullopt;
  status.uid = *uid;
  status.tracer = to_number<int>(behind(text, "TracerPid")).value_or(0);
  status.pending_signals =
      to_number(behind(text, "SigPnd"), 16).value_or(0) | to_number(behind(text, "ShdPnd"), 16).value_or(0);
  std::string_view swap = behind(text, "VmSwap");
  uint64_t bytes = 0;
  if (!__builtin_mul_overflow(to_number(take_word(swap)).value_or(0), uint64_t{1024}, &bytes))
    status.swap_bytes = bytes;
  return status;
}

Result<ProcessStatus> read_status(const Fd& proc, int pid) {
  char buffer[8192];  // 1.5 KB, and the list of supplementary groups
  let_others_run();
  const auto path = process_path(pid, "status");
  const auto text = read_file(proc.get(), path.c_str(), buffer);
  if (!text) return text.error();
  const auto status = parse_status(*text);
  if (!status) return make_error(0, "parse", path.view());
  return *status;
}

std::optional<CgroupPath> parse_cgroup_path(std::string_view line) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (!line.starts_with("0::/")) return std::nullopt;
  line.remove_prefix(3);
  if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
  const CgroupPath path(line);
  return path.cut() ? std::nullopt : std::optional<CgroupPath>(path);
}

std::optional<CgroupPath> read_cgroup_path(const Fd& proc, int pid) {
  let_others_run();
  const auto file = open_file(proc.get(), process_path(pid, "cgroup").c_str());
  if (!file) return std::nullopt;
  LineReader lines(file->get());
  while (const auto line = lines.next())
    if (const auto path = parse_cgroup_path(*line)) return path;
  return std::nullopt;
}

std::string_view v1_cpu_path(std::string_view cgroups) {
  while (!cgroups.empty()) {
    std::string_view path = take_line(cgroups);
    take_until(path, ':');
    std::string_view controllers = take_until(path, ':');
    while (!controllers.empty())
      if (take_until(controllers, ',') == "cpu") return path;
  }
  return {};
}

std::optional<uint64_t> read_watchdog_usec(const Fd& proc, int pid) {
  const auto file = open_file(proc.get(), process_path(pid, "environ").c_str());
  if (!file) return std::nullopt;
  char buffer[4096];
  std::size_t kept = 0;
  bool in_the_middle = false;  // buffer starts inside an entry longer than itself
  for (std::size_t total = 0; total < kMaxEnvironment;) {
    const ssize_t got = ::read(file->get(), buffer + kept, sizeof buffer - kept);
    if (got < 0) return std::nullopt;
    total += static_cast<std::size_t>(got);
    std::string_view rest(buffer, kept + static_cast<std::size_t>(got));
    while (!rest.empty() && (got == 0 || rest.find('\0') != std::string_view::npos)) {
      const std::string_view entry = take_until(rest, '\0');
      if (!in_the_middle && entry.starts_with(kWatchdog)) return to_number(slice(entry, kWatchdog.size()));
      in_the_middle = false;
    }
    if (got == 0) break;
    in_the_middle |= rest.size() == sizeof buffer;
    kept = rest.size() == sizeof buffer ? 0 : rest.size();
    std::memmove(buffer, rest.data(), kept);
  }
  return std::nullopt;
}

std::optional<int> read_oom_score_adj(const Fd& proc, int pid) {
  char buffer[32];
  const auto text = read_word(proc, process_path(pid, "oom_score_adj").c_str(), buffer);
  const auto value = text ? to_number<int>(*text) : std::nullopt;
  return value && *value >= -1000 && *value <= 1000 ? value : std::nullopt;
}

}  // namespace hosa
