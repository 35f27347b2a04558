// hosa sense: the state vector now, what is normal for each dimension, and who carries it. If an agent runs, its answer
// is shown, since it has learned; else the verb senses by itself, which takes three seconds and knows little of normal.
#include "detect/number_format.h"
#include "loader/sys/text.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/own_look.h"
#include "tools/hosa/sense_report.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kStepS = 0.5, kWarmupS = 6;
using Page = FixedString<32 * 1024>;

// The verb's own look, and who uses what.
struct OwnSenses {
  OwnLook look;
  Handed handed{look.senses.kernel()};
  Census census;
  UseHistory history;

  Result<void> open(const Options& given);
  const Moment& take();
  std::string_view describe(JsonLine& line, const Moment& moment);
};

Result<void> OwnSenses::open(const Options& given) {
  Options options = given;
  if (options.warmup_s < 0) options.warmup_s = kWarmupS;
  if (const auto opened = look.open(options); !opened) return opened.error();
  census.open({&look.proc, look.cgroup.directory ? &look.cgroup.directory : nullptr,
               look.machine.memory_controller && !given.without.memcg, static_cast<double>(look.machine.page_bytes)});
  return {};
}

const Moment& OwnSenses::take() {
  const Moment& moment = look.senses.take(true, false, true);
  history.remember(moment.now_s, census.uses());
  census.take(moment.now_s, moment.unowned, handed, Census::Look::suspicious);
  return moment;
}

std::string_view OwnSenses::describe(JsonLine& line, const Moment& moment) {
  line.text("from", "its own look")
      .number("t", moment.boot_s)
      .number("warmup_left_s", look.senses.detector().warmup_left_seconds());
  line.number("dbar", moment.verdict->smoothed).integer("score_level", moment.verdict->level);
  moment.left.describe(line);
  describe_vector(line, look.senses, *moment.verdict);
  describe_carriers(line, census, history.at(moment.now_s - 2), moment.now_s);
  return line.finish();
}

void number(Page& page, std::string_view text, std::size_t width) {
  FixedString<32> shown;
  // Six digits are too many for people: what JSON said is cut to three places after the point.
  const std::size_t point = text.find('.');
  if (text.find("e-") != std::string_view::npos)
    shown.append("0.000");
  else
    shown.append(point == std::string_view::npos ? text : slice(text, 0, point + 4));
  for (std::size_t i = shown.size(); i < width; ++i) page.append(" ");
  page.append(shown.view());
}

void column(Page& page, std::string_view text, std::size_t width) {
  page.append(text);
  for (std::size_t i = text.size(); i < width; ++i) page.append(" ");
}

void show_who(Page& page, std::string_view rows) {
  for (std::string_view one = next_object(rows); !one.empty(); one = next_object(rows)) {
    column(page, json_value(one, "resource"), 10);
    number(page, json_value(one, "amount"), 12);
    page.append(" ").append(json_value(one, "unit")).append("  ").append(json_value(one, "who"));
    if (const std::string_view most = json_value(one, "most"); !most.empty())
      number(page.append(" (most of it: ").append(most).append(", "), json_value(one, "most_amount"), 0),
          page.append(")");
    page.append("\n");
  }
}

void show_vector(Page& page, std::string_view json) {
  column(page, "dimension", 26);
  column(page, "unit", 10);
  page.append("         now        mean         low        high       z  source\n");
  std::string_view vector = json_block(json, "vector");
  for (std::string_view one = next_object(vector); !one.empty(); one = next_object(vector)) {
    column(page, json_value(one, "name"), 26);
    column(page, json_value(one, "unit"), 10);
    for (const char* key : {"value", "mean", "low", "high"}) number(page, json_value(one, key), 12);
    number(page, json_value(one, "z"), 8);
    page.append("  ").append(json_value(one, "source")).append("\n");
  }
}

void show(std::string_view json, bool again, bool only_who) {
  static Page page;
  page.clear();
  if (again) page.append("\n");
  page.append("from ").append(json_value(json, "from"));
  const double left = json_number(json, "warmup_left_s", 0);
  if (left > 0) page.append(", still learning for ").append_number(static_cast<int64_t>(left + 0.5)).append(" s");
  page.append("\n");
  if (!only_who) show_vector(page, json);
  const std::size_t before_who = page.view().size();
  show_who(page, json_block(json, "carriers"));
  show_who(page, json_block(json, "attribution"));
  if (page.view().size() == before_who) page.append("nobody does enough of anything to be named\n");
  const std::string_view forgotten = json_block(json, "forgotten");
  if (json_number(forgotten, "processes", 0) + json_number(forgotten, "samples", 0) > 0)
    page.append("(the probes' tables were full: ")
        .append(json_value(forgotten, "processes"))
        .append(" processes' entries dropped for others, ")
        .append(json_value(forgotten, "samples"))
        .append(" samples without room)\n");
  say(page.view());
}

Result<std::string_view> ask_running(const Options& options, std::span<char> buffer) {
  if (!options.state.empty()) return ask_agent(options.state.c_str(), "sense", buffer);
  for (const char* directory : {"/run/hosa", "/var/run/hosa"})
    if (auto answer = ask_agent(directory, "sense", buffer)) return answer;
  return ask_agent("/dev/shm/hosa", "sense", buffer);
}

alignas(OwnSenses) unsigned char own_storage[sizeof(OwnSenses)];
char answer_buffer[ControlServer::kAnswerBytes];

}  // namespace

// --top: only who carries what. --once: one table, after enough readings to say what is usual. --for TIME: a table a
// second (or a line of JSON each half second) for so long; without either, until it is interrupted.
int sense_verb(const Options& options) {
  if (options.csv) return record_verb(options);
  const double ends_s = options.duration_s;
  OwnSenses* own = nullptr;
  if (!ask_running(options, answer_buffer)) {
    own = new (own_storage) OwnSenses;
    if (const auto opened = own->open(options); !opened) return fail(opened.error(), kExitPrerequisite);
  }
  const double first_s = own != nullptr ? (options.warmup_s < 0 ? kWarmupS : options.warmup_s) + 1 : kStepS;
  for (double shown_s = -1e9, now_s = 0;; now_s += kStepS) {
    JsonLine line;
    std::string_view json;
    if (own != nullptr) {
      json = own->describe(line, own->take());
    } else {
      const auto answer = ask_running(options, answer_buffer);
      if (!answer) return fail(answer.error(), kExitRuntime);
      json = *answer;
    }
    const bool last = options.once ? now_s >= first_s : ends_s > 0 && now_s + kStepS > ends_s;
    bool due = options.once ? last : options.json || now_s - shown_s >= 1 || last;
    if (own != nullptr && now_s == 0 && !last) due = false;  // no rate yet
    if (due && options.json) say(json);
    if (due && !options.json) show(json, shown_s >= 0, options.top);
    if (due) shown_s = now_s;
    if (last) return kExitOk;
    sleep_s(kStepS);
  }
}

}  // namespace hosa
