// corpus: loader
// libFuzzer target: any bytes given to the reader of whole objects, to the linker and to CO-RE (against the object's
// own types, and against what a format file says of its contexts) end in an error or an answer.
#include "loader/context_fields.h"
#include "loader/core.h"
#include "loader/format_types.h"
#include "loader/kernel_btf.h"

namespace {

constexpr std::string_view kFormat =
    "ID: 1\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
    "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n";

// A kernel without BTF, which knows one event.
void fit_to_format(const hosa::ObjectImage& image) {
  const auto format = hosa::parse_format(kFormat);
  hosa::KernelTypes kernel(-1);
  hosa::FormatTypes types;
  hosa::List<unsigned char> bytes;
  if (!format || !hosa::want_core_types(image, kernel)) return;
  for (std::size_t i = 0; i < image.core.size() && i < 64; ++i)
    if (const auto type = image.btf.type(image.core[i].type))
      if (type->kind == BTF_KIND_STRUCT) (void)types.add(image.btf, *type, *format).has_value();
  if (types.empty() || !types.finish(bytes)) return;
  auto btf = hosa::Btf::of_bytes(hosa::Bytes(bytes.data(), bytes.size()));
  if (!btf) return;  // too many members for one type
  if (!kernel.stand_in(std::move(*btf))) return;
  for (uint32_t i = 0; i < image.functions.size() && i < 16; ++i) {
    hosa::LinkedProgram program;
    if (hosa::link_program(image, i, program)) (void)hosa::apply_core(image, kernel, program).has_value();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  hosa::ObjectImage image;
  if (!hosa::read_image(hosa::Bytes(data, size), "fuzz", image) || !image.has_btf) return 0;
  fit_to_format(image);
  if (const hosa::ElfSection* const fields = image.find_section("fields"))
    (void)hosa::read_context_fields(fields->content).has_value();
  hosa::KernelTypes own(image.btf);
  if (!hosa::want_core_types(image, own) || !own.gather()) return 0;
  for (uint32_t i = 0; i < image.functions.size() && i < 16; ++i) {
    hosa::LinkedProgram program;
    if (!hosa::link_program(image, i, program)) continue;
    (void)hosa::apply_core(image, own, program).has_value();
  }
  hosa::List<unsigned char> types;
  if (hosa::btf_for_kernel(image, types))
    hosa::replace_kinds(image.btf, {false, false, false, false, false, false, false}, types);
  return 0;
}
