// corpus: loader
// libFuzzer target: any bytes given to the reader of whole objects, to the linker and to CO-RE (against the object's
// own types) end in an error or an answer.
#include "loader/core.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  hosa::ObjectImage image;
  if (!hosa::read_image(hosa::Bytes(data, size), "fuzz", image)) return 0;
  for (uint32_t i = 0; i < image.functions.size() && i < 16; ++i) {
    hosa::LinkedProgram program;
    if (!hosa::link_program(image, i, program)) continue;
    (void)hosa::apply_core(image, image.has_btf ? &image.btf : nullptr, program).has_value();
  }
  return 0;
}
