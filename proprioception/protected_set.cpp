#include "proprioception/protected_set.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "proprioception/process_status.h"
#include "proprioception/protected_names.h"

namespace hosa {

namespace {

constexpr unsigned kLastSystemUser = 999;  // login.defs, SYS_UID_MAX

// Where nobody but root installs programs.
constexpr std::string_view kSystemPlaces[] = {
    "/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/",  "/libexec/",        "/opt/",
    "/nix/", "/gnu/", "/snap/", "/rom/", "/system/", "/var/lib/rancher/"};
// Where users may put files (a link to a program of root's under a name of their own, for one). Firmware images keep
// programs in places of their own, so what runs as root is asked only not to come from here.
constexpr std::string_view kLoosePlaces[] = {"/tmp/", "/var/tmp/", "/dev/", "/home/", "/run/", "/media/", "/mnt/"};

bool below_any(std::span<const std::string_view> places, std::string_view path) {
  return std::any_of(places.begin(), places.end(), [&](std::string_view place) { return path.starts_with(place); });
}

bool trusted(const ProcessIdentity& identity) {
  if (!identity.known || !identity.owned_by_root || identity.foreign_user_namespace) return false;
  const std::string_view path = identity.exe.view();
  return below_any(kSystemPlaces, path) ||
         (identity.uid == 0 && path.starts_with('/') && !below_any(kLoosePlaces, path));
}

std::string_view file_name(std::string_view path) {
  if (path.starts_with('-')) path.remove_prefix(1);  // "-bash": a login shell's argument 0
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : slice(path, slash + 1);
}

// The part a program plays. One busybox file is many programs: then argument 0 says which, and for scripts argument 1
// does; both are the process's own claim, so they count only for root.
std::string_view part_of(const ProcessIdentity& identity) {
  const std::string_view program = identity.program();
  if (identity.uid != 0) return program;
  if (program == "busybox" || program == "toybox" || program == "coreutils") {
    const std::string_view applet = file_name(identity.argument(0));
    return applet == program ? identity.argument(1) : applet;
  }
  if (is_interpreter(program) && below_any(kSystemPlaces, identity.argument(1))) return file_name(identity.argument(1));
  return program;
}

// A shell that waits for a person: no -c, no script. Options that take a word (--rcfile F, --init-file F) skip it.
bool is_interactive(const ProcessIdentity& identity) {
  int i = 1;
  if (identity.program() == "busybox" && file_name(identity.argument(0)) == "busybox") ++i;  // "busybox sh"
  for (;; ++i) {
    const std::string_view argument = identity.argument(i);
    if (argument.empty()) return true;
    if (argument == "--rcfile" || argument == "--init-file" || argument == "-o") {
      ++i;
    } else if (!argument.starts_with('-') ||
               (!argument.starts_with("--") && argument.find('c') != std::string_view::npos)) {
      return false;
    }
  }
}

bool is_session_shell(const ProcessInfo& process, const ProcessIdentity& identity) {
  if (!is_shell(identity.program()) || !is_interactive(identity)) return false;
  const bool busybox = identity.program() == "busybox";
  // Without arguments (first seen in an episode, when they may not be read) the benefit of the doubt is the session's.
  if (busybox && !identity.arguments.empty() && !is_shell(file_name(identity.argument(0))) &&
      !is_shell(identity.argument(1)))
    return false;
  return (process.session_leader() && process.terminal != 0) || identity.argument(0).starts_with('-');
}

}  // namespace

Protection judge(const ProcessInfo& process, const ProcessIdentity& identity, std::span<const int> own) {
  if (process.pid == 1) return {"init (PID 1)"};
  if (process.kernel_thread()) return {"kernel thread"};
  if (std::find(own.begin(), own.end(), process.pid) != own.end()) return {"hosa itself"};
  if (!trusted(identity)) return {};
  const ProtectedName* name = find_protected_name(part_of(identity));
  if (name != nullptr && (name->by == PlayedBy::anybody || identity.uid <= kLastSystemUser)) return {name->reason};
  // Since OpenSSH's privilege separation the process of a session runs as its user.
  if (identity.program() == "sshd") return {"secure shell session"};
  if (is_session_shell(process, identity)) return {"login shell of a session"};
  return {};
}

Protection judge_descriptor(std::string_view target) {
  if (target.starts_with("/dev/watchdog")) return {"holds the hardware watchdog"};
  if (target == "/dev/fuse") return {"serves a file system (FUSE)"};
  if (target.starts_with("/dev/nbd")) return {"serves a block device (nbd)"};
  if (target.starts_with("/dev/uio")) return {"serves a block device (tcmu)"};
  if (target == "anon_inode:[userfaultfd]" || target == "/dev/userfaultfd") return {"serves page faults (userfaultfd)"};
  return {};
}

Protection judge_dearly(const Fd& proc, int pid) {
  const auto directory = open_directory(proc.get(), process_path(pid, "fd").c_str());
  if (!directory) return {};
  DirectoryReader entries(directory->get());
  std::size_t looked_at = 0;
  char target[64];
  while (const auto entry = entries.next()) {
    if (++looked_at > kMaxDescriptors) break;
    const ssize_t size = ::readlinkat(directory->get(), entry->name.data(), target, sizeof target);
    if (size <= 0) continue;
    if (const Protection found = judge_descriptor({target, static_cast<std::size_t>(size)})) return found;
  }
  return {};
}

void find_tracers(const Fd& proc, const ProcessList& list, Tracers& tracers) {
  tracers.clear();
  for (const ProcessInfo& process : list) {
    if (process.kernel_thread()) continue;
    const auto status = read_status(proc, process.pid);
    if (!status || status->tracer <= 0) continue;
    if (std::find(tracers.begin(), tracers.end(), status->tracer) == tracers.end()) tracers.push_back(status->tracer);
  }
}

namespace {

constexpr const char* kCannotSay = "its processes cannot all be looked at";

CgroupProtection judge_members(const Fd& cgroup, const Guard& guard) {
  const auto file = open_file(cgroup.get(), "cgroup.procs");
  if (!file) return {file.error().code == ENOENT || file.error().code == ENODEV ? nullptr : kCannotSay, 0};
  char probe[1];
  const auto readable = read_at_start(file->get(), probe);
  if (!readable) return {readable.error().code == ENODEV ? nullptr : kCannotSay, 0};
  LineReader lines(file->get());
  for (std::size_t seen = 0; const auto line = lines.next(); ++seen) {
    const auto pid = to_number<int>(trim(*line));
    if (seen == kMaxProcsPerCgroup || !pid) return {kCannotSay, 0};
    if (*pid == 0) continue;  // of another pid namespace, which we cannot see
    const auto process = read_process(guard.proc, *pid);
    if (!process) continue;
    const ProcessIdentity& identity = guard.names.identify(guard.proc, *process, guard.may_wait);
    Protection found = judge(*process, identity, guard.own);
    if (!found && guard.dearly) found = judge_dearly(guard.proc, *pid);
    if (found) return {found.reason, *pid};
  }
  return {};
}

CgroupProtection judge_subtree(const Fd& cgroup, const Guard& guard, int depth) {
  if (depth > kMaxCgroupDepth) return {kCannotSay, 0};
  if (const CgroupProtection found = judge_members(cgroup, guard)) return found;
  DirectoryReader entries(cgroup.get());
  while (const auto entry = entries.next()) {
    if (entry->type != DT_DIR) continue;
    const auto child = open_directory(cgroup.get(), entry->name.data());
    if (!child) continue;  // removed meanwhile
    if (const CgroupProtection found = judge_subtree(*child, guard, depth + 1)) return found;
  }
  return {};
}

}  // namespace

CgroupProtection cgroup_holds_protected(const Fd& cgroup, Guard guard) {
  return judge_subtree(cgroup, guard, 0);
}

}  // namespace hosa
