#include "tools/hosa/memory_episode.h"

namespace hosa {
namespace {

const char* means_name(MemoryMeans means) {
  constexpr const char* kNames[] = {"none", "asked", "hold room", "frozen in place", "SIGSTOP"};
  return kNames[static_cast<int>(means)];
}

}  // namespace

void MemoryEpisode::describe(JsonLine& line) const {
  line.open("culprit", '{');
  line.text("cgroup", unit.path.view()).integer("pid", unit.top_pid).integer("unit", static_cast<int64_t>(unit.id));
  line.text("resource", "memory").number("share", finding.share).number("runner_up", finding.runner_up_share);
  line.close('}');
  line.text("stage", stage_name(holding.stage())).text("means", means_name(means));
  line.number("bytes", bytes).number("insurance", holding.insurance_bytes()).number("used", holding.used_share());
  line.flag("expected", holding.expected());
  line.number("room", holding.room_bytes())
      .number("fill_per_s", holding.fill_per_s())
      .number("seconds_to_failure", holding.seconds_to_failure());
  line.integer("freezes", static_cast<int64_t>(holding.bucket().freezes()));
  line.flag("frozen", frozen()).integer("held", static_cast<int64_t>(held.size()));
}

void MemoryEpisode::note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
                         std::string_view new_value, const char* result, bool explained) const {
  JsonLine line = c.audit.line(event, holding.level());
  line.text("action", action).text("target", path.view()).text("old", old_value).text("new", new_value);
  line.text("result", result);
  describe(line);
  if (explained) {
    line.text("cause", cause_name(cause));
    line.number("growth", finding.growth).number("growth_per_s", finding.growth_per_s);
    Audit::explain(line, c.moment, c.vector);
  }
  c.audit.write(line);
}

}  // namespace hosa
