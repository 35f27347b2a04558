// What a recording's columns are: which are dimensions, which one is the time, which says `train`.
#pragma once
#include "detect/dimension.h"
#include "loader/sys/error.h"

namespace hosa {

struct ReplayTable {
  static constexpr std::size_t kNone = SIZE_MAX;
  static constexpr std::size_t kColumns = 1024;
  enum class Role : uint8_t { ignored, time, phase, dimension };

  FixedVector<detect::Dimension, detect::kMaxDimensions> dimensions;
  FixedVector<FixedString<47>, detect::kMaxDimensions> names;  // what dimensions[].name points at
  FixedVector<Role, kColumns> roles;                           // of the columns, left to right
  std::size_t left_out = 0;                                    // dimensions beyond kMaxDimensions
  bool timed = false;     // a schema came along, so column t is seconds; without one a row is a step
  bool headless = false;  // the first line already was numbers

  // schema: name,kind,scale,sign,floor lines (empty path: none). header: the recording's first line. An Error names
  // file and line.
  Result<void> read(const char* schema_path, std::string_view header);
  // Without a schema: a column whose first cell is text (a date, the name of a host) is no dimension. Empty cells and
  // what spells a missing number stay. Answers how many were left out.
  std::size_t leave_out_text(std::string_view row);
};

}  // namespace hosa
