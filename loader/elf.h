// ElfFile: the part of ELF a BPF object needs: 64-bit little-endian relocatable files of machine BPF, their sections,
// symbols and relocations without addend. Format: System V ABI, chapter 4 (gABI), and the kernel's
// Documentation/bpf/llvm_reloc.rst. Pure: bytes in, values out; nothing is believed before it is checked, and views
// point into the bytes that were given.
//
// It reads as many sections as kMaxSections (clang writes 10-40 for one program and three or four more for each other;
// 700 were seen), and their contents together must fit into the file: a header that repeats one huge section thousands
// of times must not become hours of work.
#pragma once
#include <elf.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "loader/bytes.h"
#include "loader/sys/error.h"

namespace hosa {

inline constexpr uint32_t kMaxSections = 8192;

struct ElfSection {
  std::string_view name;
  uint32_t index = 0;
  uint32_t type = 0;   // SHT_*
  uint64_t flags = 0;  // SHF_*
  uint32_t link = 0;
  uint32_t info = 0;
  uint64_t size = 0;  // as the header says; SHT_NOBITS has no content
  Bytes content;      // empty for SHT_NOBITS
};

struct ElfSymbol {
  std::string_view name;
  unsigned char type = 0;  // STT_*
  uint16_t section = 0;    // SHN_UNDEF when defined elsewhere
  uint64_t value = 0;      // offset in its section
  uint64_t size = 0;
};

struct ElfRelocation {
  uint64_t offset = 0;  // in the section that is patched
  uint32_t symbol = 0;
  uint32_t type = 0;  // kRelocate*
};
inline constexpr uint32_t kRelocateMap = 1;    // R_BPF_64_64: a 16-byte load of an address or map
inline constexpr uint32_t kRelocateCall = 10;  // R_BPF_64_32: a call of another function

class ElfFile {
 public:
  // Checks the header and that the section table and its names lie inside the file.
  static Result<ElfFile> open(Bytes file);

  uint32_t section_count() const { return section_count_; }
  Result<ElfSection> section(uint32_t index) const;
  // The first section of that name or of that type; nothing when there is none or it is broken.
  std::optional<ElfSection> find_section(std::string_view name) const;
  std::optional<ElfSection> find_section_type(uint32_t type) const;

  // Entries of a symbol table (SHT_SYMTAB) or of a relocation section (SHT_REL).
  static uint64_t symbol_count(const ElfSection& table) { return table.content.size() / sizeof(Elf64_Sym); }
  static uint64_t relocation_count(const ElfSection& table) { return table.content.size() / sizeof(Elf64_Rel); }
  Result<ElfSymbol> symbol(const ElfSection& table, uint64_t index) const;
  static Result<ElfRelocation> relocation(const ElfSection& table, uint64_t index);

 private:
  Result<void> check_sizes() const;

  Bytes file_;
  Bytes names_;
  uint64_t table_offset_ = 0;
  uint32_t section_count_ = 0;
};

}  // namespace hosa
