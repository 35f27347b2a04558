// hosa demo: two culprits of its own, seen, named, held by the rung this machine has, and released, before your eyes.
//
// Three helpers: the culprits (demo_faults.h), an agent (`hosa run --only` on them, the file that ships), and a tidier
// that waits for this process to end, however it ends, and leaves nothing behind: it ends the agent (whose keeper gives
// everything back), kills the culprits and removes the demo's cgroup and directory.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "detect/number_format.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/cgroup_mount.h"
#include "proprioception/machine.h"
#include "tools/hosa/control.h"
#include "tools/hosa/demo_faults.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kLookS = 0.25, kLongestS = 38;  // the promise is 40 s

struct Demo {
  FixedString<64> state, cgroup_name;
  Fd cgroup_root, cgroup;          // empty where there is no cgroup v2 or no right to make one
  FaultReport* reports = nullptr;  // [0] leak, [1] spinner
  pid_t leak = -1, spinner = -1, agent = -1, tidier = -1;
  int alive_end = -1;  // the tidier sees this end close
};

struct Seen {
  double named_s[2] = {-1, -1}, held_s[2] = {-1, -1}, released_s[2] = {-1, -1};
  FixedString<40> means[2];
  double share[2] = {0, 0}, freezes = 0, most_distance = 0;
};

double now_s() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void nap(double seconds) {
  timespec t{static_cast<time_t>(seconds),
             static_cast<long>((seconds - static_cast<double>(static_cast<long>(seconds))) * 1e9)};
  ::nanosleep(&t, nullptr);
}

void add_number(FixedString<1024>& line, double value) {
  char digits[detect::kNumberChars];
  line.append({digits, detect::format_number(value, digits)});
}

double rounded(double value, double unit) {
  return static_cast<double>(static_cast<long>(value / unit + 0.5)) * unit;
}

void join_cgroup(const Demo& demo) {
  if (demo.cgroup) (void)write_file(demo.cgroup.get(), "cgroup.procs", "0");
}

// --- the tidier

void end_process(pid_t pid, int signal) {
  if (pid > 0) (void)::kill(pid, signal);
}

// The demo's cgroup, if anybody is still in it: only processes that the demo started can be.
void empty_cgroup(const Demo& demo) {
  if (!demo.cgroup) return;
  char buffer[4096];
  for (int round = 0; round < 200; ++round) {
    for (const char* procs : {"hosa.hold/cgroup.procs", "cgroup.procs"}) {
      auto text = read_file(demo.cgroup.get(), procs, buffer);
      std::string_view rest = text ? *text : std::string_view{};
      while (!rest.empty()) {
        if (const auto pid = to_number<int>(take_line(rest)); pid && *pid > 1) end_process(*pid, SIGKILL);
      }
    }
    (void)::unlinkat(demo.cgroup.get(), "hosa.hold", AT_REMOVEDIR);
    if (::unlinkat(demo.cgroup_root.get(), demo.cgroup_name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
    nap(0.02);
  }
}

[[noreturn]] void tidy_up(const Demo& demo, int demo_lives) {
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_NAME, "demo-tidier");
  char byte = 0;
  while (::read(demo_lives, &byte, 1) < 0 && errno == EINTR) {
  }
  end_process(demo.agent, SIGTERM);
  // The agent is not our child; its control socket goes quiet when it has ended. 5 s, then its keeper does the rest.
  for (int i = 0; i < 250 && demo.agent > 0 && ::kill(demo.agent, 0) == 0; ++i) nap(0.02);
  end_process(demo.agent, SIGKILL);
  end_process(demo.leak, SIGKILL);
  end_process(demo.spinner, SIGKILL);
  empty_cgroup(demo);
  for (const char* file : {"/journal", "/control", "/audit.jsonl", ""}) {
    FixedString<96> path(demo.state.view());
    path.append(file);
    if (::unlink(path.c_str()) != 0) (void)::rmdir(path.c_str());
  }
  ::_exit(0);
}

// --- the stage

void make_cgroup(Demo& demo) {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  if (!proc || ::geteuid() != 0) return;
  CgroupHome home = open_cgroup_home(*proc, true);
  if (!home.directory) return;
  demo.cgroup_root = std::move(home.directory);
  demo.cgroup_name = "hosa-demo.";
  demo.cgroup_name.append_number(::getpid());
  if (::mkdirat(demo.cgroup_root.get(), demo.cgroup_name.c_str(), 0755) != 0) return;
  if (auto cgroup = open_directory(demo.cgroup_root.get(), demo.cgroup_name.c_str())) demo.cgroup = std::move(*cgroup);
}

Result<void> set_stage(Demo& demo) {
  demo.state = ::geteuid() == 0 ? "/run/hosa-demo." : "/tmp/hosa-demo.";
  demo.state.append_number(::getpid());
  void* shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return errno_error("share memory with the culprits");
  demo.reports = new (shared) FaultReport[2];
  make_cgroup(demo);
  return {};
}

pid_t start_culprit(const Demo& demo, int which) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  join_cgroup(demo);
  FaultPlan plan;
  if (which == 0) run_leak(plan, demo.reports[0]);
  plan.quiet_s = 22;  // when the leak has been let go
  plan.fault_s = 6;
  plan.after_s = 2;
  plan.spinners = static_cast<int>(6 * ::sysconf(_SC_NPROCESSORS_ONLN));
  run_spinner(plan, demo.reports[1]);
}

