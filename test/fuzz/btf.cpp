// corpus: loader/whole
// libFuzzer target: any bytes as BTF. All types are walked along every reference they hold, names are looked for in the
// strings, and what a kernel that knows little would be given is made of it.
#include "loader/btf_names.h"
#include "loader/elf.h"

namespace {

void visit(const hosa::Btf& btf, const hosa::BtfType& type) {
  (void)btf.resolved(type.id);
  (void)btf.size_of(type.id);
  (void)btf.name(type.name);
  (void)btf.array(type);
  (void)btf.integer(type);
  (void)btf.linkage(type);
  for (uint32_t i = 0; i < type.count && i < 64; ++i) {
    if (const auto member = btf.member(type, i)) (void)btf.size_of(member->type);
    (void)btf.parameter(type, i);
    (void)btf.variable(type, i);
    if (const auto item = btf.enumerator(type, i)) (void)btf.name_is(item->name, "STATE_A");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  hosa::Bytes bytes(data, size);
  if (const auto elf = hosa::ElfFile::open(bytes))  // the corpus holds objects
    if (const auto section = elf->find_section(".BTF")) bytes = section->content;
  auto btf = hosa::Btf::of_bytes(bytes);
  if (!btf) return 0;
  for (uint32_t id = 0; id <= btf->count(); ++id)
    if (const auto type = btf->type(id)) visit(*btf, *type);
  (void)btf->find("thing", BTF_KIND_STRUCT);
  hosa::NameSet names;
  hosa::List<hosa::NamedString> strings;
  hosa::List<hosa::NamedType> types;
  for (const char* const name : {"thing", "a", "in", "state___old"}) names.add(name);
  if (names.find_strings(*btf, strings)) (void)btf->index(strings, types).has_value();
  return 0;
}
