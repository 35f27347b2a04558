#include "proprioception/turn.h"

#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace hosa {
namespace {

constexpr uint64_t kWorkNs = 150'000;
constexpr uint64_t kRestNs = 1'000'000;
constexpr uint64_t kRoomyNs = 1'000'000;
constexpr uint64_t kHurryNs = 100'000'000;
constexpr uint64_t kLateNs = 8'000'000;  // in sum; going to sleep and waking up alone takes 0.2 ms at 125 MIPS

bool real_time = false;
Turn turn;
uint64_t work_since_ns = 0;  // 0: no rests
uint64_t hurried_until_ns = 0;
bool news = false;
uint64_t late_ns = 0;  // by how much its rests have been longer than twice what was wanted

uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// musl's sched_setscheduler answers ENOSYS on purpose (findings 8).
bool set_scheduler(int policy, int priority) {
  const sched_param parameters{.sched_priority = priority};
  return ::syscall(SYS_sched_setscheduler, 0, policy, &parameters) == 0;
}

void rest() {
  const uint64_t before_ns = now_ns();
  pollfd records{turn.records, POLLIN, 0};
  const timespec time{0, static_cast<long>(kRestNs)};
  const bool readable = ::ppoll(&records, 1, &time, nullptr) > 0;
  news = news || readable;
  work_since_ns = now_ns();
  if (readable) hurried_until_ns = work_since_ns + kHurryNs;
  if (turn.stamp_ns != nullptr) __atomic_store_n(turn.stamp_ns, work_since_ns, __ATOMIC_RELEASE);
  const uint64_t took_ns = work_since_ns - before_ns;
  late_ns += took_ns > 2 * kRestNs ? took_ns - 2 * kRestNs : 0;
  if (!real_time && late_ns > kLateNs) end_turn();
}

}  // namespace

void become_urgent() {
  const rlimit runaway{5'000'000, 8'000'000};  // us without a wait; beside 500 processes a look took 1.4 s at 125 MIPS
  (void)::setrlimit(RLIMIT_RTTIME, &runaway);
  (void)::setpriority(PRIO_PROCESS, 0, -20);
  real_time = set_scheduler(SCHED_FIFO | SCHED_RESET_ON_FORK, 1);
}

void become_ordinary() {
  (void)::setpriority(PRIO_PROCESS, 0, 0);
}

bool may_be_real_time() {
  const bool granted = set_scheduler(SCHED_FIFO, 1);
  if (granted) (void)set_scheduler(SCHED_OTHER, 0);
  return granted;
}

void begin_turn(const Turn& begun) {
  turn = begun;
  news = false;
  work_since_ns = now_ns();
  hurried_until_ns = turn.hurry ? work_since_ns + kHurryNs : turn.roomy ? work_since_ns + kRoomyNs : 0;
  late_ns = 0;
}

bool news_came() {
  return news;
}

void hurry_turn() {
  hurried_until_ns = now_ns() + kHurryNs;
}

void end_turn() {
  work_since_ns = 0;
}

void resume_turn() {
  if (work_since_ns == 0) work_since_ns = now_ns();
  hurried_until_ns = 0;
}

void let_others_run() {
  if (work_since_ns == 0) return;
  const uint64_t time_ns = now_ns();
  if (time_ns - work_since_ns >= kWorkNs && time_ns >= hurried_until_ns) rest();
}

void rest_now() {
  if (work_since_ns != 0) rest();
}

}  // namespace hosa
