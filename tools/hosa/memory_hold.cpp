#include "tools/hosa/memory_hold.h"

#include <time.h>

#include <algorithm>
#include <limits>

#include "actuate/room_size.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/file_locks.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kLeaseS = 10;         // a lease is renewed each second by the agent; the keeper undoes what ran out
constexpr double kLookOutsideS = 0.2;  // holding.md 2
constexpr double kLookAfterS = 1.0, kFullReadS = 0.25, kLookPerMemberS = 0.03;
constexpr std::size_t kStatusPerTick = 4;
constexpr double kLetRunS = 1.0;  // a handled signal or a waited-for lock: this long without a freeze
constexpr double kOwnMebibyte = 1024 * 1024;
constexpr double kLeastQuotaBytes = 64 * 1024;  // the sensor's grain
constexpr int kMostRewrites = 5;                // S4: a value that went back to what it was is written again so often

ValueText page_aligned(double bytes, double page_bytes) {
  const auto page = static_cast<uint64_t>(page_bytes);
  ValueText text;
  text.append_unsigned(static_cast<uint64_t>(std::max(bytes, page_bytes)) / page * page);
  return text;
}

const char* means_name(MemoryHold::Means means) {
  constexpr const char* kNames[] = {"none", "asked", "hold room", "frozen in place", "SIGSTOP"};
  return kNames[static_cast<int>(means)];
}

}  // namespace

uint64_t MemoryHold::lease_ns() const {
  return clock_ns(CLOCK_BOOTTIME) + static_cast<uint64_t>(kLeaseS * 1e9);
}

double MemoryHold::wish_s() const {
  // Three quarters of the insurance are far away for a slow leak: no need to look ten times a second.
  if (holding_.stage() == Stage::insured) return holding_.used_share() > 0.5 ? 0.1 : 0.25;
  if (holding_.stage() != Stage::bucket) return 0.5;
  if (frozen()) return held_.size() > Bucket::kCrowd ? 0.1 : 0.05;
  // A crowd's thaw ends on time; otherwise the byte quota wakes the loop, and 10 ms is the fallback.
  const double left_s = holding_.bucket().crowd_until_s() - now_s_;
  return held_.size() > Bucket::kCrowd && left_s > 0 ? std::max(left_s, 0.0005) : 0.01;
}

void MemoryHold::note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
                      std::string_view new_value, const char* result, const Finding* finding) {
  JsonLine line = c.audit.line(event, holding_.level());
  line.text("action", action).text("target", cgroup_path_.view()).text("old", old_value).text("new", new_value);
  line.text("result", result);
  describe(line);
  if (finding != nullptr) {
    line.text("cause", cause_name(cause_));
    line.number("growth", finding->growth).number("growth_per_s", finding->growth_per_s);
    Audit::explain(line, c.moment, c.vector);
  }
  c.audit.write(line);
}

void MemoryHold::describe(JsonLine& line) const {
  line.open("culprit", '{');
  line.text("cgroup", unit_.path.view()).integer("pid", unit_.top_pid).integer("unit", static_cast<int64_t>(unit_.id));
  line.text("resource", "memory").number("share", finding_.share).number("runner_up", finding_.runner_up_share);
  line.close('}');
  line.text("stage", stage_name(holding_.stage())).text("means", means_name(means_));
  line.number("bytes", bytes_).number("insurance", holding_.insurance_bytes()).number("used", holding_.used_share());
  line.number("fill_per_s", holding_.fill_per_s()).number("seconds_to_failure", holding_.seconds_to_failure());
  line.integer("freezes", static_cast<int64_t>(holding_.bucket().freezes()));
  line.flag("frozen", frozen()).integer("held", static_cast<int64_t>(held_.size()));
}

