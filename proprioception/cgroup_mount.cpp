#include "proprioception/cgroup_mount.h"

#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/sys/text.h"
#include "proprioception/kernel_text.h"

namespace hosa {

namespace {

constexpr unsigned long kCgroup2Magic = 0x63677270;  // include/uapi/linux/magic.h, CGROUP2_SUPER_MAGIC
// include/uapi/linux/mount.h (5.2); that header cannot be included beside sys/mount.h.
constexpr unsigned kFsopenCloexec = 1, kFsmountCloexec = 1, kFsconfigCmdCreate = 6;

bool is_octal(char letter) {
  return letter >= '0' && letter <= '7';
}

// The kernel writes space, tab, newline and backslash as \ and three octal digits (fs/proc_namespace.c, mangle).
void unescape(std::string_view text, FixedString<kCgroupPathBytes>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char letter = text[i];
    if (letter == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      letter = static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
      i += 3;
    }
    out.append({&letter, 1});
  }
}

bool is_cgroup2(const Fd& directory) {
  struct statfs about {};
  return ::fstatfs(directory.get(), &about) == 0 && static_cast<unsigned long>(about.f_type) == kCgroup2Magic;
}

}  // namespace

std::optional<Mount> parse_mount(std::string_view line) {
  Mount mount;
  for (int skipped = 0; skipped < 3; ++skipped)  // mount id, parent id, device
    if (take_word(line).empty()) return std::nullopt;
  unescape(take_word(line), mount.root);
  unescape(take_word(line), mount.point);
  std::string_view options = take_word(line);
  mount.read_only = take_until(options, ',') == "ro";
  while (true) {  // optional fields up to a lone dash
    const std::string_view word = take_word(line);
    if (word.empty()) return std::nullopt;
    if (word == "-") break;
  }
  mount.type.append(take_word(line));
  take_word(line);  // the source
  mount.super.append(take_word(line));
  const bool whole = !mount.type.empty() && !mount.point.cut() && !mount.root.cut() && mount.point.view()[0] == '/';
  return whole ? std::optional<Mount>(mount) : std::nullopt;
}

void Cgroup2Finder::take(std::string_view line) {
  const auto mount = parse_mount(line);
  if (!mount || mount->type != "cgroup2") return;
  if (mount->root == "/")
    whole_ = mount;
  else
    part_ = mount;
}

Result<Fd> mount_cgroup2_privately() {
  const Fd context(static_cast<int>(::syscall(SYS_fsopen, "cgroup2", kFsopenCloexec)));
  if (!context) return errno_error("fsopen", "cgroup2");
  if (::syscall(SYS_fsconfig, context.get(), kFsconfigCmdCreate, nullptr, nullptr, 0) != 0)
    return errno_error("create a private mount of", "cgroup2");
  const Fd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), kFsmountCloexec, 0)));
  if (!mount) return errno_error("fsmount", "cgroup2");
  return open_directory(mount.get(), ".");  // fsmount answers an O_PATH descriptor; reading needs a real one
}

bool is_v1_of(const Mount& mount, std::string_view controller) {
  if (mount.type != "cgroup" || mount.root != "/" || mount.super.cut()) return false;
  for (std::string_view rest = mount.super.view(); !rest.empty();)
    if (take_until(rest, ',') == controller) return true;
  return false;
}

Fd open_v1_home(const Fd& proc, std::string_view controller) {
  const auto table = open_file(proc.get(), "self/mountinfo");
  if (!table) return {};
  LineReader lines(table->get());
  while (const auto line = lines.next()) {
    const auto mount = parse_mount(*line);
    if (!mount || !is_v1_of(*mount, controller)) continue;
    if (auto directory = open_directory(AT_FDCWD, mount->point.c_str())) return std::move(*directory);
  }
  return {};
}

CgroupHome open_cgroup_home(const Fd& proc, bool may_mount) {
  CgroupHome home;
  Cgroup2Finder finder;
  if (const auto table = open_file(proc.get(), "self/mountinfo")) {
    LineReader lines(table->get());
    while (const auto line = lines.next()) finder.take(*line);
  }
  if (const auto mount = finder.best()) {
    auto directory = open_directory(AT_FDCWD, mount->point.c_str());
    if (directory && is_cgroup2(*directory)) {
      home.how = CgroupRoot::found;
      home.directory = std::move(*directory);
      home.mount_point = mount->point;
      return home;
    }
  }
  home.reason.append("no cgroup2 in /proc/self/mountinfo");
  if (!may_mount) return home;
  auto mounted = mount_cgroup2_privately();
  if (!mounted) {
    home.reason.append("; ").append(mounted.error().text().view());
    return home;
  }
  home.how = CgroupRoot::mounted;
  home.directory = std::move(*mounted);
  home.mount_point.append("(private mount)");
  return home;
}

}  // namespace hosa
