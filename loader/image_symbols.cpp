// The symbols of an object, by number and by name.
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

Result<ImageSymbol> read_symbol(const ObjectImage& image, const ElfSection& table, Bytes strings, uint64_t index) {
  const auto entry = table.content.read<Elf64_Sym>(index * sizeof(Elf64_Sym));
  const auto name = strings.text(entry->st_name);
  if (!name) return make_error(0, "ELF symbol name lies outside its table");
  if (name->size() > kMaxSymbolName) return make_error(0, "ELF symbol name is longer than 1024 characters");
  const unsigned char visibility = ELF64_ST_VISIBILITY(entry->st_other);
  ImageSymbol symbol{*name, entry->st_value, entry->st_size, entry->st_shndx};
  symbol.type = ELF64_ST_TYPE(entry->st_info);
  symbol.binding = ELF64_ST_BIND(entry->st_info);
  symbol.hidden = visibility == STV_HIDDEN || visibility == STV_INTERNAL;
  if (symbol.type == STT_SECTION && symbol.section < image.sections.size())
    symbol.name = image.sections[symbol.section].name;
  return symbol;
}

}  // namespace

Result<void> read_image_symbols(ObjectImage& image) {
  const ElfSection* table = nullptr;
  for (const ElfSection& section : image.sections)
    if (section.type == SHT_SYMTAB && table == nullptr) table = &section;
  if (table == nullptr) return make_error(ENOENT, "object has no symbols");
  if (table->link >= image.sections.size()) return make_error(0, "ELF symbol table has no names");
  const Bytes strings = image.sections[table->link].content;
  for (uint64_t i = 0; i < ElfFile::symbol_count(*table); ++i) {
    const auto symbol = read_symbol(image, *table, strings, i);
    if (!symbol) return symbol.error();
    const auto number = static_cast<uint32_t>(image.symbols.size());
    if (!image.symbols.push_back(*symbol)) return make_error(ENOMEM, "read symbols");
    if (symbol->section == SHN_UNDEF || symbol->type == STT_SECTION || symbol->name.empty()) continue;
    if (!image.symbols_by_name.push_back(number)) return make_error(ENOMEM, "read symbols");
  }
  image.symbols_by_name.sort([&](uint32_t a, uint32_t b) {
    const ImageSymbol &x = image.symbols[a], &y = image.symbols[b];
    if (x.section != y.section) return x.section < y.section;
    if (x.name.data() == y.name.data()) return a < b;
    const int order = x.name.compare(y.name);
    return order != 0 ? order < 0 : a < b;
  });
  return {};
}

const ImageSymbol* ObjectImage::find_symbol(std::string_view name, uint32_t section) const {
  const auto* const found =
      std::lower_bound(symbols_by_name.begin(), symbols_by_name.end(), name, [&](uint32_t a, std::string_view wanted) {
        return symbols[a].section != section ? symbols[a].section < section : symbols[a].name < wanted;
      });
  if (found == symbols_by_name.end()) return nullptr;
  const ImageSymbol& symbol = symbols[*found];
  return symbol.section == section && symbol.name == name ? &symbol : nullptr;
}

}  // namespace hosa
