#include "loader/kernel_config.h"

#include <sys/utsname.h>

#include <algorithm>

#include "loader/inflate.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::size_t kMaxConfigFile = std::size_t{4} << 20;  // 280 KB plain on Debian 12, 60 KB compressed

// Lines come in pieces; one that is longer than the buffer is nobody's.
struct Lines {
  List<ConfigWord>& words;  // by name
  FixedString<255> line;

  void take(Bytes piece) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const char letter = static_cast<char>(piece.data()[i]);
      if (letter != '\n') {
        line.append(std::string_view(&letter, 1));
        continue;
      }
      finish();
      line.clear();
    }
  }
  void finish() {
    std::string_view rest = line.view();
    if (line.cut() || slice(rest, 0, 7) != "CONFIG_") return;
    const std::string_view name = take_until(rest, '=');
    for (auto *word = std::lower_bound(words.begin(), words.end(), name,
                                       [](const ConfigWord&a, std::string_view b) { return a.name < b; });
         word != words.end() && word->name == name; ++word)
      word->value = rest;
  }
};

Result<void> read_all(int fd, List<unsigned char>& out) {
  unsigned char block[4096];
  for (;;) {
    const ssize_t got = ::pread(fd, block, sizeof block, static_cast<off_t>(out.size()));
    if (got < 0) return errno_error("read kernel configuration");
    if (got == 0) return {};
    if (out.size() > kMaxConfigFile) return make_error(EFBIG, "kernel configuration is larger than 4 MB");
    if (!out.append(block, static_cast<std::size_t>(got))) return make_error(ENOMEM, "read kernel configuration");
  }
}

}  // namespace

Result<void> read_kernel_config(List<ConfigWord>& words) {
  words.sort([](const ConfigWord& a, const ConfigWord& b) { return a.name < b.name; });
  utsname name{};
  ::uname(&name);
  FixedString<127> path("/boot/config-");
  path.append(name.release);
  List<unsigned char> content;
  Lines lines{words, {}};
  if (const auto plain = open_file(AT_FDCWD, path.c_str())) {
    if (const auto read = read_all(plain->get(), content); !read) return read;
    lines.take(Bytes(content.data(), content.size()));
    return {};
  }
  const auto packed = open_file(AT_FDCWD, "/proc/config.gz");
  if (!packed) return packed.error();
  if (const auto read = read_all(packed->get(), content); !read) return read;
  return inflate_gzip(
      Bytes(content.data(), content.size()),
      [](void* context, Bytes piece) { static_cast<Lines*>(context)->take(piece); }, &lines);
}

uint32_t running_kernel_version() {
  utsname name{};
  if (::uname(&name) != 0) return 0;
  uint32_t part[3] = {};
  std::string_view rest = name.release;
  for (uint32_t& number : part) {
    std::size_t digits = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
    number = to_number<uint32_t>(slice(rest, 0, digits)).value_or(0);
    rest = slice(rest, digits + 1);
  }
  return part[0] << 16 | part[1] << 8 | (part[2] < 255 ? part[2] : 255);
}

}  // namespace hosa