// The agent is the file that ships, told to touch the culprits only.
pid_t start_agent(const Demo& demo, const Options& given) {
  FixedString<64> only, audit(demo.state.view());
  audit.append("/audit.jsonl");
  if (demo.cgroup)
    only.append("/").append(demo.cgroup_name.view());
  else
    only.append("pid:").append_number(::getpid());
  FixedString<32> room;
  room.append_number(static_cast<int64_t>(given.room_bytes > 0 ? given.room_bytes : 64.0 * 1024 * 1024));
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const Fd quiet(::open("/dev/null", O_WRONLY));
  ::dup2(quiet.get(), STDOUT_FILENO);
  const char* const argv[] = {"hosa",
                              "run",
                              "--only",
                              only.c_str(),
                              "--room",
                              room.c_str(),
                              "--warmup",
                              "5s",
                              "--state",
                              demo.state.c_str(),
                              "--baseline",
                              "none",
                              "--audit",
                              audit.c_str(),
                              "--duration",
                              "60s",
                              ::geteuid() == 0 ? "--json" : "--unprivileged",
                              nullptr};
  ::execv("/proc/self/exe", const_cast<char* const*>(argv));
  ::_exit(127);
}

Result<void> raise_curtain(Demo& demo, const Options& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("make a pipe");
  demo.alive_end = ends[1];
  // The culprits and the agent must not hold the pipe's writing end: they close it by exec or here.
  demo.leak = start_culprit(demo, 0);
  demo.spinner = start_culprit(demo, 1);
  demo.agent = start_agent(demo, options);
  demo.tidier = ::fork();
  if (demo.tidier == 0) {
    ::close(ends[1]);
    tidy_up(demo, ends[0]);
  }
  ::close(ends[0]);
  return demo.leak > 0 && demo.spinner > 0 && demo.agent > 0 && demo.tidier > 0 ? Result<void>{} : errno_error("fork");
}

// --- the view

void remember(Seen& seen, std::string_view answer, double t) {
  std::string_view holds = json_block(answer, "holds");
  seen.most_distance = std::max(seen.most_distance, json_number(answer, "dbar", 0));
  for (auto hold = next_object(holds); !hold.empty(); hold = next_object(holds)) {
    const int which = json_value(hold, "resource") == "memory" ? 0 : 1;
    const double level = json_number(hold, "level", 0);
    if (level >= 2 && seen.named_s[which] < 0)
      seen.named_s[which] = t, seen.share[which] = json_number(hold, "share", 0);
    const bool held = which == 0 ? level >= 3 : level >= 2;
    if (held && seen.held_s[which] < 0) seen.held_s[which] = t;
    if (held) seen.means[which] = json_value(hold, "means"), seen.released_s[which] = -1;
    if (which == 0 && held) seen.freezes = json_number(hold, "freezes", 0);
    if (level < 2 && seen.held_s[which] >= 0 && seen.released_s[which] < 0) seen.released_s[which] = t;
  }
}

