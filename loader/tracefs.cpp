#include "loader/tracefs.h"

#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

// uapi/linux/mount.h clashes with sys/mount.h in places; these four numbers are the same on every architecture.
constexpr long kFsopen = 430, kFsconfig = 431, kFsmount = 432;  // 5.2
constexpr unsigned kFsconfigCreate = 6;                         // FSCONFIG_CMD_CREATE
constexpr unsigned kCloseOnExec = 1;                            // FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC
constexpr auto kTracefsMagic = 0x74726163;                      // uapi/linux/magic.h

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// mountinfo writes space, tab, newline and backslash as \ooo.
FixedString<255> unescaped(std::string_view text) {
  FixedString<255> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      c = static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    }
    out.append({&c, 1});
  }
  return out;
}

// "36 35 98:0 /root /mount/point opts shared:1 - type source opts" -> the mount point if root and type fit.
std::optional<FixedString<255>> mount_in_line(std::string_view line, std::string_view type) {
  for (int skipped = 0; skipped < 3; ++skipped) take_word(line);
  const std::string_view root = take_word(line);
  const std::string_view point = take_word(line);
  std::string_view word = take_word(line);
  while (!word.empty() && word != "-") word = take_word(line);
  if (root != "/" || take_word(line) != type) return std::nullopt;
  const FixedString<255> path = unescaped(point);
  if (path.cut() || path.empty()) return std::nullopt;
  return path;
}

// Through the whole file in pieces: a container host has thousands of mounts. A line longer than the piece is skipped.
std::optional<FixedString<255>> find_mount_in_file(int fd, std::string_view type) {
  char piece[8192];
  std::size_t kept = 0;
  for (;;) {
    const ssize_t got = ::read(fd, piece + kept, sizeof piece - kept);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    const std::size_t held = kept + static_cast<std::size_t>(got);
    const std::string_view all(piece, held);
    const std::size_t end = all.rfind('\n');
    if (end == std::string_view::npos) {
      kept = held == sizeof piece ? 0 : held;
      continue;
    }
    if (const auto found = find_mount(slice(all, 0, end), type)) return found;
    kept = held - end - 1;
    std::memmove(piece, piece + end + 1, kept);
  }
}

// A kernel in lockdown (confidentiality) mounts tracefs and leaves it empty.
Result<Fd> with_events(Result<Fd> tracefs) {
  if (!tracefs || ::syscall(SYS_faccessat, tracefs->get(), "events", F_OK) == 0) return tracefs;
  return make_error(EPERM, "tracefs shows no events, as under kernel lockdown");
}

Result<FixedString<160>> event_path(std::string_view event, std::string_view file) {
  FixedString<160> path("events/");
  path.append(event).append("/").append(file);
  if (path.cut() || event.find("..") != std::string_view::npos) return make_error(0, "not a tracepoint:", event);
  return path;
}

std::optional<uint64_t> number_after(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = slice(line, at + key.size());
  return to_number(trim(take_until(rest, ';')));
}

// "field:unsigned long args[6];" -> "args"; "field:__data_loc char[] name;" -> "name".
std::string_view field_name(std::string_view declaration) {
  const std::size_t bracket = declaration.rfind('[');
  const std::size_t space = declaration.rfind(' ');
  if (bracket != std::string_view::npos && (space == std::string_view::npos || bracket > space))
    declaration = slice(declaration, 0, bracket);
  const std::size_t start = declaration.rfind(' ');
  return start == std::string_view::npos ? declaration : slice(declaration, start + 1);
}

std::optional<TraceField> field_in_line(std::string_view line) {
  line = trim(line);
  line.remove_prefix(sizeof "field:" - 1);
  std::string_view rest = line;
  const std::string_view declaration = take_until(rest, ';');
  const auto offset = number_after(rest, "offset:");
  const auto size = number_after(rest, "size:");
  const auto is_signed = number_after(rest, "signed:");
  TraceField field;
  field.name = field_name(declaration);
  constexpr uint64_t kLargest = 65535;  // a trace record is at most a page
  if (!offset || !size || *offset > kLargest || *size > kLargest || field.name.empty() || field.name.cut())
    return std::nullopt;
  field.offset = static_cast<uint32_t>(*offset);
  field.size = static_cast<uint32_t>(*size);
  field.is_signed = is_signed.value_or(0) == 1;
  return field;
}

}  // namespace

std::optional<FixedString<255>> find_mount(std::string_view mountinfo, std::string_view type) {
  while (!mountinfo.empty())
    if (const auto found = mount_in_line(take_line(mountinfo), type)) return found;
  return std::nullopt;
}

Result<Fd> mount_privately(const char* type) {
  const Fd context(static_cast<int>(::syscall(kFsopen, type, kCloseOnExec)));
  if (!context) return errno_error("open file system", type);
  if (::syscall(kFsconfig, context.get(), kFsconfigCreate, nullptr, nullptr, 0) < 0)
    return errno_error("create file system", type);
  Fd mount(static_cast<int>(::syscall(kFsmount, context.get(), kCloseOnExec, 0)));
  if (!mount) return errno_error("mount file system", type);
  // The mount descriptor is an O_PATH one: open its root for reading, as every other directory here.
  auto directory = open_directory(mount.get(), ".");
  return directory;
}

Result<Fd> open_tracefs(const char* proc) {
  FixedString<200> path(proc);
  path.append("/self/mountinfo");
  if (const auto mounts = open_file(AT_FDCWD, path.c_str())) {
    if (const auto point = find_mount_in_file(mounts->get(), "tracefs")) {
      auto directory = open_directory(AT_FDCWD, point->c_str());
      struct statfs what {};
      if (directory && ::fstatfs(directory->get(), &what) == 0 && what.f_type == kTracefsMagic)
        return with_events(std::move(directory));
    }
  }
  return with_events(mount_privately("tracefs"));
}

Result<TraceFormat> parse_format(std::string_view text) {
  TraceFormat format;
  bool has_id = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (slice(line, 0, 3) == "ID:") {
      const auto id = to_number(trim(slice(line, 3)));
      if (!id) return make_error(0, "tracepoint id is not a number:", slice(line, 3));
      format.id = *id;
      has_id = true;
    } else if (slice(trim(line), 0, 6) == "field:") {
      const auto field = field_in_line(line);
      if (!field) return make_error(0, "field of tracepoint is not understood:", trim(line));
      if (!format.fields.push_back(*field)) return make_error(0, "tracepoint has too many fields");
    }
  }
  if (!has_id) return make_error(0, "tracepoint format has no id");
  return format;
}

Result<uint64_t> tracepoint_id(int tracefs, std::string_view event) {
  const auto path = event_path(event, "id");
  if (!path) return path.error();
  char buffer[32];
  const auto text = read_file(tracefs, path->c_str(), buffer);
  if (!text) return text.error();
  const auto id = to_number(trim(*text));
  if (!id) return make_error(0, "tracepoint id is not a number:", event);
  return *id;
}

Result<std::string_view> read_format(int tracefs, std::string_view event, std::span<char> buffer) {
  const auto path = event_path(event, "format");
  if (!path) return path.error();
  return read_file(tracefs, path->c_str(), buffer);
}

}  // namespace hosa
