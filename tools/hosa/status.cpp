// hosa status, pause, resume: questions to the running agent.
#include <cmath>

#include "detect/number_format.h"
#include "loader/sys/text.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

char answer_buffer[ControlServer::kAnswerBytes];

Result<std::string_view> ask(const Options& options, const char* request) {
  if (!options.state.empty()) return ask_agent(options.state.c_str(), request, answer_buffer);
  Error last = make_error(ENOENT, "find a running agent in", "/run/hosa, /var/run/hosa, /dev/shm/hosa");
  for (const char* directory : {"/run/hosa", "/var/run/hosa", "/dev/shm/hosa"}) {
    auto answer = ask_agent(directory, request, answer_buffer);
    if (answer) return answer;
    if (answer.error().code != ENOENT && answer.error().code != ECONNREFUSED) last = answer.error();
  }
  return last;
}

using Page = FixedString<32768>;

void number(Page& page, double value) {
  char digits[detect::kNumberChars];
  page.append({digits, detect::format_number(value, digits)});
}

void show_holds(Page& page, std::string_view json) {
  std::string_view holds = json_block(json, "holds");
  bool any = false;
  for (std::string_view hold = next_object(holds); !hold.empty(); hold = next_object(holds)) {
    any = true;
    page.append("  level ").append(json_value(hold, "level")).append("  ").append(json_value(hold, "resource"));
    page.append(" of ").append(json_value(hold, "cgroup")).append("  ").append(json_value(hold, "stage"));
    page.append(" by ").append(json_value(hold, "means")).append(", share ");
    number(page, json_number(hold, "share", 0));
    page.append(", runner-up ");
    number(page, json_number(hold, "runner_up", 0));
    page.append("\n");
  }
  if (!any) page.append("  nobody is held\n");
}

void show_protected(Page& page, std::string_view json) {
  std::string_view list = json_block(json, "protected");
  page.append("never held\n  ").append(json_value(json, "protected_kernel_threads")).append(" kernel threads\n");
  for (std::string_view one = next_object(list); !one.empty(); one = next_object(list)) {
    page.append("  ").append(json_value(one, "pid")).append(" ").append(json_value(one, "comm")).append(": ");
    page.append(json_value(one, "reason")).append("\n");
  }
}

void show_rungs(Page& page, std::string_view json) {
  std::string_view rungs = json_block(json, "rungs");
  page.append("senses\n");
  for (std::string_view one = next_object(rungs); !one.empty(); one = next_object(rungs)) {
    page.append("  ").append(json_value(one, "sensor")).append(": ").append(json_value(one, "rung"));
    const std::string_view why = json_value(one, "why_not_better");
    if (!why.empty()) page.append(" (").append(why).append(")");
    page.append("\n");
  }
}

void show(std::string_view json) {
  static Page page;
  page.append("level ").append(json_value(json, "level"));
  if (json_value(json, "shadow") == "true") page.append("  (shadow: nothing is changed)");
  if (json_value(json, "paused") == "true") page.append("  (paused)");
  page.append("\nscore ");
  number(page, json_number(json, "dbar", 0));
  page.append(" of thresholds ").append(json_block(json, "thresholds")).append(", rising ");
  number(page, json_number(json, "slope", 0));
  page.append(" a second\n");
  if (json_value(json, "warming") == "true") {
    page.append("warming up, ").append(json_value(json, "warmup_left_s")).append(" s left\n");
  }
  page.append("available ");
  number(page, json_number(json, "available", 0) / 1048576);
  page.append(" MB");
  // Beyond an hour a slope of half a minute foretells nothing.
  if (const double horizon = json_number(json, "horizon", 1e18); horizon < 3600) {
    page.append(", all used in ");
    number(page, std::round(horizon));
    page.append(" s at the present rate (below 120 s somebody is looked for)");
  }
  page.append("\ncontributions ").append(json_block(json, "c")).append("\nheld\n");
  show_holds(page, json);
  show_rungs(page, json);
  show_protected(page, json);
  page.append("cost: ");
  number(page, json_number(json, "rss_bytes", 0) / 1048576);
  page.append(" MB, ");
  number(page, json_number(json, "cpu_s", 0));
  page.append(" s of CPU in ");
  number(page, json_number(json, "uptime_s", 0));
  page.append(" s, a tick takes ").append(json_value(json, "tick_p50_us")).append(" us (p99 ");
  page.append(json_value(json, "tick_p99_us")).append(" us)\n");
  say(page.view());
}

int tell(const Options& options, const char* request) {
  const auto answer = ask(options, request);
  if (!answer) return fail(answer.error(), kExitRuntime);
  if (options.json)
    say(*answer);
  else
    show(*answer);
  return kExitOk;
}

}  // namespace

int status_verb(const Options& options) {
  return tell(options, "status");
}
int pause_verb(const Options& options) {
  return tell(options, "pause");
}
int resume_verb(const Options& options) {
  return tell(options, "resume");
}

}  // namespace hosa
