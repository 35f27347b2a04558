#include "proprioception/pressure_trigger.h"

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/fixed.h"

namespace hosa {

namespace {

PressureLimit with_window(PressureLimit limit, uint32_t window_us) {
  const uint64_t threshold = uint64_t{limit.threshold_us} * window_us / std::max(1u, limit.window_us);
  return {static_cast<uint32_t>(std::clamp<uint64_t>(threshold, 1, window_us)), window_us};
}

Result<Fd> try_trigger(const Fd& proc, const char* path, const PressureLimit& limit) {
  auto file = open_file(proc.get(), path, O_RDWR | O_NONBLOCK);
  if (!file) return file;
  FixedString<64> text("some ");
  text.append_unsigned(limit.threshold_us).append(" ").append_unsigned(limit.window_us);
  // The final NUL is part of what psi.rst's example writes.
  if (::write(file->get(), text.c_str(), text.size() + 1) < 0) return errno_error("set a trigger in", path);
  return file;
}

}  // namespace

PressureLimit allowed_limit(PressureLimit wanted) {
  const uint32_t window = std::clamp(wanted.window_us, kShortestWindowUs, kLongestWindowUs);
  return with_window({std::min(wanted.threshold_us, wanted.window_us), wanted.window_us}, window);
}

Result<Fd> open_pressure_trigger(const Fd& proc, const char* resource, PressureLimit& limit) {
  const FixedString<64> path = FixedString<64>("pressure/").append(resource);
  limit = allowed_limit(limit);
  auto trigger = try_trigger(proc, path.c_str(), limit);
  if (trigger || trigger.error().code != EINVAL || limit.window_us == kUnprivilegedWindowUs) return trigger;
  const PressureLimit longer = with_window(limit, kUnprivilegedWindowUs);
  auto second = try_trigger(proc, path.c_str(), longer);
  if (second) limit = longer;
  return second;
}

}  // namespace hosa
