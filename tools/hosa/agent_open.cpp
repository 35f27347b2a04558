// How the agent begins: everything that it needs is opened, what a dead one left is given back, everybody is known.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/kernel_text.h"
#include "proprioception/turn.h"
#include "tools/hosa/agent.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr unsigned kCrowdPerCpu = 8;  // a machine that starts services beside a leak has five
constexpr int kMlockOnFault = 4;      // MCL_ONFAULT, 4.4: locks what is touched, not the tables' whole capacity

}  // namespace

Agent::Agent(const Options& options, const Config& config)
    : options_(options), config_(config), scope_(options.only.view(), config_, proc_), guard_(proc_, scope_) {}

Result<void> Agent::watch(int fd, Source source) {
  epoll_event event{};
  event.events = source == Source::pressure ? EPOLLPRI : EPOLLIN;
  if (source == Source::limits) event.events |= EPOLLONESHOT;
  event.data.u32 = static_cast<uint32_t>(source);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("watch a source");
  return {};
}

Result<void> Agent::open_journal() {
  const char* const own[] = {options_.state.c_str()};
  const std::span<const char* const> places =
      options_.state.empty() ? std::span<const char* const>(kRunDirectories) : std::span<const char* const>(own);
  // A keeper of an agent that has just died may still be giving back: it holds the lock for a moment.
  for (int attempt = 0; attempt < 50; ++attempt) {
    auto journal = Journal::open_first(places, machine_.boot_id.view());
    if (journal) {
      journal_.emplace(std::move(*journal));
      return {};
    }
    if (journal.error().code != EAGAIN) return journal.error();
    ::usleep(100'000);
  }
  return make_error(EAGAIN, "another hosa runs here (its journal is locked):",
                    options_.state.empty() ? "/run/hosa" : options_.state.view());
}

Result<void> Agent::start_keeper() {
  KeeperSetup setup;
  setup.roots = &roots_;
  setup.pages = baseline_.pages();
  setup.audit_path = options_.audit;
  if (setup.audit_path.empty() && ::access("/var/log", W_OK) == 0) setup.audit_path = "/var/log/hosa/audit.jsonl";
  if (setup.audit_path.empty() && !journal_->directory().empty()) {  // a read-only root
    setup.audit_path.append(journal_->directory()).append("/audit.jsonl");
  }
  auto keeper = Keeper::start(*journal_, setup);
  if (!keeper) return keeper.error();
  keeper_.emplace(std::move(*keeper));
  audit_.open(*journal_, &*keeper_, options_.shadow);
  guard_.set_own(::getpid(), keeper_->pid());
  return {};
}

// OOM immunity where permitted; memory locked as it is touched. Each is worth having alone, none is worth failing for.
void Agent::raise_self() {
  ::prctl(PR_SET_NAME, "hosa");
  rlimit files{};  // the census keeps four descriptors per cgroup
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  (void)write_file(proc_.get(), "self/oom_score_adj", "-1000");
  (void)::mlockall(MCL_CURRENT | MCL_FUTURE | kMlockOnFault);
}

// Loading the probes is a second of a 125 MIPS CPU. At real-time priority a neighbour on the same CPU waited for all of
// it (6.1: 997 ms, each time systemd restarted the agent), and at the unit's nice -20 for nearly all; at nice 0 beside
// a storm it would not come to an end.
bool Agent::is_crowded() const {
  char buffer[64];
  const auto text = read_text(proc_, "loadavg", buffer);
  return text && parse_running_count(*text).value_or(0) > kCrowdPerCpu * machine_.online_cpus;
}

// Memory: a tenth of a second of waiting in a second is far from collapse, and rare when calm. CPU: half of the time,
// since a build has a third, and after half a second of it, since that is what others have lost by then. Each wakes at
// most once in its window, between two ticks at best.
void Agent::open_pressure_triggers() {
  constexpr struct {
    const char* resource;
    PressureLimit limit;
  } kTriggers[] = {{"memory", {100'000, 1'000'000}}, {"cpu", {250'000, 500'000}}};
  static_assert(std::size(kTriggers) == std::tuple_size_v<decltype(pressure_triggers_)>);
  for (std::size_t i = 0; i < std::size(kTriggers); ++i) {
    PressureLimit limit = kTriggers[i].limit;
    auto trigger = options_.without.psi ? Result<Fd>(make_error(0, "--without psi"))
                                        : open_pressure_trigger(proc_, kTriggers[i].resource, limit);
    Rung row{FixedString<23>("pressure ").append(kTriggers[i].resource), "each tick", ""};
    if (trigger && watch(trigger->get(), Source::pressure)) {
      row.rung = FixedString<63>("trigger at ").append_unsigned(limit.threshold_us / 1000).append(" ms in ");
      row.rung.append_unsigned(limit.window_us / 1000).append(" ms");
      pressure_triggers_[i] = std::move(*trigger);
    } else if (!trigger) {
      row.why_not_better = trigger.error().text().view();
    }
    rungs_.push_back(row);
  }
}

Result<void> Agent::open_sources() {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  (void)limit_watch_.open();  // without: a look once a second
  if (!epoll_ || !timer_ || !signals_) return errno_error("open the loop's descriptors");
  const std::pair<int, Source> sources[] = {
      {senses_.kernel().ring_fd(), Source::ring}, {timer_.get(), Source::tick},    {signals_.get(), Source::signals},
      {control_.fd(), Source::control},           {keeper_->fd(), Source::keeper}, {limit_watch_.fd(), Source::limits}};
  for (const auto& [fd, source] : sources) {
    if (fd < 0) continue;  // no BPF, no place for a control socket, no inotify
    if (const auto watched = watch(fd, source); !watched) return watched.error();
  }
  return {};
}

// Who everybody is, command lines included, while nothing is wrong: in an episode they must not be read.
void Agent::know_everybody() {
  census_.take(moment_ != nullptr ? moment_->now_s : 0, moment_ != nullptr ? moment_->unowned : UnownedBytes{}, handed_,
               Census::Look::onset);
  for (const ProcessInfo& process : census_.processes()) {
    if (!process.kernel_thread()) (void)guard_.names().identify(proc_, process, true);
  }
}

Result<void> Agent::open(int& exit_code) {
  exit_code = kExitRuntime;
  if (::geteuid() != 0 && !options_.unprivileged) {
    exit_code = kExitPrerequisite;
    return make_error(EPERM, "run needs root");
  }
  auto proc = open_directory(AT_FDCWD, "/proc");
  if (!proc) return exit_code = kExitPrerequisite, proc.error();
  proc_ = std::move(*proc);
  if (auto sys = open_directory(AT_FDCWD, "/sys")) sys_ = std::move(*sys);
  if (!options_.without.cgroup) cgroup_home_ = open_cgroup_home(proc_, ::geteuid() == 0);
  machine_ = read_machine(proc_, sys_, cgroup_home_.directory);
  memory_controller_ = machine_.memory_controller && !options_.without.memcg;
  if (!options_.without.cgroup) cpu_v1_ = open_v1_home(proc_, "cpu");
  roots_ = {&proc_, cgroup_home_.directory ? &cgroup_home_.directory : nullptr, cpu_v1_ ? &cpu_v1_ : nullptr};
  if (auto opened = open_journal(); !opened) return opened.error();
  const UndoReport left = undo_all(*journal_, roots_, false);  // what a dead agent left
  const auto self = read_process(proc_, ::getpid());
  journal_->set_agent(::getpid(), self ? self->start_ticks : 0);
  baseline_.open(options_, journal_->directory());
  if (auto started = start_keeper(); !started) return started.error();
  if (left.total() > 0) note("given_back", "result", "what an earlier agent left was given back");
  if (!journal_->directory().empty()) {
    if (auto opened = control_.open(journal_->directory().data()); !opened)
      note("error", "what", opened.error().text().view());
  }
  raise_self();
  is_crowded() ? become_urgent() : become_ordinary();
  self_ = Self::open(proc_);
  senses_.open(proc_, sys_, machine_, options_, rungs_);
  crowd_.open(machine_.online_cpus);
  census_.open({&proc_, roots_.cgroup, memory_controller_, static_cast<double>(machine_.page_bytes)});
  if (auto opened = open_sources(); !opened) return opened.error();
  open_pressure_triggers();
  know_everybody();
  tripwires_.open(senses_.kernel(), static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9);
  become_urgent();  // what keeps the loop's latency below 100 us beside CPU hogs (turn.h)
  started_s_ = static_cast<double>(clock_ns(CLOCK_BOOTTIME)) * 1e-9;
  if (options_.duration_s > 0) ends_s_ = started_s_ + options_.duration_s;
  note("start", "kernel", machine_.kernel.view());
  recall();
  return {};
}

}  // namespace hosa
