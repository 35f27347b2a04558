#include "loader/core_path.h"
#include "loader/section_kinds.h"
#include "test/catch.h"

using namespace hosa;

TEST_CASE("a flavour is what follows three underscores between other characters") {
  CHECK(without_flavour("task_struct___old") == "task_struct");
  CHECK(without_flavour("task_struct") == "task_struct");
  CHECK(without_flavour("___old") == "___old");
}

TEST_CASE("where no kernel type fits, only questions of existence have an answer") {
  CHECK(core_absent(kCoreExists).known);
  CHECK(core_absent(kCoreExists).value == 0);
  CHECK_FALSE(core_absent(kCoreByteOffset).known);
  CHECK_FALSE(core_absent(kCoreEnumValue).known);
}

TEST_CASE("BTF without a header is refused") {
  const unsigned char bytes[] = {1, 2, 3, 4};
  CHECK_FALSE(Btf::of_bytes(Bytes(bytes, sizeof bytes)).has_value());
}

TEST_CASE("a section's name gives type and target") {
  REQUIRE(section_kind("fentry/do_unlinkat") != nullptr);
  CHECK(section_target("fentry/do_unlinkat") == "do_unlinkat");
  CHECK(section_kind("kprobing") == nullptr);
}