// With the memory controller the kernel's numbers of the cgroup; without it the sum of its processes, and what the
// machine's shared and kernel memory grew by if that growth is its doing.
void MemoryHold::read_bytes(const HoldContext& c, Observation& o) {
  if (c.memory_controller && !unit_.is_tree()) {
    // memory.stat is 25 times dearer than memory.current; within a quarter second their difference hardly moves.
    if (holding_.stage() == Stage::bucket && o.now_s - full_read_s_ < kFullReadS) {
      const double now = meter_.read_current();
      o.gone = now < 0;
      o.current_bytes = now;
      o.bytes = bytes_ + now - current_;
      return;
    }
    full_read_s_ = o.now_s;
    const CgroupUsage usage = meter_.read_memory();
    o.bytes = static_cast<double>(usage.undroppable_bytes);
    o.current_bytes = static_cast<double>(usage.current_bytes);
    o.gone = !usage.has_memory;
    return;
  }
  c.census.members(unit_, {}, now_);
  double bytes = 0;
  for (const Member& member : now_) bytes += member.bytes;
  if (owns_unowned_) bytes += std::max(0.0, c.moment.unowned_bytes - unowned_at_begin_);
  o.bytes = o.current_bytes = bytes;
  o.gone = now_.empty();
}

Observation MemoryHold::observe(const HoldContext& c) {
  Observation o;
  o.now_s = now_s_ = c.moment.now_s;
  read_bytes(c, o);
  if (o.gone) o.bytes = bytes_, o.current_bytes = current_;
  bytes_ = o.bytes;
  current_ = o.current_bytes;
  RoomInputs room;
  room.mem_total = c.moment.total_bytes;
  room.mem_available = c.moment.available_bytes;
  room.limit_headroom = headroom_;
  room.room_option = c.room_option;
  room.grown_since_onset = o.bytes - bytes_at_begin_;
  o.room_bytes = room_bytes(room);
  o.available_bytes = c.room_option > 0 ? o.room_bytes + c.moment.reserve_bytes : c.moment.available_bytes;
  o.reserve_bytes = c.moment.reserve_bytes;
  o.has_line = has_line_;
  o.room_ready = means_ >= Means::room;
  o.warming = c.moment.verdict->warming;
  o.detector_agrees = c.moment.verdict->level >= 1 || c.moment.verdict->slope > 0;
  o.share = 1.0 / std::max(1, c.held_units);
  o.freeze = freeze_;
  o.freeze.crowd = held_.size() > Bucket::kCrowd;
  return o;
}

bool MemoryHold::begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause) {
  unit_ = unit;
  finding_ = finding;
  cause_ = cause;
  cgroup_path_ = unit.is_tree() ? FixedString<kCgroupPathBytes>("/") : unit.path;
  if (c.roots.cgroup != nullptr) {
    auto id = unit.is_tree() ? cgroup_id(*c.roots.cgroup) : Result<uint64_t>(unit.id);
    auto cgroup = id ? open_cgroup(*c.roots.cgroup, cgroup_path_.view(), *id) : Result<Fd>(id.error());
    if (!cgroup) return false;
    cgroup_ = std::move(*cgroup);
    cgroup_id_ = *id;
    meter_ = CgroupMeter::open(cgroup_);
    if (c.memory_controller && !unit.is_tree()) {
      const Headroom limit = memory_headroom(*c.roots.cgroup, cgroup_path_.view());
      headroom_ = limit.bytes == UINT64_MAX ? 1e18 : static_cast<double>(limit.bytes);
      if (limit.path == cgroup_path_.view() && headroom_ < (c.moment.available_bytes - c.moment.reserve_bytes) / 2) {
        note(c, "refused", "none", "", "", "it can only reach a memory.max of its own", &finding_);
        return false;
      }
    }
    const std::string_view guarded =
        unit.is_tree() ? "the root cgroup" : c.guard.reason_for_cgroup(cgroup_, unit.path.view());
    has_line_ = c.memory_controller && !unit.is_tree() && guarded.empty();
  }
  c.census.members(unit_, c.handed.now(c.moment.now_s), before_);
  unowned_at_begin_ = c.moment.unowned_bytes;
  double own = 0;
  for (const Member& member : before_) own += member.bytes;
  bytes_at_begin_ = own;
  // What the census counted beyond the processes' own memory was given to it: shared and kernel memory is its doing.
  const UnitUse* use = c.census.use_of(unit.id);
  owns_unowned_ = c.census.by_processes() && use != nullptr && use->bytes - own > finding.growth / 2;
  Observation o = observe(c);
  bytes_at_begin_ = o.bytes;
  o = observe(c);
  note(c, "culprit", "name", "", "", "named", &finding_);
  carry_out(c, holding_.insure(o));
  if (!has_line_) note(c, "insured", "watch", "", "", "no line can be set here: counted instead", &finding_);
  return true;
}

