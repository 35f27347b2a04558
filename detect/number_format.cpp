#include "detect/number_format.h"

#include <charconv>
#include <cstdint>

#include "detect/arithmetic.h"

namespace hosa::detect {
namespace {

constexpr int kSignificant = 6;

struct Text {
  char at[kNumberChars + 8];
  std::size_t size = 0;
  void put(char c) { at[size++] = c; }
  void put_integer(uint64_t value) {
    size = static_cast<std::size_t>(std::to_chars(at + size, at + sizeof at, value).ptr - at);
  }
};

double times_power_of_ten(double value, int power) {
  for (; power >= 22; power -= 22) value *= 1e22;  // 1e22 is the largest exact power of ten
  for (; power <= -22; power += 22) value /= 1e22;
  double factor = 1;
  for (int k = power < 0 ? -power : power; k > 0; --k) factor *= 10;
  return power < 0 ? value / factor : value * factor;
}

// The number as digits * 10^(exponent - 5), digits of exactly six places.
struct Decimal {
  uint64_t digits;
  int exponent;
};

Decimal to_decimal(double value) {
  int exponent = 0;
  double m = value;
  for (; m >= 1e22; m /= 1e22) exponent += 22;
  for (; m < 1e-22; m *= 1e22) exponent -= 22;
  for (; m >= 10; m /= 10) ++exponent;
  for (; m < 1; m *= 10) --exponent;
  // m has told the exponent (perhaps one off, after its own rounding); the digits come from one multiplication.
  auto digits = static_cast<uint64_t>(times_power_of_ten(value, kSignificant - 1 - exponent) + 0.5);
  if (digits >= 1000000) {
    digits = static_cast<uint64_t>(times_power_of_ten(value, kSignificant - 2 - exponent) + 0.5);
    ++exponent;
  }
  return {digits, exponent};
}

// Six digits with a point after the first `before` of them, zeros at the end left out.
void put_digits(Text& text, uint64_t digits, int before) {
  char six[8];
  for (int i = kSignificant - 1; i >= 0; --i, digits /= 10) six[i] = static_cast<char>('0' + digits % 10);
  int last = kSignificant;
  while (last > before && last > 0 && six[last - 1] == '0') --last;
  if (before <= 0) {
    text.put('0');
    text.put('.');
    for (int i = before; i < 0; ++i) text.put('0');
  }
  for (int i = 0; i < last; ++i) {
    if (i == before && before > 0) text.put('.');
    text.put(six[i]);
  }
}

void put_positive(Text& text, double value) {
  if (value >= 99999.95 && value < 1e15) return text.put_integer(static_cast<uint64_t>(value + 0.5));
  const Decimal decimal = to_decimal(value);
  if (decimal.exponent >= -5 && decimal.exponent < kSignificant)
    return put_digits(text, decimal.digits, decimal.exponent + 1);
  put_digits(text, decimal.digits, 1);
  text.put('e');
  text.put(decimal.exponent < 0 ? '-' : '+');
  const auto size = static_cast<uint64_t>(decimal.exponent < 0 ? -decimal.exponent : decimal.exponent);
  if (size < 10) text.put('0');
  text.put_integer(size);
}

}  // namespace

std::size_t format_number(double value, std::span<char> out) {
  Text text;
  if (!is_finite(value)) {
    for (const char c : {'n', 'u', 'l', 'l'}) text.put(c);
  } else if (value == 0) {
    text.put('0');
  } else {
    if (value < 0) text.put('-');
    put_positive(text, value < 0 ? -value : value);
  }
  if (text.size > out.size()) return 0;
  for (std::size_t i = 0; i < text.size; ++i) out[i] = text.at[i];
  return text.size;
}

}  // namespace hosa::detect
