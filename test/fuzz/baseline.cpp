// corpus: baseline
// needs: tools/hosa/baseline_file.cpp actuate/known_sizes.cpp detect/*.cpp loader/sys/*.cpp
// libFuzzer target: any bytes given to the reader of baselines, with a checksum that fits, end in an error or in a
// baseline that is written back in as many bytes, is read again and written to the same bytes (what is kept in floats
// is rounded once), and that a detector takes or refuses without a number that is not finite.
#include <vector>

#include "detect/arithmetic.h"
#include "tools/hosa/baseline_file.h"

using namespace hosa;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::vector<unsigned char> bytes(data, data + size);
  uint64_t sum = 0xcbf29ce484222325;
  for (std::size_t i = 24; i < size; ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  if (size >= 24) std::memcpy(bytes.data() + 16, &sum, sizeof sum);
  static SavedBaseline saved;
  if (!decode_baseline(Bytes(bytes.data(), bytes.size()), saved)) return 0;
  std::vector<unsigned char> again(size + 1), third(size + 1);
  if (encode_baseline(saved, again) != size) __builtin_trap();
  if (!decode_baseline(Bytes(again.data(), size), saved)) __builtin_trap();
  if (encode_baseline(saved, third) != size || third != again) __builtin_trap();

  std::vector<detect::Dimension> table;
  for (const SavedDimension& d : saved.dimensions)
    table.push_back({d.name.c_str(), "1", d.kind, d.scale, d.sign, d.floor, detect::Resource::cpu, d.cumulative});
  static detect::Baseline merged;
  detect::Places place;
  for (const std::size_t less : {0, 1}) {
    if (table.size() <= less) break;
    table.resize(table.size() - less);
    if (place_dimensions(saved, table, place) != 0) __builtin_trap();
    detect::merge_baselines(saved.learned, saved.learned, place, table.size(), true, merged);
    detect::Detector detector(table);
    if (!detector.restore(merged)) continue;
    const std::vector<double> reading(table.size(), 0.5);
    for (int t = 1; t < 4; ++t) (void)detector.step(reading, t, true);
    if (!detect::is_finite(detector.verdict().distance)) __builtin_trap();
  }
  return 0;
}
