// corpus: loader/core
// libFuzzer target: two BTFs out of any bytes, one as an object's and one as the kernel's, and questions about them.
// The input: the length of the first (two bytes), a kind of record, the access string up to a NUL, both BTFs.
#include "loader/core_compare.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hosa;
  const Bytes input(data, size);
  const auto first = input.read<uint16_t>(0);
  const auto kind = input.read<uint8_t>(2);
  const auto access = input.text(3);
  if (!first || !kind || !access) return 0;
  const uint64_t at = 3 + access->size() + 1;
  const auto one = input.part(at, *first);
  const auto other = one ? input.part(at + *first, size - at - *first) : std::nullopt;
  if (!other) return 0;
  const auto local = Btf::of_bytes(*one), target = Btf::of_bytes(*other);
  if (!local || !target) return 0;
  for (uint32_t id = 0; id < local->count() && id < 32; ++id) {
    CorePath path;
    if (!read_path(*local, id, *kind % 14, *access, path)) continue;
    (void)core_value(*local, path, *kind % 14);
    for (uint32_t there = 0; there < target->count() && there < 32; ++there) {
      CorePath found;
      if (follow_path(*local, path, *kind % 14, *target, there, found) == Fits::yes)
        (void)core_value(*target, found, *kind % 14);
    }
  }
  return 0;
}
