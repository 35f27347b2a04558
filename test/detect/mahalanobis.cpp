#include "detect/mahalanobis.h"

#include <cmath>
#include <limits>
#include <random>

#include "detect/arithmetic.h"
#include "detect/shrink.h"
#include "test/detect/vectors.h"

using namespace hosa::detect;

namespace {
Triangle<double> matrix_of(const Table& table, const std::string& key, std::size_t n) {
  Triangle<double> matrix{};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) matrix[i][j] = table.at(indexed(key, i))[j];
  return matrix;
}

Vector all(double value) {
  Vector vector;
  vector.fill(value);
  return vector;
}
}  // namespace

TEST_CASE("distance, factor and contributions are the reference's") {
  const Table table = read_vectors("mahalanobis");
  for (const std::string name : {"c0", "c1", "collinear", "collinear_tik", "zero_var", "n8"}) {
    INFO(name);
    const auto& settings = table.at(name + ".rho_floor_tik");
    const auto& x = table.at(name + ".x");
    const std::size_t n = x.size();
    Metric<double> metric(n);
    REQUIRE(
        metric.rebuild(matrix_of(table, name + ".S", n), settings[0], all(settings[1] * settings[1] + settings[2])));
    const double relative = name == "collinear_tik" ? 1e-9 : 1e-13;  // condition 7e6
    for (std::size_t i = 0; i < n; ++i) {                            // M L is the unit matrix
      for (std::size_t j = 0; j <= i; ++j) {
        double entry = 0, size = 1;
        for (std::size_t k = j; k <= i; ++k) {
          const double part = metric.inverse_factor()[i][k] * table.at(indexed(name + ".L", k))[j];
          entry += part;
          size = std::max(size, std::abs(part));
        }
        check_near(entry, i == j, relative, size);
      }
    }
    Vector d{}, innovation{}, u{}, contribution{};
    for (std::size_t i = 0; i < n; ++i) d[i] = x[i] - table.at(name + ".mu")[i];
    const double distance = metric.distance(d, innovation, u, contribution).plain;
    check_near(distance, table.at(name + ".D")[0], relative, 1);
    for (std::size_t i = 0; i < n; ++i) check_near(contribution[i], table.at(name + ".c")[i], relative * 10, 1);
  }
}

TEST_CASE("a matrix that is not positive definite is refused and the earlier metric stays") {
  Triangle<double> good{}, bad{};
  good[0][0] = good[1][1] = 1;
  bad[0][0] = bad[1][1] = 1;
  bad[1][0] = 2;
  Metric<double> metric(2);
  CHECK_FALSE(metric.rebuild(bad, 0, Vector{}));
  CHECK_FALSE(metric.ready());
  REQUIRE(metric.rebuild(good, 0, Vector{}));
  CHECK_FALSE(metric.rebuild(bad, 0, Vector{}));
  Vector d{3, 4}, innovation{}, u{}, contribution{};
  CHECK(metric.distance(d, innovation, u, contribution).plain == Approx(5));
}

TEST_CASE("the tempered distance is the plain one until an innovation is long-tailed or large") {
  Triangle<double> identity{};
  identity[0][0] = identity[1][1] = 1;
  Metric<double> metric(2);
  REQUIRE(metric.rebuild(identity, 0, Vector{}));
  Vector innovation{}, u{}, contribution{};
  const auto tempered = [&](double x, double y) {
    return metric.distance(Vector{x, y}, innovation, u, contribution).tempered;
  };
  CHECK(tempered(3, 4) == Approx(5));
  CHECK(innovation[1] == 4);
  metric.temper(1, 2.6);  // the 0.99 quantile of a Gaussian
  CHECK(tempered(3, -4) == Approx(5));
  CHECK(tempered(0, 8 * exponential(1)) == Approx(16));  // beyond 8 it grows with the logarithm
  metric.temper(1, 12);                                  // jumps to 12 once in a hundred samples of calm
  CHECK(tempered(3, 16) == Approx(5));
  CHECK(tempered(0, 32 * exponential(1)) == Approx(16));
  CHECK(metric.distance(Vector{3, 16}, innovation, u, contribution).plain == Approx(square_root(9 + 256)));
}

TEST_CASE("shrinkage is the oracle approximation on the correlation matrix") {
  const Table table = read_vectors("shrink");
  const Triangle<double> s = matrix_of(table, "S", 3);
  for (const int n : {5, 20, 100, 6000})
    check_near(shrinkage(s, Vector{}, 3, n), table.at("rho_n" + std::to_string(n))[0]);
  Triangle<double> uncorrelated{};
  uncorrelated[0][0] = uncorrelated[1][1] = 2;
  CHECK(shrinkage(uncorrelated, Vector{}, 2, 100) == 1);
}

TEST_CASE("the load direction is the mean signed deviation") {
  const Table table = read_vectors("indices");
  const auto& d = table.at("d");
  const auto& s = table.at("s");
  Metric<double> metric(3);
  REQUIRE(metric.rebuild(matrix_of(table, "B", 3), 0, Vector{}));
  std::vector<Dimension> dimensions;
  for (const double sign : s)
    dimensions.push_back({"x", "1", Kind::fraction, 1, static_cast<int>(sign), 0.1, Resource::cpu, false});
  check_near(metric.load_direction(d, dimensions), table.at("phi")[0]);
}

