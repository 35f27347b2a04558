// A recording: the state vector as CSV, one row a reading, which `hosa replay --schema` and tools/eval read back.
//
//   # busy,share,1,1,0.03          the schema: name,kind,scale,sign,floor, one comment line each
//   t,busy,...,label,fault,phase   seconds since the beginning, then the dimensions; 0,-,live until somebody labels it
//   # 7213.400 s of CLOCK_MONOTONIC is t = 0
//   0.100,0.25,...,0,-,live        rates per second and shares ready-made, over the time since the row before
//
// Replay sums the rates to totals again, so a recording is judged as the machine was, to the six digits that are kept.
#pragma once
#include "detect/dimension.h"
#include "loader/sys/error.h"

namespace hosa {

class Recording {
 public:
  static constexpr std::size_t kRowBytes = 16 + detect::kMaxDimensions * 25 + 16;

  // fd stays the caller's.
  Recording(std::span<const detect::Dimension> dimensions, int fd) : dimensions_(dimensions), fd_(fd) {}
  // The schema alone: the file that --schema takes.
  static Result<void> write_schema(std::span<const detect::Dimension> dimensions, int fd);
  // Schema as comments, and the names.
  Result<void> begin();
  // Raw readings (totals and values) at `now_s`. The first one only says what the totals were.
  Result<void> take(std::span<const double> raw, double now_s);
  Result<void> flush();
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void number(double value);
  void put(std::string_view text);

  std::span<const detect::Dimension> dimensions_;
  int fd_;
  std::array<double, detect::kMaxDimensions> before_{};
  double began_s_ = -1, last_s_ = 0;
  uint64_t rows_ = 0, bytes_ = 0;
  std::size_t used_ = 0;
  char buffer_[16 * 1024];
};

}  // namespace hosa
