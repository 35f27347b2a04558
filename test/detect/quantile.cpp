#include "detect/quantile.h"

#include <algorithm>
#include <random>

#include "test/detect/vectors.h"

using hosa::detect::Quantile;

TEST_CASE("P2 repeats the worked example of its paper, marker by marker") {
  const Table table = read_vectors("p2");
  const auto& x = table.at("x");
  Quantile median;
  for (std::size_t k = 1; k <= x.size(); ++k) {
    median.add(x[k - 1]);
    if (k < 5) continue;
    for (std::size_t i = 0; i < 5; ++i) {
      check_near(median.heights()[i], table.at(indexed("q", k))[i]);
      CHECK(median.positions()[i] == table.at(indexed("n", k))[i]);
    }
  }
  check_near(median.value(), table.at("final")[0]);
}

TEST_CASE("P2 at 0.99 gives what the reference gives, 15 % off the truth") {
  const Table table = read_vectors("p2");
  Quantile high(table.at("case2.p")[0]);
  for (const double x : table.at("case2.x")) high.add(x);
  check_near(high.value(), table.at("case2.p2")[0]);
}

TEST_CASE("fewer than five values answer the nearest in order") {
  Quantile median;
  CHECK(median.value() == 0);
  median.add(7);
  CHECK(median.value() == 7);
  median.add(1);
  median.add(3);
  CHECK(median.value() == 3);
}

TEST_CASE("median and quartiles of a normal sample come out within 2 %") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(10, 2);
  Quantile median;
  for (int i = 0; i < 3000; ++i) median.add(normal(random));
  CHECK(median.value() == Approx(10).epsilon(0.02));
  CHECK((median.upper() - median.lower()) / 1.349 == Approx(2).epsilon(0.05));
}

TEST_CASE("after halving, a quantile follows a change that it would otherwise have ignored") {
  std::mt19937_64 random(4);
  std::normal_distribution<double> before(10, 1), after(20, 1);
  Quantile stiff(0.95), halved(0.95);
  for (int i = 0; i < 100000; ++i) {
    const double x = before(random);
    stiff.add(x);
    halved.add(x);
  }
  for (int i = 0; i < 8; ++i) halved.halve();
  for (int i = 0; i < 2000; ++i) {
    const double x = after(random);
    stiff.add(x);
    halved.add(x);
  }
  CHECK(stiff.value() < 15);
  CHECK(halved.value() > 18);
}
