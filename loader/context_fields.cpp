#include "loader/context_fields.h"

#include <bit>

#include "loader/tracefs.h"

namespace hosa {
namespace {

static_assert(std::endian::native == std::endian::little, "the first bytes of a wide field are its low ones");

constexpr uint32_t kFarthest =
    4096;  // a tracepoint's record is at most a page (PERF_MAX_TRACE_SIZE is 8192 since 5.19)

uint32_t width_of(unsigned char code) {
  switch (BPF_SIZE(code)) {
    case BPF_B: return 1;
    case BPF_H: return 2;
    case BPF_W: return 4;
    default: return 8;
  }
}

unsigned char code_of(uint32_t width) {
  return static_cast<unsigned char>(BPF_LDX | BPF_MEM |
                                    (width == 1   ? BPF_B
                                     : width == 2 ? BPF_H
                                     : width == 4 ? BPF_W
                                                  : BPF_DW));
}

bool is_marked(const bpf_insn& instruction) {
  return BPF_CLASS(instruction.code) == BPF_LDX && BPF_MODE(instruction.code) == BPF_MEM &&
         instruction.off >= kFieldMark;
}

}  // namespace

Result<ContextFields> read_context_fields(Bytes section) {
  constexpr uint64_t kRow = 64, kEvent = 40;
  ContextFields fields;
  if (section.size() % kRow != 0) return make_error(0, "section of fields is not whole rows");
  for (uint64_t at = 0; at < section.size(); at += kRow) {
    const auto event = section.text(at), name = section.text(at + kEvent);
    if (!event || !name) return make_error(0, "name of a field is not terminated");
    const ContextField field{*event, *name};
    if (field.event.cut() || field.name.cut() || field.event.empty() || field.name.empty())
      return make_error(0, "name of a field is empty or too long");
    if (!fields.push_back(field)) return make_error(0, "object has too many fields");
  }
  return fields;
}

Result<FieldPlaces> find_fields(int tracefs, const ContextFields& fields) {
  FieldPlaces places;
  char buffer[16384];
  for (const ContextField& wanted : fields) {
    const auto text = read_format(tracefs, wanted.event.view(), buffer);
    if (!text) return text.error();
    const auto format = parse_format(*text);
    if (!format) return format.error();
    const TraceField* const field = format->find(wanted.name.view());
    if (field == nullptr)
      return make_error(0, "no such field in the format:",
                        FixedString<80>(wanted.event.view()).append(" ").append(wanted.name.view()).view());
    places.push_back({field->offset, field->size});
  }
  return places;
}

bool has_marked_loads(std::span<const bpf_insn> instructions) {
  for (const bpf_insn& instruction : instructions)
    if (is_marked(instruction)) return true;
  return false;
}

Result<void> place_fields(std::span<bpf_insn> instructions, const FieldPlaces& places) {
  for (bpf_insn& instruction : instructions) {
    if (!is_marked(instruction)) continue;
    const auto number = static_cast<uint32_t>(instruction.off - kFieldMark) / 8;
    if (number >= places.size() || (instruction.off - kFieldMark) % 8 != 0)
      return make_error(0, "a program loads a field that its object does not name");
    const FieldPlace place = places[number];
    uint32_t width = width_of(instruction.code);
    if (place.size < width) width = place.size;
    if (!std::has_single_bit(width) || place.offset % width != 0 || place.offset > kFarthest)
      return make_error(0, "a field of the tracepoint cannot be loaded where it lies");
    instruction.code = code_of(width);
    instruction.off = static_cast<int16_t>(place.offset);
  }
  return {};
}

}  // namespace hosa
