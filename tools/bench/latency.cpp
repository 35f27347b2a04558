#include "tools/bench/latency.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace bench {
namespace {

uint64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

void sleep_until(uint64_t ns) {
  const timespec when{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

// 50 MB/s in pieces of 16 KiB for 40 ms, after a pause in which its own start is forgotten; when it began is left in
// `onset`. It ends before the agent's second look at it: churn, so that the wire stays as it is.
[[noreturn]] void leak(volatile uint64_t* onset) {
  constexpr std::size_t kPiece = 16384, kBytes = 2u << 20;
  constexpr uint64_t kPieceNs = kPiece * 1'000'000'000ull / 50'000'000;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ::_exit(1);
  ::madvise(memory, kBytes, MADV_NOHUGEPAGE);
  sleep_until(now_ns() + 800'000'000);
  const uint64_t begun = now_ns();
  *onset = begun;
  for (std::size_t at = 0; at < kBytes; at += kPiece) {
    for (std::size_t page = 0; page < kPiece; page += 4096) static_cast<volatile char*>(memory)[at + page] = 1;
    sleep_until(begun + (at / kPiece + 1) * kPieceNs);
  }
  ::_exit(0);
}

// Sixty births at once: more than the wire of forks ever allows in 10 ms.
[[noreturn]] void burst() {
  for (int i = 0; i < 60; ++i)
    if (::fork() == 0) ::_exit(0);
  while (::wait(nullptr) > 0) {
  }
  ::_exit(0);
}

double field(const std::string& json, std::size_t from, const char* key) {
  const std::size_t at = json.find(key, from);
  return at == std::string::npos ? 0 : std::strtod(json.c_str() + json.find(':', at) + 1, nullptr);
}

struct Found {
  double onset_to_record_ms = 0, record_to_user_us = 0;
};

// The first record that names the process.
bool find_record(const std::string& json, pid_t pid, uint64_t onset, Found& found) {
  const std::string wanted = "\"pid\":" + std::to_string(pid) + ",\"subject\"";
  double first = 0;
  for (std::size_t at = json.find(wanted); at != std::string::npos; at = json.find(wanted, at + 1)) {
    const double time = field(json, at, "\"time_ns\""), seen = field(json, at, "\"seen_ns\"");
    if (time < static_cast<double>(onset) || (first != 0 && time >= first)) continue;
    first = time;
    found = {(time - static_cast<double>(onset)) * 1e-6, (seen - time) * 1e-3};
  }
  return first != 0;
}

double quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

class Hogs {
 public:
  explicit Hogs(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t pid = ::fork();
      while (pid == 0) __asm__ volatile("");
      spinning_.push_back(pid);
    }
  }
  ~Hogs() {
    for (const pid_t pid : spinning_) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  }

 private:
  std::vector<pid_t> spinning_;
};

}  // namespace

void print_onset(int leaks, std::string (*ask)()) {
  auto* const onset =
      static_cast<volatile uint64_t*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<double> record;
  for (int i = 0; i < leaks; ++i) {
    *onset = 0;
    const pid_t pid = ::fork();
    if (pid == 0) leak(onset);
    ::waitpid(pid, nullptr, 0);
    Found found;
    if (*onset != 0 && find_record(ask(), pid, *onset, found)) record.push_back(found.onset_to_record_ms);
  }
  ::munmap(const_cast<uint64_t*>(onset), 4096);
  std::printf("onset to record ");
  if (record.empty()) {
    std::printf("none of %d leaks was recorded\n", leaks);
    return;
  }
  std::printf("p50 %.1f ms, max %.1f (promised: 10; prototype: 5.6), %zu of %d leaks of 50 MB/s\n",
              quantile(record, 0.5), quantile(record, 1), record.size(), leaks);
}

void print_record_to_loop(const char* name, int hogs, int bursts, std::string (*ask)()) {
  constexpr int kTogether = 8;  // the agent tells its last sixteen records
  const Hogs beside(hogs);
  std::vector<double> user;
  std::vector<pid_t> asked;
  for (int i = 0; i < bursts; ++i) {
    sleep_until(now_ns() + 150'000'000);  // after a record no other is sent for 0.1 s
    const pid_t pid = ::fork();
    if (pid == 0) burst();
    ::waitpid(pid, nullptr, 0);
    asked.push_back(pid);
    if (asked.size() < kTogether && i + 1 < bursts) continue;
    const std::string answer = ask();
    Found found;
    for (const pid_t who : asked)
      if (find_record(answer, who, 0, found)) user.push_back(found.record_to_user_us);
    asked.clear();
  }
  std::printf("record to loop  ");
  if (user.empty()) {
    std::printf("none of %d bursts of forks was recorded\n", bursts);
    return;
  }
  std::printf("p50 %.0f us, p90 %.0f, p99 %.0f, max %.0f %s (promised: p99 100; prototype: p50 51), %zu of %d bursts\n",
              quantile(user, 0.5), quantile(user, 0.9), quantile(user, 0.99), quantile(user, 1), name, user.size(),
              bursts);
}

}  // namespace bench
