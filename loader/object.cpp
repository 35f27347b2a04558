#include "loader/object.h"

#include <optional>

#include "loader/context_fields.h"
#include "loader/elf.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint64_t kInstructionBytes = 8;
constexpr unsigned char kLoadImmediate64 = BPF_LD | BPF_IMM | BPF_DW;  // the only two-slot instruction

struct Kind {
  std::string_view prefix;
  uint32_t type;
};
constexpr Kind kKinds[] = {
    {"raw_tp/", BPF_PROG_TYPE_RAW_TRACEPOINT},
    {"tracepoint/", BPF_PROG_TYPE_TRACEPOINT},
    {"kprobe/", BPF_PROG_TYPE_KPROBE},
    {"perf_event/", BPF_PROG_TYPE_PERF_EVENT},
    {"xdp/", BPF_PROG_TYPE_XDP},
};

// Where in the file a program or map lies; only needed while relocations are matched.
struct Place {
  uint32_t section = 0;
  uint64_t start = 0;
  uint64_t end = 0;
};

struct Reading {
  ElfFile elf;
  ElfSection symbols;
  ObjectSpec object;
  FixedVector<Place, kMaxPrograms> program_places;
  FixedVector<Place, kMaxMaps> map_places;
};

const Kind* kind_of(std::string_view section) {
  for (const Kind& kind : kKinds)
    if (slice(section, 0, kind.prefix.size()) == kind.prefix && section.size() > kind.prefix.size()) return &kind;
  return nullptr;
}

Result<void> read_licence(Reading& reading) {
  const auto section = reading.elf.find_section("license");
  if (!section) return make_error(0, "object has no licence");
  const auto text = section->content.text(0);
  if (!text) return make_error(0, "licence of the object is not terminated");
  reading.object.licence = *text;
  if (reading.object.licence.cut()) return make_error(0, "licence of the object is too long");
  return {};
}

Result<void> read_fields(Reading& reading) {
  const auto section = reading.elf.find_section("fields");
  if (!section) return {};
  const auto fields = read_context_fields(section->content);
  if (!fields) return fields.error();
  reading.object.fields = *fields;
  return {};
}

Result<void> add_map(Reading& reading, const ElfSection& section, const ElfSymbol& symbol) {
  const auto shape = section.content.read<MapShape>(symbol.value);
  if (!shape) return make_error(0, "map lies outside its section:", symbol.name);
  if (symbol.size != sizeof(MapShape)) return make_error(0, "map is not five numbers:", symbol.name);
  MapSpec map{symbol.name, *shape};
  if (map.name.cut() || map.name.empty()) return make_error(0, "name of map is empty or too long:", symbol.name);
  for (const MapSpec& other : reading.object.maps)
    if (other.name == map.name) return make_error(0, "map is defined twice:", symbol.name);
  if (!reading.object.maps.push_back(map)) return make_error(0, "object has too many maps");
  reading.map_places.push_back({section.index, symbol.value, symbol.value + sizeof(MapShape)});
  return {};
}

Result<void> add_program(Reading& reading, const ElfSection& section, const ElfSymbol& symbol) {
  const Kind* const kind = kind_of(section.name);
  if (kind == nullptr) return make_error(0, "unknown kind of program:", section.name);
  const auto instructions = section.content.part(symbol.value, symbol.size);
  if (!instructions) return make_error(0, "program lies outside its section:", symbol.name);
  if (symbol.size == 0 || symbol.size % kInstructionBytes != 0 || symbol.value % kInstructionBytes != 0)
    return make_error(0, "program is not whole instructions:", symbol.name);
  if (symbol.size / kInstructionBytes > kMaxInstructions) return make_error(0, "program is too long:", symbol.name);
  ProgramSpec program;
  program.name = symbol.name;
  program.target = slice(section.name, kind->prefix.size());
  program.type = kind->type;
  program.instructions = *instructions;
  if (program.name.cut() || program.name.empty() || program.target.cut())
    return make_error(0, "name of program is empty or too long:", symbol.name);
  if (!reading.object.programs.push_back(program)) return make_error(0, "object has too many programs");
  reading.program_places.push_back({section.index, symbol.value, symbol.value + symbol.size});
  return {};
}

