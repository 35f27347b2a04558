// hosa selftest: what truly works on this very machine, tried on processes of its own: each sense is made to see
// something, a leak of 16 MB is held, a burst of births is held, both are given back, and what a killed agent (kill -9)
// held is given back by its keeper. One line each; nothing else is touched. Bounded: a room of 32 MB, 60 s, 200
// processes that sleep.
#include <signal.h>

#include "detect/number_format.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/own_look.h"
#include "tools/hosa/selftest_senses.h"
#include "tools/hosa/stage.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kRoomBytes = 32.0 * 1024 * 1024, kLookS = 0.05, kRateMb = 20;
// A leak of 20 MB/s crosses the tripwire of a busy machine, too: raised twice by others' churn, it stands at 8 MB a
// second and CPU.
constexpr double kNamedS = 4, kHeldS = 8, kGivenBackS = 25, kKilledS = 2.5;

char answer_buffer[ControlServer::kAnswerBytes];
volatile sig_atomic_t interrupted = 0;

using Line = FixedString<200>;

// What the agent says of one held resource now.
struct Hold {
  bool answered = false;
  double level = 0, leases = 0, share = 0;
  FixedString<40> means;
};

Hold look(const Stage& stage, bool memory) {
  Hold hold;
  const auto answer = ask_agent(stage.state(), "status", answer_buffer);
  if (!answer) return hold;
  hold.answered = true;
  hold.leases = json_number(*answer, "leases", 0);
  std::string_view holds = json_block(*answer, "holds");
  for (auto one = next_object(holds); !one.empty(); one = next_object(holds)) {
    if ((json_value(one, "resource") == "memory") != memory) continue;
    hold.level = json_number(one, "level", 0);
    hold.share = json_number(one, "share", 0);
    hold.means = json_value(one, "means");
  }
  return hold;
}

template <class Condition>
double seconds_until(double limit_s, Condition so) {
  const double begun_s = monotonic_s();
  while (!interrupted) {
    const double age_s = monotonic_s() - begun_s;
    if (so()) return age_s;
    if (age_s > limit_s) break;
    sleep_s(kLookS);
  }
  return -1;
}

void add_seconds(Line& line, double seconds) {
  char digits[detect::kNumberChars];
  const double rounded = static_cast<double>(static_cast<int64_t>(seconds * 100 + 0.5)) / 100;
  line.append({digits, detect::format_number(rounded, digits)}).append(" s");
}

class SelfTest {
 public:
  explicit SelfTest(bool quick) : quick_(quick) {}
  int run();

 private:
  bool start_agent();
  bool start_again();
  bool begin_fault(std::size_t which, const FaultPlan& plan, Stage::Fault fault);
  bool leak_is_held();
  void leak_is_given_back();
  void burst_is_held();
  void kill_is_restored();
  // One line: "ok    leak held: ...". seconds < 0: it did not come about within the limit.
  bool tell(const char* what, double seconds, double limit_s, std::string_view how);
  double leaked_mb() const { return static_cast<double>(stage_.report(0).leaked_bytes) / 1048576; }

  Stage stage_;
  bool quick_;
  int failed_ = 0, agents_ = 0;
};

bool SelfTest::tell(const char* what, double seconds, double limit_s, std::string_view how) {
  Line line(seconds >= 0 ? "ok    " : "FAIL  ");
  line.append(what);
  while (line.size() < 34) line.append(" ");
  if (seconds >= 0)
    add_seconds(line, seconds);
  else
    add_seconds(line.append("not within "), limit_s);
  if (!how.empty()) line.append("  ").append(how);
  say(line.append("\n").view());
  if (seconds < 0) ++failed_;
  return seconds >= 0;
}

// The score plays no part (it would need a warm-up): tripwires and the horizon act from the start.
bool SelfTest::start_agent() {
  if (!stage_.start_agent("5m", kRoomBytes)) return tell("agent starts", -1, 0, "no process can be made");
  const double up_s = seconds_until(8, [this] { return look(stage_, true).answered; });
  if (!(up_s >= 0 && agents_++ > 0) && !tell("agent answers", up_s, 8, "")) return false;
  sleep_s(1);  // it counts once more: what is before the onset
  return true;
}

// What the last culprit has just freed would hide what the next one takes: an agent that has not seen it begins anew.
bool SelfTest::start_again() {
  if (interrupted) return false;
  stage_.end_agent(SIGTERM);
  return start_agent();
}

bool SelfTest::begin_fault(std::size_t which, const FaultPlan& plan, Stage::Fault fault) {
  if (!stage_.start_culprit(which, plan, fault)) return tell("culprit starts", -1, 0, "no process can be made");
  return seconds_until(10, [&] { return stage_.report(which).phase == 1; }) >= 0;
}