void MemoryHold::again(const HoldContext& c, const Finding& finding, Cause cause) {
  finding_ = finding;
  cause_ = cause;
  c.census.members(unit_, c.handed.now(c.moment.now_s), before_);
  unowned_at_begin_ = c.moment.unowned_bytes;
  carry_out(c, holding_.insure(observe(c)));
}

void MemoryHold::set_line(const HoldContext& c, double line_bytes) {
  const ValueText line = page_aligned(line_bytes, c.page_bytes);
  if (c.shadow) return note(c, "insured", "memory.high", "", line.view(), "shadow", &finding_);
  const CgroupRef cgroup{&cgroup_, cgroup_id_, cgroup_path_.view()};
  if (line_entry_ >= 0) {
    const auto done = rewrite_limit(c.journal, line_entry_, cgroup_, line.view());
    return note(c, "insured", "memory.high", "", line.view(), done ? "ok" : errno_name(done.error().code).message);
  }
  // Swap first: with swap the culprit goes on into it, and the line's write blocks for seconds (findings 0.3).
  char buffer[64];
  const auto in_swap = read_file(cgroup_.get(), "memory.swap.current", buffer);
  if (in_swap && swap_entry_ < 0) {
    const auto swap = apply_limit(c.journal, cgroup, CgroupFile::memory_swap_max, trim(*in_swap), lease_ns());
    if (swap && swap->written) {
      swap_entry_ = swap->entry;
      note(c, "insured", "memory.swap.max", swap->old_value.view(), swap->new_value.view(), "ok");
    }
  }
  const auto high = apply_limit(c.journal, cgroup, CgroupFile::memory_high, line.view(), lease_ns());
  if (high && high->written) line_entry_ = high->entry;
  const char* result = !high           ? errno_name(high.error().code).message
                       : high->written ? "ok"
                                       : "a stricter one stands there";
  note(c, "insured", "memory.high", high ? high->old_value.view() : std::string_view{}, line.view(), result, &finding_);
}

void MemoryHold::drop_line(const HoldContext& c) {
  for (int* entry : {&line_entry_, &swap_entry_}) {
    if (*entry < 0) continue;
    const auto was = c.journal.read(*entry);
    const Undone outcome = undo_entry(c.journal, *entry, c.roots);
    if (was) note(c, "given_back", file_name(was->file), was->ours.view(), was->old_value.view(), undone_name(outcome));
    *entry = -1;
  }
}

void MemoryHold::use_stop(const HoldContext& c, const char* why) {
  means_ = Means::stop;
  prepare(c);
  note(c, "act", "SIGSTOP", "", "", why);
}

void MemoryHold::use_in_place(const HoldContext& c) {
  const auto standing = read_value(cgroup_, CgroupFile::cgroup_freeze);
  JournalEntry entry;
  entry.kind = EntryKind::freeze_in_place;
  entry.file = CgroupFile::cgroup_freeze;
  entry.cgroup_id = cgroup_id_;
  entry.path = cgroup_path_.view();
  entry.old_value = "0";
  entry.ours = "1";
  entry.deadline_ns = lease_ns();
  if (!standing || *standing != "0") return use_stop(c, "its cgroup was frozen before us");
  const auto index = c.journal.remember(entry);
  if (!index) return use_stop(c, "the journal is full");
  in_place_entry_ = *index;
  means_ = Means::in_place;
  prepare(c);
  note(c, "act", "cgroup.freeze", "0", "1", "more than 64 grow: frozen in place");
}

