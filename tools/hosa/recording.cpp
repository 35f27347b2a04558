#include "tools/hosa/recording.h"

#include <unistd.h>

#include "detect/number_format.h"

namespace hosa {
namespace {

constexpr const char* kKinds[] = {"rate", "share", "count", "fraction", "number"};

using SchemaLine = FixedString<160>;
SchemaLine schema_line(const detect::Dimension& d) {
  SchemaLine line(d.name);
  line.append(",").append(kKinds[static_cast<std::size_t>(d.kind)]);
  char digits[detect::kNumberChars];
  line.append(",").append({digits, detect::format_number(d.scale, digits)});
  line.append(",").append_number(d.sign);
  return line.append(",").append({digits, detect::format_number(d.floor, digits)}).append("\n");
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return errno_error("write the recording");
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// Seconds with three places.
FixedString<32> to_milliseconds(double seconds) {
  const auto ms = static_cast<uint64_t>(seconds * 1000 + 0.5);
  FixedString<32> time;
  time.append_unsigned(ms / 1000).append(ms % 1000 < 10 ? ".00" : ms % 1000 < 100 ? ".0" : ".");
  time.append_unsigned(ms % 1000);
  return time;
}

}  // namespace

Result<void> Recording::write_schema(std::span<const detect::Dimension> dimensions, int fd) {
  if (auto put = write_all(fd, "# name,kind,scale,sign,floor\n"); !put) return put;
  for (const detect::Dimension& dimension : dimensions)
    if (auto put = write_all(fd, schema_line(dimension).view()); !put) return put;
  return {};
}

void Recording::put(std::string_view text) {
  bytes_ += text.size();
  std::memcpy(buffer_ + used_, text.data(), text.size());
  used_ += text.size();
}

Result<void> Recording::flush() {
  const std::string_view text(buffer_, used_);
  used_ = 0;
  return write_all(fd_, text);
}

void Recording::number(double value) {
  char digits[detect::kNumberChars];
  put({digits, detect::format_number(value, digits)});
  put(",");
}

Result<void> Recording::begin() {
  static_assert(detect::kMaxDimensions * (sizeof(SchemaLine) + 48) < sizeof buffer_);
  put("# name,kind,scale,sign,floor of the columns\n");
  for (const detect::Dimension& dimension : dimensions_) {
    put("# ");
    put(schema_line(dimension).view());
  }
  put("t,");
  for (const detect::Dimension& dimension : dimensions_) {
    put(dimension.name);
    put(",");
  }
  put("label,fault,phase\n");
  return flush();
}

// A running total that falls back (a device has gone) did not run: its rate is 0, as in the detector's window.
Result<void> Recording::take(std::span<const double> raw, double now_s) {
  const std::size_t n = std::min(raw.size(), dimensions_.size());
  const double dt = now_s - last_s_;
  if (began_s_ < 0) {
    began_s_ = now_s;
    put("# ");
    put(to_milliseconds(now_s).view());
    put(" s of CLOCK_MONOTONIC is t = 0\n");
  }
  if (rows_ > 0 || now_s > began_s_) {
    if (!(dt > 0)) return {};
    if (sizeof buffer_ - used_ < kRowBytes)
      if (auto flushed = flush(); !flushed) return flushed;
    put(to_milliseconds(now_s - began_s_).append(",").view());
    for (std::size_t j = 0; j < n; ++j) {
      const double grown = raw[j] - before_[j];
      number(!dimensions_[j].cumulative ? raw[j] : grown > 0 ? grown / dt : 0);
    }
    put("0,-,live\n");
    ++rows_;
  }
  for (std::size_t j = 0; j < n; ++j) before_[j] = raw[j];
  last_s_ = now_s;
  return {};
}

}  // namespace hosa
