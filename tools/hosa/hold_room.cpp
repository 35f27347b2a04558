#include "tools/hosa/hold_room.h"

#include <algorithm>

#include "proprioception/kernel_stat.h"
#include "proprioception/kernel_text.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr int kMostRests = 4;
constexpr double kOwnShare = 0.7;  // the rest: page tables, and statm's lag (64 pages a thread up to 6.1)

// Who waits for a CPU when a crowd wakes up comes after all of it (6.1 places who wakes up before who waited: a request
// behind the thirty processes of a relay took 5 ms, sched_switch). So they are thawed when nobody waits.
void let_others_finish(const HoldContext& c) {
  char buffer[64];
  for (int i = 0; i < kMostRests; ++i) {
    rest_now();
    const auto text = read_text(*c.roots.proc, "loadavg", buffer);
    if (!text || parse_running_count(*text).value_or(0) <= c.online_cpus) return;
  }
}

}  // namespace

// Who grew since the look ahead, over the last part of the insurance, if that explains what the unit grew by since;
// else who grew since the onset. A relay's children that have what they wanted sleep, and harm nobody more; held with
// the others, each needed two turns on the CPU to end. Those that are held have not got it yet: each ends a thaw of 64
// KB by its next 16 KB, and twenty of them ended 1.6 to 4.7 s late (6.1, one CPU; a light crowd is thawed for more,
// bucket.h). What the look ahead does not know is who was handed what: growth that is in no process is not divided by
// it (by what each was handed in its life, a mate that had worked for a minute was a grower).
Growers HoldRoom::growers(const MemoryEpisode& e) const {
  const double recent = ahead_bytes_ >= 0 ? e.bytes - ahead_bytes_ : 0;
  const double own = recent > kLeastGrowthBytes ? own_growth(outside_, e.now) : 0;
  if (recent > kLeastGrowthBytes && own > kOwnShare * recent) return choose_growers(outside_, e.now, own);
  return choose_growers(e.before, e.now, std::max(e.bytes - e.bytes_at_begin, kLeastGrowthBytes));
}

// Level 3: the growers are chosen, offered to the OOM killer should it come to that, and sent to the room.
void HoldRoom::fill(const HoldContext& c, MemoryEpisode& e) {
  c.census.members(e.unit, c.handed.now(c.moment.now_s), e.now);
  const int free = c.guard.mark(e.now, e.unit.path.view(), c.census, c.moment.now_s);
  const Growers growers = this->growers(e);
  forget_look_ahead();
  looked_outside_s_ = 0;
  e.held.clear();
  if (growers.protected_share > 0.5 || growers.pids.empty()) {
    const char* why = growers.pids.empty() ? "nobody in it grows" : "a protected process grows";
    return e.note(c, "refused", "hold room", "", "", why);
  }
  for (const int pid : growers.pids) {
    const auto* member = std::find_if(e.now.begin(), e.now.end(), [pid](const Member& m) { return m.pid == pid; });
    if (member != e.now.end()) (void)e.held.add({pid, member->start_ticks});
  }
  if (static_cast<int>(e.held.size()) < free) e.held.shorten_freezes(1.0);  // mates may wait
  if (c.shadow) return e.note(c, "act", "room", "", "", "shadow");
  if (c.roots.cgroup == nullptr) return use_stop(c, e, "no cgroup v2 here");
  if (growers.too_many && free == static_cast<int>(e.now.size()) && !e.unit.is_tree()) return use_in_place(c, e);
  ask_for_room(c, e);
}

void HoldRoom::ask_for_room(const HoldContext& c, MemoryEpisode& e) {
  KeeperRequest request = make_request(KeeperTask::make_room, e.cgroup_id, e.path.view(), lease_ns());
  for (const ProcessRef& process : e.held.all()) request.pids[request.pid_count++] = process.pid;
  const auto asked = c.keeper.ask(request);
  if (!asked) return use_stop(c, e, "the keeper does not answer");
  asked_id_ = *asked;
  e.means = MemoryMeans::asked;
}

void HoldRoom::use_stop(const HoldContext& c, MemoryEpisode& e, const char* why) {
  e.means = MemoryMeans::stop;
  e.held.prepare(c, e.now);
  e.note(c, "act", "SIGSTOP", "", "", why);
}

