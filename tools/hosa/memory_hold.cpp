#include "tools/hosa/memory_hold.h"

#include <algorithm>

#include "actuate/room_size.h"
#include "proprioception/turn.h"
#include "tools/hosa/size_key.h"

namespace hosa {
namespace {

constexpr double kFullReadS = 0.25;
constexpr double kNamedWithinS = 5;             // of the onset of what makes new processes
constexpr double kLeastQuotaBytes = 64 * 1024;  // the sensor's grain

}  // namespace

double MemoryHold::wish_s() const {
  // Three quarters of the insurance are far away for a slow leak: no need to look ten times a second.
  if (e_.is(Stage::insured)) return likely_held() ? 0.1 : 0.25;
  if (!e_.is(Stage::bucket)) return 0.5;
  // A pulse ends on time. Meanwhile the held are looked after five times a second (a signal may wait for them), and
  // what runs is watched by the byte quota, with a look each 10 ms to fall back on.
  const double left_s = e_.holding.bucket().next_s(e_.holding.fill_per_s(), freeze_limits()) - now_s_;
  if (e_.frozen()) return std::clamp(left_s, 0.001, 0.2);
  return left_s > 0 ? std::max(left_s, 0.0005) : 0.01;
}

FreezeLimits MemoryHold::freeze_limits() const {
  FreezeLimits limits = e_.held.limits();
  limits.watched = quota_armed_;
  return limits;
}

// With the memory controller the kernel's numbers of the cgroup; without it the sum of its processes, and what the
// machine's shared and kernel memory grew by if that growth is its doing.
void MemoryHold::read_bytes(const HoldContext& c, Observation& o) {
  if (c.memory_controller && !e_.unit.is_tree()) {
    // memory.stat is 25 times dearer than memory.current; within a quarter second their difference hardly moves.
    if (e_.is(Stage::bucket) && o.now_s - full_read_s_ < kFullReadS) {
      const double now = meter_.read_current();
      o.gone = now < 0;
      o.current_bytes = now;
      o.bytes = e_.bytes + now - current_;
      return;
    }
    full_read_s_ = o.now_s;
    let_others_run();  // memory.stat is half a millisecond of a 125 MIPS board by itself
    const CgroupUsage usage = meter_.read_memory();
    let_others_run();
    o.bytes = static_cast<double>(usage.undroppable_bytes);
    o.current_bytes = static_cast<double>(usage.current_bytes);
    o.gone = !usage.has_memory;
    return;
  }
  // A crowd that has used up its quota is frozen before it is counted: what it was handed is known, and seventeen
  // processes are 5 ms of a 125 MIPS board in which nobody else runs.
  const auto used = [&] { return quota_armed_ && e_.held.is_crowd() && c.kernel.quota_used(quota_slot_); };
  if (!used()) (void)c.census.glance(e_.unit, e_.now);
  if (used()) {  // maybe in the middle of the count
    o.bytes = o.current_bytes = e_.bytes + static_cast<double>(crowd_bytes());
    return;
  }
  double bytes = 0;
  for (const Member& member : e_.now) bytes += member.bytes;
  const UnownedBytes& unowned = c.moment.unowned;
  if (owns_shared_) bytes += std::max(0.0, unowned.shared - unowned_at_begin_.shared);
  if (owns_kernel_) bytes += std::max(0.0, unowned.kernel - unowned_at_begin_.kernel);
  o.bytes = o.current_bytes = bytes;
  o.gone = e_.now.empty();
}

Observation MemoryHold::observe(const HoldContext& c) {
  Observation o;
  o.now_s = now_s_ = c.moment.now_s;
  read_bytes(c, o);
  if (o.gone) o.bytes = e_.bytes, o.current_bytes = current_;
  e_.bytes = o.bytes;
  current_ = o.current_bytes;
  RoomInputs room;
  room.mem_total = c.moment.total_bytes;
  room.mem_available = c.moment.available_bytes;
  room.limit_headroom = headroom_;
  room.room_option = c.room_option;
  room.grown_since_onset = o.bytes - e_.bytes_at_begin;
  o.room_bytes = room_bytes(room);
  o.available_bytes = c.room_option > 0 ? o.room_bytes + c.moment.reserve_bytes : c.moment.available_bytes;
  o.reserve_bytes = c.moment.reserve_bytes;
  o.known_bytes = known_bytes_;
  o.quarter_bytes = (c.room_option > 0 ? c.room_option : c.moment.total_bytes) / 4;
  o.has_line = line_.possible();
  o.room_ready = e_.means >= MemoryMeans::room;
  o.warming = c.moment.verdict->warming;
  // Of a room set by hand, 64 MB of 24 GB, the machine's score knows nothing: one demo in four held nobody (D 8.8).
  o.detector_agrees = c.room_option > 0 || c.moment.verdict->level >= 1 || c.moment.verdict->slope > 0;
  o.share = 1.0 / std::max(1, c.held_units);
  o.freeze = freeze_limits();
  o.freeze.quota_used = quota_armed_ && c.kernel.quota_used(quota_slot_);
  return o;
}

// False: it has gone, or it can harm nobody but itself.
bool MemoryHold::open_cgroup_of(const HoldContext& c, const Unit& unit) {
  auto id = unit.is_tree() ? cgroup_id(*c.roots.cgroup) : Result<uint64_t>(unit.id);
  auto cgroup = id ? open_cgroup(*c.roots.cgroup, e_.path.view(), *id) : Result<Fd>(id.error());
  if (!cgroup) return false;
  e_.cgroup = std::move(*cgroup);
  e_.cgroup_id = *id;
  meter_ = CgroupMeter::open(e_.cgroup);
  if (!c.memory_controller || unit.is_tree()) return true;
  const Headroom limit = memory_headroom(*c.roots.cgroup, e_.path.view());
  headroom_ = limit.bytes == UINT64_MAX ? 1e18 : static_cast<double>(limit.bytes);
  if (limit.path == e_.path.view() && headroom_ < (c.moment.available_bytes - c.moment.reserve_bytes) / 2) {
    e_.note(c, "refused", "none", "", "", "it can only reach a memory.max of its own", true);
    return false;
  }
  line_.allow(c.guard.reason_for_cgroup(e_.cgroup, unit.path.view()).empty());
  return true;
}

// Who is in it, and what each uses, before it grows on.
void MemoryHold::note_onset(const HoldContext& c) {
  room_.forget_look_ahead();
  c.census.members(e_.unit, c.handed.now(c.moment.now_s), e_.before);
  e_.born_ticks = static_cast<uint64_t>((c.moment.boot_s - kNamedWithinS) * kTicksPerSecond);
  unowned_at_begin_ = c.moment.unowned;
  const uint64_t key = size_key(e_.unit, e_.before, c.proc, c.guard);
  known_bytes_ = key != 0 ? c.known_sizes.bytes_of(key) : 0;
}

bool MemoryHold::begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause) {
  e_.unit = unit;
  e_.finding = finding;
  e_.cause = cause;
  e_.path = unit.is_tree() ? FixedString<kCgroupPathBytes>("/") : unit.path;
  if (c.roots.cgroup != nullptr && !open_cgroup_of(c, unit)) return false;
  note_onset(c);
  double own = 0;
  for (const Member& member : e_.before) own += member.bytes;
  e_.bytes_at_begin = own;
  // Each kind by itself: who forks takes pages of the kernel, whose figure swings by tens of megabytes; with both kinds
  // at once another one's file in tmpfs was counted as its (test/cli/shared.sh beside six hogs, one time in seven). And
  // most of that kind: pages copied on write after a fork are handed out as a file's are.
  const bool outside = finding.shared_growth + finding.kernel_growth > finding.growth / 2;
  owns_shared_ = outside && finding.most_of_shared && finding.shared_growth > finding.growth / 4;
  owns_kernel_ = outside && finding.most_of_kernel && finding.kernel_growth > finding.growth / 4;
  Observation o = observe(c);
  e_.bytes_at_begin = o.bytes;
  o = observe(c);
  const Orders orders = e_.holding.insure(o);
  e_.note(c, "culprit", "name", "", "", "named", true);
  carry_out(c, orders);
  if (!line_.possible()) e_.note(c, "insured", "watch", "", "", "no line can be set here: counted instead", true);
  return true;
}

