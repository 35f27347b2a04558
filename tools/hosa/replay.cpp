// `hosa replay FILE`: a recording through the detector that ships, one CSV row out per row in. Needs no root, touches
// nothing. Rates and shares of a schema come ready-made, over the recorder's own window, and are judged as they are: a
// second window would smooth twice (VUS-PR A .506 with it, .528 without; GA .737, .750). Where --step thins the rows
// out they are summed to running totals again, and the detector's own window works as it does in the agent.
#include <algorithm>
#include <new>

#include "detect/detector.h"
#include "detect/horizon.h"
#include "detect/number_format.h"
#include "loader/sys/text.h"
#include "tools/hosa/config.h"
#include "tools/hosa/csv.h"
#include "tools/hosa/replay_score.h"
#include "tools/hosa/replay_table.h"
#include "tools/hosa/verbs.h"
#include "tools/hosa/work_indices.h"

namespace hosa {
namespace {

using detect::kMaxDimensions;
using Role = ReplayTable::Role;

constexpr double kRowSeconds = 0.1;   // of a row without a time (detection.md: public sets)
static_assert(kMaxDimensions == 64);  // as a message below says
constexpr int kFailing = 4;           // the regime of what runs out
// What runs out within two minutes is level 1 at once if something else is unusual, too (s two thirds, or M of
// lasting.h a third of its limit), else after so long: a program that starts up takes 4 to 12 s, and where that is
// usual nothing else is unusual about it. Twenty minutes of a guest's ordinary life: 5 false alarms without the rule, 1
// with it (by half of s); three guests with faults 4 and 1, as many of 24 faults found, but two leaks at a row each 0.5
// s after 22 and 24 s instead of 8 and 9. Thirteen guests (8.1 h): 14 by half of s, 11 by two thirds, and one of 40
// faults after 9.5 s instead of 3.5 (rows 0.5 s apart).
// No shorter time would be told from a start-up there: in their warm-ups those guests' own jobs run out for 11 s, down
// to a horizon of 13 s, with 41 % of memory; the leak that is told after 22 s has 36 s left and 30 % after 16 s.
constexpr double kNoStartUpSeconds = 15;
constexpr double kUnusual = 2.0 / 3;
constexpr double kForever = 1e18;  // a warm-up that end_warm_up() ends
// A day in rows of 1, 5, 10 and 15 minutes: which periods a recording without times may have (season.h).
constexpr double kDayRows[] = {96, 144, 288, 1440};

struct Row {
  double time = 0;
  detect::Vector value{};
  bool train = false;
};

class Replay {
 public:
  Replay(const Options& options, const ReplayTable& table)
      : options_(options),
        table_(table),
        detector_({table.dimensions.data(), table.dimensions.size()}),
        scoring_(table.timed, options.step_or(kRowSeconds)) {
    detector_.begin(options.warmup_train ? kForever : options.warmup_s);
    if (!table.timed) detector_.look_for_seasons(kDayRows), detector_.take_means();
    if (table.timed) indices_.open(detector_.dimensions());
  }
  bool parse(std::string_view line, Row& row);
  void take(const Row& row);
  void print(const Row& row);
  void flush() {
    say({out_, used_});
    used_ = 0;
  }
  // A row that was skipped keeps its place, so that outputs can be laid beside their recording.
  void print_skipped() { put(",,,,,,,,,,,,,,,\n"); }
  void put(std::string_view text);

 private:
  void number(double value);

