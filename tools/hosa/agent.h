// The agent: one process, one thread, one epoll loop. Its straight line, once per tick:
//
//   senses.take() -> suspect() -> MemoryHold/CpuHold step (plan -> journal -> apply -> audit) -> pace()
//
// agent_open.cpp opens everything, agent.cpp waits, tick.cpp is what happens at each wake-up, records.cpp and look*.cpp
// find somebody, holds.cpp holds him; report.cpp answers `status`.
#pragma once
#include <optional>

#include "actuate/kernel_setting.h"
#include "detect/top_share.h"
#include "proprioception/cgroup_mount.h"
#include "proprioception/pressure_trigger.h"
#include "proprioception/self.h"
#include "tools/hosa/baseline_store.h"
#include "tools/hosa/control.h"
#include "tools/hosa/cpu_hold.h"
#include "tools/hosa/crowd.h"
#include "tools/hosa/fork_watch.h"
#include "tools/hosa/latency.h"
#include "tools/hosa/memory_hold.h"
#include "tools/hosa/trip_check.h"
#include "tools/hosa/trip_quiet.h"
#include "tools/hosa/tripwires.h"

namespace hosa {

// After `hosa release --all` nobody is held for so long: else the same culprit would be held again at the next tick.
inline constexpr double kRespiteS = 60;
// What would last for long at twice its pace is nobody's fault yet.
inline constexpr double kPaceMargin = 2;
inline constexpr std::size_t kMostHolds = 16;  // policy.max_contained is at most this
static_assert(2 * kMostHolds <= HOSA_WATCHED);
static_assert(kMostHolds <= HOSA_QUOTAS, "every memory hold has a byte quota of its own");

class Agent {
 public:
  Agent(const Options& options, const Config& config);
  // Everything that can go wrong at the start does so here; the error's exit code is `exit_code`.
  Result<void> open(int& exit_code);
  // Until a signal or --duration ends it; answers the exit code.
  int loop();

 private:
  enum class Source : uint32_t { ring, tick, signals, control, keeper, limits, pressure };

  // agent_open.cpp
  Result<void> watch(int fd, Source source);
  Result<void> open_journal();
  Result<void> start_keeper();
  Result<void> open_sources();
  void open_pressure_triggers();
  void raise_self();
  bool is_crowded() const;
  void know_everybody();

  // agent.cpp
  bool wait();
  void listen_to_limits();
  void on_signal();
  void on_pressure(uint32_t events);
  void on_control();
  void on_keeper();
  void arm_timer();
  void stop();

  // records.cpp
  bool on_ring();
  void on_memory_trip(const hosa_event& event, double now_s);
  void check_trips(double now_s);
  void judge_trip(const TripCheck& check, TripCheck::Answer answer, double now_s);
  void note_oom_kill(const hosa_event& event);
  bool is_held(const hosa_event& event) const;
  bool is_held_storm(uint64_t cgroup, uint64_t unit) const;

  // tick.cpp
  bool on_timer();  // true: it is time for a tick
  void on_tick();
  void sense_and_suspect(uint64_t now_ns);
  bool urgent() const;
  bool looks_at_once() const;
  double pace() const;
  int level() const;

  // look.cpp
  bool suspects() const;  // somebody is being looked for
  bool count();           // true: counted now
  void suspect();
  void suspect_who_grew();
  void watch_largest_user();
  void look_for_memory();
  bool lasts(const Finding& finding, double room) const;
  void drop_memory_suspicion();
  detect::Resource carrier() const;
  std::span<const UnitUse> candidates();
  double horizon_s() const;
  double room() const;

  // look_cpu.cpp, look_forks.cpp
  void look_for_cpu();
  bool crowd_counts() const;
  bool met_once(const Suspicion& suspicion) const;
  CrowdReading crowd_reading() const;
  void note_crowd(const TaskCounts& tasks, double now_s);
  void look_for_tasks();
  bool check_forks(double now_s);  // true: somebody is held
  bool begin_fork_watch(const TaskCounts& tasks, double now_s);
  bool watch_forks(double now_s);
  void hold_storm();
  void dismiss_forks(double now_s);

