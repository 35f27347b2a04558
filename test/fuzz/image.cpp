// corpus: loader
// libFuzzer target: any bytes given to the reader of whole objects, to the linker and to CO-RE (against the object's
// own types) end in an error or an answer.
#include "loader/core.h"
#include "loader/kernel_btf.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  hosa::ObjectImage image;
  if (!hosa::read_image(hosa::Bytes(data, size), "fuzz", image) || !image.has_btf) return 0;
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
