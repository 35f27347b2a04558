#include "tools/hosa/cpu_episode.h"

#include <algorithm>

namespace hosa {
namespace {

constexpr double kQuotaPerCpu = 0.3;  // of each CPU, as the CPU bucket of holding.md 3
// But what it used before the onset, and half more, it keeps: with a quarter more its ordinary work was throttled now
// and then, used 85 % of the quota, and seemed to push for ever (lab forks on pi5).
constexpr double kUsualRoom = 1.5;

}  // namespace

double CpuEpisode::quota_per_s(const HoldContext& c) const {
  return std::max(kQuotaPerCpu * c.online_cpus, kUsualRoom * finding.usual_cpu_per_s);
}

void CpuEpisode::describe(JsonLine& line) const {
  constexpr const char* kStages[] = {"weight", "quota", "watching", "done"};
  constexpr const char* kMeans[] = {"none", "asked", "cpu.weight", "SCHED_IDLE"};
  line.open("culprit", '{');
  line.text("cgroup", unit.path.view()).integer("pid", unit.top_pid).integer("unit", static_cast<int64_t>(unit.id));
  line.text("resource", carrier_name(carrier));
  line.number("share", finding.share).number("runner_up", finding.runner_up_share).close('}');
  const char* const by = covered ? "autogroup" : kMeans[static_cast<int>(means)];
  line.text("stage", kStages[static_cast<int>(holding.stage())]).text("means", by);
  line.integer("threads_idled", idled);
}

void CpuEpisode::note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
                      std::string_view new_value, const char* result, bool explained) const {
  JsonLine line = c.audit.line(event, holding.level());
  line.text("action", action).text("target", unit.path.view()).text("old", old_value).text("new", new_value);
  line.text("result", result);
  describe(line);
  if (explained) {
    line.text("cause", cause_name(cause)).number("growth", finding.growth);
    line.number("growth_per_s", finding.growth_per_s);
    Audit::explain(line, c.moment, c.vector);
  }
  c.audit.write(line);
}

}  // namespace hosa
