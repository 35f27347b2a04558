// What the agent answers on its control socket: status as one JSON object.
#include <time.h>

#include "tools/hosa/agent.h"
#include "tools/hosa/sense_report.h"

namespace hosa {

void Agent::note(const char* event, const char* key, std::string_view text) {
  JsonLine line = audit_.line(event, moment_ != nullptr ? level() : 0);
  line.text(key, text);
  audit_.write(line);
}

// Everybody who must never be held, with the reason; kernel threads as one number.
void Agent::report_protected(JsonLine& line) {
  static ProcessList list;
  list.clear();
  int kernel_threads = 0;
  line.open("protected", '[');
  if (read_processes(proc_, list)) {
    for (const ProcessInfo& process : list) {
      if (process.kernel_thread()) {
        ++kernel_threads;
        continue;
      }
      const auto path = read_cgroup_path(proc_, process.pid);
      const std::string_view reason = guard_.reason(process, path ? path->view() : std::string_view("/"));
      if (reason.empty()) continue;
      line.open("", '{');
      line.integer("pid", process.pid).text("comm", process.comm.view()).text("reason", reason).close('}');
    }
  }
  line.close(']');
  line.integer("protected_kernel_threads", kernel_threads);
}

// The vector and who carries it, as of the last tick and the last two counts.
void Agent::report_senses() {
  JsonLine line;
  line.text("from", "the running agent");
  if (moment_ != nullptr) {
    line.number("t", moment_->boot_s).number("warmup_left_s", senses_.detector().warmup_left_seconds());
    line.number("dbar", moment_->verdict->smoothed).integer("score_level", moment_->verdict->level);
    moment_->left.describe(line);
    describe_vector(line, senses_, *moment_->verdict);
    describe_carriers(line, census_, history_.at(moment_->now_s - 10), moment_->now_s);
  }
  control_.answer(line.finish());
}

void Agent::report_why() {
  JsonLine line;
  line.integer("level", moment_ != nullptr ? level() : 0);
  if (moment_ != nullptr) Audit::explain(line, *moment_, senses_.vector());
  if (!audit_.reason().empty()) line.object("reason", audit_.reason());
  if (!audit_.outcome().empty()) line.object("outcome", audit_.outcome());
  control_.answer(line.finish());
}

// The wires' limits on the CPUs, and the last records: when the window overflowed, when the loop saw it.
void Agent::report_tripwires(JsonLine& line) {
  constexpr const char* kSubjects[] = {"anon_bytes", "all_bytes", "forks"};
  constexpr const char* kAtOnce[] = {"direct_reclaim", "oom_kill", "exit"};
  constexpr const char* kSpans[] = {"10ms", "1s", "quota"};
  line.open("tripwires", '{').number("learned_s", tripwires_.learned_s());
  for (std::size_t subject = 0; subject < HOSA_SUBJECTS; ++subject) {
    for (std::size_t span = 0; span < HOSA_SPANS; ++span) {
      const Tripwires::Range range = tripwires_.range(subject, span);
      line.open(FixedString<24>(kSubjects[subject]).append("_").append(kSpans[span]).view(), '[');
      line.item(static_cast<double>(range.least)).item(static_cast<double>(range.most)).close(']');
    }
  }
  line.close('}').open("records", '[');
  for (const SeenRecord& record : records_) {
    if (record.seen_ns == 0) continue;
    line.open("", '{')
        .integer("pid", record.event.tgid)
        .text("subject", record.event.subject < HOSA_SUBJECTS ? kSubjects[record.event.subject]
                                                              : kAtOnce[record.event.subject - HOSA_DIRECT_RECLAIM]);
    if (record.event.subject < HOSA_SUBJECTS) line.text("span", kSpans[record.event.span]);
    line.integer("amount", static_cast<int64_t>(record.event.amount));
    line.integer("time_ns", static_cast<int64_t>(record.event.time_ns));
    line.integer("seen_ns", static_cast<int64_t>(record.seen_ns)).close('}');
  }
  line.close(']');
  const Counters counters = senses_.kernel().totals();
  line.integer("records_lost", static_cast<int64_t>(counters.records_lost));
}

void Agent::report(std::string_view request) {
  if (request == "sense") return report_senses();
  if (request == "why") return report_why();
  JsonLine line;
  line.text("answer", request).flag("shadow", options_.shadow).flag("paused", paused_);
  line.number("uptime_s", static_cast<double>(clock_ns(CLOCK_BOOTTIME)) * 1e-9 - started_s_);
  if (moment_ != nullptr) {
    line.integer("level", level());
    line.number("warmup_left_s", senses_.detector().warmup_left_seconds());
    line.number("waiting_share", moment_->waiting_share).number("running_per_cpu", moment_->running_per_cpu);
    Audit::explain(line, *moment_, senses_.vector());
    line.number("reserve", moment_->reserve_bytes);
  }
  line.open("holds", '[');
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.stage() == Stage::done) continue;
    line.open("", '{').integer("level", hold.level());
    hold.describe(line);
    line.close('}');
  }
  for (const CpuHold& hold : cpu_holds_) {
    if (hold.stage() == CpuStage::done) continue;
    line.open("", '{').integer("level", hold.level());
    hold.describe(line);
    line.close('}');
  }
  line.close(']');
  line.integer("leases", journal_->held_count()).integer("insured", static_cast<int64_t>(insured_));
  line.integer("acts", static_cast<int64_t>(acts_)).integer("trips", static_cast<int64_t>(trips_));
  line.integer("dismissed", static_cast<int64_t>(dismissed_)).integer("looks", static_cast<int64_t>(looks_));
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  line.open("suspected", '{');
  const std::pair<const char*, const Suspicion*> all[] = {
      {"memory", &memory_suspicion_}, {"cpu", &cpu_suspicion_}, {"tasks", &task_suspicion_}};
  for (const auto& [resource, suspicion] : all)
    if (suspicion->active(now_s)) line.text(resource, cause_name(suspicion->cause()));
  line.close('}');
  line.integer("ticks", static_cast<int64_t>(ticks_)).integer("wakeups", static_cast<int64_t>(wakeups_));
  line.number("tick_p50_us", static_cast<double>(tick_latency_.quantile_ns(0.5)) / 1000);
  line.number("tick_p99_us", static_cast<double>(tick_latency_.quantile_ns(0.99)) / 1000);
  line.number("loop_p99_ms", static_cast<double>(tick_latency_.quantile_ns(0.99)) * 1e-6);
  line.number("record_p50_us", static_cast<double>(record_latency_.quantile_ns(0.5)) / 1000);
  line.number("record_p99_us", static_cast<double>(record_latency_.quantile_ns(0.99)) / 1000);
  report_tripwires(line);
  const Turns& turns = senses_.turns();
  line.open("turns", '{')
      .flag("measured", turns.measured())
      .number("syscall_entropy_bits", turns.syscall_entropy_bits())
      .number("syscall_entropy_change", senses_.context().entropy_change)
      .number("work_efficiency", senses_.context().work_efficiency)
      .number("propagation", senses_.context().propagation)
      .number("excess_provisioning", senses_.context().excess);
  line.number("syscalls_per_s", turns.syscalls_per_s()).number("brk_per_s", turns.brk_per_s()).close('}');
  line.open("budget", '{').number("share", senses_.shedding().share());
  line.integer("left_out", senses_.shedding().now()).close('}');
  const SelfCost cost = self_.read();
  line.number("rss_bytes", static_cast<double>(cost.rss_bytes))
      .number("cpu_s", static_cast<double>(cost.cpu_ns) * 1e-9);
  line.integer("audit_lines", static_cast<int64_t>(audit_.written()));
  line.integer("audit_lost", static_cast<int64_t>(journal_->audit().lost()));
  line.text("journal", journal_->directory().empty() ? "memory" : journal_->directory());
  line.text("cgroup", cgroup_home_.directory ? cgroup_home_.mount_point.view() : "none");
  line.flag("memory_controller", memory_controller_).flag("psi", machine_.psi && !options_.without.psi);
  line.open("rungs", '[');
  for (const Rung& rung : rungs_) {
    line.open("", '{').text("sensor", rung.sensor.view()).text("rung", rung.rung.view());
    line.text("why_not_better", rung.why_not_better.view()).close('}');
  }
  line.close(']');
  report_protected(line);
  control_.answer(line.finish());
}

}  // namespace hosa
