#include "tools/hosa/brk_sensor.h"

#include <utility>

#include "loader/attach.h"

namespace hosa {
namespace {

#if defined(__x86_64__)
constexpr const char* kSymbol = "__x64_sys_brk";
#else
constexpr const char* kSymbol = "__arm64_sys_brk";
#endif

}  // namespace

void BrkSensor::open(const Places& places, Maps& maps, const Error* no_bpf, uint64_t now_ns, RungReport& report) {
  close();
  const Result<void> kprobe = no_bpf != nullptr ? *no_bpf : attach_kprobe_in(places.sys, maps);
  if (kprobe) {
    since_ns_ = now_ns;
    there_ = true;
    return add_rung(report, "brk", FixedString<63>("kprobe ").append(kSymbol).view(), "");
  }
  FixedString<255> why(kprobe.error().text().view());
  if (no_bpf != nullptr) return add_rung(report, "brk", "absent", why.view());
  const Result<void> tracepoint = try_tracepoint(places, maps, now_ns);
  if (tracepoint) {
    there_ = true;
    return add_rung(report, "brk", "tracepoint sys_enter_brk, in turns", why.view());
  }
  why.append("; ").append(tracepoint.error().text().view());
  add_rung(report, "brk", "absent", why.view());
}

void BrkSensor::close() {
  attachment_.reset();
  program_.reset();
  observed_ns_ = since_ns_ = 0;
  there_ = in_turns_ = false;
}

Result<void> BrkSensor::attach_kprobe_in(const char* sys, Maps& maps) {
  auto loaded = load_embedded(HOSA_EMBEDDED(brk), "hosa_brk_kprobe", maps);
  if (!loaded) return loaded.error();
  auto attached = attach_kprobe(sys, kSymbol, loaded->get());
  if (!attached) return attached.error();
  program_ = std::move(*loaded);
  attachment_ = std::move(*attached);
  return {};
}

// Attached once to see whether it works, and taken off again at once: turns are the loop's decision.
Result<void> BrkSensor::try_tracepoint(const Places& places, Maps& maps, uint64_t now_ns) {
  if (!*places.tracefs) return *places.no_tracefs;
  auto loaded = load_embedded(HOSA_EMBEDDED(brk), "hosa_brk_tracepoint", maps);
  if (!loaded) return loaded.error();
  program_ = std::move(*loaded);
  tracefs_ = places.tracefs;
  in_turns_ = true;
  const Result<void> tried = start_turn(now_ns);
  stop_turn(now_ns);
  if (!tried) {
    in_turns_ = false;
    program_.reset();
  }
  return tried;
}

Result<void> BrkSensor::start_turn(uint64_t now_ns) {
  if (!in_turns_ || attachment_) return {};
  auto attached = attach_tracepoint(tracefs_->get(), "syscalls/sys_enter_brk", program_.get());
  if (!attached) return attached.error();
  attachment_ = std::move(*attached);
  since_ns_ = now_ns;
  return {};
}

// Disabling the event would not do: the program and the slow syscall path go only with the descriptor.
void BrkSensor::stop_turn(uint64_t now_ns) {
  if (!in_turns_ || !attachment_) return;
  observed_ns_ = observed_ns(now_ns);
  attachment_.reset();
}

uint64_t BrkSensor::observed_ns(uint64_t now_ns) const {
  const bool running = attachment_ && now_ns > since_ns_;
  return observed_ns_ + (running ? now_ns - since_ns_ : 0);
}

}  // namespace hosa
