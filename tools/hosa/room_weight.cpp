#include "tools/hosa/room_weight.h"

#include "actuate/limit.h"
#include "actuate/undo.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::string_view kLowWeight = "1";
constexpr double kLookS = 0.5;  // a mate may be born outside of the room

}  // namespace

bool all_in_room(const Fd& cgroup) {
  char buffer[128];
  const auto outside = read_file(cgroup.get(), "cgroup.procs", buffer);
  if (!outside || !trim(*outside).empty()) return false;
  const auto below = read_file(cgroup.get(), "cgroup.stat", buffer);
  return below && find_field(*below, "nr_descendants") == 1u;
}

void RoomWeight::note(const HoldContext& c, const char* event, std::string_view path, std::string_view old_value,
                      std::string_view new_value, const char* result) const {
  JsonLine line = c.audit.line(event, 3);
  line.text("action", "cpu.weight").text("target", path).text("old", old_value).text("new", new_value);
  line.text("result", result);
  c.audit.write(line);
}

void RoomWeight::lower(const HoldContext& c, const Unit& unit, const Fd& cgroup) {
  const CgroupRef ref{&cgroup, unit.id, unit.path.view()};
  const auto done = apply_limit(c.journal, ref, CgroupFile::cpu_weight, kLowWeight, lease_ns());
  if (!done || !done->written) return;  // no cpu controller there, or lower already
  entry_ = done->entry;
  note(c, "act", unit.path.view(), done->old_value.view(), kLowWeight, "ok");
}

void RoomWeight::restore(const HoldContext& c) {
  const auto was = c.journal.read(entry_);
  const Undone outcome = undo_entry(c.journal, entry_, c.roots);
  if (was) note(c, "given_back", was->path.view(), was->ours.view(), was->old_value.view(), undone_name(outcome));
  entry_ = -1;
}

void RoomWeight::step(const HoldContext& c, const Unit& unit, bool wanted) {
  if (entry_ >= 0 && !wanted) return restore(c);
  if (!wanted || c.shadow || unit.is_tree() || c.roots.cgroup == nullptr || c.moment.now_s - looked_s_ < kLookS) return;
  looked_s_ = c.moment.now_s;
  const auto cgroup = open_cgroup(*c.roots.cgroup, unit.path.view(), unit.id);
  const bool held = cgroup && all_in_room(*cgroup);
  if (entry_ < 0) {
    if (held) lower(c, unit, *cgroup);
  } else if (!held) {
    restore(c);
  } else if (keep_limit(c.journal, entry_, *cgroup, rewrites_) == Kept::somebodys) {
    note(c, "changed", unit.path.view(), kLowWeight, "", "somebody else's value: left");
    entry_ = -1;
  }
}

}  // namespace hosa
