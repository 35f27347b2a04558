// The probes on the kernel that runs, beside a child that is known to do something.
#pragma once
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "loader/sys/cpu_list.h"
#include "test/catch.h"
#include "test/loader/files.h"
#include "tools/hosa/kernel_side.h"

using namespace hosa;

inline constexpr std::size_t kMegabyte = 1 << 20;
inline constexpr std::size_t kTouched = 64 * kMegabyte;

inline uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// The number behind a word of a file such as /proc/meminfo; 0 if it is not there.
inline uint64_t number_after(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  uint64_t number = 0;
  while (file >> word)
    if (word == key && file >> number) break;
  return number;
}

// A child that works when told to, then waits, so that it can be looked at before and after.
class Child {
 public:
  template <class Work>
  explicit Child(Work work) {
    REQUIRE(::pipe(go_) == 0);
    REQUIRE(::pipe(done_) == 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    char byte = 0;
    while (::read(go_[0], &byte, 1) == 1 && byte == 'g') {
      work();
      if (::write(done_[1], &byte, 1) != 1) break;
    }
    ::_exit(0);
  }
  ~Child() {
    tell('x');
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {go_[0], go_[1], done_[0], done_[1]}) ::close(fd);
  }
  void run() {
    start();
    wait();
  }
  void start() { tell('g'); }
  void wait() {
    char byte = 0;
    REQUIRE(::read(done_[0], &byte, 1) == 1);
  }
  uint32_t pid() const { return static_cast<uint32_t>(pid_); }

 private:
  void tell(char byte) { REQUIRE(::write(go_[1], &byte, 1) == 1); }
  int go_[2], done_[2];
  pid_t pid_ = 0;
};

struct Opened {
  RungReport report;
  KernelSide side;
  explicit Opened(const KernelSources& sources = {}) { side.open(sources, monotonic_ns(), report); }

  hosa_usage usage_of(uint32_t tgid) {
    static std::array<ProcessShare, HOSA_PROCESSES> table;
    const auto count = side.read_usage_by_process(table);
    REQUIRE(count);
    for (std::size_t i = 0; i < *count; ++i)
      if (table[i].tgid == tgid) return table[i].usage;
    return {};
  }
  // All bytes that a cgroup was handed since the start, as far as they are attributed.
  uint64_t handed_to(uint64_t cgroup) {
    static std::array<CgroupShare, HOSA_CGROUPS> table;
    const auto count = side.read_usage_by_cgroup(table);
    REQUIRE(count);
    for (std::size_t i = 0; i < *count; ++i)
      if (table[i].cgroup == cgroup) return table[i].usage.all_bytes;
    return 0;
  }
  std::vector<hosa_event> quota_records() {
    std::vector<hosa_event> records;
    KernelEvents events;
    side.consume(events);
    for (const hosa_event& event : events)
      if (event.span == HOSA_QUOTA) records.push_back(event);
    return records;
  }
  static std::size_t cpus() { return possible_cpu_slots("/sys").value_or(1); }
  std::string rung(std::string_view sensor) const {
    for (const Rung& row : report)
      if (row.sensor == sensor) return std::string(row.rung.view());
    return "no row";
  }
  std::string why(std::string_view sensor) const {
    for (const Rung& row : report)
      if (row.sensor == sensor) return std::string(row.why_not_better.view());
    return "no row";
  }
};

inline void touch_anonymous(int advice, bool keep = false) {
  constexpr std::size_t kHuge = 32 * kMegabyte;  // the largest huge page there is (16K base pages)
  void* const raw = ::mmap(nullptr, kTouched + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* const start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kHuge - 1) & ~(kHuge - 1));
  ::madvise(start, kTouched, advice);
  for (std::size_t i = 0; i < kTouched; i += 4096) start[i] = 1;
  if (!keep) ::munmap(raw, kTouched + kHuge);
}

inline bool probes_can_run() {
  if (!may_use_bpf()) return false;
  Opened opened;
  return opened.side.has(KernelSensor::memory);
}