void MemoryHold::freeze_limits_of(const HoldContext& c, int pid) {
  const auto watchdog = read_watchdog_usec(*c.roots.proc, pid);
  if (watchdog && *watchdog > 0) {
    freeze_.longest_s = std::min(freeze_.longest_s, static_cast<double>(*watchdog) * 1e-6 / 4);
  }
}

// The right victim, should it come to the OOM killer; and no claim to the CPU for the time it was
// frozen: thawed, a paced process catches up at full speed, and its neighbours waited 4-8 ms at each thaw (6.1, one
// CPU).
// It takes 3-5 ms a process there, so it is done while they are frozen.
void MemoryHold::prepare(const HoldContext& c) {
  for (const ProcessRef& process : unprepared_) {
    (void)offer_to_oom(c.journal, *c.roots.proc, process, lease_ns());
    (void)idle_threads(c.journal, *c.roots.proc, process, lease_ns());
    const auto now = read_process(*c.roots.proc, process.pid);
    if (now && owns_session(*c.roots.proc, now->session, now_, {held_.data(), held_.size()}))
      (void)lower_autogroup(c.journal, *c.roots.proc, process, lease_ns());
    let_others_run();
  }
  unprepared_.clear();
  for (const ProcessRef& process : gone_) c.journal.forget_process(process.pid, process.start_ticks);
  gone_.clear();
}

bool MemoryHold::is_held(int pid) const {
  return std::any_of(held_.begin(), held_.end(), [pid](const ProcessRef& p) { return p.pid == pid; });
}

// Level 3: the growers are chosen, offered to the OOM killer should it come to that, and sent to the room.
void MemoryHold::fill_room(const HoldContext& c) {
  c.census.members(unit_, c.handed.now(c.moment.now_s), now_);
  const int free = c.guard.mark(now_, unit_.path.view(), c.census);
  const Growers growers = choose_growers(before_, now_, std::max(bytes_ - bytes_at_begin_, kOwnMebibyte));
  held_.clear();
  unprepared_.clear();
  gone_.clear();
  if (growers.protected_share > 0.5 || growers.pids.empty()) {
    note(c, "refused", "hold room", "", "", growers.pids.empty() ? "nobody in it grows" : "a protected process grows");
    return;
  }
  freeze_ = FreezeLimits{};
  for (const int pid : growers.pids) {
    const Member* member = nullptr;
    for (const Member& m : now_) {
      if (m.pid == pid) member = &m;
    }
    if (member == nullptr) continue;
    held_.push_back({pid, member->start_ticks});
    freeze_limits_of(c, pid);
  }
  if (static_cast<int>(held_.size()) < free) freeze_.longest_s = std::min(freeze_.longest_s, 1.0);  // mates may wait
  if (c.shadow) return note(c, "act", "room", "", "", "shadow");
  unprepared_ = held_;
  if (c.roots.cgroup == nullptr) return use_stop(c, "no cgroup v2 here");
  if (growers.too_many && free == static_cast<int>(now_.size()) && !unit_.is_tree()) return use_in_place(c);
  KeeperRequest request = make_request(KeeperTask::make_room, cgroup_id_, cgroup_path_.view(), lease_ns());
  for (const ProcessRef& process : held_) request.pids[request.pid_count++] = process.pid;
  const auto asked = c.keeper.ask(request);
  if (!asked) return use_stop(c, "the keeper does not answer");
  asked_id_ = *asked;
  means_ = Means::asked;
}

