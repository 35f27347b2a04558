#include "tools/hosa/sense_report.h"

#include <time.h>

#include "tools/hosa/attribution.h"
#include "tools/hosa/carriers.h"

namespace hosa {
namespace {

constexpr CarriedKind<UnitUse, double> kCarried[] = {{"memory", "bytes/s", &UnitUse::bytes, 64 * 1024},
                                                     {"cpu", "CPUs", &UnitUse::cpu_s, 0.01},
                                                     {"tasks", "tasks/s", &UnitUse::forks, 0.1}};

FixedString<600> unit_name(const Census& census, uint64_t id) {
  const Unit* const unit = census.find(id);
  FixedString<600> name;
  if (unit == nullptr) return name.append("gone");
  if (!unit->is_tree()) return name.append(unit->path.view());
  name.append("pid ").append_number(unit->top_pid);
  if (const ProcessInfo* top = find_process(census.processes(), unit->top_pid))
    name.append(" ").append(top->comm.view());
  return name;
}

// The process of a tree of several that does most of it, where that is not the one the tree is named by.
void describe_most(JsonLine& row, const Census& census, uint64_t id, Census::Of what) {
  const Unit* const unit = census.find(id);
  if (unit == nullptr || !unit->is_tree()) return;
  const Census::Most most = census.most(*unit, what);
  const ProcessInfo* const process = find_process(census.processes(), most.pid);
  if (process == nullptr || most.pid == unit->top_pid) return;
  FixedString<64> name("pid ");
  name.append_number(most.pid).append(" ").append(process->comm.view());
  row.text("most", name.view()).number("most_amount", most.per_second);
}

}  // namespace

void describe_vector(JsonLine& line, const Senses& senses, const detect::Verdict& verdict) {
  const std::span<const detect::Dimension> dimensions = senses.vector().dimensions();
  line.open("vector", '[');
  for (std::size_t i = 0; i < verdict.n && i < dimensions.size(); ++i) {
    line.open("", '{').text("name", dimensions[i].name).text("unit", dimensions[i].unit);
    line.number("value", verdict.value[i]);
    if (detect::Detector::Normal normal; senses.detector().normal(i, normal)) {
      line.number("mean", normal.mean).number("low", normal.low).number("high", normal.high);
      line.number("z", verdict.z[i]).number("c", verdict.contribution[i]);
    }
    line.text("source", senses.vector().source(i)).close('}');
  }
  line.close(']');
  describe_attribution(line, senses.kernel(), clock_ns(CLOCK_MONOTONIC));
}

void describe_carriers(JsonLine& line, const Census& census, const UseHistory::Generation* before, double now_s) {
  line.open("carriers", '[');
  const double seconds = before != nullptr ? now_s - before->time_s : 0;
  for (const auto& kind : kCarried) {
    if (seconds < 0.2) break;
    TopCarriers top;
    for (const UnitUse& use : census.uses()) {
      const UnitUse* const earlier = before->find(use.unit);
      top.add({use.unit, (use.*kind.amount - (earlier != nullptr ? earlier->*kind.amount : 0)) / seconds});
    }
    top.write(line, kind, [&](JsonLine& row, uint64_t who) {
      row.text("who", unit_name(census, who).view());
      if (kind.amount == &UnitUse::bytes) describe_most(row, census, who, Census::Of::memory);
      if (kind.amount == &UnitUse::cpu_s) describe_most(row, census, who, Census::Of::cpu);
    });
  }
  line.close(']');
}

}  // namespace hosa
