#include "tools/hosa/senses.h"

#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "actuate/room_size.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kDaySeconds = 86400, kWeekSeconds = 7 * kDaySeconds;
constexpr double kWaitingS = 1;  // over so long instants make a share

UnownedBytes unowned_of(const Meminfo& memory) {
  return {static_cast<double>(memory.shmem_bytes.value_or(0)), static_cast<double>(kernel_bytes(memory).value_or(0))};
}

}  // namespace

uint64_t clock_ns(int clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

void Senses::open(const Fd& proc, const Fd& sys, const Machine& machine, const Options& options, RungReport& rungs) {
  Without without;
  without.psi = options.without.psi;
  sensors_ = Sensors::open(proc, without);
  KernelSources sources;
  sources.without_bpf = options.without.bpf;
  sources.without_tracefs = options.without.tracefs;
  kernel_.open(sources, clock_ns(CLOCK_MONOTONIC), rungs);
  topology_ = read_topology(sys);
  hardware_sensors_.open(proc, sys, topology_);
  readings_.sample = &sample_;
  readings_.hardware = &hardware_;
  readings_.kernel = &kernel_;
  read_everything(false);
  readings_.cpus = std::max(1u, machine.online_cpus);
  vector_.select(readings_);
  detector_.emplace(vector_.dimensions());
  indices_.open(vector_.dimensions());
  detector_->look_for_seasons({&kDaySeconds, 1}, {&kWeekSeconds, 1});
  detector_->begin(options.warmup_s);
  room_option_ = options.room_bytes;
  most_tasks_ = static_cast<double>(machine.max_tasks);
}

// Seconds since 1970; negative where nobody keeps the clock: without a battery it stands years off and will jump. Who
// keeps it is asked each ten seconds.
double Senses::calendar_seconds() {
  constexpr double kAskS = 10;
  if (moment_.now_s - clock_asked_s_ >= kAskS) {
    timex state{};
    clock_kept_ = ::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
    clock_asked_s_ = moment_.now_s;
  }
  return clock_kept_ ? static_cast<double>(clock_ns(CLOCK_REALTIME)) * 1e-9 : -1;
}

// PSI totals are exact at each read; without PSI, runnable tasks beyond the CPUs say how crowded it is. That is an
// instant, and who wakes up with the loop is met at each of them: a share of the time is the mean of some (lab forks on
// pi5: one instant with four runnable tasks gave cpu.max anew to who had long stopped).
void Senses::read_waiting(double now_s) {
  const double running = std::max(0.0, sample_[Signal::procs_running] - 1);  // without this process
  moment_.running = running;
  moment_.running_per_cpu = running / readings_.cpus;
  moment_.beat_s = now_s - wait_now_read_s_;
  wait_now_read_s_ = now_s;
  moment_.exact_waiting = sample_.has(Signal::psi_cpu_some_seconds);
  if (!moment_.exact_waiting) {
    moment_.waiting_now = running > readings_.cpus ? std::min(1.0, running / readings_.cpus - 1) : 0;
    const double apart = now_s - wait_read_s_;
    moment_.waiting_share += (moment_.waiting_now - moment_.waiting_share) * apart / (apart + kWaitingS);
    wait_read_s_ = now_s;
    return;
  }
  const double waited = sample_[Signal::psi_cpu_some_seconds], span = now_s - wait_read_s_;
  if (moment_.beat_s > 0) moment_.waiting_now = std::clamp((waited - wait_now_before_s_) / moment_.beat_s, 0.0, 1.0);
  wait_now_before_s_ = waited;
  if (span < 0.4) return;
  moment_.waiting_share = std::clamp((waited - wait_before_s_) / span, 0.0, 1.0);
  wait_before_s_ = waited;
  wait_read_s_ = now_s;
}

void Senses::read_everything(bool calm) {
  Leisure leisure{.calm = calm};
  if (kernel_.has(KernelSensor::block_io)) leisure.block_issues = kernel_.block_issues();
  sensors_.read(sample_, leisure);
  hardware_sensors_.read(sample_, hardware_);
  io_latency_.add(sample_);
  readings_.io_latency_s = io_latency_.mean_s();
  readings_.counters = kernel_.totals();
  const double switches = sample_[Signal::context_switches];
  if (shedding_.now() == Shedding::kWakeups && switches > switches_read_)
    wakeups_left_out_ += (switches - switches_read_) * wakeups_per_switch_;
  switches_read_ = switches;
  readings_.counters.wakeups += static_cast<uint64_t>(wakeups_left_out_);
}

const Moment& Senses::later() {
  moment_.now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  moment_.boot_s = static_cast<double>(clock_ns(CLOCK_BOOTTIME)) * 1e-9;
  return moment_;
}

void Senses::read_unowned() {
  const Meminfo memory = sensors_.memory();
  if (!memory.available_bytes) return;
  moment_.unowned = unowned_of(memory);
  moment_.available_bytes = static_cast<double>(*memory.available_bytes);
}

// The dearer senses: from level 1 on and ten seconds longer, since each attachment costs a millisecond; always where
// nothing else counts faults.
void Senses::look_closely_if_needed() {
  constexpr double kLongerS = 10;
  if (moment_.verdict->level >= 1) close_until_s_ = moment_.now_s + kLongerS;
  kernel_.watch_faults(moment_.now_s < close_until_s_ || !sample_.has(Signal::page_faults));
}

// Once a second: what the probes cost, and what is left out for it. While wake-ups are left out, switches stand for
// them, so that the vector goes on without a step.
void Senses::keep_within_budget() {
  const double elapsed_s = moment_.now_s - budget_read_s_;
  if (elapsed_s < 0.9) return;
  const Counters now = kernel_.totals();
  const double switches = sample_[Signal::context_switches];
  const auto rate = [elapsed_s](uint64_t to, uint64_t from) { return static_cast<double>(to - from) / elapsed_s; };
  EventRates rates;
  rates.switches = (switches - switches_before_) / elapsed_s;
  rates.wakeups = rate(now.wakeups, budget_before_.wakeups);
  rates.pages = rate(now.all_bytes, budget_before_.all_bytes) /
                static_cast<double>(::getpagesize());  // a huge page is one event: then less
  rates.packets = rate(now.packets, budget_before_.packets);
  rates.forks = rate(now.forks, budget_before_.forks);
  const bool left_out = shedding_.now() == Shedding::kWakeups;
  if (left_out) {
    rates.wakeups = rates.switches * wakeups_per_switch_;
  } else if (rates.switches > 1000) {
    wakeups_per_switch_ = std::min(1.0, rates.wakeups / rates.switches);
  }
  if (budget_read_s_ > 0 && kernel_.has(KernelSensor::wakeups) && shedding_.step(rates, readings_.cpus, elapsed_s)) {
    news_ = true;
    kernel_.watch_wakeups(shedding_.now() != Shedding::kWakeups);
  }
  budget_before_ = now;
  switches_before_ = switches;
  budget_read_s_ = moment_.now_s;
}

std::string_view Senses::shedding_news() {
  if (!news_) return {};
  news_ = false;
  switch (shedding_.now()) {
    case Shedding::kNothing: return "watching costs little again: everything is sensed";
    case Shedding::kSyscalls: return "watching costs over 3 % of the CPUs: the mix of system calls is left out";
    case Shedding::kWakeups: return "watching costs over 3 % of the CPUs: wake-ups are left out, too";
  }
  return {};
}

const Moment& Senses::take(bool learning, bool own_containment, bool suspicious) {
  read_everything(!suspicious && !own_containment && moment_.verdict != nullptr && moment_.verdict->level == 0);
  moment_.now_s = static_cast<double>(sample_.monotonic_ns) * 1e-9;
  moment_.boot_s = static_cast<double>(sample_.boottime_ns) * 1e-9;
  moment_.available_bytes = sample_[Signal::memory_available_bytes];
  moment_.total_bytes = sample_[Signal::memory_total_bytes];
  RoomInputs room;
  room.mem_total = moment_.total_bytes;
  room.room_option = room_option_;
  moment_.reserve_bytes = reserve_bytes(room);
  const auto remains = [](double limit, double used) {
    return limit > 0 ? limit - used : -detect::kInfinity;  // not known: nothing is reckoned from it
  };
  moment_.left = exhaustion_.step({moment_.available_bytes - moment_.reserve_bytes, sample_[Signal::swap_free_bytes],
                                   remains(most_tasks_, sample_[Signal::tasks]),
                                   remains(sample_[Signal::open_files_max], sample_[Signal::open_files])},
                                  moment_.now_s);
  moment_.horizon_s = moment_.left.memory_s;
  moment_.unowned = unowned_of(sensors_.memory_read());
  moment_.tasks = sample_[Signal::tasks];
  read_waiting(moment_.now_s);
  let_others_run();
  const auto values = vector_.read(readings_, own_containment);
  let_others_run();
  detect::Context& context = context_;
  context.share_dimension = SIZE_MAX;
  indices_.step(detector_->verdict(), turns_.syscall_entropy_bits(), turns_.taken(), moment_.now_s, context);
  context.seconds_left = moment_.left.least_s();
  context.calendar_seconds = calendar_seconds();
  for (std::size_t j = 0; unusual_share_ && j < values.size() && context.share_dimension == SIZE_MAX; ++j)
    if (std::string_view(detector_->dimensions()[j].name) == "cpu_busy") context.share_dimension = j;
  detector_->set_context(context);
  moment_.detector = &*detector_;
  moment_.verdict = &detector_->step(values, moment_.now_s, learning);
  let_others_run();
  look_closely_if_needed();
  keep_within_budget();
  turns_.step(kernel_, moment_.now_s, moment_.verdict->level >= 1 && !moment_.verdict->warming,
              shedding_.now() == Shedding::kNothing, moment_.tasks);
  return moment_;
}

}  // namespace hosa
