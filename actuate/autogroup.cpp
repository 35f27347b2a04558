#include "actuate/autogroup.h"

#include <algorithm>

#include "actuate/room.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/process.h"
#include "proprioception/process_status.h"

namespace hosa {
namespace {

constexpr std::string_view kLowest = "19";

// What the autogroup had before us, if another of its processes is in the journal already.
std::optional<ValueText> before_us(const Journal& journal, int number) {
  for (int i = 0; i < Journal::capacity(); ++i) {
    if (!journal.is_of(i, EntryKind::autogroup, number)) continue;
    if (const auto entry = journal.read(i)) return entry->old_value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Autogroup> parse_autogroup(std::string_view text) {
  constexpr std::string_view kName = "/autogroup-";
  if (!text.starts_with(kName)) return std::nullopt;
  text.remove_prefix(kName.size());
  const auto number = to_number<int>(take_word(text));
  if (!number || *number < 0 || take_word(text) != "nice") return std::nullopt;
  const auto nice = to_number<int>(take_word(text));
  if (!nice || *nice < -20 || *nice > 19) return std::nullopt;
  return Autogroup{*number, *nice};
}

std::optional<Autogroup> read_autogroup(const Fd& proc, int pid) {
  char buffer[64];
  const auto text = read_file(proc.get(), process_path(pid, "autogroup").c_str(), buffer);
  return text ? parse_autogroup(*text) : std::nullopt;
}

bool outside_cpu_cgroups(std::string_view cgroups) {
  if (const auto path = v1_cpu_path(cgroups); !path.empty()) return path == "/";
  bool outside = true;
  while (!cgroups.empty()) {
    std::string_view path = take_line(cgroups);
    take_until(path, ':');
    if (take_until(path, ':').empty()) outside = path == "/" || (path.starts_with('/') && slice(path, 1) == kRoomName);
  }
  return outside;
}

bool autogroup_counts(const Fd& proc, int pid) {
  char buffer[4096];
  const auto enabled = read_file(proc.get(), "sys/kernel/sched_autogroup_enabled", buffer);
  if (!enabled || trim(*enabled) != "1") return false;
  const auto cgroups = read_file(proc.get(), process_path(pid, "cgroup").c_str(), buffer);
  return cgroups && outside_cpu_cgroups(*cgroups);
}

bool owns_session(const Fd& proc, int session, const Members& members, std::span<const ProcessRef> ours) {
  const auto is_ours = [&](int pid) {
    return std::any_of(ours.begin(), ours.end(), [pid](const ProcessRef& p) { return p.pid == pid; });
  };
  if (session <= 0) return false;
  for (const Member& member : members) {
    if (member.session == session && !is_ours(member.pid)) return false;
  }
  if (is_ours(session)) return true;
  const auto leader = read_process(proc, session);
  return !leader || leader->session != session;
}

Result<bool> lower_autogroup(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns) {
  const auto standing = read_autogroup(proc, process.pid);
  if (!standing) return false;
  if (journal.find_process(EntryKind::autogroup, process.pid, standing->number, process.start_ticks) >= 0) return false;
  const auto now = read_process(proc, process.pid);
  if (!now || now->start_ticks != process.start_ticks) return make_error(ESRCH, "lower the autogroup");
  const auto before = before_us(journal, standing->number);
  if (!before && standing->nice == 19) return false;
  JournalEntry change;
  change.kind = EntryKind::autogroup;
  change.pid = process.pid;
  change.tid = standing->number;
  change.start_ticks = process.start_ticks;
  change.deadline_ns = deadline_ns;
  if (before)
    change.old_value = *before;
  else
    change.old_value.append_number(standing->nice);
  change.ours = kLowest;
  const auto index = journal.remember(change);
  if (!index) return index.error();
  if (standing->nice == 19) return true;
  const auto put = write_file(proc.get(), process_path(process.pid, "autogroup").c_str(), kLowest);
  if (put) return true;
  journal.forget(*index);
  return put.error();
}

}  // namespace hosa
