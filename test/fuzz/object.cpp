// corpus: loader
// libFuzzer target: any bytes given to the object reader end in an error or an answer that stays inside them.
// Built and run by tools/build/fuzz; start corpus: the objects under test/fixtures/loader.
#include "loader/object.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto object = hosa::read_object(hosa::Bytes(data, size));
  if (!object) return 0;
  unsigned sum = 0;
  for (const hosa::ProgramSpec& program : object->programs) {
    for (std::size_t i = 0; i < program.instructions.size(); ++i) sum += program.instructions.data()[i];
    for (const hosa::MapUse& use : program.map_uses)
      if (use.map >= object->maps.size() || (use.instruction + 2) * 8 > program.instructions.size()) __builtin_trap();
  }
  return sum == 0xffffffff ? -1 : 0;
}
