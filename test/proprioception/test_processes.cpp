#include "proprioception/process_table.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "proprioception/cgroup_tree.h"
#include "proprioception/file_locks.h"
#include "proprioception/process_names.h"
#include "proprioception/process_status.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

using namespace hosa;

namespace {
Fd real_proc() {
  return std::move(*open_directory(AT_FDCWD, "/proc"));
}
}  // namespace

TEST_CASE("a name with parentheses and spaces does not shift the fields behind it") {
  const auto leak = read_process(fixture("processes"), 801);
  REQUIRE(leak);
  CHECK(leak->comm == "leak) R 1 (x y");
  CHECK(leak->state == 'R');
  CHECK(leak->parent == 1);
  CHECK(leak->session == 801);
  CHECK(leak->cpu_ticks == 560);
  CHECK(leak->start_ticks == 5000);
  CHECK(leak->major_faults == 7);
  CHECK(leak->threads == 3);
  CHECK(leak->rss_pages == 80000);
  CHECK(leak->own_pages() == 79700);
  CHECK_FALSE(leak->kernel_thread());
  CHECK(read_process(fixture("processes"), 2)->kernel_thread());
  CHECK(read_process(fixture("processes"), 803)->stopped());
}

TEST_CASE("a stat line that is cut anywhere is no process, never another start time") {
  const std::string whole = fixture_text("processes/900/stat");
  const uint64_t start = parse_process_stat(whole)->start_ticks;
  for (std::size_t size = 0; size < whole.size(); ++size)
    if (const auto process = parse_process_stat(std::string_view(whole.data(), size)))
      CHECK(process->start_ticks == start);
  damage(whole, [](std::string_view text) {
    if (const auto process = parse_process_stat(text)) CHECK(process->pid > 0);
  });
  damage(fixture_text("processes/801/stat"), [](std::string_view text) { parse_process_stat(text); });
  damage("90000 80000 300 10 0 300 0\n", [](std::string_view text) {
    ProcessInfo process;
    parse_statm(text, process);
    CHECK(process.own_pages() <= process.rss_pages);
  });
}

TEST_CASE("a pass over a fixture lists everybody by pid and counts what could not be read") {
  static ProcessList list;
  const auto pass = read_processes(fixture("processes"), list);
  REQUIRE(pass);
  CHECK(pass->complete);
  CHECK(pass->vanished == 1);    // an empty stat
  CHECK(pass->unreadable == 1);  // "gone"
  REQUIRE(list.size() == 8);
  for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].pid < list[i].pid);
  CHECK(find_process(list, 801)->start_ticks == 5000);
  CHECK(find_process(list, 801, 5000) != nullptr);
  CHECK(find_process(list, 801, 4999) == nullptr);
  CHECK(find_process(list, 99999) == nullptr);
  CHECK_FALSE(read_processes(Fd(), list).has_value());
}

TEST_CASE("a pass over this machine finds this very process") {
  static ProcessList list;
  const Fd proc = real_proc();
  REQUIRE(read_processes(proc, list));
  const ProcessInfo* self = find_process(list, ::getpid());
  REQUIRE(self != nullptr);
  CHECK(self->parent == ::getppid());
  CHECK(self->session == ::getsid(0));
  CHECK(self->rss_pages > 0);
  const auto one = find_process(list, 1);
  CHECK(one != nullptr);
}

TEST_CASE("who is as large as it was is not asked for its statm again, unless it is another process") {
  const Fd proc = fixture("processes");
  const auto read = read_process(proc, 801);
  REQUIRE(read);
  ProcessSizes earlier{801, read->start_ticks, read->stat_rss_pages, 777, 7};
  CHECK(read_process(proc, 801, {&earlier, 1})->rss_pages == 777);
  CHECK(read_process(proc, 801, {&earlier, 1})->shared_pages == 7);
  earlier.stat_rss_pages += 1;
  CHECK(read_process(proc, 801, {&earlier, 1})->rss_pages == read->rss_pages);
  earlier.stat_rss_pages -= 1;
  earlier.start_ticks += 1;
  CHECK(read_process(proc, 801, {&earlier, 1})->rss_pages == read->rss_pages);
  earlier = {802, read->start_ticks, read->stat_rss_pages, 777, 7};
  CHECK(read_process(proc, 801, {&earlier, 1})->rss_pages == read->rss_pages);
}

