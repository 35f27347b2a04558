// Programs that are reached by no call.
#include "loader/link_program.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

struct Links {
  std::vector<unsigned char> bytes = fixture("links/links.bpf.o");
  ObjectImage image;
  Links() { REQUIRE(read_image(bytes_of(bytes), "links", image)); }
  uint32_t function(std::string_view name) const {
    for (uint32_t i = 0; i < image.functions.size(); ++i)
      if (image.functions[i].name == name) return i;
    FAIL("no such function");
    return 0;
  }
};

}  // namespace

TEST_CASE("a table of programs says which program is in which of its slots") {
  const Links links;
  REQUIRE(links.image.slots.size() == 1);
  const ImageSlot& slot = links.image.slots[0];
  CHECK(links.image.maps[slot.map].name == "table");
  CHECK(slot.index == 2);
  const ImageSymbol& symbol = links.image.symbols[slot.symbol];
  CHECK(links.image.function_at(symbol.section, symbol.value) == links.function("last"));
}

TEST_CASE("the function that runs when a program throws is linked behind it, uncalled") {
  const Links links;
  LinkedProgram program;
  REQUIRE(link_program(links.image, links.function("throws"), program));
  REQUIRE(program.pieces.size() == 2);
  CHECK(program.pieces[1].function == links.function("thrown"));
  CHECK(program.pieces[1].at == 2);
}

TEST_CASE("one program may be in two structures of functions, at another member of each") {
  const Links links;
  REQUIRE(links.image.operations.size() == 2);
  CHECK(links.image.operations[0].function == links.function("halt"));
  CHECK(links.image.maps[links.image.operations[0].map].name == "one");
  CHECK(links.image.operations[0].offset == 16);
  CHECK(links.image.maps[links.image.operations[1].map].name == "two");
  CHECK(links.image.operations[1].offset == 0);
}

TEST_CASE("a program with a jump table is refused in one line") {
  const Links links;
  LinkedProgram program;
  const auto linked = link_program(links.image, links.function("choose"), program);
  REQUIRE_FALSE(linked);
  CHECK(linked.error().text() ==
        "jump tables, which kernels take from 6.19 on, are not read: .jumptables: not supported (EOPNOTSUPP)");
}
