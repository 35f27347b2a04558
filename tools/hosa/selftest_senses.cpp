#include "tools/hosa/selftest_senses.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "detect/number_format.h"
#include "tools/hosa/own_look.h"
#include "tools/hosa/selftest_attribution.h"
#include "tools/hosa/stage.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr std::size_t kTouchedBytes = 16u << 20;
constexpr int kChildren = 40, kNaps = 100;
constexpr double kSpinS = 0.3;

void touch_memory() {
  void* area = ::mmap(nullptr, kTouchedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return;
  for (std::size_t i = 0; i < kTouchedBytes; i += 4096) static_cast<volatile char*>(area)[i] = 1;
  ::munmap(area, kTouchedBytes);
}

void bear_children() {
  for (int i = 0; i < kChildren; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    if (pid > 0) (void)::waitpid(pid, nullptr, 0);
  }
}

void start_programs() {
  for (int i = 0; i < kChildren; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const char* const argv[] = {"hosa", "--version", nullptr};
      const int quiet = ::open("/dev/null", O_WRONLY);
      ::dup2(quiet, STDOUT_FILENO);
      ::execv("/proc/self/exe", const_cast<char* const*>(argv));
      ::_exit(127);
    }
    if (pid > 0) (void)::waitpid(pid, nullptr, 0);
  }
}

void spin() {
  for (const double end_s = monotonic_s() + kSpinS; monotonic_s() < end_s;) {
  }
}

void nap_often() {
  for (int i = 0; i < kNaps; ++i) sleep_s(0.001);
}

// least: of the dimension's total, counted while it was done. A tenth may be missed: probes count by pieces.
struct Trial {
  const char* dimension;
  const char* doing;
  void (*act)();
  double least;
};
constexpr Trial kTrials[] = {
    {"memory_allocated", "16 MB touched", touch_memory, 0.9 * kTouchedBytes},
    {"forks", "40 children born", bear_children, 0.9 * kChildren},
    {"execs", "40 programs started", start_programs, 0.9 * kChildren},
    {"exits", "40 children gone", bear_children, 0.9 * kChildren},
    {"wakeups", "100 naps", nap_often, 0.9 * kNaps},
    {"context_switches", "100 naps", nap_often, 0.9 * kNaps},
    {"cpu_busy", "0.3 s of one CPU", spin, 0.5 * kSpinS},  // per online CPU: see test_one
};

struct Eyes {
  OwnLook look;
  double reading(std::size_t i) {
    (void)look.senses.take(false, false, true);
    return look.senses.vector().readings()[i];
  }
};
alignas(Eyes) unsigned char eyes_storage[sizeof(Eyes)];

void line(const char* verdict, const Trial& trial, std::string_view how) {
  FixedString<200> text(verdict);
  text.append("sense ").append(trial.dimension);
  while (text.size() < 34) text.append(" ");
  say(text.append(how).append("\n").view());
}

bool test_one(Eyes& eyes, const Trial& trial) {
  const StateVector& vector = eyes.look.senses.vector();
  std::size_t at = 0;
  while (at < vector.dimensions().size() && std::string_view(trial.dimension) != vector.dimensions()[at].name) ++at;
  if (at == vector.dimensions().size()) {
    line("-     ", trial, "not to be had here (hosa doctor says why)");
    return true;
  }
  const double begun_s = monotonic_s(), before = eyes.reading(at);
  trial.act();
  sleep_s(0.02);  // what /proc/stat counts in hundredths
  double seen = eyes.reading(at) - before;
  if (trial.act == spin) seen *= eyes.look.senses.readings().cpus;
  FixedString<160> how;
  char digits[detect::kNumberChars];
  const double took_s = static_cast<double>(static_cast<int64_t>((monotonic_s() - begun_s) * 100 + 0.5)) / 100;
  how.append({digits, detect::format_number(took_s, digits)}).append(" s  ").append(trial.doing).append(", ");
  const double shown = static_cast<double>(static_cast<int64_t>(seen * 100)) / 100;
  how.append({digits, detect::format_number(shown, digits)}).append(" seen by ").append(vector.source(at));
  const bool ok = seen >= trial.least;
  line(ok ? "ok    " : "FAIL  ", trial, how.view());
  return ok;
}

}  // namespace

SensesTried test_senses() {
  auto& eyes = *new (eyes_storage) Eyes;
  Options options;
  options.warmup_s = 60;
  if (const auto opened = eyes.look.open(options); !opened) {
    (void)fail(opened.error(), kExitRuntime);
    return {1, false};
  }
  SensesTried tried;
  for (const Trial& trial : kTrials) tried.failed += test_one(eyes, trial) ? 0 : 1;
  tried.failed += test_attribution(eyes.look.senses.kernel());
  tried.fork_probe = eyes.look.senses.kernel().has(KernelSensor::execs);
  eyes.~Eyes();  // its probes are taken away: the agent has its own
  return tried;
}

}  // namespace hosa
