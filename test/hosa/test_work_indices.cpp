#include "tools/hosa/work_indices.h"

#include "test/catch.h"

using namespace hosa;
using detect::Kind;
using detect::Resource;

namespace {

const detect::Dimension kTable[] = {
    {"cpu_busy", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
    {"memory_available", "of RAM", Kind::fraction, 1, -1, 0.005, Resource::memory, false},
    {"forks", "1/s", Kind::rate, 10, 1, 0.15, Resource::tasks, true},
    {"connections_in", "1/s", Kind::rate, 10, 1, 0.15, Resource::network, true},
    {"connections_out", "1/s", Kind::rate, 10, 1, 0.15, Resource::network, true},
    {"packets_out", "1/s", Kind::rate, 100, 1, 0.15, Resource::network, true},
};
enum { busy, available, forks, taken, made, packets, kN };

// A web server: a fifth of the CPUs for 100 connections a second.
struct Server {
  WorkIndices indices;
  detect::Verdict verdict;
  detect::Context context;
  double now = 0;
  uint64_t turns = 0;
  Server() {
    indices.open(kTable);
    verdict.n = kN;
    verdict.warming = false;
    const double usual[kN] = {0.2, 0.7, 5, 100, 2, 1000};
    for (std::size_t j = 0; j < kN; ++j) verdict.value[j] = usual[j];
  }
  void run(double seconds, double mix_bits = 4) {
    for (const double end = now + seconds; now < end; now += 0.5) {
      if (static_cast<uint64_t>(2 * now) % 120 == 0) ++turns;
      indices.step(verdict, mix_bits, turns, now, context);
    }
  }
};

}  // namespace

TEST_CASE("nothing is said of work, spreading or the mix before five minutes of calm") {
  Server server;
  server.run(200);
  server.verdict.level = 1;
  server.verdict.value[busy] = 1;
  server.verdict.value[made] = 1000;
  server.run(60, 1);
  CHECK(server.context.work_efficiency == 1);
  CHECK(server.context.propagation == 0);
  CHECK(server.context.entropy_change == 0);
}

TEST_CASE("CPU time that does no work lowers the efficiency, and work that grows with it does not") {
  Server server;
  server.run(600);
  CHECK(server.context.work_efficiency == Approx(1));
  server.verdict.level = 1;
  server.verdict.value[busy] = 0.8;
  server.run(60);
  CHECK(server.context.work_efficiency == Approx(0.25).margin(0.01));
  server.verdict.value[taken] = 400;
  server.run(60);
  CHECK(server.context.work_efficiency == Approx(1).margin(0.02));
}

TEST_CASE("a machine that serves nobody has no efficiency to lose") {
  Server server;
  server.verdict.value[taken] = server.verdict.value[packets] = 0;
  server.run(600);
  server.verdict.value[busy] = 1;
  server.run(60);
  CHECK(server.context.work_efficiency == 1);
}

TEST_CASE(
    "what spreads makes connections, processes and traffic with the distance; ordinary work of a proxy does not") {
  Server server;
  server.run(600);
  server.verdict.level = 1;
  for (int i = 0; i < 60; ++i) {
    server.verdict.tempered = 10 + 20 * (i % 2);
    server.verdict.value[made] = 2000 + 2000 * (i % 2);
    server.verdict.value[packets] = 1000 + 20000 * (i % 2);
    server.verdict.value[forks] = 200;
    server.run(0.5);
  }
  CHECK(server.context.propagation > 0.7);

  Server proxy;
  proxy.verdict.value[made] = 3000;
  proxy.verdict.value[forks] = 100;
  proxy.run(600);
  proxy.verdict.level = 1;
  proxy.verdict.value[made] = 4500;
  proxy.run(10);
  CHECK(proxy.context.propagation < 0.4);
}

TEST_CASE("the mix of system calls is compared with its own calm, and an anomaly does not become that calm") {
  Server server;
  server.run(900);
  CHECK(server.context.entropy_change == Approx(0).margin(1e-9));
  server.verdict.level = 1;
  server.run(3600, 2.5);
  CHECK(server.context.entropy_change == Approx(-1.5));
}

TEST_CASE("provisioning is called excessive only after a whole day, by the busiest hour of the scarcer resource") {
  Server server;
  server.verdict.value[busy] = 0.02;
  server.verdict.value[available] = 0.95;
  server.run(23.9 * 3600);
  CHECK(server.context.excess == 0);
  server.run(0.2 * 3600);
  CHECK(server.context.excess == Approx(0.95));
  server.verdict.value[busy] = 0.5;
  server.run(2 * 3600);
  CHECK(server.context.excess == Approx(0.5));
}