void HoldRoom::use_in_place(const HoldContext& c, MemoryEpisode& e) {
  const auto standing = read_value(e.cgroup, CgroupFile::cgroup_freeze);
  JournalEntry entry;
  entry.kind = EntryKind::freeze_in_place;
  entry.file = CgroupFile::cgroup_freeze;
  entry.cgroup_id = e.cgroup_id;
  entry.path = e.path.view();
  entry.old_value = "0";
  entry.ours = "1";
  entry.deadline_ns = lease_ns();
  if (!standing || *standing != "0") return use_stop(c, e, "its cgroup was frozen before us");
  const auto index = c.journal.remember(entry);
  if (!index) return use_stop(c, e, "the journal is full");
  in_place_entry_ = *index;
  e.means = MemoryMeans::in_place;
  e.held.prepare(c, e.now);
  e.note(c, "act", "cgroup.freeze", "0", "1", "more than 64 grow: frozen in place");
}

void HoldRoom::on_answer(const HoldContext& c, MemoryEpisode& e, const KeeperAnswer& answer) {
  if (answer.id != asked_id_) return;
  asked_id_ = 0;
  if (answer.task == KeeperTask::close_room) {
    close_again_s_ = answer.error == EBUSY ? c.moment.now_s + 1 : -1;
    e.note(c, "given_back", "room", "hosa.hold", "", answer.error == 0 ? "ok" : errno_name(answer.error).message);
    return;
  }
  if (answer.task == KeeperTask::move_in) return;
  if (e.means != MemoryMeans::asked) return;
  auto room = answer.error == 0 ? Room::open(e.cgroup) : Result<Room>(make_error(answer.error, "make a hold room"));
  if (!room) return use_stop(c, e, errno_name(room.error().code).message);
  room_ = std::move(*room);
  id_ = cgroup_id(room_.directory()).value_or(0);
  e.means = MemoryMeans::room;
  FixedString<64> moved;
  moved.append_number(answer.count).append(" processes in ").append_unsigned(answer.took_us).append(" us");
  e.note(c, "act", "room", "", "hosa.hold", moved.c_str(), true);
}

void HoldRoom::pulse(const HoldContext& c, MemoryEpisode& e, Pulse what) {
  if (what == Pulse::none || c.shadow) return;
  const bool freeze = what == Pulse::freeze;
  if (freeze)
    frozen_s_ = c.moment.now_s;
  else if (e.held.is_crowd())
    let_others_finish(c);
  if (e.means == MemoryMeans::room) {
    if (freeze)
      (void)room_.freeze();
    else
      (void)room_.thaw();
  } else if (e.means == MemoryMeans::in_place) {
    (void)write_value(e.cgroup, CgroupFile::cgroup_freeze, freeze ? "1" : "0");
  } else if (e.means == MemoryMeans::stop) {
    end_turn();  // one by one, and each is looked at: no rests between them
    for (const ProcessRef& process : e.held.all()) {
      if (freeze)
        (void)stop_process(c.journal, *c.roots.proc, process, lease_ns());
      else
        continue_process(c.journal, *c.roots.proc, process);
    }
  }
}

void HoldRoom::close(const HoldContext& c, MemoryEpisode& e) {
  if (e.means == MemoryMeans::room && !e.held.has_cpu()) {
    static PidList inside;
    inside.clear();
    (void)room_.members(inside);
    e.held.adopt(c, inside);
    e.held.prepare(c, e.now);
  }
  (void)undo_processes(c.journal, c.roots, e.held.all(), e.cgroup);
  if (e.means == MemoryMeans::room || e.means == MemoryMeans::asked) {
    ask_to_close(c, e);
  } else if (e.means == MemoryMeans::in_place) {
    const Undone outcome = undo_entry(c.journal, in_place_entry_, c.roots);
    e.note(c, "given_back", "cgroup.freeze", "1", "0", undone_name(outcome));
  } else if (e.means == MemoryMeans::stop) {
    for (const ProcessRef& process : e.held.all()) continue_process(c.journal, *c.roots.proc, process);
    e.note(c, "given_back", "SIGSTOP", "", "", "ok");
  }
  e.means = MemoryMeans::none;
  room_ = Room{};
  in_place_entry_ = -1;
  e.held.clear();
}

void HoldRoom::ask_to_close(const HoldContext& c, const MemoryEpisode& e) {
  const auto asked = c.keeper.ask(make_request(KeeperTask::close_room, e.cgroup_id, e.path.view(), lease_ns()));
  if (asked) asked_id_ = *asked;
}

void HoldRoom::close_again(const HoldContext& c, MemoryEpisode& e) {
  if (close_again_s_ < 0 || c.moment.now_s < close_again_s_ || e.means != MemoryMeans::none) return;
  close_again_s_ = -1;
  ask_to_close(c, e);
}

void HoldRoom::forget() {
  close_again_s_ = -1;
  in_place_entry_ = -1;
  asked_id_ = 0;
}

}  // namespace hosa
