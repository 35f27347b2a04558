// The one way hosa prints a double: audit lines, replay, metrics and `why` all come through here, so equal numbers are
// equal bytes under every C library and architecture (snprintf and std::to_chars are not used for doubles).
//
// Six significant digits, trailing zeros dropped, digits before the point never rounded away below 1e15: 0, 0.0421,
// 2.5, 14.8731, 123456, 1234568, 5368709120. Below 1e-5 and from 1e15 on scientific: 1.5e-07, 2.25e+16. NaN and the
// infinities are `null`, which JSON can carry. -0 prints 0.
#pragma once
#include <cstddef>
#include <span>

namespace hosa::detect {

inline constexpr std::size_t kNumberChars = 24;  // no number is longer

// Writes the text without a final NUL and answers its length; 0 if out is too small.
std::size_t format_number(double value, std::span<char> out);

}  // namespace hosa::detect