TEST_CASE("a meter goes on telling about its process and says ESRCH when it has gone") {
  const Fd proc = real_proc();
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto meter = ProcessMeter::open(proc, child);
  REQUIRE(meter);
  CHECK(meter->read()->pid == child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto after = meter->read();
  REQUIRE_FALSE(after);
  CHECK(after.error().code == ESRCH);
  CHECK_FALSE(ProcessMeter::open(proc, child).has_value());
}

TEST_CASE("status tells tracer, pending signals, swap and effective user") {
  const Fd proc = fixture("processes");
  const auto leak = read_status(proc, 801);
  REQUIRE(leak);
  CHECK(leak->pending_signals == 0x4000);
  CHECK(leak->asked_to_end());
  CHECK(leak->swap_bytes == 2048 * 1024);
  CHECK(leak->uid == 1000);
  CHECK(read_status(proc, 802)->tracer == 950);
  CHECK(read_status(proc, 803)->pending_signals == 0x100);  // SIGKILL is 9: works on a frozen process by itself
  CHECK_FALSE(read_status(proc, 803)->asked_to_end());
  CHECK_FALSE(parse_status("Name:\tx\n").has_value());
  damage(fixture_text("processes/801/status"), [](std::string_view text) { parse_status(text); });
}

TEST_CASE("a signal sent to a process that blocks it is seen pending") {
  const Fd proc = real_proc();
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    (void)!::write(ready[1], "x", 1);
    while (true) ::usleep(100'000);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_FALSE(read_status(proc, child)->asked_to_end());
  ::kill(child, SIGTERM);
  CHECK(read_status(proc, child)->asked_to_end());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("the cgroup of a process is its v2 line") {
  const Fd proc = fixture("processes");
  CHECK(*read_cgroup_path(proc, 801) == "/system.slice/leak.service");
  CHECK(*read_cgroup_path(proc, 900) == "/user.slice/user-1000.slice");
  CHECK_FALSE(read_cgroup_path(proc, 950).has_value());  // v1 only
  CHECK_FALSE(read_cgroup_path(proc, 1).has_value());
  CHECK_FALSE(parse_cgroup_path("0::relative").has_value());
  CHECK_FALSE(parse_cgroup_path("0::/" + std::string(600, 'x')).has_value());
  const std::string debian10 = "4:memory:/m\n3:cpu,cpuacct:/system.slice/cron.service\n0::/x\n";
  CHECK(v1_cpu_path(debian10) == "/system.slice/cron.service");
  CHECK(v1_cpu_path("12:cpuset:/a\n0::/a\n").empty());
  damage(debian10, [](std::string_view text) { (void)v1_cpu_path(text); });
}

TEST_CASE("WATCHDOG_USEC is found behind an entry longer than the buffer and never inside another one") {
  const Fd proc = fixture("processes");
  CHECK(read_watchdog_usec(proc, 802) == 30'000'000u);
  CHECK_FALSE(read_watchdog_usec(proc, 801).has_value());  // "12x"
  CHECK_FALSE(read_watchdog_usec(proc, 700).has_value());
  const Fd real = real_proc();
  const pid_t child = ::fork();
  if (child == 0) {
    const char* const arguments[] = {"sleep", "5", nullptr};
    const char* const environment[] = {"A=b", "WATCHDOG_USEC=4000000", nullptr};
    ::execve("/bin/sleep", const_cast<char**>(arguments), const_cast<char**>(environment));
    ::_exit(1);
  }
  std::optional<uint64_t> usec;
  for (int i = 0; i < 200 && !usec; ++i) {
    ::usleep(5000);
    usec = read_watchdog_usec(real, child);
  }
  CHECK(usec == 4'000'000u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("oom_score_adj outside its range is not believed") {
  CHECK(read_oom_score_adj(fixture("processes"), 700) == -500);
  CHECK_FALSE(read_oom_score_adj(fixture("processes"), 801).has_value());
  CHECK_FALSE(read_oom_score_adj(fixture("processes"), 1).has_value());
}

TEST_CASE("who waits behind whose lock is read from /proc/locks, level by level") {
  static LockWaits waits;
  REQUIRE(read_lock_waits(fixture("processes"), waits));
  REQUIRE(waits.size() == 4);
  CHECK((waits[0].waiter == 802 && waits[0].holder == 801));
  CHECK((waits[1].waiter == 803 && waits[1].holder == 802));
  CHECK((waits[2].waiter == 804 && waits[2].holder == 801));
  CHECK((waits[3].waiter == 805 && waits[3].holder == 0));  // held through an open file description
  damage(fixture_text("processes/locks"), [](std::string_view text) {
    LockLines lines;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const auto wait = lines.take(text.substr(0, end));
      if (wait) CHECK((wait->waiter > 0 && wait->holder >= 0));
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
  });
}

TEST_CASE("a real waiter behind a real file lock is seen with its holder") {
  char path[] = "/tmp/hosa-lock-XXXXXX";
  const Fd file(::mkstemp(path));
  REQUIRE(::flock(file.get(), LOCK_EX) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int own = ::open(path, O_RDWR);
    ::flock(own, LOCK_EX);
    ::_exit(0);
  }
  static LockWaits waits;
  const Fd proc = real_proc();
  bool seen = false;
  for (int i = 0; i < 200 && !seen; ++i) {
    ::usleep(5000);
    REQUIRE(read_lock_waits(proc, waits));
    for (const LockWait& wait : waits) seen |= wait.waiter == child && wait.holder == ::getpid();
  }
  CHECK(seen);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::unlink(path);
}

TEST_CASE("the identity of a process is what it runs, not what it calls itself") {
  const Fd proc = real_proc();
  const ProcessIdentity self = read_identity(proc, ::getpid());
  CHECK(self.known);
  CHECK(self.uid == ::geteuid());
  CHECK(self.program().starts_with("test-proprioception"));
  CHECK_FALSE(self.foreign_user_namespace);
  CHECK_FALSE(self.arguments.empty());
  const ProcessIdentity thread = read_identity(proc, 2);
  if (thread.known) CHECK(thread.exe.empty());
  CHECK_FALSE(read_identity(proc, 0).known);
  const ProcessIdentity fixed = read_identity(fixture("processes"), 802);
  CHECK(fixed.exe == "/srv/no/such/python3");
  CHECK(fixed.argument(1) == "/srv/leak.py");
  CHECK(fixed.argument(3).empty());
  CHECK(fixed.command_line() == "python3 /srv/leak.py --fast");
  CHECK_FALSE(fixed.owned_by_root);
  CHECK(fixed.foreign_user_namespace);
  CHECK(read_identity(fixture("processes"), 700).exe == "/usr/sbin/sshd");  // "(deleted)" after an upgrade
  CHECK(read_identity(fixture("processes"), 802, true).arguments.empty());
}

TEST_CASE("names are kept, completed once it may wait, and looked up again after exec") {
  static ProcessNames names;
  const Fd proc = real_proc();
  int go[2];
  REQUIRE(::pipe2(go, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte;
    (void)!::read(go[0], &byte, 1);
    ::execl("/bin/sleep", "sleep", "5", nullptr);
    ::_exit(1);
  }
  const auto before = read_process(proc, child);
  CHECK(names.peek(child, before->start_ticks) == nullptr);
  CHECK(names.identify(proc, *before, false).arguments.empty());
  CHECK(names.identify(proc, *before, true).program().starts_with("test-proprioception"));
  CHECK_FALSE(names.peek(child, before->start_ticks)->arguments.empty());
  CHECK(names.size() == 1);
  (void)!::write(go[1], "x", 1);
  bool changed = false;
  for (int i = 0; i < 200 && !changed; ++i) {
    ::usleep(5000);
    changed = !names.identify(proc, *before, true).program().starts_with("test-proprioception");
  }
  CHECK(changed);
  ::usleep(20000);
  CHECK(names.peek(child, before->start_ticks + 1) == nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(go[0]);
  ::close(go[1]);
}

TEST_CASE("the cache of names is bounded: in a full set the one used longest ago gives way") {
  static ProcessNames names;
  const Fd proc = fixture("processes");
  ProcessInfo process;
  process.pid = 802;
  for (uint64_t start = 1; start <= 10; ++start) {
    process.start_ticks = start;
    names.identify(proc, process, true);
    process.start_ticks = 1;
    names.identify(proc, process, true);  // stays because it is used
  }
  CHECK(names.size() == kNameWays);
  CHECK(names.peek(802, 1) != nullptr);
  CHECK(names.peek(802, 10) != nullptr);
  CHECK(names.peek(802, 2) == nullptr);
}

TEST_CASE("the large tables are all zero bits when new, so that a static one costs no byte of the program file") {
  const auto all_zero = [](const auto& table) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&table);
    return std::all_of(bytes, bytes + sizeof table, [](unsigned char byte) { return byte == 0; });
  };
  static const ProcessList list;
  static const ProcessNames names;
  static const CgroupTree tree;
  static const LockWaits waits;
  CHECK(all_zero(list));
  CHECK(all_zero(names));
  CHECK(all_zero(tree));
  CHECK(all_zero(waits));
}
