// Whole objects: what one says that uses nearly everything (fixtures/loader/whole), fitted to a "kernel" that differs.
#include "loader/core.h"
#include "loader/kernel_btf.h"
#include "loader/section_kinds.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

struct Whole {
  std::vector<unsigned char> bytes = fixture("whole/whole.bpf.o"), target_bytes = fixture("whole/target.bpf.o");
  ObjectImage image, target;
  Whole() {
    REQUIRE(read_image(bytes_of(bytes), "whole", image));
    REQUIRE(read_image(bytes_of(target_bytes), "target", target));
  }
  uint32_t function(std::string_view name) const {
    for (uint32_t i = 0; i < image.functions.size(); ++i)
      if (image.functions[i].name == name) return i;
    FAIL("no such function");
    return 0;
  }
  const ImageMap& map(std::string_view name) const {
    for (const ImageMap& map : image.maps)
      if (map.name == name) return map;
    FAIL("no such map");
    return image.maps[0];
  }
  LinkedProgram linked(std::string_view name) const {
    LinkedProgram program;
    REQUIRE(link_program(image, function(name), program));
    return program;
  }
  LinkedProgram fitted(std::string_view name) const {
    LinkedProgram program = linked(name);
    KernelTypes kernel(target.btf);
    REQUIRE(want_core_types(image, kernel));
    REQUIRE(kernel.gather());
    REQUIRE(apply_core(image, kernel, program));
    return program;
  }
};

uint64_t wide(const bpf_insn* insn) {
  return static_cast<uint32_t>(insn[0].imm) | uint64_t{static_cast<uint32_t>(insn[1].imm)} << 32;
}

}  // namespace

TEST_CASE("maps come in libbpf's order: definitions, data by section, .kconfig, structures of functions") {
  const Whole whole;
  std::string names;
  for (const ImageMap& map : whole.image.maps) names += std::string(map.name.view()) + " ";
  CHECK(names == "first second tables whole.rodata .data.custom whole.bss whole.kconfig mine ");
  CHECK(whole.map("first").shape == MapShape{BPF_MAP_TYPE_HASH, 4, 8, 16, 0});
  CHECK(whole.map("tables").shape == MapShape{BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 4, 0});
  REQUIRE(whole.map("tables").inner == 1);
  CHECK(whole.image.inner[0].shape == whole.map("first").shape);
  CHECK(whole.map("whole.rodata").shape.flags == (BPF_F_RDONLY_PROG | BPF_F_MMAPABLE));
  CHECK(whole.map(".data.custom").shape.flags == 0);  // its only variable is static
}

TEST_CASE("slots that a map of maps is filled with from the start are known") {
  const Whole whole;
  REQUIRE(whole.image.slots.size() == 2);
  CHECK(whole.image.slots[0].index == 1);
  CHECK(whole.image.symbols[whole.image.slots[0].symbol].name == "first");
  CHECK(whole.image.slots[1].index == 3);
  CHECK(whole.image.symbols[whole.image.slots[1].symbol].name == "second");
}

TEST_CASE("configuration words lie widest first, then narrowest, then by name") {
  const Whole whole;
  REQUIRE(whole.image.kconfig_map == 7);
  for (const ImageExtern& item : whole.image.externs) {
    if (item.name == "CONFIG_HZ") CHECK((item.config_at == 0 && item.kconfig && !item.weak));
    if (item.name == "CONFIG_SMP") CHECK(item.config_at == 4);
    if (item.name == "CONFIG_NAME") CHECK((item.config_at == 5 && item.weak));
    if (item.name == "some_symbol") CHECK((!item.kconfig && item.weak));
  }
  CHECK(whole.image.externs.size() == 5);
}

TEST_CASE("a program brings the functions that it calls, each once, where it is first needed") {
  const Whole whole;
  const LinkedProgram program = whole.linked("one");
  std::string names;
  for (const LinkedPiece& piece : program.pieces)
    names += std::string(whole.image.functions[piece.function].name) + " ";
  CHECK(names == "one each global_one twice ");
  for (uint32_t i = 0; i < program.instructions.size(); ++i) {
    const bpf_insn& insn = program.instructions[i];
    const bool call = insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == BPF_PSEUDO_CALL;
    const bool address = insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg == BPF_PSEUDO_FUNC;
    if (!call && !address) continue;
    bool begins = false;
    for (const LinkedPiece& piece : program.pieces)
      begins = begins || piece.at == i + 1 + static_cast<uint32_t>(insn.imm);
    CHECK(begins);
  }
  CHECK(program.externs.size() == 3);
}

