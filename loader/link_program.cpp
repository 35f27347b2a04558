#include "loader/link_program.h"

#include <algorithm>

namespace hosa {
namespace {

constexpr uint8_t kCall = BPF_JMP | BPF_CALL;
constexpr uint8_t kLoad64 = BPF_LD | BPF_IMM | BPF_DW;

struct Linking {
  const ObjectImage& image;
  LinkedProgram& out;
};

const ImageRelocation* relocation_at(const ObjectImage& image, uint32_t section, uint64_t offset) {
  const auto* const found = std::lower_bound(
      image.relocations.begin(), image.relocations.end(), offset,
      [&](const auto& a, uint64_t at) { return a.section != section ? a.section < section : a.offset < at; });
  if (found == image.relocations.end() || found->section != section || found->offset != offset) return nullptr;
  return found;
}

std::optional<uint32_t> function_at(const ObjectImage& image, uint32_t section, uint64_t offset) {
  for (uint32_t i = 0; i < image.functions.size(); ++i)
    if (image.functions[i].section == section && image.functions[i].start == offset) return i;
  return std::nullopt;
}

Result<uint32_t> append(Linking& link, uint32_t function);

// The instruction's field that holds a distance gets the one to the callee.
Result<void> link_call(Linking& link, uint32_t number, uint32_t section, int64_t callee_instruction) {
  if (callee_instruction < 0) return make_error(0, "call leads before its section");
  const auto callee = function_at(link.image, section, static_cast<uint64_t>(callee_instruction) * 8);
  if (!callee) return make_error(0, "call leads to no function");
  const auto start = append(link, *callee);
  if (!start) return start.error();
  link.out.instructions[number].imm = static_cast<int32_t>(*start) - static_cast<int32_t>(number) - 1;
  return {};
}

Result<void> link_data(Linking& link, uint32_t number, const ElfSymbol& symbol, const ImageRelocation& relocation) {
  bpf_insn& load = link.out.instructions[number];
  if (symbol.section == SHN_UNDEF) {
    for (uint32_t i = 0; i < link.image.externs.size(); ++i)
      if (link.image.externs[i].symbol == relocation.symbol) {
        if (!link.out.externs.push_back({number, i, load.code == kCall})) return make_error(ENOMEM, "link program");
        return {};
      }
    return make_error(0, "nothing is known of the extern", symbol.name);
  }
  if (load.code != kLoad64 || number + 1 >= link.out.instructions.size())
    return make_error(0, "relocation is not on a 16-byte load:", symbol.name);
  for (uint32_t i = 0; i < link.image.maps.size(); ++i) {
    const ImageMap& map = link.image.maps[i];
    if (map.section != symbol.section) continue;
    const uint64_t offset =
        symbol.value + (symbol.type == STT_SECTION && !map.global_data ? static_cast<uint32_t>(load.imm) : 0);
    if (!map.global_data && offset != map.offset) continue;
    const uint32_t inside = map.global_data ? static_cast<uint32_t>(symbol.value) + static_cast<uint32_t>(load.imm) : 0;
    if (!link.out.maps.push_back({number, i, map.global_data, inside})) return make_error(ENOMEM, "link program");
    return {};
  }
  return make_error(0, "relocation leads to no map and no data:", symbol.name);
}

Result<void> link_instruction(Linking& link, const ImageFunction& from, uint32_t number, uint32_t index) {
  bpf_insn& insn = link.out.instructions[number];
  const bool call = insn.code == kCall && insn.src_reg == BPF_PSEUDO_CALL;
  const ImageRelocation* const relocation = relocation_at(link.image, from.section, from.start + uint64_t{index} * 8);
  if (relocation == nullptr) {
    if (!call && !(insn.code == kLoad64 && insn.src_reg == BPF_PSEUDO_FUNC)) return {};
    return link_call(link, number, from.section, static_cast<int64_t>(from.start / 8) + index + insn.imm + 1);
  }
  const auto symbol = link.image.elf.symbol(link.image.symbols, relocation->symbol);
  if (!symbol) return symbol.error();
  const auto section =
      symbol->section == SHN_UNDEF ? std::nullopt : std::optional(link.image.elf.section(symbol->section));
  const bool code = section && *section && ((*section)->flags & SHF_EXECINSTR) != 0;
  if (code && call)
    return link_call(link, number, symbol->section, static_cast<int64_t>(symbol->value / 8) + insn.imm + 1);
  if (code && insn.code == kLoad64) {
    insn.src_reg = BPF_PSEUDO_FUNC;
    return link_call(link, number, symbol->section, (static_cast<int64_t>(symbol->value) + insn.imm) / 8);
  }
  return link_data(link, number, *symbol, *relocation);
}

// Where the function begins in the program; appended when it is not there yet.
Result<uint32_t> append(Linking& link, uint32_t function) {
  for (const LinkedPiece& piece : link.out.pieces)
    if (piece.function == function) return piece.at;
  const ImageFunction& from = link.image.functions[function];
  const auto section = link.image.elf.section(from.section);
  const auto at = static_cast<uint32_t>(link.out.instructions.size());
  const std::size_t count = from.size / 8;
  if (!section) return section.error();
  if (link.out.pieces.size() == kMaxPieces || at + count > kMaxLinkedInstructions)
    return make_error(E2BIG, "program is too long:", from.name);
  if (!link.out.pieces.push_back({function, at}) ||
      !link.out.instructions.append(section->content.data() + from.start, count))
    return make_error(ENOMEM, "link program");
  for (uint32_t i = 0; i < count; ++i) {
    const bool wide = link.out.instructions[at + i].code == kLoad64;
    if (const auto linked = link_instruction(link, from, at + i, i); !linked) return linked.error();
    if (wide) ++i;
  }
  return at;
}

}  // namespace

Result<void> link_program(const ObjectImage& image, uint32_t function, LinkedProgram& out) {
  Linking link{image, out};
  const auto start = append(link, function);
  if (!start) return start.error();
  return {};
}

}  // namespace hosa