void MemoryHold::on_answer(const HoldContext& c, const KeeperAnswer& answer) {
  if (answer.id != asked_id_) return;
  asked_id_ = 0;
  if (answer.task == KeeperTask::close_room) {
    closing_ = false;
    note(c, "given_back", "room", "hosa.hold", "", answer.error == 0 ? "ok" : errno_name(answer.error).message);
    return;
  }
  if (answer.task == KeeperTask::move_in) return;
  if (means_ != Means::asked) return;
  auto room = answer.error == 0 ? Room::open(cgroup_) : Result<Room>(make_error(answer.error, "make a hold room"));
  if (!room) return use_stop(c, errno_name(room.error().code).message);
  room_ = std::move(*room);
  room_id_ = cgroup_id(room_.directory()).value_or(0);
  means_ = Means::room;
  FixedString<64> moved;
  moved.append_number(answer.count).append(" processes in ").append_unsigned(answer.took_us).append(" us");
  note(c, "act", "room", "", "hosa.hold", moved.c_str(), &finding_);
}

void MemoryHold::pulse(const HoldContext& c, Pulse what) {
  if (what == Pulse::none || c.shadow) return;
  const bool freeze = what == Pulse::freeze;
  if (freeze) frozen_s_ = c.moment.now_s;
  if (means_ == Means::room) {
    if (freeze)
      (void)room_.freeze();
    else
      (void)room_.thaw();
  } else if (means_ == Means::in_place) {
    (void)write_value(cgroup_, CgroupFile::cgroup_freeze, freeze ? "1" : "0");
  } else if (means_ == Means::stop) {
    for (const ProcessRef& process : held_) {
      if (freeze)
        (void)stop_process(c.journal, *c.roots.proc, process, lease_ns());
      else
        continue_process(c.journal, *c.roots.proc, process);
    }
  }
}

void MemoryHold::close_room(const HoldContext& c) {
  if (means_ == Means::room) {
    static PidList inside;
    inside.clear();
    (void)room_.members(inside);
    adopt(c, inside);
    prepare(c);
  }
  (void)undo_processes(c.journal, c.roots, {held_.data(), held_.size()}, cgroup_);
  if (means_ == Means::room || means_ == Means::asked) {
    const auto asked = c.keeper.ask(make_request(KeeperTask::close_room, cgroup_id_, cgroup_path_.view(), lease_ns()));
    if (asked) asked_id_ = *asked, closing_ = true;
  } else if (means_ == Means::in_place) {
    const Undone outcome = undo_entry(c.journal, in_place_entry_, c.roots);
    note(c, "given_back", "cgroup.freeze", "1", "0", undone_name(outcome));
  } else if (means_ == Means::stop) {
    for (const ProcessRef& process : held_) continue_process(c.journal, *c.roots.proc, process);
    note(c, "given_back", "SIGSTOP", "", "", "ok");
  }
  means_ = Means::none;
  in_place_entry_ = -1;
  held_.clear();
}

void MemoryHold::carry_out(const HoldContext& c, const Orders& orders) {
  if (orders.set_line) set_line(c, orders.line_bytes);
  if (orders.open_room && c.ceiling >= 3) fill_room(c);
  // A room is left while still frozen: the keeper moves everybody out, and arriving is being thawed.
  if (!orders.close_room) pulse(c, orders.pulse);
  if (orders.close_room) close_room(c);
  if (orders.drop_line) drop_line(c);
}

