#include "loader/program_image.h"

#include <algorithm>

#include "loader/sys/text.h"

namespace hosa {
namespace {

Result<void> read_sections(ObjectImage& image) {
  for (uint32_t i = 0; i < image.elf.section_count(); ++i) {
    const auto section = image.elf.section(i);
    if (!section) return section.error();
    if (!image.sections.push_back(*section) || !image.sections_by_name.push_back(i))
      return make_error(ENOMEM, "read sections");
  }
  image.sections_by_name.sort([&](uint32_t a, uint32_t b) {
    const int order = image.sections[a].name.compare(image.sections[b].name);
    return order != 0 ? order < 0 : a < b;
  });
  return {};
}

bool holds_code(const ElfSection& section) {
  return section.type == SHT_PROGBITS && (section.flags & SHF_EXECINSTR) != 0;
}

// Several names of one function: the first that others may see stays.
void drop_aliases(List<ImageFunction>& functions) {
  std::size_t kept = 0;
  for (const ImageFunction& here : functions) {
    ImageFunction* const last = kept == 0 ? nullptr : &functions[kept - 1];
    if (last == nullptr || last->section != here.section || last->start != here.start || last->size != here.size)
      functions[kept++] = here;
    else if (!last->entry)
      *last = here;
  }
  functions.resize_down(kept);
}

Result<void> read_functions(ObjectImage& image) {
  for (const ImageSymbol& symbol : image.symbols) {
    if (symbol.type != STT_FUNC || symbol.section == SHN_UNDEF || symbol.section >= image.sections.size()) continue;
    const ElfSection& section = image.sections[symbol.section];
    if (!holds_code(section)) continue;
    if (symbol.size == 0 || symbol.size % 8 != 0 || symbol.value % 8 != 0 ||
        !section.content.holds(symbol.value, symbol.size))
      return make_error(0, "function lies outside its section:", symbol.name);
    const bool entry = section.name != ".text" && symbol.binding != STB_LOCAL;
    if (!image.functions.push_back({symbol.name, section.name, symbol.section, symbol.value, symbol.size, entry}))
      return make_error(ENOMEM, "read functions");
  }
  image.functions.sort(
      [](const auto& a, const auto& b) { return a.section != b.section ? a.section < b.section : a.start < b.start; });
  // A function that reaches into the next would be copied again and again by whoever calls them.
  drop_aliases(image.functions);
  for (std::size_t i = 1; i < image.functions.size(); ++i) {
    const ImageFunction &before = image.functions[i - 1], &here = image.functions[i];
    if (before.section == here.section && before.start + before.size > here.start)
      return make_error(0, "functions overlap:", here.name);
  }
  return {};
}

Result<void> read_relocations(ObjectImage& image) {
  for (const ElfSection& table : image.sections) {
    if (table.type != SHT_REL || table.info >= image.sections.size()) continue;
    const ElfSection& patched = image.sections[table.info];
    const bool wanted =
        holds_code(patched) || patched.name == ".maps" || patched.name.find("struct_ops") != std::string_view::npos;
    if (!wanted) continue;
    for (uint64_t k = 0; k < ElfFile::relocation_count(table); ++k) {
      const auto entry = ElfFile::relocation(table, k);
      if (!entry) return entry.error();
      if (entry->symbol >= image.symbols.size()) return make_error(0, "relocation names no symbol:", table.name);
      if (!image.relocations.push_back({patched.index, entry->offset, entry->symbol}))
        return make_error(ENOMEM, "read relocations");
    }
  }
  image.relocations.sort([](const auto& a, const auto& b) {
    return a.section != b.section ? a.section < b.section : a.offset < b.offset;
  });
  return {};
}

Result<void> read_words(ObjectImage& image) {
  if (const ElfSection* const licence = image.find_section("license")) {
    const auto text = licence->content.text(0);
    if (!text) return make_error(0, "licence of the object is not terminated");
    image.licence = *text;
  }
  if (const ElfSection* const version = image.find_section("version"))
    image.version = version->content.read<uint32_t>(0).value_or(0);
  if (const ElfSection* const btf = image.find_section(".BTF")) {
    auto read = Btf::of_bytes(btf->content);
    if (!read) return read.error();
    image.btf = std::move(*read);
    image.has_btf = true;
  }
  return {};
}

}  // namespace

Result<void> read_image(Bytes file, std::string_view object_name, ObjectImage& image) {
  auto elf = ElfFile::open(file);
  if (!elf) return elf.error();
  image.elf = *elf;
  if (const auto read = read_sections(image); !read) return read;
  if (const auto read = read_image_symbols(image); !read) return read;
  if (const auto read = read_words(image); !read) return read;
  if (const auto read = read_functions(image); !read) return read;
  if (const auto read = read_relocations(image); !read) return read;
  if (const auto read = read_image_tags(image); !read) return read;
  if (const auto read = read_image_records(image); !read) return read;
  if (const auto read = read_image_externs(image); !read) return read;
  return read_image_maps(image, object_name);
}

const ElfSection* ObjectImage::find_section(std::string_view name) const {
  const auto* const found =
      std::lower_bound(sections_by_name.begin(), sections_by_name.end(), name,
                       [&](uint32_t a, std::string_view wanted) { return sections[a].name < wanted; });
  return found != sections_by_name.end() && sections[*found].name == name ? &sections[*found] : nullptr;
}

std::optional<uint32_t> ObjectImage::function_at(uint32_t section, uint64_t offset) const {
  const ImageFunction* const found = function_around(section, offset);
  if (found == nullptr || found->start != offset) return std::nullopt;
  return static_cast<uint32_t>(found - functions.begin());
}

const ImageFunction* ObjectImage::function_around(uint32_t section, uint64_t offset) const {
  const auto* next = std::upper_bound(
      functions.begin(), functions.end(), offset,
      [&](uint64_t at, const ImageFunction& b) { return section != b.section ? section < b.section : at < b.start; });
  if (next == functions.begin()) return nullptr;
  --next;
  return next->section == section && offset - next->start < next->size ? next : nullptr;
}

const ImageRelocation* ObjectImage::relocation_at(uint32_t section, uint64_t offset) const {
  const auto* const found = std::lower_bound(
      relocations.begin(), relocations.end(), offset,
      [&](const auto& a, uint64_t at) { return a.section != section ? a.section < section : a.offset < at; });
  if (found == relocations.end() || found->section != section || found->offset != offset) return nullptr;
  return found;
}

}  // namespace hosa
