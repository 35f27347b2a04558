// replay_csv: runs a labelled recording through the detector that ships and writes what it would have said.
//
//   build/replay_csv RECORDING.csv SCHEMA.csv SCORES.csv [--every N] [--warmup SECONDS] [--fixed H] [--step SECONDS]
//   build/replay_csv --cost          nanoseconds per step for 24, 36 and 48 dimensions
//
// RECORDING has a header; column t is seconds, the columns named in SCHEMA (name,kind,scale,sign,floor) are features;
// `fault` and `label`, where present, are used only for the attribution lines printed at the end. Rates and shares come
// as already formed values; they are summed up to running totals again, so that the detector's own window is exercised
// as it is in the daemon. --every N hands only each Nth row to the detector (5 = 2 Hz). Without a schema (`-`) all
// columns but t, label, fault, phase are plain numbers, and each row counts as 0.1 s; --step sets that.
// SCORES.csv has one row per recording row: score (smoothed distance), level, distance.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "detect/detector.h"
#include "detect/number_format.h"

namespace {
using namespace hosa::detect;

struct Options {
  std::string recording, schema, scores;
  std::size_t every = 1;
  double warmup_seconds = 300, fixed_threshold = 0, step_seconds = 0;
};

struct Recording {
  std::vector<Dimension> dimensions;
  std::vector<std::vector<double>> rows;  // features only
  std::vector<double> times;
  std::vector<std::string> faults;  // "-" = normal
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

Kind kind_named(const std::string& name) {
  if (name == "rate") return Kind::rate;
  if (name == "share") return Kind::share;
  if (name == "count") return Kind::count;
  if (name == "number") return Kind::number;
  return Kind::fraction;
}

std::map<std::string, Dimension> read_schema(const std::string& path) {
  std::map<std::string, Dimension> schema;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto cells = split(line);
    if (line.empty() || line[0] == '#' || cells.size() < 5) continue;
    const Kind kind = kind_named(cells[1]);
    const bool cumulative = kind == Kind::rate || kind == Kind::share;
    schema[cells[0]] = {strdup(cells[0].c_str()), "1",           kind,      std::stod(cells[2]), std::stoi(cells[3]),
                        std::stod(cells[4]),      Resource::cpu, cumulative};
  }
  return schema;
}

bool is_context(const std::string& name) {
  return name == "t" || name == "label" || name == "fault" || name == "phase" || name.rfind("ctx_", 0) == 0;
}

Recording read_recording(const Options& options) {
  Recording recording;
  const auto schema = read_schema(options.schema);
  std::ifstream file(options.recording);
  std::string line;
  std::getline(file, line);
  const auto header = split(line);
  std::vector<std::size_t> columns;
  std::size_t time_column = 0, fault_column = header.size();
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == "t") time_column = i;
    if (header[i] == "fault") fault_column = i;
    const auto found = schema.find(header[i]);
    const bool plain = options.schema == "-" && !is_context(header[i]);
    if (found == schema.end() && !plain) continue;
    columns.push_back(i);
    recording.dimensions.push_back(
        plain ? Dimension{strdup(header[i].c_str()), "1", Kind::fraction, 1, 1, 0.005, Resource::cpu, false}
              : found->second);
  }
  while (std::getline(file, line)) {
    const auto cells = split(line);
    if (cells.size() < header.size()) continue;
    const double row_time = static_cast<double>(recording.times.size()) * options.step_seconds;
    recording.times.push_back(options.step_seconds > 0 ? row_time : std::stod(cells[time_column]));
    recording.faults.push_back(fault_column < cells.size() ? cells[fault_column] : "-");
    auto& row = recording.rows.emplace_back();
    for (const std::size_t i : columns) row.push_back(std::stod(cells[i]));
  }
  return recording;
}

// Of each fault's first row at level >= 1: the three largest contributions. For the attribution figures.
void print_attribution(const std::string& fault, double delay, const Verdict& verdict, const Recording& recording) {
  std::printf("%-12s level %d after %.1f s:", fault.c_str(), verdict.level, delay);
  for (const std::size_t j : verdict.top) std::printf(" %s", recording.dimensions[j].name);
  std::printf("\n");
}

