#include "proprioception/process.h"

#include <unistd.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/turn.h"

namespace hosa {

namespace {

// A stat line is below 400 bytes; the comm is at most 64 (kernel threads of workqueues are shown longer than 15).
constexpr std::size_t kStatBytes = 1024;

// The words behind the comm; word 3 is the state, as proc(5) counts.
constexpr int kFirstWord = 3, kLastWord = 24;

struct Words {
  std::string_view word[kLastWord + 1];
};

template <class Integer>
bool take(const Words& words, int number, Integer& out) {
  const auto value = to_number<Integer>(words.word[number]);
  if (value) out = *value;
  return value.has_value();
}

// stat and statm come whole in one pread (fs/seq_file.c, single_open, less than a page): no second one to see the end.
Result<std::string_view> read_once(int fd, std::span<char> buffer) {
  const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), 0);
  if (got < 0) return errno_error("read a process's file");
  return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

Result<ProcessInfo> from_stat(int stat) {
  char buffer[kStatBytes];
  const auto text = read_once(stat, buffer);
  if (!text) return text.error();
  auto process = parse_process_stat(*text);
  if (!process) return make_error(text->empty() ? ESRCH : 0, "parse the stat of a process", slice(*text, 0, 40));
  return *process;
}

void add_statm(int statm, ProcessInfo& process) {
  char buffer[kStatBytes];
  if (const auto sizes = read_once(statm, buffer)) parse_statm(*sizes, process);
}

}  // namespace

FixedString<64> process_path(int pid, const char* file) {
  FixedString<64> path;
  path.append_number(pid).append("/").append(file);
  return path;
}

std::optional<ProcessInfo> parse_process_stat(std::string_view text) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessInfo process;
  const auto pid = to_number<int>(trim(slice(text, 0, open)));
  if (!pid || *pid <= 0) return std::nullopt;
  process.pid = *pid;
  process.comm.append(slice(text, open + 1, close - open - 1));
  std::string_view rest = slice(text, close + 1);
  Words words;
  for (int i = kFirstWord; i <= kLastWord; ++i) words.word[i] = take_word(rest);
  if (words.word[3].size() != 1) return std::nullopt;
  process.state = words.word[3].front();
  uint64_t user = 0, system = 0;
  const bool good = take(words, 4, process.parent) && take(words, 6, process.session) &&
                    take(words, 7, process.terminal) && take(words, 9, process.flags) &&
                    take(words, 12, process.major_faults) && take(words, 14, user) && take(words, 15, system) &&
                    take(words, 19, process.nice) && take(words, 20, process.threads) &&
                    take(words, 22, process.start_ticks) && take(words, 24, process.stat_rss_pages);
  // The last word must be followed by more: a line cut inside field 24 would give another size.
  if (!good || rest.empty() || __builtin_add_overflow(user, system, &process.cpu_ticks)) return std::nullopt;
  return process;
}

bool parse_statm(std::string_view text, ProcessInfo& process) {
  take_word(text);
  const auto resident = to_number(take_word(text)), shared = to_number(take_word(text));
  if (!resident || !shared) return false;
  process.rss_pages = *resident;
  process.shared_pages = *shared;
  return true;
}

Result<ProcessInfo> read_process_stat(const Fd& proc, int pid) {
  let_others_run();
  const auto stat = open_file(proc.get(), process_path(pid, "stat").c_str());
  if (!stat) return stat.error();
  return from_stat(stat->get());
}

Result<ProcessInfo> read_process(const Fd& proc, int pid, std::span<const ProcessSizes> earlier) {
  auto process = read_process_stat(proc, pid);  // 0.25 ms on a 125 MIPS board, as statm is
  if (!process || process->kernel_thread()) return process;
  const auto known = std::lower_bound(earlier.begin(), earlier.end(), pid,
                                      [](const ProcessSizes& sizes, int wanted) { return sizes.pid < wanted; });
  if (known != earlier.end() && known->pid == pid && known->start_ticks == process->start_ticks &&
      known->stat_rss_pages == process->stat_rss_pages) {
    process->rss_pages = known->rss_pages;
    process->shared_pages = known->shared_pages;
    return process;
  }
  let_others_run();
  const auto statm = open_file(proc.get(), process_path(pid, "statm").c_str());
  if (statm) add_statm(statm->get(), *process);
  return process;
}

Result<ProcessMeter> ProcessMeter::open(const Fd& proc, int pid) {
  auto stat = open_file(proc.get(), process_path(pid, "stat").c_str());
  if (!stat) return stat.error();
  auto statm = open_file(proc.get(), process_path(pid, "statm").c_str());
  ProcessMeter meter;
  meter.stat_ = std::move(*stat);
  if (statm) meter.statm_ = std::move(*statm);
  return Result<ProcessMeter>(std::move(meter));
}

Result<ProcessInfo> ProcessMeter::read() const {
  auto process = from_stat(stat_.get());
  if (process && statm_ && !process->kernel_thread()) add_statm(statm_.get(), *process);
  return process;
}

}  // namespace hosa
