// What the tests of the hands share: a temporary copy of the cgroup fixture, children that can be told to do things,
// and a look at this process's descriptors.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "actuate/limit.h"
#include "actuate/undo.h"
#include "loader/sys/file.h"
#include "proprioception/process.h"
#include "test/catch.h"

namespace scratch {

inline constexpr const char* kBoot = "91fafa2d-becc-427b-9c16-ba79ed7263a3";
inline constexpr const char* kOtherBoot = "0d4c6f0e-5f0a-4b0e-8a76-2b7c1c9d1e55";
inline constexpr const char* kLeaker = "/system.slice/leaker.service";

// First object of a test: at its end as many descriptors are open as at its beginning.
class SameDescriptors {
 public:
  SameDescriptors() : count_(count()) {}
  SameDescriptors(const SameDescriptors&) = delete;
  ~SameDescriptors() { CHECK(count() == count_); }
  static long count() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{});
  }

 private:
  long count_;
};

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/hosa-test.XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  Directory(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const char* c_str() const { return path_.c_str(); }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}
inline void spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

// The fixture tree, copied, with the roots that undoing takes.
class CgroupFixture {
 public:
  CgroupFixture() {
    std::filesystem::copy("test/fixtures/actuate/cgroup", home_ / "cgroup", std::filesystem::copy_options::recursive);
    auto root = hosa::open_directory(AT_FDCWD, (home_ / "cgroup").c_str());
    auto proc = hosa::open_directory(AT_FDCWD, "/proc");
    REQUIRE(root);
    REQUIRE(proc);
    root_ = std::move(*root);
    proc_ = std::move(*proc);
    auto leaker = hosa::open_directory(root_.get(), kLeaker + 1);
    REQUIRE(leaker);
    leaker_ = std::move(*leaker);
  }
  hosa::Roots roots() const { return {&proc_, &root_}; }
  const hosa::Fd& proc() const { return proc_; }
  const hosa::Fd& root() const { return root_; }
  const hosa::Fd& leaker() const { return leaker_; }
  static uint64_t id_of(const hosa::Fd& directory) {
    struct stat status {};
    REQUIRE(::fstat(directory.get(), &status) == 0);
    return status.st_ino;
  }
  hosa::CgroupRef ref() const { return {&leaker_, id_of(leaker_), kLeaker}; }
  std::string path(const std::string& file) const { return home_ / ("cgroup" + std::string(kLeaker) + "/" + file); }
  std::string value(const std::string& file) const { return slurp(path(file)); }
  void set(const std::string& file, const std::string& text) const { spill(path(file), text + "\n"); }
  const Directory& home() const { return home_; }

 private:
  Directory home_;
  hosa::Fd root_, proc_, leaker_;
};

inline hosa::Journal journal_in_memory() {
  auto journal = hosa::Journal::in_memory(kBoot);
  REQUIRE(journal);
  return std::move(*journal);
}

inline uint64_t clock_ns(int clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}
inline uint64_t soon_ns(double seconds = 60) {
  return clock_ns(CLOCK_BOOTTIME) + static_cast<uint64_t>(seconds * 1e9);
}

// Looks until it is so; how long that took in seconds, or a negative number.
inline double seconds_until(double limit_s, const std::function<bool()>& so) {
  const uint64_t begun = clock_ns(CLOCK_MONOTONIC);
  for (;;) {
    const double age_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begun) * 1e-9;
    if (so()) return age_s;
    if (age_s > limit_s) return -1;
    ::usleep(5'000);
  }
}

// A child of the test that runs `body` with two pipes: what it is told, what it answers. Killed at the end.
class Child {
 public:
  explicit Child(const std::function<void(int told, int answers)>& body) {
    int told[2], answers[2];
    REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(answers, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::close(told[1]);
      ::close(answers[0]);
      ::alarm(60);  // whatever becomes of the test, this child ends
      body(told[0], answers[1]);
      ::_exit(0);
    }
    told_ = hosa::Fd(told[1]);
    answers_ = hosa::Fd(answers[0]);
    ::close(told[0]);
    ::close(answers[1]);
  }
  Child(const Child&) = delete;
  ~Child() { kill(); }

  void tell(char word = '!') const { REQUIRE(::write(told_.get(), &word, 1) == 1); }
  char answer() const {
    char word = 0;
    return ::read(answers_.get(), &word, 1) == 1 ? word : '\0';
  }
  void signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  int pid() const { return pid_; }
  hosa::ProcessRef ref(const hosa::Fd& proc) const {
    const auto process = hosa::read_process(proc, pid_);
    REQUIRE(process);
    return {pid_, process->start_ticks};
  }
  char state(const hosa::Fd& proc) const {
    const auto process = hosa::read_process(proc, pid_);
    return process ? process->state : '\0';
  }
  bool becomes(const hosa::Fd& proc, char wanted) const {
    return seconds_until(2, [&] { return state(proc) == wanted; }) >= 0;
  }

 private:
  pid_t pid_ = 0;
  hosa::Fd told_, answers_;
};

// For children: wait for a word, give a word.
inline char hear(int fd) {
  char word = 0;
  return ::read(fd, &word, 1) == 1 ? word : '\0';
}
inline void say(int fd, char word = '!') {
  (void)!::write(fd, &word, 1);
}

}  // namespace scratch