TEST_CASE("contributions add up to the squared distance and a change of units changes neither") {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> size(-3, 3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t n = 1 + random() % kMaxDimensions;
    Moments moments(n), rescaled(n);
    Vector unit{}, shift{};
    for (std::size_t i = 0; i < n; ++i) {
      unit[i] = exponential(size(random));
      shift[i] = size(random);
    }
    Vector x{}, scaled{};
    for (std::size_t t = 1; t <= 3 * n + 5; ++t) {
      const double common = normal(random);
      for (std::size_t i = 0; i < n; ++i) {
        x[i] = normal(random) + common;
        scaled[i] = (x[i] - shift[i]) / unit[i];
      }
      moments.learn(x, 1, 0, 0.1);
      rescaled.learn(scaled, 1, 0, 0.1);
    }
    Metric<double> metric(n), other(n);
    REQUIRE(metric.rebuild(moments, Vector{}));
    REQUIRE(other.rebuild(rescaled, Vector{}));
    Vector d{}, e{}, w{}, c{}, f{};
    for (std::size_t i = 0; i < n; ++i) {
      d[i] = normal(random) * 3;
      e[i] = d[i] / unit[i];
    }
    Vector u{};
    const double distance = metric.distance(d, w, u, c).plain;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += c[i];
    CHECK(sum == Approx(distance * distance).epsilon(1e-10));
    CHECK(other.distance(e, w, u, f).plain == Approx(distance).epsilon(1e-9));
    moments.rescale(shift, unit);
    for (std::size_t i = 0; i < n; ++i) {
      check_near(moments.mean[i], rescaled.mean[i], 1e-9, 10 / unit[i]);
      check_near(moments.covariance[i][i], rescaled.covariance[i][i], 1e-9);
    }
  }
}

TEST_CASE("in floats the distance is that of doubles to 1e-3 even where 18 of 36 dimensions say the same") {
  std::mt19937_64 random(9);
  std::normal_distribution<double> normal;
  constexpr std::size_t kN = 36;
  Moments moments(kN);
  Vector x{}, floor_squared;
  floor_squared.fill(1e-4);
  for (int t = 0; t < 20000; ++t) {
    const double common = normal(random);
    for (std::size_t i = 0; i < kN; ++i) x[i] = common + (i % 2 == 0 ? 0 : 0.01 * normal(random));
    moments.learn(x, 1, 1.0 / 9000, 0.1);
  }
  Metric<double> exact(kN);
  Mahalanobis metric(kN);
  REQUIRE(exact.rebuild(moments, floor_squared, 3));
  REQUIRE(metric.rebuild(moments, floor_squared, 3));
  Vector d{}, w, u, c, other;
  for (int round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < kN; ++i) d[i] = normal(random) * (round % 2 == 0 ? 1 : 100);
    const double distance = exact.distance(d, w, u, c).plain;
    CHECK(metric.distance(d, w, u, other).plain == Approx(distance).epsilon(1e-3));
    for (std::size_t i = 0; i < kN; ++i) CHECK(other[i] == Approx(c[i]).margin(1e-3 * distance * distance));
  }
}

TEST_CASE("made in portions the metric is whole at any moment, and in the end that of one go") {
  std::mt19937_64 random(10);
  std::normal_distribution<double> normal;
  constexpr std::size_t kN = 11;
  Moments before(kN), after(kN);
  Vector x{};
  for (int t = 0; t < 400; ++t) {
    for (std::size_t i = 0; i < kN; ++i) x[i] = normal(random) + (i > 0 ? x[i - 1] : 0);
    before.learn(x, 1, 0, 0.1);
    for (std::size_t i = 0; i < kN; ++i) x[i] *= 1 + 0.1 * static_cast<double>(i);
    after.learn(x, 1, 0, 0.1);
  }
  Metric<double> metric(kN), whole(kN);
  REQUIRE(metric.rebuild(before, Vector{}));
  REQUIRE(whole.rebuild(after, Vector{}));
  Metric<double>::Snapshot snapshot;
  metric.begin_shrinkage(after, Vector{}, 1);
  metric.begin(snapshot, after.covariance, Vector{});
  Vector w{}, u{}, c{}, v{};
  const double old_distance = metric.distance(x, w, u, c).plain, new_distance = whole.distance(x, v, u, c).plain;
  for (const double part : {0.2, 0.4, 0.7}) {
    CHECK_FALSE(metric.advance(snapshot, part));
    Vector now{};
    const double distance = metric.distance(x, now, u, c).plain;
    CHECK(distance >= std::min(old_distance, new_distance) - 0.2);
    CHECK(distance <= std::max(old_distance, new_distance) + 0.2);
    for (std::size_t i = 0; i < kN; ++i) CHECK((now[i] == w[i] || now[i] == v[i]));  // each row is old or new
  }
  CHECK(metric.advance(snapshot, 1));
  CHECK(metric.distance(x, w, u, c).plain == new_distance);
}

TEST_CASE("what lies beyond all range, or is no number, is far away and still measured") {
  constexpr std::size_t kN = 3;
  Triangle<double> unit{};
  for (std::size_t i = 0; i < kN; ++i) unit[i][i] = 1;
  Mahalanobis metric(kN);
  REQUIRE(metric.rebuild(unit, 0.1, Vector{}));
  for (const double far : {1e300, -1e300, std::numeric_limits<double>::infinity(), std::nan("")}) {
    Vector d{}, w{}, u{}, c{};
    d[1] = far;
    const auto distance = metric.distance(d, w, u, c);
    CHECK(is_finite(distance.plain));
    CHECK(is_finite(distance.tempered));
    CHECK(distance.plain >= 1e14);
    CHECK(c[1] >= 1e28);
  }
}
