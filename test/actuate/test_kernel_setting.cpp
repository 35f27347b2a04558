#include "actuate/kernel_setting.h"
#include "test/catch.h"

using namespace hosa;

TEST_CASE("a setting is a number, or the word in parentheses") {
  CHECK(value_in("4096\n")->view() == "4096");
  CHECK(value_in("0\n")->view() == "0");
  CHECK(value_in("none (voluntary) full \n")->view() == "voluntary");
  CHECK(value_in("none voluntary full (lazy)\n")->view() == "lazy");
}

TEST_CASE("text that names no value is not a setting") {
  for (const char* text : {"", "\n", "none voluntary", "()", "none ) ( full", "(full", "many"}) {
    CAPTURE(text);
    CHECK_FALSE(value_in(text).has_value());
  }
}

TEST_CASE("each setting has a kind of its own in the journal, and no other kind is one") {
  for (const KernelSetting& setting : kKernelSettings) CHECK(kernel_setting(setting.kind) == &setting);
  CHECK(kernel_setting(EntryKind::limit_file) == nullptr);
  CHECK(kernel_setting(EntryKind::autogroup) == nullptr);
}
