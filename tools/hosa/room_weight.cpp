#include "tools/hosa/room_weight.h"

#include <unistd.h>

#include <algorithm>

#include "actuate/kernel_setting.h"
#include "actuate/undo.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::string_view kLowWeight = "1";
constexpr double kLookS = 0.5;  // a mate may be moved in

const Member* find(const Members& members, int pid) {
  const auto at =
      std::lower_bound(members.begin(), members.end(), pid, [](const Member& m, int key) { return m.pid < key; });
  return at != members.end() && at->pid == pid ? at : nullptr;
}

}  // namespace

bool all_in_room(const Fd& cgroup, const Members& when_named, uint64_t born_ticks, std::span<const ProcessRef> held) {
  const auto is_mate = [&](int pid) {
    const Member* const then = find(when_named, pid);
    const auto bore = [then](const ProcessRef& process) { return process.pid == then->parent; };
    return then != nullptr && (then->start_ticks < born_ticks || std::none_of(held.begin(), held.end(), bore));
  };
  static PidList outside;
  outside.clear();
  if (!read_procs(cgroup, outside)) return false;
  if (std::any_of(outside.begin(), outside.end(), is_mate)) return false;
  char buffer[2048];  // from 6.12 on two lines for each controller: 138 bytes with two of them, 900 with all
  const auto below = read_file(cgroup.get(), "cgroup.stat", buffer);
  return below && find_field(*below, "nr_descendants") == 1u;
}

// For a crowd only: it costs every task of the machine a move (7 ms there).
void RoomWeight::prepare(const HoldContext& c, const MemoryEpisode& e) {
  if (ready_ || !c.machine_settings || e.unit.is_tree() || e.now.size() <= Bucket::kCrowd) return;
  ready_ = true;  // or it cannot be: not asked for again
  ++c.crowds_ready;
  if (::faccessat(e.cgroup.get(), "cpu.weight", F_OK, 0) != 0) {
    const auto request = make_request(KeeperTask::switch_on, e.cgroup_id, e.path.view(), lease_ns(), "cpu");
    asked_id_ = c.keeper.ask(request).value_or(0u);
  }
  preempt_id_ = c.keeper.ask(make_request(KeeperTask::preempt, 0, "", lease_ns())).value_or(0u);
}

void RoomWeight::lower(const HoldContext& c, const MemoryEpisode& e) {
  const auto done = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::cpu_weight, kLowWeight, lease_ns());
  if (!done || !done->written) return;  // no cpu controller there, or lower already
  entry_ = done->entry;
  e.note(c, "act", "cpu.weight", done->old_value.view(), kLowWeight, "ok");
}

void RoomWeight::on_answer(const HoldContext& c, const MemoryEpisode& e, const KeeperAnswer& answer) {
  if (preempt_id_ != 0 && answer.id == preempt_id_ && answer.count > 0) {
    const bool ours = answer.task == KeeperTask::preempt;
    e.note(c, ours ? "insured" : "given_back", "preemption", "", ours ? kPreemption.ours : "", "ok");
  }
  if (asked_id_ == 0 || answer.id != asked_id_) return;
  asked_id_ = 0;
  e.note(c, "insured", "cgroup.subtree_control", "", "+cpu",
         answer.error == 0 ? "ok" : errno_name(answer.error).message);
}

void RoomWeight::restore(const HoldContext& c, const MemoryEpisode& e) {
  if (entry_ < 0) return;
  const auto was = c.journal.read(entry_);
  const Undone outcome = undo_entry(c.journal, entry_, c.roots);
  if (was) e.note(c, "given_back", "cpu.weight", was->ours.view(), was->old_value.view(), undone_name(outcome));
  entry_ = -1;
}

void RoomWeight::leave(const HoldContext& c) {
  if (!ready_) return;
  ready_ = false;
  if (--c.crowds_ready > 0) return;
  preempt_id_ = c.keeper.ask(make_request(KeeperTask::preempt_less, 0, "", lease_ns())).value_or(0u);
}

void RoomWeight::step(const HoldContext& c, const MemoryEpisode& e) {
  if (c.shadow || e.unit.is_tree() || e.means != MemoryMeans::room || c.moment.now_s - looked_s_ < kLookS) return;
  looked_s_ = c.moment.now_s;
  const bool held = all_in_room(e.cgroup, e.before, e.born_ticks, e.held.all());
  if (entry_ < 0) {
    if (held) lower(c, e);
  } else if (!held) {
    restore(c, e);
  } else if (keep_limit(c.journal, entry_, e.cgroup, rewrites_) == Kept::somebodys) {
    e.note(c, "changed", "cpu.weight", kLowWeight, "", "somebody else's value: left");
    entry_ = -1;
  }
}

}  // namespace hosa
