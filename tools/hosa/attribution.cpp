#include "tools/hosa/attribution.h"

#include <fcntl.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/process.h"
#include "tools/hosa/carriers.h"

namespace hosa {
namespace {

constexpr CarriedKind<hosa_usage, __u64> kKinds[] = {{"allocated", "bytes/s", &hosa_usage::anon_bytes, 256 * 1024},
                                                     {"pages", "bytes/s", &hosa_usage::all_bytes, 1024 * 1024},
                                                     {"shared", "bytes/s", &hosa_usage::shared_bytes, 1024 * 1024},
                                                     {"kernel", "bytes/s", &hosa_usage::kernel_bytes, 1024 * 1024},
                                                     {"faults", "1/s", &hosa_usage::faults, 100},
                                                     {"forks", "1/s", &hosa_usage::forks, 1},
                                                     {"block", "bytes/s", &hosa_usage::block_bytes, 64 * 1024},
                                                     {"packets", "1/s", &hosa_usage::packets, 20}};
constexpr double kShortestS = 0.4, kLongestS = 30;

struct Table {
  std::array<ProcessShare, HOSA_PROCESSES> rows;
  std::size_t count = 0;
  uint64_t read_ns = 0;
};
Table tables[2];
bool newer = false;

bool by_process(const ProcessShare& a, const ProcessShare& b) {
  return a.tgid < b.tgid;
}

const hosa_usage* find(const Table& table, uint32_t tgid) {
  const auto end = table.rows.begin() + static_cast<std::ptrdiff_t>(table.count);
  const auto at = std::lower_bound(table.rows.begin(), end, ProcessShare{tgid, {}}, by_process);
  return at != end && at->tgid == tgid ? &at->usage : nullptr;
}

FixedString<64> name_of(uint32_t tgid) {
  FixedString<64> name("pid ");
  name.append_unsigned(tgid);
  if (tgid == 0) return name.append(" (interrupts on an idle CPU)");
  char buffer[64];
  const auto path = FixedString<96>("/proc/").append(process_path(static_cast<int>(tgid), "comm").view());
  const auto comm = read_file(AT_FDCWD, path.c_str(), buffer);
  return name.append(" ").append(comm ? trim(*comm) : std::string_view("(gone)"));
}

template <class Kind>
void describe(JsonLine& line, const Kind& kind, const Table& now, const Table& before, double seconds) {
  TopCarriers top;
  for (std::size_t i = 0; i < now.count; ++i) {
    const hosa_usage* const earlier = find(before, now.rows[i].tgid);
    const uint64_t amount = now.rows[i].usage.*kind.amount, base = earlier != nullptr ? earlier->*kind.amount : 0;
    // Less than before: it was dropped and came back.
    top.add({now.rows[i].tgid, static_cast<double>(amount >= base ? amount - base : amount) / seconds});
  }
  top.write(line, kind, [&now](JsonLine& row, uint64_t who) {
    const auto tgid = static_cast<uint32_t>(who);
    row.text("who", name_of(tgid).view()).integer("cgroup", static_cast<int64_t>(find(now, tgid)->cgroup));
  });
}

}  // namespace

void describe_attribution(JsonLine& line, const KernelSide& kernel, uint64_t now_ns) {
  const Table& last = tables[newer];
  const double seconds = static_cast<double>(now_ns - last.read_ns) * 1e-9;
  line.open("attribution", '[');
  if (last.read_ns == 0 || seconds >= kShortestS) {
    Table& now = tables[!newer];
    now.count = kernel.read_usage_by_process(now.rows).value_or(0);
    now.read_ns = now_ns;
    std::sort(now.rows.begin(), now.rows.begin() + static_cast<std::ptrdiff_t>(now.count), by_process);
    newer = !newer;
  }
  const Table &now = tables[newer], &before = tables[!newer];
  const double span = static_cast<double>(now.read_ns - before.read_ns) * 1e-9;
  if (before.read_ns != 0 && span <= kLongestS)
    for (const auto& kind : kKinds) describe(line, kind, now, before, span);
  line.close(']');
  const KernelSide::Forgotten forgotten = kernel.forgotten();
  line.open("forgotten", '{').integer("processes", static_cast<int64_t>(forgotten.processes));
  line.integer("cgroups", static_cast<int64_t>(forgotten.cgroups));
  line.integer("samples", static_cast<int64_t>(forgotten.samples)).close('}');
}

}  // namespace hosa
