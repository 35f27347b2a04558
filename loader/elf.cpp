#include "loader/elf.h"

#include <bit>
#include <cstring>

namespace hosa {
namespace {

static_assert(std::endian::native == std::endian::little, "objects are read as they lie");

Error malformed(const char* what, std::string_view subject = {}) {
  return make_error(0, what, subject);
}

}  // namespace

Result<ElfFile> ElfFile::open(Bytes file) {
  const auto header = file.read<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return malformed("not an ELF file");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
    return malformed("ELF file is not 64-bit little-endian");
  if (header->e_type != ET_REL || header->e_machine != EM_BPF) return malformed("ELF file is not a BPF object");
  if (header->e_shentsize != sizeof(Elf64_Shdr)) return malformed("ELF section headers have an unknown size");
  if (header->e_shnum == 0 || header->e_shnum > kMaxSections) return malformed("ELF file has too few or many sections");
  if (!file.holds(header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr)))
    return malformed("ELF section table lies outside the file");
  ElfFile elf;
  elf.file_ = file;
  elf.table_offset_ = header->e_shoff;
  elf.section_count_ = header->e_shnum;
  if (header->e_shstrndx >= header->e_shnum) return malformed("ELF section names are missing");
  const auto names = file.read<Elf64_Shdr>(elf.table_offset_ + uint64_t{header->e_shstrndx} * sizeof(Elf64_Shdr));
  const auto content = names ? file.part(names->sh_offset, names->sh_size) : std::nullopt;
  if (!content || names->sh_type != SHT_STRTAB) return malformed("ELF section names lie outside the file");
  elf.names_ = *content;
  if (const auto checked = elf.check_sizes(); !checked) return checked.error();
  return elf;
}

Result<void> ElfFile::check_sizes() const {
  uint64_t left = file_.size();
  for (uint32_t i = 0; i < section_count_; ++i) {
    const auto header = file_.read<Elf64_Shdr>(table_offset_ + uint64_t{i} * sizeof(Elf64_Shdr));
    if (!header) return malformed("ELF section table lies outside the file");
    if (header->sh_type == SHT_NULL || header->sh_type == SHT_NOBITS) continue;
    if (header->sh_size > left) return malformed("ELF sections are together larger than the file");
    left -= header->sh_size;
  }
  return {};
}

Result<ElfSection> ElfFile::section(uint32_t index) const {
  if (index >= section_count_) return malformed("ELF section number is out of range");
  const auto header = file_.read<Elf64_Shdr>(table_offset_ + uint64_t{index} * sizeof(Elf64_Shdr));
  if (!header) return malformed("ELF section table lies outside the file");
  const auto name = names_.text(header->sh_name);
  if (!name) return malformed("ELF section name lies outside its table");
  ElfSection section;
  section.name = *name;
  section.index = index;
  section.type = header->sh_type;
  section.flags = header->sh_flags;
  section.link = header->sh_link;
  section.info = header->sh_info;
  section.size = header->sh_size;
  if (header->sh_type == SHT_NULL || header->sh_type == SHT_NOBITS) return section;
  const auto content = file_.part(header->sh_offset, header->sh_size);
  if (!content) return malformed("ELF section lies outside the file:", *name);
  section.content = *content;
  return section;
}

std::optional<ElfSection> ElfFile::find_section(std::string_view name) const {
  for (uint32_t i = 0; i < section_count_; ++i) {
    const auto candidate = section(i);
    if (candidate && candidate->name == name) return *candidate;
  }
  return std::nullopt;
}

std::optional<ElfSection> ElfFile::find_section_type(uint32_t type) const {
  for (uint32_t i = 0; i < section_count_; ++i) {
    const auto candidate = section(i);
    if (candidate && candidate->type == type) return *candidate;
  }
  return std::nullopt;
}

Result<ElfSymbol> ElfFile::symbol(const ElfSection& table, uint64_t index) const {
  if (index >= symbol_count(table)) return malformed("ELF symbol number is out of range");
  const auto entry = table.content.read<Elf64_Sym>(index * sizeof(Elf64_Sym));
  const auto strings = section(table.link);
  if (!entry || !strings) return malformed("ELF symbol table is broken");
  // Section symbols carry no name of their own: they go by their section.
  const unsigned char type = ELF64_ST_TYPE(entry->st_info);
  std::optional<std::string_view> name = strings->content.text(entry->st_name);
  if (type == STT_SECTION) {
    const auto target = section(entry->st_shndx);
    if (target) name = target->name;
  }
  if (!name) return malformed("ELF symbol name lies outside its table");
  return ElfSymbol{*name, type, entry->st_shndx, entry->st_value, entry->st_size};
}

Result<ElfRelocation> ElfFile::relocation(const ElfSection& table, uint64_t index) {
  if (index >= relocation_count(table)) return malformed("ELF relocation number is out of range");
  const auto entry = table.content.read<Elf64_Rel>(index * sizeof(Elf64_Rel));
  if (!entry) return malformed("ELF relocation table is broken");
  return ElfRelocation{entry->r_offset, static_cast<uint32_t>(ELF64_R_SYM(entry->r_info)),
                       static_cast<uint32_t>(ELF64_R_TYPE(entry->r_info))};
}

}  // namespace hosa