std::string text_of(double value) {
  char text[kNumberChars];
  return {text, format_number(value, text)};
}

int replay(const Options& options) {
  const Recording recording = read_recording(options);
  auto detector = std::make_unique<Detector>(recording.dimensions);
  detector->begin(options.warmup_seconds);
  detector->fix_threshold(options.fixed_threshold);
  std::ofstream scores(options.scores);
  scores << "score,level,distance\n";
  std::vector<double> totals(recording.dimensions.size());
  std::string fault = "-";
  double fault_began = 0;
  bool named = true;
  for (std::size_t i = 0; i < recording.rows.size(); ++i) {
    const double dt = i > 0 ? recording.times[i] - recording.times[i - 1] : 0;
    for (std::size_t j = 0; j < totals.size(); ++j) {
      const bool cumulative = recording.dimensions[j].cumulative;
      totals[j] = cumulative ? totals[j] + recording.rows[i][j] * dt : recording.rows[i][j];
    }
    if (recording.faults[i] != fault) {
      fault = recording.faults[i];
      fault_began = recording.times[i];
      named = fault == "-" || fault.rfind("rec_", 0) == 0;
    }
    if (i % options.every == 0) detector->step(totals, recording.times[i], true);
    const Verdict& verdict = detector->verdict();
    scores << text_of(verdict.smoothed) << ',' << verdict.level << ',' << text_of(verdict.distance) << '\n';
    if (!named && verdict.level >= 1) {
      named = true;
      print_attribution(fault, recording.times[i] - fault_began, verdict, recording);
    }
  }
  const Verdict& last = detector->verdict();
  std::printf("n %zu, thresholds %s %s %s %s\n", last.n, text_of(last.thresholds[0]).c_str(),
              text_of(last.thresholds[1]).c_str(), text_of(last.thresholds[2]).c_str(),
              text_of(last.thresholds[3]).c_str());
  return 0;
}

void print_cost(std::size_t n) {
  const std::vector<Dimension> dimensions(n, {"x", "1/s", Kind::rate, 100, 1, 0.15, Resource::cpu, true});
  auto detector = std::make_unique<Detector>(dimensions);
  detector->begin(30);
  std::mt19937_64 random(7);
  std::vector<std::vector<double>> readings;
  std::vector<double> totals(n);
  for (int i = 0; i < 20000; ++i) {
    for (double& total : totals) total += static_cast<double>(random() % 20);
    readings.push_back(totals);
  }
  // The mean over blocks of 1000 steps; the best block is the cost, the others had company on the processor.
  constexpr std::size_t kBlock = 1000;
  double now = 0, best_ns = 1e9;
  for (std::size_t begin = 0; begin < readings.size(); begin += kBlock) {
    const auto before = std::chrono::steady_clock::now();
    for (std::size_t i = begin; i < begin + kBlock; ++i) detector->step(readings[i], now += 0.1, true);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
    if (!detector->verdict().warming) best_ns = std::min(best_ns, took.count() / kBlock);
  }
  std::printf("n %2zu: %.0f ns per step, object %zu bytes\n", n, best_ns, sizeof(Detector));
}

int usage() {
  std::fputs(
      "usage: replay_csv RECORDING.csv SCHEMA.csv|- SCORES.csv [--every N] [--warmup SECONDS] [--fixed H] "
      "[--step SECONDS]\n       replay_csv --cost\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--cost") == 0) {
    for (const std::size_t n : {4, 16, 24, 36, 48}) print_cost(n);
    return 0;
  }
  if (argc < 4 || argc % 2 != 0) return usage();
  Options options{argv[1], argv[2], argv[3]};
  for (int i = 4; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (name == "--every")
      options.every = value >= 1 ? static_cast<std::size_t>(value) : 1;
    else if (name == "--warmup")
      options.warmup_seconds = value;
    else if (name == "--fixed")
      options.fixed_threshold = value;
    else if (name == "--step")
      options.step_seconds = value;
    else
      return usage();
  }
  return replay(options);
}
