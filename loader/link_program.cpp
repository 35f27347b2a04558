#include "loader/link_program.h"

namespace hosa {
namespace {

constexpr uint8_t kCall = BPF_JMP | BPF_CALL;
constexpr uint8_t kLoad64 = BPF_LD | BPF_IMM | BPF_DW;
constexpr int kMaxCallDepth = 512;  // the kernel takes eight frames, but links before it counts

struct Linking {
  const ObjectImage& image;
  LinkedProgram& out;
  int depth = 0;
};

Result<uint32_t> append(Linking& link, uint32_t function);

// The instruction's field that holds a distance gets the one to the callee.
Result<void> link_call(Linking& link, uint32_t number, uint32_t section, int64_t callee_instruction) {
  if (callee_instruction < 0) return make_error(0, "call leads before its section");
  const auto callee = link.image.function_at(section, static_cast<uint64_t>(callee_instruction) * 8);
  if (!callee) return make_error(0, "call leads to no function");
  const auto start = append(link, *callee);
  if (!start) return start.error();
  link.out.instructions[number].imm = static_cast<int32_t>(*start) - static_cast<int32_t>(number) - 1;
  return {};
}

Result<void> link_extern(Linking& link, uint32_t number, uint32_t symbol) {
  const auto item = link.image.extern_of(symbol);
  if (!item) return make_error(0, "nothing is known of the extern", link.image.symbols[symbol].name);
  const bool call = link.out.instructions[number].code == kCall;
  if (!link.out.externs.push_back({number, *item, call})) return make_error(ENOMEM, "link program");
  return {};
}

Result<void> link_data(Linking& link, uint32_t number, const ImageSymbol& symbol) {
  const bpf_insn& load = link.out.instructions[number];
  if (load.code != kLoad64 || number + 1 >= link.out.instructions.size())
    return make_error(0, "relocation is not on a 16-byte load:", symbol.name);
  const auto addend = static_cast<uint32_t>(load.imm);
  const auto at = static_cast<uint32_t>(symbol.value);
  const ElfSection* const section =
      symbol.section < link.image.sections.size() ? &link.image.sections[symbol.section] : nullptr;
  LinkedMapUse use{number, 0, true, at + addend};
  if (section != nullptr && section->name == ".addr_space.1" && link.image.arena_map != 0) {
    use.map = link.image.arena_map - 1;
    use.offset += link.image.arena_data_at;
  } else {
    // A section's own symbol: the addend tells which of its maps.
    const uint64_t place = symbol.value + (symbol.type == STT_SECTION ? addend : 0);
    const auto map = link.image.map_at(symbol.section, place);
    if (!map && section != nullptr && section->name == ".jumptables")  // clang 22; this loader makes no such map
      return make_error(EOPNOTSUPP, "jump tables, which kernels take from 6.19 on, are not read:", symbol.name);
    if (!map) return make_error(0, "relocation leads to no map and no data:", symbol.name);
    use.map = *map;
    use.value = link.image.maps[*map].global_data;
    if (!use.value) use.offset = 0;
  }
  if (!link.out.maps.push_back(use)) return make_error(ENOMEM, "link program");
  return {};
}

Result<void> link_instruction(Linking& link, const ImageFunction& from, uint32_t number, uint32_t index) {
  bpf_insn& insn = link.out.instructions[number];
  const bool call = insn.code == kCall && insn.src_reg == BPF_PSEUDO_CALL;
  const ImageRelocation* const relocation = link.image.relocation_at(from.section, from.start + uint64_t{index} * 8);
  if (relocation == nullptr) {
    if (!call && !(insn.code == kLoad64 && insn.src_reg == BPF_PSEUDO_FUNC)) return {};
    return link_call(link, number, from.section, static_cast<int64_t>(from.start / 8) + index + insn.imm + 1);
  }
  const ImageSymbol& symbol = link.image.symbols[relocation->symbol];
  if (symbol.section == SHN_UNDEF) return link_extern(link, number, relocation->symbol);
  const bool code =
      symbol.section < link.image.sections.size() && (link.image.sections[symbol.section].flags & SHF_EXECINSTR) != 0;
  if (code && call)
    return link_call(link, number, symbol.section, static_cast<int64_t>(symbol.value / 8) + insn.imm + 1);
  if (code && insn.code == kLoad64) {
    insn.src_reg = BPF_PSEUDO_FUNC;
    return link_call(link, number, symbol.section,
                     static_cast<int64_t>((symbol.value + static_cast<uint64_t>(int64_t{insn.imm})) / 8));
  }
  return link_data(link, number, symbol);
}

Result<void> link_function(Linking& link, const ImageFunction& from, uint32_t at) {
  const auto count = static_cast<uint32_t>(from.size / 8);
  for (uint32_t i = 0; i < count; ++i) {
    const bool wide = link.out.instructions[at + i].code == kLoad64;
    if (const auto linked = link_instruction(link, from, at + i, i); !linked) return linked;
    if (wide) ++i;
  }
  return {};
}

// Where the function begins in the program; appended when it is not there yet.
Result<uint32_t> append(Linking& link, uint32_t function) {
  for (const LinkedPiece& piece : link.out.pieces)
    if (piece.function == function) return piece.at;
  const ImageFunction& from = link.image.functions[function];
  const auto at = static_cast<uint32_t>(link.out.instructions.size());
  const std::size_t count = from.size / 8;
  if (link.out.pieces.size() == kMaxPieces || at + count > kMaxLinkedInstructions || link.depth == kMaxCallDepth)
    return make_error(E2BIG, "program is too long:", from.name);
  if (!link.out.pieces.push_back({function, at}) ||
      !link.out.instructions.append(link.image.sections[from.section].content.data() + from.start, count))
    return make_error(ENOMEM, "link program");
  ++link.depth;
  if (const auto linked = link_function(link, from, at); !linked) return linked.error();
  --link.depth;
  return at;
}

}  // namespace

Result<void> link_program(const ObjectImage& image, uint32_t function, LinkedProgram& out) {
  Linking link{image, out};
  const auto start = append(link, function);
  if (!start) return start.error();
  const uint32_t callback = image.functions[function].when_thrown;
  if (callback == 0) return {};
  const auto appended = append(link, callback - 1);
  return appended ? Result<void>() : appended.error();
}

}  // namespace hosa
