#include "loader/program_image.h"

#include <algorithm>

#include "loader/sys/text.h"

namespace hosa {
namespace {

Result<void> read_functions(ObjectImage& image, uint32_t section_number) {
  const auto section = image.elf.section(section_number);
  if (!section) return section.error();
  if (section->type != SHT_PROGBITS || (section->flags & SHF_EXECINSTR) == 0) return {};
  for (uint64_t i = 0; i < ElfFile::symbol_count(image.symbols); ++i) {
    const auto symbol = image.elf.symbol(image.symbols, i);
    if (!symbol) return symbol.error();
    if (symbol->section != section_number || symbol->type != STT_FUNC) continue;
    if (symbol->size == 0 || symbol->size % 8 != 0 || symbol->value % 8 != 0 ||
        !section->content.holds(symbol->value, symbol->size))
      return make_error(0, "function lies outside its section:", symbol->name);
    const auto raw = image.symbols.content.read<Elf64_Sym>(i * sizeof(Elf64_Sym));
    const bool local = raw && ELF64_ST_BIND(raw->st_info) == STB_LOCAL;
    const bool entry = section->name != ".text" && !local;
    if (!image.functions.push_back({symbol->name, section->name, section_number, symbol->value, symbol->size, entry}))
      return make_error(ENOMEM, "read functions");
  }
  return {};
}

Result<void> read_relocations(ObjectImage& image) {
  for (uint32_t i = 0; i < image.elf.section_count(); ++i) {
    const auto table = image.elf.section(i);
    if (!table) return table.error();
    if (table->type != SHT_REL) continue;
    const auto patched = image.elf.section(table->info);
    if (!patched) return patched.error();
    if ((patched->flags & SHF_EXECINSTR) == 0 && patched->name != ".maps") continue;
    for (uint64_t k = 0; k < ElfFile::relocation_count(*table); ++k) {
      const auto entry = ElfFile::relocation(*table, k);
      if (!entry) return entry.error();
      if (!image.relocations.push_back({patched->index, entry->offset, entry->symbol, entry->type}))
        return make_error(ENOMEM, "read relocations");
    }
  }
  std::sort(image.relocations.begin(), image.relocations.end(), [](const auto& a, const auto& b) {
    return a.section != b.section ? a.section < b.section : a.offset < b.offset;
  });
  return {};
}

}  // namespace

Result<void> read_image(Bytes file, std::string_view object_name, ObjectImage& image) {
  auto elf = ElfFile::open(file);
  if (!elf) return elf.error();
  image.elf = *elf;
  const auto symbols = image.elf.find_section_type(SHT_SYMTAB);
  if (!symbols) return make_error(0, "object has no symbols");
  image.symbols = *symbols;
  if (const auto licence = image.elf.find_section("license")) {
    const auto text = licence->content.text(0);
    if (!text) return make_error(0, "licence of the object is not terminated");
    image.licence = *text;
  }
  if (const auto version = image.elf.find_section("version"))
    image.version = version->content.read<uint32_t>(0).value_or(0);
  if (const auto btf = image.elf.find_section(".BTF")) {
    auto read = Btf::of_bytes(btf->content);
    if (!read) return read.error();
    image.btf = std::move(*read);
    image.has_btf = true;
    if (const auto extension = image.elf.find_section(".BTF.ext")) image.extension = extension->content;
  }
  for (uint32_t i = 0; i < image.elf.section_count(); ++i)
    if (const auto read = read_functions(image, i); !read) return read.error();
  if (const auto read = read_relocations(image); !read) return read.error();
  if (const auto read = read_image_externs(image); !read) return read.error();
  return read_image_maps(image, object_name);
}

}  // namespace hosa
