#include "tools/hosa/stage.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/cgroup_mount.h"
#include "tools/hosa/own_look.h"

namespace hosa {
namespace {

void end_process(pid_t pid, int signal) {
  if (pid > 0) (void)::kill(pid, signal);
}

}  // namespace

double monotonic_s() {
  return static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
}

// The stage's cgroup, if anybody is still in it: only processes that the stage started can be.
void Stage::empty_cgroup() const {
  if (!cgroup_) return;
  char buffer[4096];
  for (int round = 0; round < 200; ++round) {
    for (const char* procs : {"hosa.hold/cgroup.procs", "cgroup.procs"}) {
      auto text = read_file(cgroup_.get(), procs, buffer);
      std::string_view rest = text ? *text : std::string_view{};
      while (!rest.empty()) {
        if (const auto pid = to_number<int>(take_line(rest)); pid && *pid > 1) end_process(*pid, SIGKILL);
      }
    }
    (void)::unlinkat(cgroup_.get(), "hosa.hold", AT_REMOVEDIR);
    if (::unlinkat(cgroup_root_.get(), cgroup_name_.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
    sleep_s(0.02);
  }
}

void Stage::tidy_up(int stage_lives) {
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_NAME, "demo-tidier");
  char byte = 0;
  while (::read(stage_lives, &byte, 1) < 0 && errno == EINTR) {
  }
  end_process(cast_->agent, SIGTERM);
  // The agent is not our child; its control socket goes quiet when it has ended. 5 s, then its keeper does the rest.
  for (int i = 0; i < 250 && cast_->agent > 0 && ::kill(cast_->agent, 0) == 0; ++i) sleep_s(0.02);
  end_process(cast_->agent, SIGKILL);
  for (const pid_t culprit : cast_->culprits) end_process(culprit, SIGKILL);
  empty_cgroup();
  for (const char* file : {"/journal", "/control", "/audit.jsonl", ""}) {
    FixedString<96> path(state_.view());
    path.append(file);
    if (::unlink(path.c_str()) != 0) (void)::rmdir(path.c_str());
  }
  ::_exit(0);
}

void Stage::make_cgroup() {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  if (!proc || ::geteuid() != 0) return;
  CgroupHome home = open_cgroup_home(*proc, true);
  if (!home.directory) return;
  cgroup_root_ = std::move(home.directory);
  if (::mkdirat(cgroup_root_.get(), cgroup_name_.c_str(), 0755) != 0) return;
  if (auto cgroup = open_directory(cgroup_root_.get(), cgroup_name_.c_str())) cgroup_ = std::move(*cgroup);
}

Result<void> Stage::open(const char* name) {
  cgroup_name_ = "hosa-";
  cgroup_name_.append(name).append(".").append_number(::getpid());
  state_ = ::geteuid() == 0 ? "/run/" : "/tmp/";
  state_.append(cgroup_name_.view());
  void* shared = ::mmap(nullptr, sizeof(Cast), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return errno_error("share memory with the culprits");
  cast_ = new (shared) Cast{};
  make_cgroup();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("make a pipe");
  alive_end_ = ends[1];
  tidier_ = ::fork();
  if (tidier_ == 0) {
    ::close(ends[1]);
    tidy_up(ends[0]);
  }
  ::close(ends[0]);
  return tidier_ > 0 ? Result<void>{} : errno_error("fork");
}

Result<void> Stage::start_culprit(std::size_t which, const FaultPlan& plan, Fault fault) {
  cast_->reports[which] = {};
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0) {
    ::close(alive_end_);  // else the tidier would wait for the culprit, too
    if (cgroup_) (void)write_file(cgroup_.get(), "cgroup.procs", "0");
    fault(plan, cast_->reports[which]);
    ::_exit(0);
  }
  cast_->culprits[which] = pid;
  return {};
}

Result<void> Stage::start_agent(const char* warmup, double room_bytes) {
  FixedString<64> only, audit(state_.view());
  audit.append("/audit.jsonl");
  if (cgroup_)
    only.append("/").append(cgroup_name_.view());
  else
    only.append("pid:").append_number(::getpid());
  FixedString<32> room;
  room.append_number(static_cast<int64_t>(room_bytes));
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork");
  cast_->agent = pid != 0 ? pid : cast_->agent;
  if (pid != 0) return {};
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const Fd quiet(::open("/dev/null", O_WRONLY));
  ::dup2(quiet.get(), STDOUT_FILENO);
  const char* const rights = ::geteuid() == 0 ? "--json" : "--unprivileged";
  const char* const argv[] = {"hosa",     "run",         "--only",     only.c_str(),   "--room",     room.c_str(),
                              "--warmup", warmup,        "--state",    state_.c_str(), "--baseline", "none",
                              "--audit",  audit.c_str(), "--duration", "60s",          rights,       nullptr};
  ::execv("/proc/self/exe", const_cast<char* const*>(argv));
  ::_exit(127);
}

void Stage::end_agent(int signal) {
  end_process(cast_->agent, signal);
  if (cast_->agent > 0) (void)::waitpid(cast_->agent, nullptr, 0);
  cast_->agent = -1;
}

void Stage::end_culprit(std::size_t which) {
  end_process(cast_->culprits[which], SIGKILL);
  if (cast_->culprits[which] > 0) (void)::waitpid(cast_->culprits[which], nullptr, 0);
  cast_->culprits[which] = -1;
}

void Stage::close() {
  if (cast_ != nullptr) end_agent(SIGTERM);
  if (alive_end_ >= 0) ::close(alive_end_);
  while (::waitpid(-1, nullptr, 0) > 0) {  // the tidier, and the culprits that it has ended
  }
}

}  // namespace hosa
