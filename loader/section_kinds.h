// What the name of a section says about its programs: type, expected attach type, flags, and in which kernel type the
// target is to be found. "?" in front means: do not load by default. The kernel names these pairs in <linux/bpf.h>; the
// section names are a convention of the field.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "loader/sys/fixed.h"

namespace hosa {

struct SectionKind {
  enum class Target : uint8_t { none, function, trace, lsm, iterator };
  const char* name;              // "kprobe"; matches "kprobe" and "kprobe/..."
  uint8_t type = 0;              // BPF_PROG_TYPE_*
  uint8_t attach = 0;            // BPF_*
  uint8_t flags = 0;             // BPF_F_*
  Target target = Target::none;  // what of kernel BTF it is attached to
};

// Nothing when the name is unknown. Leading '?' must be gone.
const SectionKind* section_kind(std::string_view section);
// What comes after "KIND/" ("" when nothing does).
std::string_view section_target(std::string_view section);

// "fentry/module:function" asks for the module's.
struct TargetName {
  std::string_view module;
  FixedString<255> name;  // in kernel BTF; empty where the section names none
  uint32_t kind = 0;      // BTF_KIND_*
};
TargetName target_name(std::string_view section, const SectionKind& kind);

}  // namespace hosa