void show_line(const Demo& demo, std::string_view answer, double t) {
  constexpr const char* kPhases[] = {"works", "FAULT", "works again", "ended"};
  FixedString<1024> line;
  add_number(line, rounded(t, 0.01));
  line.append(" s  D ");
  add_number(line, rounded(json_number(answer, "dbar", 0), 0.1));
  line.append("  level ").append(json_value(answer, "level"));
  line.append("  leak: ").append(kPhases[demo.reports[0].phase & 3]).append(" ");
  add_number(line, rounded(static_cast<double>(demo.reports[0].leaked_bytes) / 1048576, 0.1));
  line.append(" MB  spinner: ").append(kPhases[demo.reports[1].phase & 3]);
  std::string_view holds = json_block(answer, "holds");
  for (auto hold = next_object(holds); !hold.empty(); hold = next_object(holds)) {
    if (json_number(hold, "level", 0) < 2) continue;
    line.append("  | ").append(json_value(hold, "resource")).append(" culprit ").append(json_value(hold, "cgroup"));
    line.append(" (share ");
    add_number(line, rounded(json_number(hold, "share", 0), 0.01));
    line.append(") ").append(json_value(hold, "stage")).append(", ").append(json_value(hold, "means"));
    if (json_value(hold, "frozen") == "true") line.append(", frozen");
  }
  line.append("\n");
  say(line.view());
}

volatile sig_atomic_t interrupted = 0;

void watch(const Demo& demo, Seen& seen) {
  static char buffer[ControlServer::kAnswerBytes];
  const double begin_s = now_s();
  double shown_s = -1;
  while (!interrupted && now_s() - begin_s < kLongestS) {
    nap(kLookS);
    const double t = now_s() - begin_s;
    const auto answer = ask_agent(demo.state.c_str(), "status", buffer);
    if (!answer) continue;
    remember(seen, *answer, t);
    if (t - shown_s >= 1.0) show_line(demo, *answer, t), shown_s = t;
    const bool quiet = json_number(*answer, "leases", 0) == 0 && json_number(*answer, "level", 0) < 2;
    if (demo.reports[0].phase == 3 && demo.reports[1].phase == 3 && quiet) return;
  }
}

void add_fate(FixedString<1024>& text, const char* name, const Seen& seen, int which) {
  text.append(name);
  if (seen.named_s[which] < 0) {
    text.append("not named\n");
    return;
  }
  text.append("named after ");
  add_number(text, rounded(seen.named_s[which], 0.1));
  text.append(" s of the show (share ");
  add_number(text, rounded(seen.share[which], 0.01));
  text.append(")");
  if (seen.held_s[which] >= 0) {
    text.append(", held at ");
    add_number(text, rounded(seen.held_s[which], 0.1));
    text.append(" s by ").append(seen.means[which].view());
  }
  if (seen.released_s[which] >= 0) {
    text.append(", released at ");
    add_number(text, rounded(seen.released_s[which], 0.1));
    text.append(" s");
  }
  text.append("\n");
}

int tell_end(const Demo& demo, const Seen& seen) {
  FixedString<1024> text("\n");
  add_fate(text, "leak:    ", seen, 0);
  add_fate(text, "spinner: ", seen, 1);
  text.append("leaked ");
  add_number(text, rounded(static_cast<double>(demo.reports[0].leaked_bytes) / 1048576, 0.1));
  text.append(" of the 56 MB it wanted, frozen ");
  add_number(text, seen.freezes);
  text.append(" times; highest score D ");
  add_number(text, rounded(seen.most_distance, 0.1));
  text.append("\nboth alive afterwards: ")
      .append(demo.reports[0].work_after > 0 && demo.reports[1].work_after > 0 ? "yes" : "no");
  text.append("\n");
  say(text.view());
  const bool shown = seen.held_s[0] >= 0 && seen.held_s[1] >= 0 && seen.released_s[0] >= 0 && seen.released_s[1] >= 0;
  return shown ? kExitOk : kExitRuntime;
}

}  // namespace

int demo_verb(const Options& options) {
  Demo demo;
  if (const auto set = set_stage(demo); !set) return fail(set.error(), kExitRuntime);
  say("hosa demo: a leak of 20 MB/s in a room of 64 MB, then a storm of spinners. Nothing else is touched.\n");
  struct sigaction on_interrupt {};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &on_interrupt, nullptr);
  ::sigaction(SIGTERM, &on_interrupt, nullptr);
  const auto raised = raise_curtain(demo, options);
  Seen seen;
  if (raised) watch(demo, seen);
  end_process(demo.agent, SIGTERM);
  (void)::waitpid(demo.agent, nullptr, 0);
  demo.agent = -1;
  const int code = raised ? tell_end(demo, seen) : fail(raised.error(), kExitRuntime);
  ::close(demo.alive_end);
  while (::waitpid(-1, nullptr, 0) > 0) {  // the tidier, and the culprits that it has ended
  }
  return code;
}

}  // namespace hosa
