// Records of .BTF.ext, which belong to instructions: function types and CO-RE relocations (the kernel's btf.rst, 4.2).
#pragma once
#include "loader/btf.h"

namespace hosa {

enum class ExtPart : uint32_t { functions = 8, lines = 16, core = 24 };  // where the header tells of each

struct ExtFunction {
  uint32_t offset, type;  // in its section, bytes
};
struct ExtCore {
  uint32_t offset, type, access, kind;
};

// Appends the records of one section; a part that is not there has none.
template <class Record>
Result<void> read_ext(Bytes ext, ExtPart part, const Btf& btf, std::string_view section, List<Record>& out) {
  const auto header_bytes = ext.read<uint32_t>(4);
  if (!header_bytes || *header_bytes < static_cast<uint32_t>(part) + 8) return {};
  const auto offset = ext.read<uint32_t>(static_cast<uint32_t>(part));
  const auto length = ext.read<uint32_t>(static_cast<uint32_t>(part) + 4);
  if (!offset || !length || *length == 0) return {};
  const auto body = ext.part(uint64_t{*header_bytes} + *offset, *length);
  const auto each = body ? body->template read<uint32_t>(0) : std::nullopt;
  if (!each || *each < sizeof(Record) || *each % 4 != 0) return make_error(0, "records of .BTF.ext lie outside");
  for (uint64_t at = 4; at < body->size();) {
    const auto name = body->template read<uint32_t>(at);
    const auto count = body->template read<uint32_t>(at + 4);
    at += 8;
    if (!name || !count || *count == 0 || !body->holds(at, uint64_t{*count} * *each))
      return make_error(0, "records of .BTF.ext lie outside");
    const bool wanted = btf.name(*name) == section;
    for (uint32_t i = 0; wanted && i < *count; ++i)
      if (!out.push_back(*body->template read<Record>(at + uint64_t{i} * *each)))
        return make_error(ENOMEM, "read .BTF.ext");
    at += uint64_t{*count} * *each;
  }
  return {};
}

}  // namespace hosa
