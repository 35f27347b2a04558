#include "detect/culprit.h"

#include <cmath>

#include "test/catch.h"

using namespace hosa::detect;

TEST_CASE("the culprit is who grew most, not who is biggest") {
  const Growth growth[] = {{10, 5}, {11, 80}, {12, -900}, {13, 15}};
  const Attribution found = attribute(growth);
  CHECK(found.culprit == 1);
  CHECK(found.share == Approx(0.8));
  CHECK(found.runner_up == 3);
  CHECK(found.runner_up_share == Approx(0.15));
  CHECK(found.total == 100);
  CHECK(found.explains_half);
}

TEST_CASE("where nobody explains more than half, that is said") {
  const Growth growth[] = {{1, 50}, {2, 50}};
  CHECK(attribute(growth).culprit == 0);
  CHECK(attribute(growth).runner_up == 1);
  CHECK_FALSE(attribute(growth).explains_half);
}

TEST_CASE("without growth there is no culprit") {
  const Growth growth[] = {{1, 0}, {2, -3}, {3, NAN}, {4, INFINITY}};
  CHECK(attribute(growth).culprit == Attribution::kNobody);
  CHECK(attribute({}).culprit == Attribution::kNobody);
  CHECK_FALSE(attribute({}).explains_half);
}
