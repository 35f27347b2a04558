// tracefs: where it is, and what its `format` files say. A format file describes one tracepoint:
//   name: mm_page_alloc
//   ID: 653
//   format:
//           field:unsigned int order;   offset:16;      size:4; signed:0;
//   print fmt: "...", __print_flags(REC->gfp_flags, "|", {( unsigned long)(( gfp_t)0x100u), "__GFP_ZERO"}, ...)
// Offsets, sizes and flag values are no ABI (gfp_flags is 4 bytes on 5.10, 8 later), so they are read here.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "loader/sys/fixed.h"

namespace hosa {

// A directory descriptor of tracefs. The mount named by PROC/self/mountinfo if there is one; else one of our own that
// nobody else sees (fsopen and fsmount, 5.2+: mounted nowhere, gone with the descriptor). proc: "/proc".
Result<Fd> open_tracefs(const char* proc);

// The root of a file system without a device ("tracefs", "securityfs"), mounted nowhere, gone with the descriptor.
Result<Fd> mount_privately(const char* type);

// The mount point of the first whole (root "/") mount of that type in mountinfo text; octal escapes undone.
// Format: proc(5), "/proc/pid/mountinfo". Nothing when there is none.
std::optional<FixedString<255>> find_mount(std::string_view mountinfo, std::string_view type);

struct TraceField {
  FixedString<47> name;
  uint32_t offset = 0;
  uint32_t size = 0;
  bool is_signed = false;
};

struct TraceFormat {
  uint64_t id = 0;
  FixedVector<TraceField, 48> fields;  // the longest of 6.18's own, ext4_*, have 15
  const TraceField* find(std::string_view name) const {
    for (const TraceField& field : fields)
      if (field.name == name) return &field;
    return nullptr;
  }
};
Result<TraceFormat> parse_format(std::string_view text);

// The value of a named flag in the print line: the constant expression before `"NAME"}`, worked out. Understood are
// numbers, ( ), casts, ~ << | & + -; that is what 5.10-6.18 write (older ones 0x100u, newer (((1UL))) << (8)). Nothing
// when the flag is absent or the expression holds a name (6.9-6.12 print some enumerators unresolved).
std::optional<uint64_t> find_flag(std::string_view format, std::string_view flag);

// EVENTS/GROUP/NAME/{id,format}; event is "GROUP/NAME".
Result<uint64_t> tracepoint_id(int tracefs, std::string_view event);
Result<std::string_view> read_format(int tracefs, std::string_view event, std::span<char> buffer);

}  // namespace hosa
