// Fields of a tracepoint's context by name. Where a field lies and how wide it is differs between kernels (gfp_flags
// has 4 bytes on 5.10 and 8 later), and the verifier wants constant offsets, so a probe loads field number k from a
// place where no field is (kFieldMark + 8k, probes/bpf.h: FIELD), names the field in the section "fields", and the load
// is rewritten here with what this kernel's `format` file says. No BTF is needed on either side; a classic tracepoint
// is attached by an id that only tracefs tells, so kernel BTF could not replace the format file either.
#pragma once
#include <span>

#include "loader/object.h"

namespace hosa {

inline constexpr int kFieldMark = 0x4000;  // larger than any structure that a probe loads from

struct FieldPlace {
  uint32_t offset = 0;
  uint32_t size = 0;
};
using FieldPlaces = FixedVector<FieldPlace, kMaxFields>;

// The section "fields": each row is two texts in places of fixed length.
Result<ContextFields> read_context_fields(Bytes section);

// In the order of the fields. Pure but for reading the format files below the directory descriptor `tracefs`.
Result<FieldPlaces> find_fields(int tracefs, const ContextFields& fields);

bool has_marked_loads(std::span<const bpf_insn> instructions);
// Rewrites the marked loads: the offset, and the width where the field is narrower than the load (a narrow load is
// extended with zeroes; of a field that is wider, its first bytes are loaded, little-endian). An error: a mark without
// a field, a field that no load can reach.
Result<void> place_fields(std::span<bpf_insn> instructions, const FieldPlaces& places);

}  // namespace hosa