  // holds.cpp
  void hold_memory(const Finding& finding);
  void hold_cpu(const Finding& finding, Carrier carrier, Cause cause);
  bool may_hold(const Finding& finding, const char* resource);
  void step_holds();
  void watch_held();
  void lower_kernel_settings(const HoldContext& c);
  void forget_holds();
  void notice_give_back();
  void release_all(const char* why);
  int active_holds() const;
  bool acts_in_force() const;
  HoldContext context();
  bool acting_allowed() const { return !options_.shadow && !paused_; }

  // remember.cpp
  void recall();
  void remember();
  void learn_a_size();

  // report.cpp
  void report(std::string_view request);
  void report_senses();
  void report_why();
  void report_protected(JsonLine& line);
  void report_tripwires(JsonLine& line);
  void note(const char* event, const char* key, std::string_view text);

  Options options_;
  Config config_;
  Fd proc_, sys_;
  CgroupHome cgroup_home_;
  Fd cpu_v1_;
  Machine machine_;
  Roots roots_;
  std::optional<Journal> journal_;
  std::optional<Keeper> keeper_;
  Audit audit_;
  ControlServer control_;
  Senses senses_;
  RungReport rungs_;
  Self self_;
  Scope scope_;
  ProcessGuard guard_;
  Census census_;
  UseHistory history_;
  detect::TopShare largest_user_;  // of CPU time
  FixedVector<UnitUse, kUnits> allowed_;
  Tripwires tripwires_;
  AvailableHistory available_;
  std::array<TripCheck, 4> trip_checks_;  // what trips while all are at work trips again
  TripQuiet trip_quiet_;
  ForkWatch fork_watch_;
  Crowd crowd_;
  uint64_t forks_cgroup_ = 0;
  Suspicion memory_suspicion_, cpu_suspicion_, task_suspicion_;
  std::array<MemoryHold, kMostHolds> memory_holds_;
  LimitWatch limit_watch_;
  double limits_heard_s_ = -1;  // when it told something, until it is listened to again
  int crowds_ready_ = 0;        // hold_context.h
  std::array<CpuHold, kMostHolds> cpu_holds_;
  bool settings_lowered_ = false;
  std::array<std::optional<int>, kKernelSettings.size()> setting_entries_;  // in the journal
  bool quota_used_ = false;  // a held one has used up what its bucket allowed
  Handed handed_{senses_.kernel()};
  const Moment* moment_ = nullptr;
  BaselineStore baseline_;
  KnownSizes known_sizes_;
  std::size_t next_size_ = 0;  // whose turn it is to be looked at
  Fd epoll_, timer_, signals_;
  std::array<Fd, 2> pressure_triggers_;
  bool paused_ = false, ending_ = false, memory_controller_ = false, ready_told_ = false, nobody_told_ = false;
  int told_level_ = 0;
  double ends_s_ = 0, counted_s_ = -1e9, looked_s_ = 0, leased_s_ = 0, others_s_ = -1e9, respite_until_s_ = -1e9,
         started_s_ = 0, sized_s_ = 0;
  struct SeenRecord {
    hosa_event event{};
    uint64_t seen_ns = 0;
  };
  std::array<SeenRecord, 16> records_;  // the last ones, in a ring
  std::size_t next_record_ = 0;
  Latency tick_latency_, record_latency_;
  uint64_t sensed_ns_ = 0, ticks_ = 0, wakeups_ = 0, insured_ = 0, acts_ = 0, trips_ = 0, dismissed_ = 0, looks_ = 0;
  double next_tick_s_ = 0, forks_due_s_ = -1, forks_onset_s_ = 0, tasks_before_ = 0, calm_census_s_ = 5,
         rests_until_s_ = 0;
};

}  // namespace hosa
