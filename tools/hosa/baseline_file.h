// The baseline file: what this machine has learned, kept over restarts (spec 4). Version 3, little-endian, 40 KB at
// most, every number a whole double:
//
//   0  "hosabase"   8 u32 version   12 u32 bytes of the file   16 u64 FNV-1a of everything from 24 on
//  24  u64 seconds since 1970 when it was written   32 u32 CPUs   36 u32 page size   40 f64 bytes of RAM
//  48  u32 dimensions n   52 u32 known sizes m   56 f64 learned seconds   64 f64 effective samples
//  72  15 f64 of the score's tail: normal seconds, excursions, mean, variance, scores, 5 heights, 5 positions
// 192  n times: 48 name, u8 kind, i8 sign, u8 cumulative, 5 zero; f64 scale, floor, median, spread, mean, tail k, reach
// q, finest r
//  ..  n (n + 1) / 2 times: f64 covariance, rows of the lower triangle
//  ..  m times: u64 key, f64 bytes, u64 seconds since 1970
//
// Whatever is read is hostile: lengths first, then the checksum, then each field by its range; nothing is taken of a
// file of which one field is wrong.
#pragma once
#include <span>

#include "actuate/known_sizes.h"
#include "detect/baseline_merge.h"
#include "loader/bytes.h"
#include "loader/sys/error.h"

namespace hosa {

// Whose normal it is. A card that is put into another board brings the normal of the old one.
struct BoardIdentity {
  uint32_t cpus = 0, page_bytes = 0;
  double ram_bytes = 0;
};

struct SavedDimension {
  FixedString<47> name;
  detect::Kind kind = detect::Kind::rate;
  int sign = 1;
  bool cumulative = false;
  double scale = 1, floor = 0;
};

struct SavedBaseline {
  static constexpr uint32_t kVersion = 3;
  uint64_t written_s = 0;  // since 1970, as the clock stood
  BoardIdentity board;
  FixedVector<SavedDimension, detect::kMaxDimensions> dimensions;
  detect::Baseline learned;  // its n is dimensions.size()
  FixedVector<KnownSize, kKnownSizes> sizes;
};

// How many bytes it took; 0: `out` is too short.
std::size_t encode_baseline(const SavedBaseline& baseline, std::span<unsigned char> out);
// The error says what is wrong; `out` then holds nothing of use.
Result<void> decode_baseline(Bytes file, SavedBaseline& out);

// Whether it was learned on this board: the same CPUs and pages, RAM within 5 % (kernels reserve more or less of it).
Result<void> same_board(const BoardIdentity& saved, const BoardIdentity& now);

SavedDimension describe_dimension(const detect::Dimension& dimension);
// Where each dimension of the present table stands in the saved one; how many are new. One that is measured otherwise
// now (kind, scale, sign) is new.
std::size_t place_dimensions(const SavedBaseline& saved, std::span<const detect::Dimension> now, detect::Places& place);

}  // namespace hosa