// While the room is frozen: does growth now come from outside of it? Then its growers go in, too.
void MemoryHold::look_outside(const HoldContext& c) {
  // A look costs by the number of processes (0.4 ms each there), so a crowd is looked at less often.
  const double pace_s = std::max(kLookOutsideS, static_cast<double>(now_.size()) * kLookPerMemberS);
  if (means_ != Means::room || !frozen() || asked_id_ != 0 || c.moment.now_s - looked_outside_s_ < pace_s) return;
  const bool first = looked_outside_s_ == 0;
  looked_outside_s_ = c.moment.now_s;
  c.census.members(unit_, {}, now_);  // who was handed what costs 16 ms there, and is asked only below
  if (first) outside_ = now_;
  double growth = 0;
  for (const Member& member : now_) {
    const Member* then = find_member(outside_, member.pid, member.start_ticks);
    if (!member.held) growth += member.bytes - (then != nullptr ? then->bytes : 0);
  }
  if (growth < kOwnMebibyte) {
    if (growth < 0) outside_ = now_;
    return;
  }
  // Who is protected is asked only now: it means a look at everybody's status.
  c.census.members(unit_, c.handed.now(c.moment.now_s), now_);
  (void)c.guard.mark(now_, unit_.path.view(), c.census);
  move_in_too(c, choose_growers(outside_, now_, growth));
  outside_ = now_;
}

void MemoryHold::move_in_too(const HoldContext& c, const Growers& growers) {
  KeeperRequest request = make_request(KeeperTask::move_in, cgroup_id_, cgroup_path_.view(), lease_ns());
  for (const int pid : growers.pids) {
    const auto process = read_process(*c.roots.proc, pid);
    if (!process || !held_.push_back({pid, process->start_ticks})) continue;
    freeze_limits_of(c, pid);
    (void)unprepared_.push_back(held_.back());
    request.pids[request.pid_count++] = pid;
  }
  if (request.pid_count == 0) return;
  if (const auto asked = c.keeper.ask(request)) asked_id_ = *asked;
  note(c, "act", "room", "", "", "growth came from outside the room: its growers moved in");
}

// Who was born in the room is held, too. Who has gone is forgotten once its heirs are prepared, because its entries
// tell what they had before us. The first one's entries stay to the end: in a relay everybody else of the start may
// have gone.
void MemoryHold::adopt(const HoldContext& c, const PidList& inside) {
  std::size_t kept = 0;
  for (const ProcessRef& process : held_) {
    const auto now = read_process(*c.roots.proc, process.pid);
    if (kept == 0 || (now && now->start_ticks == process.start_ticks) || !gone_.push_back(process))
      held_[kept++] = process;
  }
  held_.resize_down(kept);
  for (const int pid : inside) {
    if (is_held(pid)) continue;
    const auto process = read_process(*c.roots.proc, pid);
    if (process && held_.push_back({pid, process->start_ticks})) (void)unprepared_.push_back(held_.back());
    let_others_run();
  }
}

// Frozen ones with a handled signal pending, or with somebody waiting behind a lock of theirs, are let run.
void MemoryHold::look_after_held(const HoldContext& c) {
  if (!frozen()) return;
  PidList& inside = inside_;
  if (means_ == Means::room) {
    if (members_read_s_ < frozen_s_) {  // nobody is born while they are frozen
      members_read_s_ = c.moment.now_s;
      inside.clear();
      (void)room_.members(inside);
      if (has_newcomers(inside)) adopt(c, inside);
      prepare(c);
    }
  } else {
    inside.clear();
    for (const ProcessRef& process : held_) inside.push_back(process.pid);
  }
  const auto is_inside = [&](int pid) { return std::find(inside.begin(), inside.end(), pid) != inside.end(); };
  // Four a tick: 64 status files are 40 ms on a 125 MIPS board.
  for (std::size_t i = 0; i < std::min<std::size_t>(inside.size(), kStatusPerTick); ++i) {
    const auto status = read_status(*c.roots.proc, inside[status_turn_++ % inside.size()]);
    let_others_run();
    if (status && status->asked_to_end()) return holding_.bucket().let_run_until(c.moment.now_s + kLetRunS);
  }
  // Reading /proc/locks waits for all CPUs (percpu_down_write, 11 ms), so it is worth it in a long freeze only.
  if (c.moment.now_s - std::max(locks_read_s_, frozen_s_) < kLookOutsideS) return;
  locks_read_s_ = c.moment.now_s;
  static LockWaits waits;
  waits.clear();
  if (!read_lock_waits(*c.roots.proc, waits)) return;
  for (const LockWait& wait : waits) {
    if (is_inside(wait.holder) && !is_inside(wait.waiter)) {
      return holding_.bucket().let_run_until(c.moment.now_s + kLetRunS / 4);
    }
  }
}

