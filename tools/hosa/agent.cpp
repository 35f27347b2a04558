#include "tools/hosa/agent.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>

#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kDeafS = 0.05;

double clock_s() {
  return static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
}

}  // namespace

// For the next tick, or before it the next look at what tripped.
void Agent::arm_timer() {
  double due_s = next_tick_s_;
  for (const TripCheck& check : trip_checks_)
    if (check.waits()) due_s = std::min(due_s, check.due_s());
  if (forks_due_s_ >= 0) due_s = std::min(due_s, forks_due_s_);
  itimerspec when{};
  const auto ns = static_cast<uint64_t>(due_s * 1e9);
  when.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// One wake-up. False: it is time to end.
bool Agent::wait() {
  epoll_event events[8];
  const int count = ::epoll_wait(epoll_.get(), events, 8, -1);
  ++wakeups_;
  bool tick = false;
  for (int i = 0; i < count; ++i) {
    switch (static_cast<Source>(events[i].data.u32)) {
      case Source::ring: tick = on_ring() || tick; break;
      case Source::tick: tick = on_timer() || tick; break;
      case Source::signals: on_signal(); break;
      case Source::control: on_control(); break;
      case Source::keeper: on_keeper(), tick = true; break;
      case Source::limits: tick = true, limits_heard_s_ = clock_s(); break;  // step_holds() takes what is told
      case Source::pressure: on_pressure(events[i].events), tick = true; break;
    }
  }
  if (tick) on_tick();
  listen_to_limits();
  arm_timer();
  return !ending_;
}

// Whoever owns a held cgroup may write into its files all day: told once (EPOLLONESHOT), and again after a while. What
// is written meanwhile the next tick takes.
void Agent::listen_to_limits() {
  if (limits_heard_s_ < 0 || clock_s() - limits_heard_s_ < kDeafS) return;
  limits_heard_s_ = -1;
  epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u32 = static_cast<uint32_t>(Source::limits)}};
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, limit_watch_.fd(), &event);
}

// What woke us is seen by the tick. A trigger that reports an error is gone (its file went away): it is not asked
// again.
void Agent::on_pressure(uint32_t events) {
  if ((events & EPOLLERR) == 0) return;
  for (Fd& trigger : pressure_triggers_) trigger.reset();
}

void Agent::on_signal() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGHUP) {
      ending_ = true;
      continue;
    }
    // All or nothing: a configuration that does not load leaves the one in force.
    auto fresh = load_config(options_.config.c_str());
    note(fresh ? "changed" : "error", "what", fresh ? "configuration read again" : fresh.error().text().view());
    if (fresh)
      config_ = *fresh;
    else
      (void)fail(fresh.error(), 0);
  }
}

void Agent::on_control() {
  char buffer[ControlServer::kRequestBytes];
  const std::string_view request = control_.take(buffer);
  if (request.empty()) return;
  if (request == "release" && moment_ != nullptr) {
    release_all("the operator asked");
    respite_until_s_ = moment_->now_s + kRespiteS;
  }
  if (request == "pause" && moment_ != nullptr) release_all("paused"), paused_ = true;
  if (request == "resume") paused_ = false;
  report(request);
}

void Agent::on_keeper() {
  while (const auto answer = keeper_->take_answer()) {
    if (moment_ == nullptr) continue;
    const HoldContext c = context();
    for (MemoryHold& hold : memory_holds_) hold.on_answer(c, *answer);
    for (CpuHold& hold : cpu_holds_) hold.on_answer(c, *answer);
  }
  if (!keeper_->gone()) return;
  // Without a living keeper nobody is held: everything is given back, and a new keeper is asked for.
  release_all("the keeper has gone");
  (void)undo_all(*journal_, roots_, false);
  forget_holds();
  if (const auto started = start_keeper(); !started) {
    (void)fail(started.error(), 0);
    ending_ = true;
    return;
  }
  (void)watch(keeper_->fd(), Source::keeper);
  note("keeper", "what", "the keeper had gone; a new one was started");
}

void Agent::stop() {
  if (moment_ != nullptr) release_all("the agent ends");
  while (keeper_ && journal_->held_count() > 0) {
    const UndoReport report = undo_all(*journal_, roots_, false);
    if (report[Undone::failed] == 0) break;
    ::usleep(50'000);
  }
  JsonLine line = audit_.line("stop", 0);
  line.number("tick_p50_us", static_cast<double>(tick_latency_.quantile_ns(0.5)) / 1000);
  line.number("tick_p99_us", static_cast<double>(tick_latency_.quantile_ns(0.99)) / 1000);
  line.integer("ticks", static_cast<int64_t>(ticks_)).integer("wakeups", static_cast<int64_t>(wakeups_));
  audit_.write(line);
  if (moment_ != nullptr) baseline_.at_end(senses_.detector(), known_sizes_, *keeper_, moment_->now_s);
  keeper_->dismiss();
}

int Agent::loop() {
  on_tick();
  arm_timer();
  while (wait()) {
  }
  stop();
  return kExitOk;
}

}  // namespace hosa
