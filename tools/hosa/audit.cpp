#include "tools/hosa/audit.h"

#include <time.h>

#include "tools/hosa/why_sentences.h"

namespace hosa {

JsonLine Audit::line(const char* event, int level) const {
  JsonLine line;
  line.number("t", static_cast<double>(clock_ns(CLOCK_BOOTTIME) / 1000) * 1e-6);
  line.integer("time", static_cast<int64_t>(clock_ns(CLOCK_REALTIME) / 1'000'000'000));
  line.text("event", event).integer("level", level);
  if (shadow_) line.flag("shadow", true);
  return line;
}

void Audit::explain(JsonLine& line, const Moment& moment, const StateVector& vector) {
  const detect::Verdict& v = *moment.verdict;
  line.number("d", v.distance).number("dbar", v.smoothed).number("slope", v.slope).number("curvature", v.curvature);
  line.flag("warming", v.warming).integer("score_level", v.level);
  line.text("channel", detect::channel_name(v.channel)).integer("regime", v.regime.value);
  line.open("thresholds", '[');
  for (const double threshold : v.thresholds) line.item(threshold);
  line.close(']');
  line.number("available", moment.available_bytes).number("horizon", moment.horizon_s);
  moment.left.describe(line);
  line.open("x", '{');
  for (std::size_t i = 0; i < v.n; ++i) line.number(vector.dimensions()[i].name, v.value[i]);
  line.close('}');
  line.open("c", '{');
  for (std::size_t rank = 0; rank < v.top.size() && rank < v.n; ++rank) {
    if (rank > 0 && v.top[rank] == v.top[rank - 1]) break;
    line.number(vector.dimensions()[v.top[rank]].name, v.contribution[v.top[rank]]);
  }
  line.close('}');
  line.open("calm", '{');
  for (std::size_t rank = 0; rank < v.top.size() && rank < v.n; ++rank) {
    detect::Detector::Normal normal;
    if ((rank > 0 && v.top[rank] == v.top[rank - 1]) || !moment.detector->normal(v.top[rank], normal)) break;
    line.open(vector.dimensions()[v.top[rank]].name, '[').item(normal.low).item(normal.high).close(']');
  }
  line.close('}').number("waiting_share", moment.waiting_share);
}

void Audit::keep(std::string_view text, Kept& kept) {
  kept.size = text.size() < sizeof kept.bytes ? text.size() : 0;
  std::memcpy(kept.bytes, text.data(), kept.size);
}

void Audit::write(JsonLine& line) {
  ++written_;
  if (journal_ == nullptr) return;
  const std::string_view text = line.finish();
  if (is_reason(text))
    keep(text, reason_), outcome_.size = 0;
  else if (is_outcome(text, reason()))
    keep(text, outcome_);
  (void)journal_->audit().append(text);  // no room: the ring counts it, `status` shows how many were lost
  // A keeper that watches comes by itself within half a second; one that sleeps must be told.
  if (keeper_ != nullptr && !journal_->watching()) (void)keeper_->ask(make_request(KeeperTask::drain_audit, 0, "", 0));
}

}  // namespace hosa