void MemoryHold::again(const HoldContext& c, const Finding& finding, Cause cause) {
  e_.finding = finding;
  e_.cause = cause;
  note_onset(c);
  carry_out(c, e_.holding.insure(observe(c)));
}

void MemoryHold::carry_out(const HoldContext& c, const Orders& orders) {
  if (orders.set_line) line_.set(c, e_, orders.line_bytes);
  if (orders.open_room && c.ceiling >= 3) room_.fill(c, e_);
  if (!orders.close_room) room_.pulse(c, e_, orders.pulse);
  if (orders.give_cpu && !e_.held.has_cpu()) {
    e_.held.give_cpu(c, e_.cgroup);
    weight_.restore(c, e_), shares_.note(c, e_, shares_.restore(c));
  }
  if (orders.close_room) room_.close(c, e_), weight_.restore(c, e_), shares_.note(c, e_, shares_.restore(c));
  if (orders.drop_line) line_.drop(c, e_), weight_.leave(c);
}

void MemoryHold::step(const HoldContext& c) {
  if (e_.is(Stage::done)) return;
  const Stage before = e_.holding.stage();
  const int level_before = e_.holding.level();
  room_.close_again(c, e_);
  if (e_.is(Stage::insured)) room_.look_ahead(c, e_);
  if (likely_held()) weight_.prepare(c, e_);
  if (e_.is(Stage::bucket)) room_.look_after(c, e_);
  const Orders orders = e_.holding.step(observe(c));
  if (e_.holding.stage() != before || e_.holding.level() != level_before) {
    const char* event = e_.holding.level() >= 3 ? "act" : before == Stage::bucket ? "given_back" : "level";
    e_.note(c, event, stage_name(e_.holding.stage()), stage_name(before), stage_name(e_.holding.stage()), "ok", true);
  }
  carry_out(c, orders);
  if (e_.is(Stage::bucket)) {
    room_.look_outside(c, e_);
    if (!e_.held.has_cpu()) weight_.step(c, e_), keep_shares(c);
  }
  if (e_.is(Stage::bucket) || e_.is(Stage::insured)) line_.keep(c, e_);
  arm_quota(c);
  if (e_.is(Stage::done)) close_files();
  // Pulses are not decisions: a summary each 10 s.
  if (e_.holding.bucket().freezes() != told_freezes_ && c.moment.now_s - told_s_ >= 10) {
    told_s_ = c.moment.now_s;
    told_freezes_ = e_.holding.bucket().freezes();
    e_.note(c, "bucket", "cgroup.freeze", "", "", "pulses");
  }
}