TEST_CASE("the entry programs of an object are those outside .text that others may see") {
  const Whole whole;
  std::string names;
  for (const ImageFunction& function : whole.image.functions)
    if (function.entry) names += std::string(function.name) + " ";
  CHECK(names == "one two three halt ");
  const ImageOperation* const operation = whole.image.operation_of(whole.function("halt"));
  REQUIRE(operation != nullptr);
  CHECK(operation->offset == 16);
  CHECK(whole.image.operation_of(whole.function("one")) == nullptr);
}

TEST_CASE("fields that moved, grew or went are found, sized and answered for") {
  const Whole whole;
  const LinkedProgram program = whole.fitted("two");
  const bpf_insn* const insn = program.instructions.data();
  CHECK(insn[0].off == 4);    // kept
  CHECK(insn[6].off == 16);   // moved
  CHECK(insn[10].off == 24);  // grown: four bytes became eight, and it is unsigned
  CHECK(insn[10].code == (BPF_LDX | BPF_MEM | BPF_DW));
  CHECK(insn[12].off == 40);       // inside a structure without name inside a union without name
  CHECK(insn[17].off == 144 + 8);  // row[2]
  CHECK(insn[16].imm == 1);        // kept exists
  CHECK(insn[22].imm == 0);        // gone does not
  CHECK(insn[24].imm == 24);       // row has six elements now
  CHECK(insn[26].imm == 64 - 7);   // high: shifted left
  CHECK(insn[28].imm == 64 - 7);   // and right
  CHECK(insn[30].imm == 1);        // moved has a sign
  CHECK(insn[32].imm == 0);        // struct absent exists
  CHECK(insn[34].imm == 0);        // its size
  CHECK(insn[36].imm == 168);      // size of struct thing
  CHECK(wide(insn + 38) == 1);     // STATE_B exists
  CHECK(wide(insn + 41) == 20);    // its value
  CHECK(wide(insn + 44) == 0);     // STATE_GONE does not
  CHECK(wide(insn + 47) == static_cast<uint64_t>(int64_t{-6}));
  CHECK(wide(insn + 50) == *whole.image.btf.find("thing", BTF_KIND_STRUCT));
  CHECK(wide(insn + 53) == *whole.target.btf.find("thing", BTF_KIND_STRUCT));
}

TEST_CASE("what reads a field that is gone is poisoned, and nothing else is") {
  const Whole whole;
  const LinkedProgram program = whole.fitted("two");
  int poisoned = 0;
  for (const bpf_insn& insn : program.instructions) poisoned += insn.imm == 0xbad2310;
  CHECK(poisoned == 1);
  CHECK(program.instructions[57].imm == 0xbad2310);
  CHECK(program.instructions[57].code == (BPF_JMP | BPF_CALL));
}

TEST_CASE("a program without CO-RE records needs no kernel types") {
  const Whole whole;
  LinkedProgram program = whole.linked("one");
  KernelTypes none(-1);
  CHECK(apply_core(whole.image, none, program));
  LinkedProgram needy = whole.linked("two");
  const auto applied = apply_core(whole.image, none, needy);
  REQUIRE_FALSE(applied);
  CHECK(std::string(applied.error().text().view()).find("needs kernel BTF") != std::string::npos);
}

TEST_CASE("every byte of an object may be wrong, and every length cut: an answer or an error") {
  const Whole whole;
  const auto look = [](const std::vector<unsigned char>& bytes) {
    ObjectImage image;
    if (!read_image(bytes_of(bytes), "x", image)) return;
    KernelTypes own(image.btf);
    if (image.has_btf && want_core_types(image, own)) (void)own.gather().has_value();
    for (uint32_t i = 0; i < image.functions.size(); ++i) {
      LinkedProgram program;
      if (link_program(image, i, program) && image.has_btf) (void)apply_core(image, own, program).has_value();
    }
    List<unsigned char> types;
    if (image.has_btf && btf_for_kernel(image, types)) replace_kinds(image.btf, {false, false, false}, types);
  };
  for (std::size_t size = 0; size < whole.bytes.size(); size += 97)
    look({whole.bytes.begin(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(size)});
  for (const unsigned char value : {0x00, 0x7f, 0x80, 0xff})
    for (std::size_t at = 0; at < whole.bytes.size(); ++at) {
      std::vector<unsigned char> bytes = whole.bytes;
      bytes[at] = value;
      look(bytes);
    }
  SUCCEED();
}

TEST_CASE("BTF for an old kernel is of the same length and holds no kind it does not know") {
  const Whole whole;
  List<unsigned char> types;
  REQUIRE(btf_for_kernel(whole.image, types));
  CHECK(types.size() == whole.image.btf.bytes().size());
  replace_kinds(whole.image.btf, {false, false, false, false, false, false, false}, types);
  const auto btf = Btf::of_bytes(Bytes(types.data(), types.size()));
  REQUIRE(btf);
  for (uint32_t id = 1; id < btf->count(); ++id) CHECK(btf->type(id)->kind < BTF_KIND_VAR);
}
