#include "detect/indices.h"

#include <random>

#include "detect/arithmetic.h"
#include "detect/mardia.h"
#include "test/detect/vectors.h"

using namespace hosa::detect;

TEST_CASE("entropy agrees with the vectors") {
  const Table table = read_vectors("indices");
  for (const std::string name : {"uniform4", "skew", "single", "empty", "buddy"}) {
    INFO(name);
    check_near(entropy(table.at("H." + name + ".counts")), table.at("H." + name)[0], 1e-9);
  }
}

TEST_CASE("counts that are no counts are left out of the entropy") {
  const double odd[] = {5, -3, 5, kInfinity, 0};
  CHECK(entropy(odd) == Approx(1));
}

TEST_CASE("free memory in all orders is 1, in one order 0, and a large zone outweighs a small one") {
  const double alike[] = {7, 7, 7, 7}, single[] = {0, 0, 9, 0};
  CHECK(fragmentation_entropy(alike, 4) == Approx(1));
  CHECK(fragmentation_entropy(single, 4) == 0);
  const double zones[] = {1, 1, 1, 1, 0, 0, 0, 1000};  // 15 pages spread, 8000 in one order
  CHECK(fragmentation_entropy(zones, 4) == Approx(15.0 / 8015));
  CHECK(fragmentation_entropy({}, 4) == 0);
}

TEST_CASE("the kernel's share of busy time is 0 on an idle CPU") {
  CHECK(kernel_share(1, 3) == Approx(0.25));
  CHECK(kernel_share(0, 0) == 0);
  CHECK(kernel_share(-1, 2) == 0);
}

TEST_CASE("work efficiency halves when the same resources do half the work") {
  CHECK(work_efficiency(500, 2, 500, 2) == Approx(1));
  CHECK(work_efficiency(250, 2, 500, 2) == Approx(0.5));
  CHECK(work_efficiency(500, 4, 500, 2) == Approx(0.5));
  CHECK(work_efficiency(0, 2, 500, 2) == 0);
  CHECK(work_efficiency(0, 0, 500, 2) == 1);  // silence is another index' business
  CHECK(work_efficiency(5, 2, 0, 2) == 1);
}

TEST_CASE("propagation weighs four indicators, a quarter each unless told otherwise") {
  CHECK(propagation_index({}) == 0);
  CHECK(propagation_index({10, 0, 0, 0}) == Approx(0.125));
  CHECK(propagation_index({10, 4, 20, 0.5}) == Approx(0.5));
  CHECK(propagation_index({1e9, 1e9, 1e9, 1}) == Approx(1));
  CHECK(propagation_index({0, 0, 0, -1}) == 0);
  PropagationScale connections_only;
  connections_only.weight[1] = connections_only.weight[2] = connections_only.weight[3] = 0;
  CHECK(propagation_index({10, 4, 20, 1}, connections_only) == Approx(0.5));
}

TEST_CASE("excess provisioning is what the busiest window left, of the scarcest resource") {
  const double cpu[] = {0.1, 0.3, 0.2}, memory[] = {100, 900, 400};
  const double each[] = {excess_provisioning(cpu, 2), excess_provisioning(memory, 1000)};
  CHECK(each[0] == Approx(0.85));
  CHECK(each[1] == Approx(0.1));
  CHECK(excess_provisioning(each) == Approx(0.1));
  const double over[] = {3};
  CHECK(excess_provisioning(over, 2) == 0);
}

TEST_CASE("time to failure is what is left by how fast it goes") {
  CHECK(time_to_failure(500, -50) == Approx(10));
  CHECK(time_to_failure(500, 1) == kInfinity);
  CHECK(time_to_failure(-1, -1) == 0);
}

TEST_CASE("a running correlation finds series that move together, and against each other") {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  RunningCorrelation with, against, none;
  for (int i = 0; i < 5000; ++i) {
    const double x = normal(random), noise = normal(random);
    with.add(x, 3 * x + noise, 0.002);
    against.add(x, -x, 0.002);
    none.add(x, noise, 0.002);
  }
  CHECK(with.value() == Approx(0.949).margin(0.02));
  CHECK(against.value() == Approx(-1));
  CHECK(std::abs(none.value()) < 0.12);
  CHECK(RunningCorrelation().value() == 0);
}

TEST_CASE("Mardia's kurtosis agrees with the vectors") {
  const Table table = read_vectors("mardia");
  for (const std::string name : {"gauss", "outlier"}) {
    INFO(name);
    std::vector<double> rows;
    for (std::size_t t = 0; table.count(indexed(name + ".x", t)) > 0; ++t)
      for (const double value : table.at(indexed(name + ".x", t))) rows.push_back(value);
    Kurtosis kurtosis;
    REQUIRE(mardia_kurtosis(rows, 2, kurtosis));
    check_near(kurtosis.kappa, table.at(name + ".kappa")[0], 1e-9);
    check_near(kurtosis.expected, table.at(name + ".expected")[0], 1e-9);
    check_near(kurtosis.z, table.at(name + ".z")[0], 1e-9);
  }
  Kurtosis kurtosis;
  const double still[] = {1, 1, 1, 1, 1, 1};
  CHECK_FALSE(mardia_kurtosis(still, 2, kurtosis));
}

TEST_CASE("the running kurtosis tells a Gaussian from what jumps now and then") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  RunningKurtosis gaussian, jumpy;
  for (int i = 0; i < 20000; ++i) {
    double calm = 0, wild = 0;
    for (int j = 0; j < 4; ++j) {
      const double x = normal(random);
      calm += x * x;
      wild += x * x * (i % 50 == 0 ? 16 : 1);
    }
    gaussian.add(std::sqrt(calm), 0.0005);
    jumpy.add(std::sqrt(wild), 0.0005);
  }
  CHECK(gaussian.value(4).kappa == Approx(24).epsilon(0.1));
  CHECK(std::abs(gaussian.value(4).z) < 4);
  CHECK(jumpy.value(4).z > 10);
}
