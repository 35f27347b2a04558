// ObjectSpec: what a BPF object says, as plain values. read_object() is pure and deterministic, needs no root and no
// kernel: the same bytes give the same answer everywhere, so it is tested and fuzzed on its own; load.h makes maps and
// programs of the answer.
//
// Understood today:
//   section "maps"      an array of MapShape (five little-endian u32: type, key, value, max_entries, flags), one
//                       symbol per map. max_entries 0: whoever loads decides (slots per CPU, ring size).
//   section "license"   NUL-terminated text
//   section "fields"    fields of tracepoints' contexts, 64 bytes each: the event ("block/block_bio_queue") in 40, the
//                       field's name in 24, both NUL-terminated (context_fields.h)
//   section KIND/TARGET programs, one function symbol each; KINDs in object.cpp
//   relocations         16-byte loads of a map (R_BPF_64_64 against a symbol in "maps")
// Refused, each with its own message: calls between functions, global data, anything out of bounds.
#pragma once
#include <cstdint>
#include <string_view>

#include "loader/bytes.h"
#include "loader/sys/bpf.h"
#include "loader/sys/error.h"
#include "loader/sys/fixed.h"

namespace hosa {

// Capacities: hosa's largest object has five maps, two programs and nine uses of maps.
inline constexpr std::size_t kMaxMaps = 16;
inline constexpr std::size_t kMaxPrograms = 16;
inline constexpr std::size_t kMaxMapUses = 64;  // per program
inline constexpr std::size_t kMaxFields = 8;
inline constexpr std::size_t kMaxInstructions = 4096;  // per program; the largest probe has about 400

struct MapSpec {
  FixedString<BPF_OBJ_NAME_LEN - 1> name;
  MapShape shape;
};

// Instruction number `instruction` loads the address of map number `map` of the same object.
struct MapUse {
  uint32_t instruction = 0;
  uint32_t map = 0;
};

struct ContextField {
  FixedString<39> event;
  FixedString<23> name;
};

using ContextFields = FixedVector<ContextField, kMaxFields>;

struct ProgramSpec {
  FixedString<63> name;    // the function's name
  FixedString<63> target;  // what comes after KIND/: "mm_page_alloc", "syscalls/sys_enter_brk"
  uint32_t type = 0;       // BPF_PROG_TYPE_*
  Bytes instructions;      // 8 bytes each, at most kMaxInstructions; points into the object
  FixedVector<MapUse, kMaxMapUses> map_uses;
};

struct ObjectSpec {
  FixedString<31> licence;
  FixedVector<MapSpec, kMaxMaps> maps;
  FixedVector<ProgramSpec, kMaxPrograms> programs;
  ContextFields fields;

  const ProgramSpec* find_program(std::string_view name) const {
    for (const ProgramSpec& program : programs)
      if (program.name == name) return &program;
    return nullptr;
  }
};

Result<ObjectSpec> read_object(Bytes file);

}  // namespace hosa