// Functions of executable sections are programs, objects in "maps" are maps; everything else is of no interest.
Result<void> read_symbols(Reading& reading) {
  const uint64_t count = ElfFile::symbol_count(reading.symbols);
  for (uint64_t i = 0; i < count; ++i) {
    const auto symbol = reading.elf.symbol(reading.symbols, i);
    if (!symbol) return symbol.error();
    if (symbol->section == SHN_UNDEF || symbol->section >= SHN_LORESERVE) continue;
    if (symbol->type != STT_FUNC && symbol->type != STT_OBJECT) continue;
    const auto section = reading.elf.section(symbol->section);
    if (!section) return section.error();
    if (symbol->type == STT_OBJECT && section->name == "maps") {
      if (const auto added = add_map(reading, *section, *symbol); !added) return added;
    } else if (symbol->type == STT_FUNC && (section->flags & SHF_EXECINSTR) != 0) {
      if (const auto added = add_program(reading, *section, *symbol); !added) return added;
    }
  }
  if (reading.object.programs.empty()) return make_error(0, "object has no program");
  return {};
}

template <std::size_t N>
std::optional<uint32_t> place_of(const FixedVector<Place, N>& places, uint32_t section, uint64_t offset) {
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].section == section && offset >= places[i].start && offset < places[i].end)
      return static_cast<uint32_t>(i);
  return std::nullopt;
}

Result<void> add_map_use(Reading& reading, uint32_t patched_section, const ElfRelocation& relocation) {
  const auto where = place_of(reading.program_places, patched_section, relocation.offset);
  if (!where) return make_error(0, "relocation lies in no program");
  ProgramSpec& program = reading.object.programs[*where];
  const auto symbol = reading.elf.symbol(reading.symbols, relocation.symbol);
  if (!symbol) return symbol.error();
  if (relocation.type == kRelocateCall) return make_error(0, "calls between functions are not read:", symbol->name);
  if (relocation.type != kRelocateMap) return make_error(0, "unknown relocation in", program.name.view());
  const auto map = place_of(reading.map_places, symbol->section, symbol->value);
  if (!map) return make_error(0, "global data is not read:", symbol->name);
  const uint64_t offset = relocation.offset - reading.program_places[*where].start;
  const auto opcode = program.instructions.read<unsigned char>(offset);
  if (!opcode || *opcode != kLoadImmediate64 || offset % kInstructionBytes != 0 ||
      !program.instructions.holds(offset, 2 * kInstructionBytes))
    return make_error(0, "relocation is not on a 16-byte load in", program.name.view());
  if (!program.map_uses.push_back({static_cast<uint32_t>(offset / kInstructionBytes), *map}))
    return make_error(0, "too many uses of maps in", program.name.view());
  return {};
}

Result<void> read_relocations(Reading& reading) {
  for (uint32_t i = 0; i < reading.elf.section_count(); ++i) {
    const auto table = reading.elf.section(i);
    if (!table) return table.error();
    if (table->type != SHT_REL) continue;
    const auto patched = reading.elf.section(table->info);
    if (!patched) return patched.error();
    if ((patched->flags & SHF_EXECINSTR) == 0) continue;  // debug data
    if (table->link != reading.symbols.index) return make_error(0, "relocations with a symbol table of their own");
    const uint64_t count = ElfFile::relocation_count(*table);
    for (uint64_t k = 0; k < count; ++k) {
      const auto relocation = ElfFile::relocation(*table, k);
      if (!relocation) return relocation.error();
      if (const auto added = add_map_use(reading, patched->index, *relocation); !added) return added;
    }
  }
  return {};
}

}  // namespace

Result<ObjectSpec> read_object(Bytes file) {
  Reading reading;
  auto elf = ElfFile::open(file);
  if (!elf) return elf.error();
  reading.elf = *elf;
  const auto symbols = reading.elf.find_section_type(SHT_SYMTAB);
  if (!symbols) return make_error(0, "object has no symbols");
  reading.symbols = *symbols;
  if (const auto read = read_licence(reading); !read) return read.error();
  if (const auto read = read_fields(reading); !read) return read.error();
  if (const auto read = read_symbols(reading); !read) return read.error();
  if (const auto read = read_relocations(reading); !read) return read.error();
  return reading.object;
}

}  // namespace hosa
