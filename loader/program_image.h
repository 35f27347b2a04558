// ObjectImage: a whole object as values, for tools that load anybody's objects (hosa-load): maps of every kind, global
// data, functions and what their instructions refer to. Pure: no kernel, no root. object.h is the agent's narrow reader
// of its own probes; this one has the room that foreign objects need and allocates by the size of the input: every
// step is linear in it, or sorts.
#pragma once
#include <linux/bpf.h>

#include "loader/btf.h"
#include "loader/elf.h"
#include "loader/list.h"
#include "loader/sys/bpf.h"

namespace hosa {

// The names of functions and variables; C++ and Rust make long ones, this is four times the longest seen.
inline constexpr std::size_t kMaxSymbolName = 1024;

inline constexpr uint32_t kArena = 33;  // BPF_MAP_TYPE_ARENA, 6.9

struct ImageSymbol {
  std::string_view name;  // of a section's symbol: the section's
  uint64_t value = 0, size = 0;
  uint16_t section = 0;  // SHN_UNDEF when defined elsewhere
  uint8_t type = 0;      // STT_*
  uint8_t binding = 0;   // STB_*
  bool hidden = false;   // STV_HIDDEN or STV_INTERNAL
};

struct ImageMap {
  FixedString<127> name;
  MapShape shape;
  uint64_t extra = 0;
  uint32_t key_type = 0, value_type = 0;  // BTF identifiers, 0 when not stated
  uint32_t numa_node = 0;
  uint32_t inner = 0;    // 1 + number of the inner map among ObjectImage::inner
  uint32_t section = 0;  // global data: its section; otherwise .maps
  uint64_t offset = 0;   // a variable of .maps: where
  uint64_t size = 0;
  uint32_t slots_at = 0;  // .maps: where initial values begin in the variable, 0 when it has none
  Bytes content;          // initial content of global data
  bool global_data = false;
  bool operations = false;  // a structure of functions for the kernel (struct_ops)
};

// A slot of a map of maps or of programs that is filled from the start.
struct ImageSlot {
  uint32_t map = 0;
  uint32_t index = 0;
  uint32_t symbol = 0;
};

// A program that fills a member of a structure of functions.
struct ImageOperation {
  uint32_t function = 0;
  uint32_t map = 0;     // the structure
  uint32_t offset = 0;  // the member's, in bytes
};

struct ImageFunction {
  std::string_view name;
  std::string_view section_name;
  uint32_t section = 0;
  uint64_t start = 0;  // bytes in its section
  uint64_t size = 0;
  bool entry = false;        // a program of its own
  uint32_t when_thrown = 0;  // 1 + number of the function that runs when it throws
};

struct ImageExtern {
  std::string_view name;
  uint32_t symbol = 0;
  bool weak = false;
  bool kconfig = false;
  uint32_t type = 0;       // BTF VAR or FUNC
  uint32_t config_at = 0;  // offset in .kconfig
};

struct ImageRelocation {
  uint32_t section = 0;  // patched
  uint64_t offset = 0;
  uint32_t symbol = 0;
};

// Records of .BTF.ext, which belong to instructions (the kernel's btf.rst, 4.2).
struct ImageFunctionType {
  uint32_t section, offset, type;
};
struct ImageLine {
  uint32_t section, offset, file, text, place;  // place: line << 10 | column
};
struct ImageCore {
  uint32_t section, offset, type, access, kind;
};

struct ObjectImage {
  ElfFile elf;
  std::string_view licence = "";
  uint32_t version = 0;
  Btf btf;
  bool has_btf = false;
  List<ElfSection> sections;
  List<ImageSymbol> symbols;
  List<ImageMap> maps, inner;
  List<ImageSlot> slots;
  List<ImageOperation> operations;
  List<ImageFunction> functions;      // by section and place
  List<ImageRelocation> relocations;  // by section and offset
  List<ImageExtern> externs;          // by symbol
  List<ImageFunctionType> function_types;
  List<ImageLine> lines;
  List<ImageCore> core;        // these three by section and offset
  uint32_t kconfig_map = 0;    // 1 + number of the map
  uint32_t arena_map = 0;      // likewise: variables of .addr_space.1 lie in it,
  uint32_t arena_data_at = 0;  // from here on

  const ElfSection* find_section(std::string_view name) const;
  std::optional<uint32_t> function_at(uint32_t section, uint64_t offset) const;
  // The function that holds the byte.
  const ImageFunction* function_around(uint32_t section, uint64_t offset) const;
  const ImageRelocation* relocation_at(uint32_t section, uint64_t offset) const;
  std::optional<uint32_t> extern_of(uint32_t symbol) const;
  // The map whose definition, or whose data, a symbol stands for.
  std::optional<uint32_t> map_at(uint32_t section, uint64_t offset) const;
  // The definition that holds the byte.
  std::optional<uint32_t> map_around(uint32_t section, uint64_t offset) const;
  const ImageOperation* operation_of(uint32_t function) const;
  // The defined symbol of that name in that section.
  const ImageSymbol* find_symbol(std::string_view name, uint32_t section) const;

  List<uint32_t> sections_by_name, symbols_by_name;
  List<uint32_t> maps_by_place;
};

// object_name: the file's name without what follows the first dot; names of data maps begin with it.
Result<void> read_image(Bytes file, std::string_view object_name, ObjectImage& image);

// Steps of read_image, each in a file of its own.
Result<void> read_image_symbols(ObjectImage& image);
Result<void> read_image_records(ObjectImage& image);
Result<void> read_image_tags(ObjectImage& image);
Result<void> read_image_externs(ObjectImage& image);
Result<void> read_image_maps(ObjectImage& image, std::string_view object_name);
Result<void> read_map_definitions(ObjectImage& image);
Result<void> read_map_slots(ObjectImage& image);
Result<void> read_operations(ObjectImage& image);
Result<void> read_operation_programs(ObjectImage& image);

}  // namespace hosa
