#include "tools/hosa/selftest_attribution.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/hosa/stage.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr std::size_t kBytes = 64u << 20;  // two huge pages where pages have 16 KB; a small machine has room for it
constexpr double kWithin = 0.05;

bool touch(int advice, int flags) {
  void* const area = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return false;
  ::madvise(area, kBytes, advice);
  for (std::size_t i = 0; i < kBytes; i += 4096) static_cast<volatile char*>(area)[i] = 1;
  return true;
}
bool touch_small_pages() {
  return touch(MADV_NOHUGEPAGE, MAP_PRIVATE);
}
bool touch_huge_pages() {
  return touch(MADV_HUGEPAGE, MAP_PRIVATE);
}
bool touch_shared() {
  return touch(MADV_NOHUGEPAGE, MAP_SHARED);
}
bool write_tmpfs() {
  const Fd file(::memfd_create("hosa-selftest", MFD_CLOEXEC));
  static char piece[65536];
  for (std::size_t i = 0; file && i < kBytes; i += sizeof piece)
    if (::write(file.get(), piece, sizeof piece) != sizeof piece) return false;
  return static_cast<bool>(file);
}

struct Trial {
  const char* doing;
  bool (*act)();
  __u64 hosa_usage::*kind;
};
constexpr Trial kTrials[] = {{"64 MB in small pages", touch_small_pages, &hosa_usage::anon_bytes},
                             {"64 MB where huge pages may be", touch_huge_pages, &hosa_usage::anon_bytes},
                             {"64 MB written to tmpfs", write_tmpfs, &hosa_usage::shared_bytes},
                             {"64 MB of shared memory", touch_shared, &hosa_usage::shared_bytes}};

// A child that does it and then waits: what is left of it in the table when it has gone may be dropped.
class Doer {
 public:
  explicit Doer(bool (*act)()) {
    int done[2];
    if (::pipe(done) != 0) return;
    const Fd told(done[1]);
    Fd tell(done[0]);
    pid_ = ::fork();
    if (pid_ == 0) {
      const char answer = act() ? 'y' : 'n';
      (void)!::write(told.get(), &answer, 1);
      for (;;) ::pause();
    }
    char answer = 'n';
    done_ = pid_ > 0 && ::read(tell.get(), &answer, 1) == 1 && answer == 'y';
  }
  ~Doer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }
  bool done() const { return done_; }

 private:
  int pid_ = -1;
  bool done_ = false;
};

double bytes_of(const KernelSide& kernel, int pid, __u64 hosa_usage::*kind) {
  static std::array<ProcessShare, HOSA_PROCESSES> table;
  const auto count = kernel.read_usage_by_process(table);
  for (std::size_t i = 0; count && i < *count; ++i)
    if (table[i].tgid == static_cast<uint32_t>(pid)) return static_cast<double>(table[i].usage.*kind);
  return 0;
}

bool test_one(const KernelSide& kernel, const Trial& trial) {
  const double begun_s = monotonic_s();
  const Doer doer(trial.act);
  const double seen = bytes_of(kernel, doer.pid(), trial.kind), wanted = static_cast<double>(kBytes);
  const bool ok = doer.done() && seen >= (1 - kWithin) * wanted && seen <= (1 + kWithin) * wanted;
  FixedString<200> text(ok ? "ok    " : "FAIL  ");
  text.append("sense attribution           ");
  text.append_unsigned(static_cast<uint64_t>((monotonic_s() - begun_s) * 1000)).append(" ms  ");
  text.append(trial.doing).append(", ").append_unsigned(static_cast<uint64_t>(seen) >> 20);
  say(text.append(doer.done() ? " MB put down to it\n" : " MB put down to it; it could not have so much\n").view());
  return ok;
}

}  // namespace

int test_attribution(const KernelSide& kernel) {
  if (!kernel.has(KernelSensor::memory)) {
    say("-     sense attribution           not to be had here (hosa doctor says why)\n");
    return 0;
  }
  int failed = 0;
  for (const Trial& trial : kTrials) failed += test_one(kernel, trial) ? 0 : 1;
  return failed;
}

}  // namespace hosa
