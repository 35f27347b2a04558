// What the name of a section says about its programs: type, expected attach type, flags, and in which kernel type the
// target is to be found. "?" in front means: do not load by default. The kernel names these pairs in <linux/bpf.h>; the
// section names are a convention of the field.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct SectionKind {
  std::string_view name;         // "kprobe"; matches "kprobe" and "kprobe/..."
  uint8_t type = 0;              // BPF_PROG_TYPE_*
  uint8_t attach = 0;            // BPF_*
  uint8_t flags = 0;             // BPF_F_*
  uint8_t target_kind = 0;       // BTF_KIND_* of the target
  const char* prefix = nullptr;  // kernel BTF name of the target: prefix + target
};

// Nothing when the name is unknown. Leading '?' must be gone.
const SectionKind* section_kind(std::string_view section);
// What comes after "KIND/" ("" when nothing does).
std::string_view section_target(std::string_view section);

}  // namespace hosa