// S4, once a second: our values may have been set back (daemon-reload does that) or replaced by an administrator.
void MemoryHold::keep_ours(const HoldContext& c) {
  if (c.moment.now_s - looked_after_s_ < kLookAfterS) return;
  looked_after_s_ = c.moment.now_s;
  if (line_entry_ < 0) return;
  const auto entry = c.journal.read(line_entry_);
  const auto standing = read_value(cgroup_, CgroupFile::memory_high);
  if (!entry || !standing) return;
  const Owner owner = owner_of(*entry, standing->view());
  if (owner == Owner::ours) return;
  if (owner == Owner::before_us && rewritten_ < kMostRewrites) {
    ++rewritten_;
    const auto put = write_value(cgroup_, CgroupFile::memory_high, entry->ours.view());
    return note(c, "insured", "memory.high", standing->view(), entry->ours.view(), put ? "written again" : "failed");
  }
  c.journal.forget(line_entry_);
  line_entry_ = -1;
  has_line_ = false;
  note(c, "changed", "memory.high", entry->ours.view(), standing->view(), "somebody else's value: left");
}

void MemoryHold::step(const HoldContext& c) {
  if (holding_.stage() == Stage::done) return;
  const Stage before = holding_.stage();
  const int level_before = holding_.level();
  if (holding_.stage() == Stage::bucket) look_after_held(c);
  const Orders orders = holding_.step(observe(c));
  if (holding_.stage() != before || holding_.level() != level_before) {
    const char* event = holding_.level() >= 3 ? "act" : before == Stage::bucket ? "given_back" : "level";
    note(c, event, stage_name(holding_.stage()), stage_name(before), stage_name(holding_.stage()), "ok", &finding_);
  }
  carry_out(c, orders);
  if (holding_.stage() == Stage::bucket) look_outside(c);
  if (holding_.stage() == Stage::bucket || holding_.stage() == Stage::insured) keep_ours(c);
  arm_quota(c);
  // Pulses are not decisions: a summary each 10 s.
  if (holding_.bucket().freezes() != told_freezes_ && c.moment.now_s - told_s_ >= 10) {
    told_s_ = c.moment.now_s;
    told_freezes_ = holding_.bucket().freezes();
    note(c, "bucket", "cgroup.freeze", "", "", "pulses");
  }
}

// While its culprit runs under the bucket, the byte sensor wakes the loop when the tokens are used up: polling each
// 10 ms alone let thirty processes of a relay run for 30-70 ms on one CPU.
void MemoryHold::arm_quota(const HoldContext& c) {
  const bool wanted = holding_.stage() == Stage::bucket && means_ == Means::room && !frozen() && !c.shadow;
  if (wanted)
    c.kernel.arm_quota(quota_slot_, room_id_,
                       static_cast<uint64_t>(std::max(holding_.bucket().tokens(), kLeastQuotaBytes)));
  else if (quota_armed_)
    c.kernel.drop_quota(quota_slot_);
  quota_armed_ = wanted;
}

void MemoryHold::release(const HoldContext& c, const char* why) {
  if (holding_.stage() != Stage::insured && holding_.stage() != Stage::bucket) return;
  carry_out(c, holding_.release(c.moment.now_s));
  arm_quota(c);
  note(c, "given_back", "all", "", "", why);
}

void MemoryHold::forget_everything(double now_s) {
  (void)holding_.release(now_s);
  means_ = Means::none;
  line_entry_ = swap_entry_ = in_place_entry_ = -1;
  held_.clear();
  asked_id_ = 0;
}

}  // namespace hosa
