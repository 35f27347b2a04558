// hosa demo: two culprits of its own, seen, named, held by the rung this machine has, and released, before your eyes.
// Cgroup, agent and tidying are the stage's (stage.h).
#include <signal.h>
#include <unistd.h>

#include "detect/number_format.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/own_look.h"
#include "tools/hosa/stage.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kLookS = 0.25, kLongestS = 38;  // the promise is 40 s

struct Seen {
  double named_s[2] = {-1, -1}, held_s[2] = {-1, -1}, released_s[2] = {-1, -1};
  FixedString<40> means[2];
  double share[2] = {0, 0}, freezes = 0, most_distance = 0;
};

void add_number(FixedString<1024>& line, double value) {
  char digits[detect::kNumberChars];
  line.append({digits, detect::format_number(value, digits)});
}

double rounded(double value, double unit) {
  return static_cast<double>(static_cast<long>(value / unit + 0.5)) * unit;
}

Result<void> raise_curtain(Stage& stage, const Options& options) {
  FaultPlan leak, spinner;
  spinner.quiet_s = 22;  // when the leak has been let go
  spinner.fault_s = 6;
  spinner.after_s = 2;
  spinner.spinners = static_cast<int>(6 * ::sysconf(_SC_NPROCESSORS_ONLN));
  if (auto set = stage.open("demo"); !set) return set;
  if (auto started = stage.start_culprit(0, leak, run_leak); !started) return started;
  if (auto started = stage.start_culprit(1, spinner, run_spinner); !started) return started;
  return stage.start_agent("5s", options.room_bytes > 0 ? options.room_bytes : 64.0 * 1024 * 1024);
}

void remember(Seen& seen, std::string_view answer, double t) {
  std::string_view holds = json_block(answer, "holds");
  seen.most_distance = std::max(seen.most_distance, json_number(answer, "dbar", 0));
  for (auto hold = next_object(holds); !hold.empty(); hold = next_object(holds)) {
    const int which = json_value(hold, "resource") == "memory" ? 0 : 1;
    const double level = json_number(hold, "level", 0);
    if (level >= 2 && seen.named_s[which] < 0)
      seen.named_s[which] = t, seen.share[which] = json_number(hold, "share", 0);
    const bool held = which == 0 ? level >= 3 : level >= 2;
    if (held && seen.held_s[which] < 0) seen.held_s[which] = t;
    if (held) seen.means[which] = json_value(hold, "means"), seen.released_s[which] = -1;
    if (which == 0 && held) seen.freezes = json_number(hold, "freezes", 0);
    if (level < 2 && seen.held_s[which] >= 0 && seen.released_s[which] < 0) seen.released_s[which] = t;
  }
}

void show_line(const Stage& stage, std::string_view answer, double t) {
  constexpr const char* kPhases[] = {"works", "FAULT", "works again", "ended"};
  FixedString<1024> line;
  add_number(line, rounded(t, 0.01));
  line.append(" s  D ");
  add_number(line, rounded(json_number(answer, "dbar", 0), 0.1));
  line.append("  level ").append(json_value(answer, "level"));
  line.append("  leak: ").append(kPhases[stage.report(0).phase & 3]).append(" ");
  add_number(line, rounded(static_cast<double>(stage.report(0).leaked_bytes) / 1048576, 0.1));
  line.append(" MB  spinner: ").append(kPhases[stage.report(1).phase & 3]);
  std::string_view holds = json_block(answer, "holds");
  for (auto hold = next_object(holds); !hold.empty(); hold = next_object(holds)) {
    if (json_number(hold, "level", 0) < 2) continue;
    line.append("  | ").append(json_value(hold, "resource")).append(" culprit ").append(json_value(hold, "cgroup"));
    line.append(" (share ");
    add_number(line, rounded(json_number(hold, "share", 0), 0.01));
    line.append(") ").append(json_value(hold, "stage")).append(", ").append(json_value(hold, "means"));
    if (json_value(hold, "frozen") == "true") line.append(", frozen");
  }
  line.append("\n");
  say(line.view());
}

volatile sig_atomic_t interrupted = 0;

void watch(const Stage& stage, Seen& seen) {
  static char buffer[ControlServer::kAnswerBytes];
  const double begin_s = monotonic_s();
  double shown_s = -1;
  while (!interrupted && monotonic_s() - begin_s < kLongestS) {
    sleep_s(kLookS);
    const double t = monotonic_s() - begin_s;
    const auto answer = ask_agent(stage.state(), "status", buffer);
    if (!answer) continue;
    remember(seen, *answer, t);
    if (t - shown_s >= 1.0) show_line(stage, *answer, t), shown_s = t;
    const bool quiet = json_number(*answer, "leases", 0) == 0 && json_number(*answer, "level", 0) < 2;
    if (stage.report(0).phase == 3 && stage.report(1).phase == 3 && quiet) return;
  }
}

void add_fate(FixedString<1024>& text, const char* name, const Seen& seen, int which) {
  text.append(name);
  if (seen.named_s[which] < 0) {
    text.append("not named\n");
    return;
  }
  text.append("named after ");
  add_number(text, rounded(seen.named_s[which], 0.1));
  text.append(" s of the show (share ");
  add_number(text, rounded(seen.share[which], 0.01));
  text.append(")");
  if (seen.held_s[which] >= 0) {
    text.append(", held at ");
    add_number(text, rounded(seen.held_s[which], 0.1));
    text.append(" s by ").append(seen.means[which].view());
  }
  if (seen.released_s[which] >= 0) {
    text.append(", released at ");
    add_number(text, rounded(seen.released_s[which], 0.1));
    text.append(" s");
  }
  text.append("\n");
}

int tell_end(const Stage& stage, const Seen& seen) {
  FixedString<1024> text("\n");
  add_fate(text, "leak:    ", seen, 0);
  add_fate(text, "spinner: ", seen, 1);
  text.append("leaked ");
  add_number(text, rounded(static_cast<double>(stage.report(0).leaked_bytes) / 1048576, 0.1));
  text.append(" of the 56 MB it wanted, frozen ");
  add_number(text, seen.freezes);
  text.append(" times; highest score D ");
  add_number(text, rounded(seen.most_distance, 0.1));
  text.append("\nboth alive afterwards: ")
      .append(stage.report(0).work_after > 0 && stage.report(1).work_after > 0 ? "yes" : "no");
  text.append("\n");
  say(text.view());
  const bool shown = seen.held_s[0] >= 0 && seen.held_s[1] >= 0 && seen.released_s[0] >= 0 && seen.released_s[1] >= 0;
  return shown ? kExitOk : kExitRuntime;
}

}  // namespace

int demo_verb(const Options& options) {
  Stage stage;
  say("hosa demo: a leak of 20 MB/s in a room of 64 MB, then a storm of spinners. Nothing else is touched.\n");
  struct sigaction on_interrupt {};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &on_interrupt, nullptr);
  ::sigaction(SIGTERM, &on_interrupt, nullptr);
  const auto raised = raise_curtain(stage, options);
  Seen seen;
  if (raised) watch(stage, seen);
  stage.end_agent(SIGTERM);
  const int code = raised ? tell_end(stage, seen) : fail(raised.error(), kExitRuntime);
  stage.close();
  return code;
}

}  // namespace hosa
