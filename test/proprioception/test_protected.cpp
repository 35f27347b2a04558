#include "proprioception/protected_names.h"
#include "proprioception/protected_set.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace hosa;

namespace {

struct Who {
  ProcessInfo process;
  ProcessIdentity identity;
};

// A process of program `exe` with these arguments (separated by blanks), trusted unless changed.
Who somebody(const char* exe, const std::string& arguments, unsigned uid) {
  Who who;
  who.process.pid = 4711;
  who.process.session = 4000;
  who.identity.exe.append(exe);
  std::string with_nuls = arguments;
  for (char& letter : with_nuls)
    if (letter == ' ') letter = '\0';
  who.identity.arguments.append(with_nuls);
  who.identity.uid = uid;
  who.identity.known = who.identity.owned_by_root = true;
  return who;
}
Who on_a_terminal(Who who) {
  who.process.session = who.process.pid;
  who.process.terminal = 34816;
  return who;
}
std::string reason(const Who& who) {
  const Protection found = judge(who.process, who.identity, {});
  return found ? found.reason : "";
}

}  // namespace

TEST_CASE("init, kernel threads and hosa itself are protected by what they are") {
  Who who = somebody("/srv/x", "x", 1000);
  CHECK(reason(who).empty());
  const int own[] = {1, 4711};
  CHECK(std::string(judge(who.process, who.identity, own).reason) == "hosa itself");
  who.process.flags = 0x00200000;
  CHECK(reason(who) == "kernel thread");
  who.process.pid = 1;
  CHECK(reason(who) == "init (PID 1)");
}

TEST_CASE("daemons of the session and of the machine are protected by their program file") {
  CHECK(reason(somebody("/usr/sbin/sshd", "sshd: listener", 0)) == "secure shell server");
  CHECK(reason(somebody("/usr/sbin/sshd", "sshd: user@pts/0", 1000)) == "secure shell session");
  CHECK(reason(somebody("/usr/lib/openssh/sshd-session", "sshd-session: user", 1000)) == "secure shell server");
  CHECK_FALSE(reason(somebody("/usr/bin/tmux", "tmux", 1000)).empty());
  CHECK_FALSE(reason(somebody("/usr/bin/labwc", "labwc", 1000)).empty());
  CHECK_FALSE(reason(somebody("/usr/lib/systemd/systemd", "(sd-pam)", 1000)).empty());
  CHECK_FALSE(reason(somebody("/usr/lib/systemd/systemd-journald", "x", 0)).empty());
  CHECK_FALSE(reason(somebody("/usr/lib/systemd/systemd-timesyncd", "x", 997)).empty());
  CHECK_FALSE(reason(somebody("/usr/bin/dbus-daemon", "dbus-daemon --session", 1000)).empty());
  CHECK_FALSE(reason(somebody("/usr/bin/containerd-shim-runc-v2", "x", 0)).empty());
  CHECK_FALSE(reason(somebody("/var/lib/rancher/k3s/data/x/bin/k3s", "x", 0)).empty());
  CHECK_FALSE(reason(somebody("/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/networkd-dispatcher", 0)).empty());
  CHECK_FALSE(reason(somebody("/app/bin/dropbear", "dropbear", 0)).empty());  // firmware has places of its own
  CHECK_FALSE(reason(somebody("/bin/busybox", "udhcpc -i eth0", 0)).empty());
  CHECK_FALSE(reason(somebody("/bin/busybox", "busybox syslogd -n", 0)).empty());
}

TEST_CASE("nobody is protected for what it calls itself") {
  Who renamed = somebody("/srv/leak", "sshd: root@pts/0", 1000);
  renamed.process.comm.append("sshd");
  CHECK(reason(renamed).empty());
  Who own_file = somebody("/home/user/sshd", "sshd", 1000);
  own_file.identity.owned_by_root = false;
  CHECK(reason(own_file).empty());
  CHECK(reason(somebody("/home/user/sshd", "sshd", 1000)).empty());  // a hard link to a program of root's
  CHECK(reason(somebody("/tmp/sshd", "sshd", 0)).empty());
  Who elsewhere = somebody("/usr/sbin/sshd", "sshd", 1000);  // a bind mount in a namespace of its own
  elsewhere.identity.foreign_user_namespace = true;
  CHECK(reason(elsewhere).empty());
  Who unknown = somebody("/usr/sbin/sshd", "sshd", 0);
  unknown.identity.known = false;
  CHECK(reason(unknown).empty());
  CHECK(reason(somebody("/usr/bin/python3.11", "python3 /usr/bin/networkd-dispatcher", 1000)).empty());
  CHECK(reason(somebody("/bin/busybox", "udhcpc", 1000)).empty());
  CHECK(reason(somebody("/usr/sbin/agetty", "agetty", 1000)).empty());  // only root's is the login
}