bool SelfTest::leak_is_held() {
  FaultPlan plan;
  plan.quiet_s = 2.5;
  plan.fault_s = 10;
  plan.bytes_per_s = kRateMb * 1024 * 1024;
  plan.most_bytes = 48.0 * 1024 * 1024;
  plan.after_s = 1;
  if (!begin_fault(0, plan, run_leak)) return false;
  const double onset_s = monotonic_s();
  Hold hold;
  const auto reaches = [&](double level) {
    hold = look(stage_, true);
    return hold.level >= level;
  };
  const double named_s = seconds_until(kNamedS, [&] { return reaches(2); });
  if (!tell("leak: named and insured", named_s, kNamedS, "after its onset")) return false;
  const double held_s = seconds_until(kHeldS, [&] { return reaches(3) && hold.means.view() != "asked"; });
  FixedString<60> by(hold.means.view());
  by.append(", after its onset");
  if (!tell("leak: held", held_s >= 0 ? monotonic_s() - onset_s : -1, kHeldS, by.view())) return false;
  const double before_mb = leaked_mb();
  sleep_s(2);
  const double grown_mb = leaked_mb() - before_mb;
  Line how("it grew by ");
  char digits[detect::kNumberChars];
  how.append({digits, detect::format_number(static_cast<double>(static_cast<int64_t>(grown_mb * 10)) / 10, digits)});
  return tell("leak: slowed", grown_mb < 4 ? 2 : -1, 2, how.append(" MB instead of 40").view());
}

void SelfTest::leak_is_given_back() {
  const double back_s = seconds_until(kGivenBackS, [this] {
    const Hold hold = look(stage_, true);
    return hold.answered && hold.level < 2 && hold.leases == 0 && stage_.report(0).phase >= 2;
  });
  tell("leak: given back", back_s, kGivenBackS, "after it was slowed");
  const double works_s = seconds_until(5, [this] { return stage_.report(0).phase == 3; });
  tell("leak: works again, unharmed", stage_.report(0).work_after > 0 ? works_s : -1, 5, "");
}

void SelfTest::burst_is_held() {
  FaultPlan plan;
  plan.quiet_s = 2.5;
  plan.fault_s = 6;
  plan.after_s = 0.5;
  if (!begin_fault(1, plan, run_burst)) return;
  Hold hold;
  const double held_s = seconds_until(kNamedS, [&] {
    hold = look(stage_, false);
    return hold.level >= 2;
  });
  if (!tell("births: named and held", held_s, kNamedS, hold.means.view())) return;
  const double back_s = seconds_until(kGivenBackS, [this] {
    const Hold now = look(stage_, false);
    return now.answered && now.level < 2 && now.leases == 0;
  });
  tell("births: given back", back_s, kGivenBackS, "");
}

// kill -9 while the leak is held: its keeper gives everything back, and the leak runs on.
void SelfTest::kill_is_restored() {
  const double before_mb = leaked_mb();
  stage_.end_agent(SIGKILL);
  const double runs_s =
      seconds_until(kKilledS, [&] { return leaked_mb() > before_mb + 1 || stage_.report(0).phase >= 2; });
  const auto untouched = [this] {
    if (!stage_.cgroup()) return true;
    char buffer[64];
    const auto line = read_file(stage_.cgroup().get(), "memory.high", buffer);
    const bool no_room = ::faccessat(stage_.cgroup().get(), "hosa.hold", F_OK, 0) != 0;
    return no_room && (!line || trim(*line) == "max");
  };
  const double gone_s = runs_s >= 0 ? seconds_until(kKilledS, untouched) : -1;
  tell("kill -9: all is restored", gone_s >= 0 ? runs_s + gone_s : -1, kKilledS, "the culprit runs again");
  stage_.end_culprit(0);
}

int SelfTest::run() {
  const auto opened = stage_.open("selftest");
  if (!opened) return fail(opened.error(), kExitRuntime);
  const SensesTried senses = test_senses();
  failed_ += senses.failed;
  if (!interrupted && start_agent()) {
    bool held = leak_is_held();
    if (!quick_ && held) {
      leak_is_given_back();
      if (!senses.fork_probe)
        say("-     births: held                not to be tried here: no probe sees them (hosa doctor says why)\n");
      else if (start_again())
        burst_is_held();
      held = start_again() && leak_is_held();
    }
    if (held) kill_is_restored();
  }
  stage_.close();
  if (interrupted) return fail(make_error(EINTR, "end the self-test"), kExitRuntime);
  Line last("selftest: ");
  if (failed_ == 0)
    last.append("everything that was tried works here\n");
  else
    last.append_number(failed_)
        .append(failed_ == 1 ? " of them does" : " of them do")
        .append(" not; see hosa doctor\n");
  say(last.view());
  return failed_ == 0 ? kExitOk : kExitRuntime;
}

}  // namespace

int selftest_verb(const Options& options) {
  if (::geteuid() != 0) return fail(make_error(EPERM, "selftest needs root"), kExitPrerequisite);
  struct sigaction on_interrupt {};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &on_interrupt, nullptr);
  ::sigaction(SIGTERM, &on_interrupt, nullptr);
  SelfTest test(options.quick);
  return test.run();
}

}  // namespace hosa
