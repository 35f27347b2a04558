#include "actuate/keeper.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include "actuate/keeper_loop.h"
#include "loader/sys/file.h"
#include "proprioception/turn.h"

extern "C" const char __executable_start, etext;  // by the linker: the program's text

namespace hosa {
namespace {

constexpr long kCloseRange = 436;  // close_range, Linux 5.9, the same number on every architecture
constexpr int kMlockOnFault = 4;   // MCL_ONFAULT, Linux 4.4

void close_between(int from, int to) {
  if (from > to) return;
  if (::syscall(kCloseRange, static_cast<unsigned>(from), static_cast<unsigned>(to), 0) == 0) return;
  for (int fd = from; fd <= std::min(to, 65535); ++fd) ::close(fd);
}

// A keeper that is started again while the agent runs would keep alive what is to end with the agent: BPF links above
// all, and its sockets. Standard streams stay.
void close_all_but(std::span<int> kept) {
  std::sort(kept.begin(), kept.end());
  int from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    close_between(from, fd - 1);
    from = std::max(from, fd + 1);
  }
  close_between(from, INT32_MAX);
}

// Ready when memory is not: its text is in memory before it is needed, what it touches stays there, the OOM killer
// passes it by where that is permitted. And scheduled like anybody, whatever the agent is by now.
void raise_keeper(const Fd& proc) {
  be_scheduled_like_anybody();
  (void)write_file(proc.get(), "self/oom_score_adj", "-1000");
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | kMlockOnFault) != 0) return;
  constexpr std::size_t kSmallestPage = 4096;
  for (const char* at = &__executable_start; at < &etext; at += kSmallestPage)
    (void)*static_cast<const volatile char*>(at);
}

// Refused: it stays scheduled like anybody.
void lend_scheduling(pid_t keeper) {
  sched_param own{};
  const long policy = ::syscall(SYS_sched_getscheduler, 0);
  if (policy < 0 || ::syscall(SYS_sched_getparam, 0, &own) != 0) return;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(keeper), ::getpriority(PRIO_PROCESS, 0));
  (void)::syscall(SYS_sched_setscheduler, keeper, policy, &own);
}

// The keeper's side of the fork: a session of its own, quiet signals, nothing open but what it needs.
[[noreturn]] void become_keeper_process(Journal& journal, const KeeperSetup& setup, Fd agent, Fd socket) {
  ::setsid();
  ::prctl(PR_SET_NAME, "hosa-keeper");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)!::chdir("/");
  const auto number = [](const Fd* root) { return root != nullptr ? root->get() : -1; };
  int kept[] = {
      journal.fd(), number(setup.roots->proc), number(setup.roots->cgroup), number(setup.roots->cpu_v1), agent.get(),
      socket.get()};
  close_all_but(kept);
  raise_keeper(*setup.roots->proc);
  end_turn();  // started in the middle of a turn of the agent, it would rest as the agent does
  journal.become_keeper();
  journal.set_keeper(::getpid());
  KeeperLoop loop(journal, setup, std::move(agent), std::move(socket));
  ::_exit(loop.run());
}

}  // namespace

KeeperRequest make_request(KeeperTask task, uint64_t cgroup_id, std::string_view path, uint64_t deadline_ns,
                           std::string_view word) {
  KeeperRequest request;
  request.task = task;
  request.cgroup_id = cgroup_id;
  request.deadline_ns = deadline_ns;
  if (path.size() < sizeof request.path) path.copy(request.path, path.size());
  if (word.size() < sizeof request.word) word.copy(request.word, word.size());
  return request;
}

Result<Keeper> Keeper::start(Journal& journal, const KeeperSetup& setup) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return errno_error("make the keeper's socket");
  Fd ours(ends[0]), theirs(ends[1]);
  Fd agent(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));  // before 5.3: end of file on the socket tells
  // A TERM to the whole group between fork and SIG_IGN would take the keeper along: blocked until it ignores it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int fork_errno = errno;
  if (pid != 0) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = fork_errno;
  if (pid < 0) return errno_error("fork the keeper");
  if (pid == 0) {
    ours.reset();
    become_keeper_process(journal, setup, std::move(agent), std::move(theirs));
  }
  Keeper keeper;
  keeper.socket_ = std::move(ours);
  keeper.pid_ = pid;
  journal.set_keeper(pid);
  return keeper;
}

Result<uint32_t> Keeper::ask(KeeperRequest request) {
  request.id = ++next_id_;
  const ssize_t put = ::send(socket_.get(), &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put == static_cast<ssize_t>(sizeof request)) return request.id;
  gone_ = gone_ || errno == EPIPE || errno == ECONNRESET;
  return errno_error("ask the keeper");
}

Result<uint32_t> Keeper::ask_at_once(KeeperRequest request) {
  lend_scheduling(pid_);
  return ask(request);
}

std::optional<KeeperAnswer> Keeper::take_answer() {
  KeeperAnswer answer;
  const ssize_t got = ::recv(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT);
  if (got == static_cast<ssize_t>(sizeof answer)) return answer;
  if (got == 0 || (got < 0 && errno == ECONNRESET)) gone_ = true;
  return std::nullopt;
}

void Keeper::dismiss() {
  if (pid_ <= 0) return;
  ::shutdown(socket_.get(), SHUT_RDWR);
  for (int i = 0; i < 300 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) ::usleep(10'000);
  pid_ = -1;
}

}  // namespace hosa
