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

// 50 MB/s in pieces of 16 KiB for 80 ms, after a pause in which its own start is forgotten; when it began is left in
// `onset`.
[[noreturn]] void leak(volatile uint64_t* onset) {
  constexpr std::size_t kPiece = 16384, kBytes = 4u << 20;
  constexpr uint64_t kPieceNs = kPiece * 1'000'000'000ull / 50'000'000;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ::_exit(1);
  ::madvise(memory, kBytes, MADV_NOHUGEPAGE);
  sleep_until(now_ns() + 400'000'000);
  const uint64_t begun = now_ns();
  *onset = begun;
  for (std::size_t at = 0; at < kBytes; at += kPiece) {
    for (std::size_t page = 0; page < kPiece; page += 4096) static_cast<volatile char*>(memory)[at + page] = 1;
    sleep_until(begun + (at / kPiece + 1) * kPieceNs);
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

}  // namespace

void print_latency(const char* name, int hogs, int leaks, std::string (*ask)()) {
  auto* const onset =
      static_cast<volatile uint64_t*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<pid_t> spinning;
  for (int i = 0; i < hogs; ++i) {
    const pid_t pid = ::fork();
    while (pid == 0) __asm__ volatile("");
    spinning.push_back(pid);
  }
  std::vector<double> record, user;
  for (int i = 0; i < leaks; ++i) {
    *onset = 0;
    const pid_t pid = ::fork();
    if (pid == 0) leak(onset);
    ::waitpid(pid, nullptr, 0);
    Found found;
    if (*onset == 0 || !find_record(ask(), pid, *onset, found)) continue;
    record.push_back(found.onset_to_record_ms);
    user.push_back(found.record_to_user_us);
  }
  for (const pid_t pid : spinning) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  ::munmap(const_cast<uint64_t*>(onset), 4096);
  if (record.empty()) {
    std::printf("%-15s none of %d leaks was recorded\n", name, leaks);
    return;
  }
  std::printf(
      "%-15s onset to record p50 %.1f ms, max %.1f (prototype: 5.6); record to loop p50 %.0f us, p90 %.0f, max %.0f "
      "(prototype: p50 51; promised: p99 100); %zu of %d leaks of 50 MB/s\n",
      name, quantile(record, 0.5), quantile(record, 1), quantile(user, 0.5), quantile(user, 0.9), quantile(user, 1),
      record.size(), leaks);
}

}  // namespace bench
