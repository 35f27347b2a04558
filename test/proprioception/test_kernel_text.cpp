#include "proprioception/kernel_text.h"

#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include "proprioception/directory.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

using namespace hosa;

namespace {
Fd file_with(const std::string& text) {
  Fd fd(::memfd_create("text", 0));
  (void)!::write(fd.get(), text.data(), text.size());
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}
std::vector<std::string> lines_of(const std::string& text) {
  const Fd fd = file_with(text);
  LineReader reader(fd.get());
  std::vector<std::string> lines;
  while (const auto line = reader.next()) lines.emplace_back(*line);
  return lines;
}
}  // namespace

TEST_CASE("lines come whole across the edges of the buffer") {
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back("line " + std::string(static_cast<std::size_t>(i % 97), 'x') + std::to_string(i));
    text += expected.back() + "\n";
  }
  CHECK(lines_of(text) == expected);
}

TEST_CASE("a line longer than the buffer is left out and the next one is whole") {
  CHECK(lines_of("a\n" + std::string(10000, 'z') + "\nb\n") == std::vector<std::string>{"a", "b"});
  CHECK(lines_of("a\n" + std::string(4096, 'z') + "\nb") == std::vector<std::string>{"a", "b"});
  CHECK(lines_of(std::string(9000, 'z')).empty());
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n\nx") == std::vector<std::string>{"", "", "x"});
}

TEST_CASE("a text that does not fit loses its last, cut line only") {
  CHECK(whole_lines("a 1\nb 22", 8) == "a 1\n");
  CHECK(whole_lines("a 1\nb 22", 9) == "a 1\nb 22");
  CHECK(whole_lines("no newline", 10).empty());
}

TEST_CASE("a directory of many names is listed whole, and again from the start") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  for (int round = 0; round < 2; ++round) {
    DirectoryReader reader(proc->get());
    std::set<std::string> names;
    while (const auto entry = reader.next()) names.emplace(entry->name);
    CHECK(names.count("meminfo") == 1);
    CHECK(names.count(std::to_string(::getpid())) == 1);
    CHECK(names.count("..") == 0);
    CHECK(reader.failed() == 0);
  }
  DirectoryReader broken(-1);
  CHECK_FALSE(broken.next().has_value());
  CHECK(broken.failed() == EBADF);
}
