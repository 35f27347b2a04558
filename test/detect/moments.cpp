#include "detect/moments.h"

#include "detect/arithmetic.h"
#include "detect/mahalanobis.h"
#include "test/detect/vectors.h"

using namespace hosa::detect;

namespace {
void check_covariance(const Moments& moments, const std::vector<double>& expected, double factor, double relative,
                      double scale) {
  const std::size_t n = moments.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j)
      check_near(moments.covariance[i][j] * factor, expected[i * n + j], relative, scale);
}

void check_welford(const std::string& name, double covariance_relative, double covariance_scale) {
  const Table table = read_vectors(name);
  Moments moments(3);
  for (std::size_t k = 1; table.count(indexed("x", k - 1)) > 0; ++k) {
    const double t = static_cast<double>(k);
    moments.blend(table.at(indexed("x", k - 1)), 1 / t, 0.1);
    for (std::size_t i = 0; i < 3; ++i) check_near(moments.mean[i], table.at(indexed("mean", k))[i], 1e-15, 1);
    check_covariance(moments, table.at(indexed("M2", k)), t, covariance_relative, covariance_scale);
    CHECK(moments.effective_samples() == Approx(t));
  }
}

void check_state(const Moments& moments, const Table& table, const std::string& which, std::size_t t) {
  for (std::size_t i = 0; i < 2; ++i) check_near(moments.mean[i], table.at(indexed(which + "_mu", t))[i]);
  check_covariance(moments, table.at(indexed(which + "_S", t)), 1, 1e-12, 1e-3);
}
}  // namespace

TEST_CASE("with weight 1/t the moments are Welford's") {
  check_welford("welford", 1e-13, 1);
}

TEST_CASE("an offset of 1e9 costs the covariance no more than the mean's own rounding") {
  check_welford("welford_offset1e9", 1e-3, 1e-5);
}

TEST_CASE("forgetting starts as Welford and then keeps its weight") {
  const Table table = read_vectors("ewcov");
  Moments moments(2);
  for (std::size_t t = 1; t <= 10; ++t) {
    moments.learn(table.at(indexed("x", t - 1)), 1, 0.1, 0.1);
    check_state(moments, table, "plain", t);
  }
}

TEST_CASE("the Huber gate keeps an outlier from being learned at full weight") {
  const Table table = read_vectors("ewcov");
  Moments moments(2);
  for (std::size_t t = 1; t <= 10; ++t) {
    const auto& x = table.at(indexed("x", t - 1));
    double trust = 1;
    if (t >= 5) {
      Metric<double> metric(2);
      REQUIRE(metric.rebuild(moments.covariance, 0.1, Vector{0.01, 0.01}));
      Vector d{}, innovation{}, u{}, contribution{};
      for (std::size_t i = 0; i < 2; ++i) d[i] = x[i] - moments.mean[i];
      const double distance = metric.distance(d, innovation, u, contribution).plain;
      check_near(distance, table.at(indexed("gated_D", t))[0]);
      trust = trust_at(distance, 3);
      check_near(trust, table.at(indexed("gated_w", t))[0]);
    }
    moments.learn(x, trust, 0.1, 0.1);
    check_state(moments, table, "gated", t);
  }
}

TEST_CASE("trust is full within the tolerance, falls with the square and never ends") {
  CHECK(trust_at(0, 6) == 1);
  CHECK(trust_at(6, 6) == 1);
  CHECK(trust_at(12, 6) == Approx(0.25));
  CHECK(trust_at(1e9, 6) == Approx(36e-18));
}

TEST_CASE("effective samples settle at the forgetting's own length, at any pace") {
  Moments tenths(1), hundredths(1);
  const Decay decay(0.01);
  const double x[1] = {0};
  for (int i = 0; i < 5000; ++i) tenths.learn(x, 1, decay.weight(0.1), 0.1);
  for (int i = 0; i < 50000; ++i) hundredths.learn(x, 1, decay.weight(0.01), 0.01);
  CHECK(tenths.effective_samples() == Approx(2 / 0.01 - 1).epsilon(0.01));
  CHECK(hundredths.effective_samples() == Approx(tenths.effective_samples()).epsilon(0.02));
}

TEST_CASE("no trust and no time teach nothing") {
  Moments moments(1);
  const double x[1] = {5};
  moments.learn(x, 0, 0.1, 0.1);
  moments.learn(x, 1, 0.1, 0);
  CHECK(moments.mean[0] == 0);
  CHECK(moments.learned_seconds() == 0);
}
