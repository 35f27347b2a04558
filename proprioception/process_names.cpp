#include "proprioception/process_names.h"

#include <sys/stat.h>
#include <unistd.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/process_status.h"

namespace hosa {

namespace {

constexpr std::string_view kDeleted = " (deleted)";  // fs/d_path.c: the file was replaced, as a package upgrade does

std::string_view read_link(const Fd& proc, int pid, const char* file, std::span<char> buffer) {
  const ssize_t size = ::readlinkat(proc.get(), process_path(pid, file).c_str(), buffer.data(), buffer.size());
  if (size <= 0) return {};
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string_view read_exe(const Fd& proc, int pid, std::span<char> buffer) {
  std::string_view exe = read_link(proc, pid, "exe", buffer);
  if (exe.ends_with(kDeleted)) exe.remove_suffix(kDeleted.size());
  return exe;
}

// Follows the link to the very file that runs, in whatever mount namespace.
bool exe_is_roots(const Fd& proc, int pid) {
  struct stat about {};
  if (::fstatat(proc.get(), process_path(pid, "exe").c_str(), &about, 0) != 0) return false;
  return about.st_uid == 0 && (about.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// An ordinary user can make a mount namespace only inside a new user namespace (user_namespaces(7)): so whoever shares
// ours sees files under their true names. Kernels without user namespaces have no link: then all are the same.
bool in_own_user_namespace(const Fd& proc, int pid) {
  char own[64], other[64];
  const ssize_t size = ::readlinkat(proc.get(), "self/ns/user", own, sizeof own);
  if (size <= 0) return true;
  const std::string_view theirs = read_link(proc, pid, "ns/user", other);
  return theirs == std::string_view(own, static_cast<std::size_t>(size));
}

}  // namespace

std::string_view ProcessIdentity::program() const {
  const std::string_view path = exe.view();
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : slice(path, slash + 1);
}

std::string_view ProcessIdentity::argument(int number) const {
  std::string_view rest = arguments.view();
  for (; number > 0; --number) take_until(rest, '\0');
  return take_until(rest, '\0');
}

FixedString<256> ProcessIdentity::command_line() const {
  FixedString<256> out;
  std::string_view rest = arguments.view();
  while (rest.ends_with('\0')) rest.remove_suffix(1);
  for (const char letter : rest) {
    const auto code = static_cast<unsigned char>(letter);  // plain char is unsigned on arm64
    const char shown = code == 0 ? ' ' : code < ' ' || code == 127 ? '?' : letter;
    out.append({&shown, 1});
  }
  return out;
}

ProcessIdentity read_identity(const Fd& proc, int pid, bool quick) {
  ProcessIdentity identity;
  char buffer[256];
  const auto status = read_status(proc, pid);
  if (!status) return identity;
  identity.uid = status->uid;
  const std::string_view exe = read_exe(proc, pid, buffer);
  identity.exe.append(exe);
  identity.known = true;
  if (exe.empty()) return identity;  // a kernel thread, or already a zombie
  identity.owned_by_root = !identity.exe.cut() && exe_is_roots(proc, pid);
  identity.foreign_user_namespace = !in_own_user_namespace(proc, pid);
  if (quick) return identity;
  const auto path = process_path(pid, "cmdline");
  if (const auto text = read_file(proc.get(), path.c_str(), buffer)) identity.arguments.append(*text);
  return identity;
}

ProcessNames::Entry& ProcessNames::slot_for(const ProcessInfo& process) {
  Entry(&set)[kNameWays] = entries_[static_cast<unsigned>(process.pid) % kNameSets];
  Entry* oldest = &set[0];
  for (Entry& entry : set) {
    if (entry.pid == process.pid && entry.start_ticks == process.start_ticks) return entry;
    if (entry.last_used < oldest->last_used) oldest = &entry;
  }
  *oldest = Entry{};
  return *oldest;
}

const ProcessIdentity& ProcessNames::identify(const Fd& proc, const ProcessInfo& process, bool may_wait) {
  Entry& entry = slot_for(process);
  entry.last_used = ++clock_;
  char buffer[256];
  const bool seen = entry.pid != 0 && entry.identity.known && !(entry.quick && may_wait);
  if (seen && entry.identity.exe == FixedString<192>(read_exe(proc, process.pid, buffer)).view()) return entry.identity;
  entry.pid = process.pid;
  entry.start_ticks = process.start_ticks;
  entry.quick = !may_wait;
  entry.identity = read_identity(proc, process.pid, !may_wait);
  return entry.identity;
}

const ProcessIdentity* ProcessNames::peek(int pid, uint64_t start_ticks) const {
  for (const Entry& entry : entries_[static_cast<unsigned>(pid) % kNameSets])
    if (entry.pid == pid && pid != 0 && entry.start_ticks == start_ticks) return &entry.identity;
  return nullptr;
}

std::size_t ProcessNames::size() const {
  std::size_t used = 0;
  for (const auto& set : entries_)
    for (const Entry& entry : set)
      if (entry.pid != 0) ++used;
  return used;
}

}  // namespace hosa
