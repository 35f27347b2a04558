#include "loader/kernel_btf.h"

#include <algorithm>

namespace hosa {
namespace {

void put(List<unsigned char>& bytes, uint64_t at, uint32_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// A section of externs means nothing to the kernel: it becomes a structure of as many four-byte numbers.
void disguise(const Btf& btf, const BtfType& section, uint32_t number, List<unsigned char>& out) {
  const uint64_t head = section.tail - sizeof(btf_type);
  put(out, head, 0);
  put(out, head + 4, static_cast<uint32_t>(BTF_KIND_STRUCT) << 24 | section.count);
  put(out, head + 8, 4 * section.count);
  for (uint32_t i = 0; i < section.count; ++i) {
    const auto place = btf.variable(section, i);
    const auto item = place ? btf.type(place->type) : std::nullopt;
    const uint64_t at = section.tail + uint64_t{i} * 12;
    put(out, at, 0);
    put(out, at + 4, number);
    put(out, at + 8, 32 * i);
    if (!item) continue;
    const uint64_t item_head = item->tail - sizeof(btf_type);
    if (item->kind == BTF_KIND_VAR) {
      put(out, item->tail, BTF_VAR_GLOBAL_ALLOCATED);
      put(out, item->tail - 4, number);  // what only has an address is of type void, which no variable may be
    }
    if (item->kind != BTF_KIND_FUNC) continue;
    put(out, item_head + 4, static_cast<uint32_t>(BTF_KIND_FUNC) << 24 | BTF_FUNC_GLOBAL);
    const auto prototype = btf.type(item->size_or_type);
    for (uint32_t k = 0; prototype && k < prototype->count; ++k)
      if (const auto parameter = btf.parameter(*prototype, k); parameter && parameter->name_off == 0 && parameter->type)
        put(out, prototype->tail + uint64_t{k} * 8, item->name);
  }
}

// clang leaves a section's size, and where its variables lie that others may see, to whoever reads the symbols; a
// linker has filled both in. Hidden variables are nobody else's: static.
void complete(const ObjectImage& image, const BtfType& section, List<unsigned char>& out) {
  const ElfSection* const from = image.find_section(image.btf.name(section.name).view());
  if (from == nullptr) return;
  const bool unset = section.size_or_type == 0;
  if (unset) put(out, section.tail - 4, static_cast<uint32_t>(from->size));
  struct Row {
    uint32_t type, offset, size;
  };
  List<Row> rows;
  for (uint32_t i = 0; i < section.count; ++i) {
    const auto place = image.btf.variable(section, i);
    const auto variable = place ? image.btf.type(place->type) : std::nullopt;
    if (!variable) return;
    Row row{place->type, place->offset, place->size};
    const BtfName name = image.btf.name(variable->name);
    const bool known = image.btf.linkage(*variable).value_or(BTF_VAR_STATIC) == BTF_VAR_STATIC;
    if (const ImageSymbol* const symbol = known ? nullptr : image.find_symbol(name.view(), from->index)) {
      if (unset) row.offset = static_cast<uint32_t>(symbol->value);
      if (symbol->hidden && variable->kind == BTF_KIND_VAR) put(out, variable->tail, BTF_VAR_STATIC);
    }
    if (!rows.push_back(row)) return;
  }
  rows.sort([](const Row& a, const Row& b) { return a.offset < b.offset; });
  if (!rows.empty()) std::memcpy(out.data() + section.tail, rows.data(), rows.size() * sizeof(Row));
}

// A hidden function is checked where it is called, with what the caller knows, like a static one.
void hide_functions(const ObjectImage& image, List<unsigned char>& out) {
  for (const ImageSymbol& symbol : image.symbols) {
    if (symbol.type != STT_FUNC || symbol.section == SHN_UNDEF || symbol.binding == STB_LOCAL || !symbol.hidden)
      continue;
    const auto id = image.btf.find(symbol.name, BTF_KIND_FUNC);
    const auto type = id ? image.btf.type(*id) : std::nullopt;
    if (type) put(out, type->tail - 8, static_cast<uint32_t>(BTF_KIND_FUNC) << 24 | BTF_FUNC_STATIC);
  }
}

}  // namespace

bool btf_for_kernel(const ObjectImage& image, List<unsigned char>& out) {
  if (!out.append(image.btf.bytes().data(), image.btf.bytes().size())) return false;
  uint32_t number = 0;
  for (uint32_t id = 1; id < image.btf.count() && number == 0; ++id) {
    const auto type = image.btf.type(id);
    if (type && type->kind == BTF_KIND_INT && type->size_or_type == 4) number = id;
  }
  for (uint32_t id = 1; id < image.btf.count(); ++id) {
    const auto type = image.btf.type(id);
    if (!type || type->kind != BTF_KIND_DATASEC) continue;
    const BtfName name = image.btf.name(type->name);
    if (name == ".ksyms" || name == ".kconfig")
      disguise(image.btf, *type, number, out);
    else
      complete(image, *type, out);
  }
  hide_functions(image, out);
  return true;
}

}  // namespace hosa
