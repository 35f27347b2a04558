// The guard of the figures: a machine with the vices of real ones (phases of load, heavy tails, a dimension that jumps
// once in a while, dimensions that stand still, a slow wander) and ten faults, by four seeds, judged as `make eval`
// judges recordings. The bounds are what was measured (in brackets) less a margin for a change that is none.
#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "detect/arithmetic.h"
#include "detect/detector.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {

const Dimension kTable[] = {
    {"ctxt", "1/s", Kind::rate, 500, 1, 0.15, Resource::cpu, true},
    {"forks", "1/s", Kind::rate, 10, 1, 0.15, Resource::tasks, true},
    {"minflt", "1/s", Kind::rate, 500, 1, 0.15, Resource::memory, true},
    {"pgscan", "1/s", Kind::rate, 100, 1, 0.15, Resource::memory, true},
    {"disk_ops", "1/s", Kind::rate, 20, 1, 0.15, Resource::io, true},
    {"net_pkts", "1/s", Kind::rate, 100, 1, 0.15, Resource::network, true},
    {"udp_in", "1/s", Kind::rate, 100, 1, 0.3, Resource::network, true},
    {"retrans", "1/s", Kind::rate, 10, 1, 0.6, Resource::network, true},
    {"user", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
    {"sys", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
    {"io_some", "share", Kind::share, 1, 1, 0.09, Resource::io, true},
    {"running", "1", Kind::count, 1, 1, 0.2, Resource::cpu, false},
    {"available", "1", Kind::fraction, 1, -1, 0.005, Resource::memory, false},
    {"nproc", "1", Kind::number, 1, 1, 0.03, Resource::tasks, false},
    {"sockets", "1", Kind::number, 1, 1, 0.03, Resource::network, false},
};
constexpr std::size_t kN = std::size(kTable);
enum { ctxt, forks, minflt, pgscan, disk, net, udp, retrans, user, sys, io, running, available, nproc, sockets };

// Distributions of our own: the library's differ between implementations.
struct Dice {
  std::mt19937_64 engine;
  double uniform() { return static_cast<double>(engine() >> 11) * 0x1p-53; }
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  bool once_in(double steps) { return uniform() * steps < 1; }
};

struct Machine {
  Dice dice;
  double total[kN] = {}, wander = 0, flush = 0, spare = 0.6, extra_sockets = 0;
  int phase = 0, cron = 0;

  // 0.1 s, with fault 0 (none) .. 10, `since` seconds into it.
  void pass(int fault, double since) {
    if (dice.once_in(300)) phase = static_cast<int>(dice.uniform() * 4);
    if (dice.once_in(600)) cron = 8;
    if (dice.once_in(400)) flush = 5 + 20 * dice.uniform();
    wander = 0.999 * wander + 0.002 * dice.normal();
    const double load = 0.15 + 0.2 * phase, noise = exponential(0.25 * dice.normal());
    double rate[kN] = {};
    rate[net] = 4000 * load * noise;
    rate[ctxt] = 800 + 6000 * load * noise + 200 * dice.normal();
    rate[forks] = cron > 0 ? 60 : dice.once_in(10) ? 10 : 0;
    rate[minflt] = 300 + (cron > 0 ? 20000 : 0) + 400 * load * exponential(0.5 * dice.normal());
    rate[disk] = flush > 0 ? 40 * flush : dice.once_in(15) ? 30 : 0;
    rate[retrans] = dice.once_in(500) ? 10 : 0;
    rate[user] = 0.1 + 0.6 * load * noise;
    rate[sys] = 0.05 + 0.25 * load * noise;
    rate[io] = flush > 0 ? 0.3 * dice.uniform() : 0;
    double run = 1 + 3 * load * dice.uniform(), procs = 150 + (cron > 0 ? 6 : 0), leaked = 0, sock = 0;
    cron -= cron > 0;
    flush -= flush > 0;
    switch (fault) {
      case 1: leaked = 0.01 * since, rate[minflt] += 1200; break;
      case 2: leaked = 0.002 * since, rate[minflt] += 250; break;
      case 3: rate[forks] += 300, procs += 40, rate[sys] += 0.2; break;
      case 4: rate[disk] += 600, rate[io] += 0.5, rate[user] *= 0.8; break;
      case 5: sock = 8 * since; break;
      case 6: rate[udp] = 8000, rate[net] += 8000; break;
      case 7: rate[pgscan] = 5000 * dice.uniform(), rate[io] += 0.4, rate[disk] += 300; break;
      case 8: rate[user] += 0.5, run += 4; break;
      case 9: rate[net] = 0, rate[ctxt] = 150, rate[user] = 0.02, rate[sys] = 0.01; break;
      case 10: rate[user] += 0.35 * (1 - rate[user]); break;
      default: break;
    }
    for (std::size_t j = 0; j < kN; ++j)
      total[j] += std::max(0.0, j == user || j == sys || j == io ? std::min(1.0, rate[j]) : rate[j]) / 10;
    total[running] = run;
    total[available] = spare + wander - leaked;
    total[nproc] = procs;
    total[sockets] = 40 + 10 * phase + sock;
  }
};

struct Figures {
  double average_precision = 0;
  int found = 0, false_alarms = 0, named = 0;
};

Figures judge(uint64_t seed) {
  const std::size_t carrier[] = {kN, available, available, forks, disk, sockets, udp, pgscan, running, net, user};
  const auto detector = std::make_unique<Detector>(kTable);
  detector->begin(300);
  Machine machine;
  machine.dice.engine.seed(seed);
  std::vector<double> scores;
  std::vector<bool> labels;
  Figures figures;
  double now = 0, mean_square = 0, last_alarm = -100;
  bool found = false;
  constexpr int kEvery = 900, kLasts = 250;  // rows: a fault every 90 s, of 25 s
  for (int row = -3100; row < 33 * kEvery; ++row) {
    const int turn = row / kEvery, into = row % kEvery - (kEvery - kLasts);
    const int fault = row > 0 && turn % 3 == 2 && into >= 0 ? turn / 3 % 11 : 0;
    if (into == 0) found = false;
    machine.pass(fault, into / 10.0);
    const Verdict& verdict = detector->step(machine.total, now += 0.1, true);
    mean_square += 0.1 * (verdict.tempered * verdict.tempered - mean_square);
    if (row < 0) continue;
    scores.push_back(mean_square);
    labels.push_back(fault > 0);
    if (verdict.level < 1) continue;
    if (fault > 0 && !found) {
      found = true;
      ++figures.found;
      figures.named += std::count(verdict.top.begin(), verdict.top.end(), carrier[fault]) > 0;
    }
    if (fault == 0 && now - last_alarm > 5 && row % kEvery > 100) ++figures.false_alarms;
    last_alarm = now;
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double hits = 0, seen = 0, sum = 0;
  for (const std::size_t i : order) {
    ++seen;
    if (!labels[i]) continue;
    ++hits;
    sum += hits / seen;
  }
  figures.average_precision = sum / hits;
  return figures;
}

}  // namespace

TEST_CASE("the figures on a machine with the vices of real ones do not fall") {
  Figures figures;
  for (const uint64_t seed : {20, 21, 22, 23}) {
    const Figures one = judge(seed);
    figures.average_precision += one.average_precision / 4;
    figures.found += one.found;
    figures.named += one.named;
    figures.false_alarms += one.false_alarms;
  }
  INFO("average precision " << figures.average_precision << ", found " << figures.found << " of 40, named "
                            << figures.named << ", false alarms " << figures.false_alarms << " in 2.8 h");
  CHECK(figures.average_precision >= 0.85);  // (0.877)
  CHECK(figures.found >= 29);                // (32)
  CHECK(figures.named >= 24);                // (27)
  CHECK(figures.false_alarms <= 30);         // (22; no hour of evidence yet)
}