TEST_CASE("a login shell is protected, what it runs is not") {
  CHECK(reason(on_a_terminal(somebody("/usr/bin/bash", "bash", 1000))) == "login shell of a session");
  CHECK(reason(somebody("/usr/bin/zsh", "-zsh", 1000)) == "login shell of a session");
  CHECK_FALSE(reason(on_a_terminal(somebody("/usr/bin/bash", "bash --init-file /usr/share/x.sh -i", 1000))).empty());
  CHECK_FALSE(reason(on_a_terminal(somebody("/bin/busybox", "-sh", 0))).empty());
  CHECK_FALSE(reason(on_a_terminal(somebody("/bin/busybox", "busybox ash", 0))).empty());
  CHECK(reason(somebody("/usr/bin/bash", "bash", 1000)).empty());                           // not a leader
  CHECK(reason(on_a_terminal(somebody("/usr/bin/bash", "bash ./leak.sh", 1000))).empty());  // a script
  CHECK(reason(on_a_terminal(somebody("/usr/bin/bash", "bash -c leak", 1000))).empty());    // a command
  CHECK(reason(on_a_terminal(somebody("/usr/bin/bash", "bash -lc leak", 1000))).empty());
  CHECK(reason(on_a_terminal(somebody("/usr/bin/python3.11", "python3", 1000))).empty());
  CHECK(reason(on_a_terminal(somebody("/srv/leak", "-bash", 1000))).empty());
  CHECK(reason(on_a_terminal(somebody("/bin/busybox", "tail -f x", 1000))).empty());
}

TEST_CASE("names with an ending of their own are matched from the front only") {
  CHECK(find_protected_name("containerd-shim-runc-v2") != nullptr);
  CHECK(find_protected_name("my-containerd-shim") == nullptr);
  CHECK(find_protected_name("ssh") == nullptr);
  CHECK(find_protected_name("") == nullptr);
  CHECK(is_shell("zsh-5.9"));
  CHECK_FALSE(is_shell(""));
}

TEST_CASE("descriptors others would hang on protect their holder") {
  CHECK(judge_descriptor("/dev/fuse"));
  CHECK(judge_descriptor("/dev/watchdog0"));
  CHECK(judge_descriptor("/dev/nbd3"));
  CHECK(judge_descriptor("anon_inode:[userfaultfd]"));
  CHECK_FALSE(judge_descriptor("/dev/null"));
  CHECK_FALSE(judge_descriptor("/home/user/dev/fuse"));
  const Fd proc = fixture("processes");
  CHECK(std::string(judge_dearly(proc, 801).reason) == "serves page faults (userfaultfd)");
  CHECK(std::string(judge_dearly(proc, 802).reason) == "holds the hardware watchdog");
  CHECK_FALSE(judge_dearly(proc, 700));
  CHECK_FALSE(judge_dearly(proc, 99999));
}

TEST_CASE("a real holder of a userfaultfd is found") {
  const Fd fault(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
  if (!fault) HOSA_SKIP("this kernel has no userfaultfd");
  CHECK(judge_dearly(*open_directory(AT_FDCWD, "/proc"), ::getpid()));
}

TEST_CASE("who traces others is found from the traced") {
  static ProcessList list;
  Tracers tracers;
  const Fd proc = fixture("processes");
  REQUIRE(read_processes(proc, list));
  find_tracers(proc, list, tracers);
  REQUIRE(tracers.size() == 1);
  CHECK(tracers[0] == 950);
}

TEST_CASE("a cgroup with somebody protected in it, or below it, is told with who it is") {
  static ProcessNames names;
  const Fd proc = fixture("processes");
  const int own[] = {803};
  const Guard guard{proc, names, own, true, false};
  const auto service = cgroup_holds_protected(fixture("cgroup/system.slice/leak.service"), guard);
  CHECK(service.pid == 803);  // in the hold room below
  CHECK(std::string(service.reason) == "hosa itself");
  CHECK_FALSE(cgroup_holds_protected(fixture("cgroup/user.slice"), guard));
  const Guard dear{proc, names, {}, true, true};
  CHECK(cgroup_holds_protected(fixture("cgroup/system.slice"), dear).pid == 801);
  CHECK_FALSE(cgroup_holds_protected(fixture("cgroup/system.slice"), {proc, names, {}, true, false}));
}

TEST_CASE("a cgroup whose processes cannot be listed counts as protected") {
  static ProcessNames names;
  const Fd proc = fixture("processes");
  char path[] = "/tmp/hosa-guard-XXXXXX";
  REQUIRE(::mkdtemp(path) != nullptr);
  const std::string procs = std::string(path) + "/cgroup.procs";
  std::ofstream(procs) << "801\nbinary\xff\n";
  const auto found = cgroup_holds_protected(*open_directory(AT_FDCWD, path), {proc, names, {}, true, false});
  CHECK(found);
  CHECK(found.pid == 0);
  ::unlink(procs.c_str());
  ::rmdir(path);
}