  const Options& options_;
  const ReplayTable& table_;
  detect::Detector detector_;
  std::array<detect::Horizon, kMaxDimensions> left_{};
  WorkIndices indices_;
  detect::Vector total_{};
  double running_out_since_ = 0;
  double last_time_ = 0, next_step_ = 0, seconds_left_ = detect::kInfinity;
  std::size_t rows_ = 0;
  int regime_ = 0, level_ = 0;
  ReplayScore scoring_;
  double score_ = 0;
  std::size_t used_ = 0;
  char out_[32 * 1024];
};

bool Replay::parse(std::string_view line, Row& row) {
  std::size_t column = 0, j = 0;
  bool more = true;
  for (; more; ++column) {
    more = line.find(',') != std::string_view::npos;
    const std::string_view cell = take_until(line, ',');
    if (column >= table_.roles.size()) return false;
    if (table_.roles[column] == Role::phase) row.train = row.train || trim(cell) == "train";
    const bool time = table_.roles[column] == Role::time && table_.timed;
    if (!time && table_.roles[column] != Role::dimension) continue;
    const auto value = csv_number(cell);
    if (!value) return false;
    (time ? row.time : row.value[j++]) = *value;
  }
  return column == table_.roles.size();
}

void Replay::take(const Row& row) {
  const double time = table_.timed ? row.time : static_cast<double>(rows_) * options_.step_or(kRowSeconds);
  const double dt = rows_ > 0 ? time - last_time_ : 0;
  const std::size_t n = table_.dimensions.size();
  for (std::size_t j = 0; j < n; ++j)
    total_[j] = detector_.dimensions()[j].cumulative ? total_[j] + row.value[j] * (dt > 0 ? dt : 0) : row.value[j];
  if (options_.warmup_train && !row.train) detector_.end_warm_up();
  last_time_ = time;
  // With a schema --step thins the rows out; a hundredth of slack is the clock's rounding.
  if (rows_++ > 0 && table_.timed && time < next_step_ - 0.01 && time >= next_step_ - 2 * options_.step_or(0)) return;
  next_step_ = time + options_.step_or(0);
  detect::Context context;
  for (std::size_t j = 0; j < n; ++j) {
    const auto& dimension = table_.dimensions[j];
    if (dimension.kind != detect::Kind::fraction || dimension.sign >= 0) continue;
    context.seconds_left = std::min(context.seconds_left, left_[j].step(row.value[j], time));
  }
  if (table_.timed) indices_.step(detector_.verdict(), 0, 0, time, context);
  if (!table_.timed) context.calendar_seconds = static_cast<double>(rows_ - 1);
  detector_.set_context(context);
  const auto& verdict = detector_.step(std::span(total_).first(n), time, true);
  seconds_left_ = context.seconds_left;
  score_ = scoring_.take(detector_, seconds_left_, time);
  const bool runs_out = seconds_left_ < detect::Horizon::kShortSeconds;
  if (!runs_out) running_out_since_ = time;
  const bool unusual = verdict.smoothed > kUnusual * verdict.thresholds[0] || verdict.lasting > 2;
  const bool short_of_time = !verdict.warming && runs_out && (unusual || time - running_out_since_ > kNoStartUpSeconds);
  level_ = std::max(verdict.level, short_of_time ? 1 : 0);
  regime_ = verdict.level < 1 && short_of_time ? kFailing : verdict.regime.value;
}

void Replay::put(std::string_view text) {
  if (text.size() > sizeof out_ - used_) flush();
  std::memcpy(out_ + used_, text.data(), text.size());
  used_ += text.size();
}

void Replay::number(double value) {
  if (!detect::is_finite(value)) return put("inf,");
  char text[detect::kNumberChars + 1];
  const std::size_t size = detect::format_number(value, text);
  text[size] = ',';
  put({text, size + 1});
}

void Replay::print(const Row& row) {
  const auto& verdict = detector_.verdict();
  number(table_.timed ? row.time : last_time_);
  number(verdict.distance);
  number(score_);
  number(level_);
  number(regime_);
  number(verdict.load_direction);
  number(verdict.deformation);
  number(verdict.slope);
  number(verdict.curvature);
  number(seconds_left_);
  for (const std::size_t j : verdict.top) {
    put(verdict.warming ? "" : table_.dimensions[j].name);
    put(",");
  }
  const double whole = verdict.distance * verdict.distance;
  for (std::size_t k = 0; k < 3; ++k) number(whole > 0 ? verdict.contribution[verdict.top[k]] / whole : 0);
  --used_;
  put("\n");
}

Error malformed(const Options& options, std::size_t line) {
  FixedString<120> place(options.file.view());
  place.append(":").append_unsigned(line);
  return make_error(0, "not a row of as many numbers as the first line has names:", place.view());
}

// Answers the exit code; `line` is a first line that already is data, or empty.
int replay_rows(const Options& options, CsvFile& file, Replay& replay, std::optional<std::string_view> line) {
  constexpr uint64_t kNamed = 20;  // malformed lines named one by one; the others are counted
  uint64_t skipped = 0;
  for (; line; line = file.next()) {
    Row row;
    if (file.too_long() || !replay.parse(*line, row)) {
      if (options.strict || ++skipped <= kNamed) fail(malformed(options, file.line_number()), kExitRuntime);
      if (options.strict) {
        replay.flush();
        return kExitRuntime;
      }
      replay.print_skipped();
      continue;
    }
    replay.take(row);
    replay.print(row);
  }
  replay.flush();
  if (skipped > kNamed)
    fail(make_error(0, "malformed rows in all:", FixedString<24>().append_unsigned(skipped).view()), kExitOk);
  const auto closed = file.close();
  return closed ? kExitOk : fail(closed.error(), kExitRuntime);
}

}  // namespace

int replay_verb(const Options& asked) {
  Options options = asked;
  CsvFile file;  // 64 KB of the stack, as the table
  ReplayTable table;
  if (options.file.empty()) return fail(make_error(0, "usage: hosa replay [options] FILE (- is standard input)"), 2);
  if (!options.config.empty()) {
    const auto config = load_config(options.config.c_str());
    if (!config) return fail(config.error(), kExitConfiguration);
    if (options.warmup_s < 0) options.warmup_s = config->warmup_s;
  }
  if (options.warmup_s < 0) options.warmup_s = 300;
  if (const auto opened = file.open(options.file.c_str()); !opened) return fail(opened.error(), kExitRuntime);
  const auto header = file.next();
  if (!header) {
    const auto closed = file.close();
    return fail(closed ? make_error(0, "no rows in", options.file.view()) : closed.error(), kExitRuntime);
  }
  if (const auto read = table.read(options.schema.c_str(), *header); !read) return fail(read.error(), kExitRuntime);
  const auto first = table.headless ? header : file.next();
  if (first && !file.too_long()) {
    const std::size_t text = table.leave_out_text(*first);
    if (table.dimensions.empty())
      return fail(make_error(0, "no column of numbers in", options.file.view()), kExitRuntime);
    if (text > 0) complain("hosa: columns of text are left out\n");
  }
  if (options.step_s <= kRowSeconds)
    for (auto& dimension : table.dimensions) dimension.cumulative = false;
  if (table.left_out > 0) complain("hosa: of more than 64 dimensions the first 64 are used\n");
  alignas(Replay) static char memory[sizeof(Replay)];
  Replay& replay = *new (memory) Replay(options, table);
  replay.put("t,D,score,level,regime,phi,rho,d1,d2,ttf,top1,top2,top3,share1,share2,share3\n");
  return replay_rows(options, file, replay, first);
}

}  // namespace hosa
