#include "tools/bench/measures.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace bench {
namespace {

double thread_cpu_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double children_cpu_ns() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto ns = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  return ns(used.ru_utime) + ns(used.ru_stime);
}

void stay_on_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

pid_t child(void (*run)(int in, int out, int messages), int in, int out, int messages) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  run(in, out, messages);
  ::_exit(0);
}

// All senders first, so that every message wakes somebody and the scheduler has work.
void send(int, int out, int messages) {
  char message[100] = {};
  for (int i = 0; i < messages; ++i)
    if (::write(out, message, sizeof message) != sizeof message) ::_exit(1);
}
void receive(int in, int, int messages) {
  char message[100];
  for (int i = 0; i < messages; ++i)
    if (::read(in, message, sizeof message) <= 0) ::_exit(1);
}
void ping(int in, int out, int messages) {
  char byte = 0;
  for (int i = 0; i < messages; ++i)
    if (::write(out, &byte, 1) != 1 || ::read(in, &byte, 1) != 1) ::_exit(1);
}
void pong(int in, int out, int messages) {
  char byte = 0;
  for (int i = 0; i < messages; ++i)
    if (::read(in, &byte, 1) != 1 || ::write(out, &byte, 1) != 1) ::_exit(1);
}

void wait_for_all(int count) {
  for (int i = 0; i < count; ++i) ::wait(nullptr);
}

}  // namespace

double getppid_ns() {
  constexpr int kCalls = 200'000;
  const double begun = thread_cpu_ns();
  for (int i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
  return (thread_cpu_ns() - begun) / kCalls;
}

double fault_ns() {
  constexpr std::size_t kBytes = 16u << 20, kPage = 4096;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  ::madvise(memory, kBytes, MADV_NOHUGEPAGE);
  const double begun = thread_cpu_ns();
  for (std::size_t at = 0; at < kBytes; at += kPage) static_cast<volatile char*>(memory)[at] = 1;
  const double used = thread_cpu_ns() - begun;
  ::munmap(memory, kBytes);
  return used / (kBytes / kPage);
}

double switch_ns() {
  constexpr int kRounds = 10'000;
  int there[2], back[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0) std::abort();
  const double before = children_cpu_ns();
  child(ping, back[0], there[1], kRounds);
  child(pong, there[0], back[1], kRounds);
  wait_for_all(2);
  for (const int fd : {there[0], there[1], back[0], back[1]}) ::close(fd);
  return (children_cpu_ns() - before) / (2.0 * kRounds);
}

double hackbench_ns() {
  constexpr int kGroups = 2, kEach = 10, kMessages = 1000;  // 40 births are 0.2 us of each
  const double before = children_cpu_ns();
  int pipes[kGroups][2];
  for (auto& group : pipes) {
    if (::pipe(group) != 0) std::abort();
    for (int i = 0; i < kEach; ++i) {
      child(receive, group[0], group[1], kMessages);
      child(send, group[0], group[1], kMessages);
    }
  }
  wait_for_all(kGroups * kEach * 2);
  for (auto& group : pipes) ::close(group[0]), ::close(group[1]);
  return (children_cpu_ns() - before) / (1.0 * kGroups * kEach * kMessages);
}

void births(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
  }
}

Figures measure() {
  // The last CPU: interrupts and the agent are more often at home on the first.
  stay_on_cpu(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) - 1);
  const auto least = [](double (*loop)(), int tries) {
    double value = loop();
    for (int i = 1; i < tries; ++i) value = std::min(value, loop());
    return value;
  };
  return {least(getppid_ns, 15), least(fault_ns, 25), least(switch_ns, 8), least(hackbench_ns, 10)};
}

}  // namespace bench
