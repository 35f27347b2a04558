#include "tools/hosa/demo_faults.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace hosa {
namespace {

double now_s() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void nap(double seconds) {
  timespec t{0, static_cast<long>(seconds * 1e9)};
  ::nanosleep(&t, nullptr);
}

// Ordinary work: a little arithmetic fifty times a second.
uint64_t work_until(double end_s) {
  uint64_t units = 0;
  volatile uint64_t state = 1;
  while (now_s() < end_s) {
    for (int i = 0; i < 20000; ++i) state = state * 6364136223846793005ULL + 1;
    ++units;
    nap(0.02);
  }
  return units;
}

void begin(const char* name) {
  ::prctl(PR_SET_NAME, name);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

void run_leak(const FaultPlan& plan, FaultReport& report) {
  begin("demo-leak");
  const double start_s = now_s(), fault_s = start_s + plan.quiet_s, end_s = fault_s + plan.fault_s;
  report.work_before = work_until(fault_s);
  report.phase = 1;
  constexpr std::size_t kPiece = 64 * 1024;
  const auto most = static_cast<std::size_t>(plan.most_bytes);
  void* area = ::mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) ::_exit(1);
  ::madvise(area, most, MADV_NOHUGEPAGE);  // 32 MB steps on 16 KiB pages would pass the whole room at once
  std::size_t used = 0;
  const double piece_s = static_cast<double>(kPiece) / plan.bytes_per_s;
  while (now_s() < end_s && used + kPiece <= most) {
    auto* bytes = static_cast<volatile char*>(area) + used;
    for (std::size_t i = 0; i < kPiece; i += 1024) bytes[i] = 1;
    used += kPiece;
    report.leaked_bytes = used;
    nap(piece_s);
  }
  while (now_s() < end_s) nap(0.05);
  ::munmap(area, most);
  report.phase = 2;
  report.work_after = work_until(now_s() + plan.after_s);
  report.phase = 3;
  ::_exit(0);
}

void run_spinner(const FaultPlan& plan, FaultReport& report) {
  begin("demo-spin");
  const double fault_s = now_s() + plan.quiet_s, end_s = fault_s + plan.fault_s;
  report.work_before = work_until(fault_s);
  report.phase = 1;
  for (int i = 1; i < plan.spinners; ++i) {
    if (::fork() != 0) continue;
    begin("demo-spin");
    while (now_s() < end_s) {
    }
    ::_exit(0);
  }
  while (now_s() < end_s) {
  }
  report.phase = 2;
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  report.work_after = work_until(now_s() + plan.after_s);
  report.phase = 3;
  ::_exit(0);
}

void run_burst(const FaultPlan& plan, FaultReport& report) {
  begin("demo-burst");
  const double fault_s = now_s() + plan.quiet_s, end_s = fault_s + plan.fault_s;
  report.work_before = work_until(fault_s);
  report.phase = 1;
  for (int i = 0; i < plan.births && now_s() < end_s; ++i) {
    if (::fork() == 0) {
      begin("demo-burst");
      while (now_s() < end_s) nap(0.5);
      ::_exit(0);
    }
    nap(0.002);
  }
  while (now_s() < end_s) nap(0.05);
  report.phase = 2;
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  report.work_after = work_until(now_s() + plan.after_s);
  report.phase = 3;
  ::_exit(0);
}

}  // namespace hosa