void MemoryHold::keep_shares(const HoldContext& c) {
  if (c.roots.cpu_v1 == nullptr) return;
  static PidList pids;
  pids.clear();
  for (const ProcessRef& process : e_.held.all()) (void)pids.push_back(process.pid);
  std::sort(pids.begin(), pids.end());
  shares_.note(c, e_, shares_.step(c, {pids.data(), pids.size()}, e_.born_ticks));
}

void MemoryHold::close_files() {
  e_.cgroup.reset();
  meter_ = CgroupMeter{};
}

// While its culprit runs under the bucket, the byte sensor wakes the loop when the tokens are used up: polling each
// 10 ms alone let thirty processes of a relay run for 30-70 ms on one CPU. Of processes that are held by SIGSTOP it
// watches one that is alone.
void MemoryHold::arm_quota(const HoldContext& c) {
  const bool one = e_.means == MemoryMeans::stop && e_.held.size() == 1;
  const bool wanted = e_.is(Stage::bucket) && (e_.means == MemoryMeans::room || one) && !e_.frozen() && !c.shadow;
  if (wanted && e_.held.is_crowd()) {
    if (!quota_armed_ || c.kernel.quota_used(quota_slot_))
      quota_armed_ = c.kernel.arm_quota(quota_slot_, room_.id(), crowd_bytes());
    return;
  }
  const auto left = static_cast<uint64_t>(std::max(e_.holding.bucket().tokens(), kLeastQuotaBytes));
  if (wanted && one)
    c.kernel.arm_process_quota(quota_slot_, static_cast<uint32_t>(e_.held.all()[0].pid), left);
  else if (wanted)
    c.kernel.arm_quota(quota_slot_, room_.id(), left);
  else if (quota_armed_)
    c.kernel.drop_quota(quota_slot_);
  quota_armed_ = wanted;
}

void MemoryHold::release(const HoldContext& c, const char* why) {
  if (!e_.is(Stage::insured) && !e_.is(Stage::bucket)) return;
  carry_out(c, e_.holding.release(c.moment.now_s));
  arm_quota(c);
  e_.note(c, "given_back", "all", "", "", why);
}

void MemoryHold::forget_everything(double now_s) {
  // One that holds nobody stays vacant: 16 that watch nobody for a minute would leave no place for the next culprit.
  if (e_.holding.level() > 0) (void)e_.holding.release(now_s);
  e_.means = MemoryMeans::none;
  e_.held.clear();
  line_.forget();
  room_.forget();
  weight_.forget();
  shares_.forget();
}

}  // namespace hosa
