// The BPF programs inside this executable (probes/embedded.h), loaded by name, and those of them that are switched on
// and off while the agent runs.
#pragma once
#include <string_view>

#include "loader/load.h"
#include "probes/embedded.h"

namespace hosa {

inline Bytes embedded(const unsigned char* start, const unsigned char* end) {
  return Bytes(start, static_cast<std::size_t>(end - start));
}
#define HOSA_EMBEDDED(name) embedded(hosa_probe_##name##_start, hosa_probe_##name##_end)

// A program of an embedded object. maps: those it shares with the others; its own are added.
Result<Fd> load_embedded(Bytes object, std::string_view program, Maps& maps);

// One program on a raw tracepoint. open() attaches it, so that what cannot be had is known at the start.
class SwitchedProbe {
 public:
  // tracepoint: kept, a literal.
  Result<void> open(Bytes object, std::string_view program, const char* tracepoint, Maps& maps);
  void close();
  bool there() const { return program_ ? true : false; }
  bool on() const { return attachment_ ? true : false; }
  // On costs about 1 ms; an attachment that is refused now leaves it off.
  void watch(bool on);

 private:
  Fd program_, attachment_;
  const char* tracepoint_ = "";
};

}  // namespace hosa
