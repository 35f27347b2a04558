#include "loader/core.h"

#include <algorithm>

#include "loader/core_compare.h"
#include "loader/user_types.h"

namespace hosa {
namespace {

constexpr int32_t kPoison = 195896080;  // 0xbad2310, the field's word for "reached although impossible"
constexpr uint8_t kLoad64 = BPF_LD | BPF_IMM | BPF_DW;

// Kernel types that a local type may stand for; those that did not fit once are dropped where others did.
struct Candidates {
  uint32_t local = 0;
  uint32_t first = 0, count = 0;
};
struct Applying {
  const ObjectImage& image;
  const KernelTypes& kernel;
  LinkedProgram& program;
  List<Candidates> known;  // by local type
  List<KernelType> types;
};

Result<Candidates*> candidates(Applying& applying, uint32_t id, uint32_t kind) {
  auto* const at = std::lower_bound(applying.known.begin(), applying.known.end(), id,
                                    [](const Candidates& a, uint32_t wanted) { return a.local < wanted; });
  const auto place = static_cast<std::size_t>(at - applying.known.begin());
  const auto local = applying.image.btf.type(id);
  if (!local) return make_error(0, "CO-RE record names no type");
  const BtfName name = applying.image.btf.name(local->name);
  if (name.empty()) return make_error(EOPNOTSUPP, "CO-RE record names a type without name");
  // What stands in for it knows where members lie, not how large the whole is, nor its number.
  if (!applying.kernel.present() && (applying.kernel.named(name.view()).empty() || !about_field(kind)))
    return make_error(ENOENT, "needs kernel BTF: type", name.view());
  if (at != applying.known.end() && at->local == id) return at;
  Candidates row{id, static_cast<uint32_t>(applying.types.size()), 0};
  uint32_t home = 0;  // modules are asked for what the kernel itself has not
  for (const KernelType& type : applying.kernel.named(name.view())) {
    const auto header = applying.kernel.btf(type.home).type(type.id);
    if (!header || !same_kind(header->kind, local->kind)) continue;
    if (row.count == 0) home = type.home;
    if (home == 0 && type.home != 0) break;
    if (!applying.types.push_back(type)) return make_error(ENOMEM, "CO-RE");
    ++row.count;
  }
  if (!applying.known.push_back(row)) return make_error(ENOMEM, "CO-RE");
  std::rotate(applying.known.begin() + place, applying.known.end() - 1, applying.known.end());
  return &applying.known[place];
}

void poison(bpf_insn& insn) {
  insn = {};
  insn.code = BPF_JMP | BPF_CALL;
  insn.imm = kPoison;
}

std::optional<uint8_t> size_bits(uint32_t bytes) {
  switch (bytes) {
    case 1: return BPF_B;
    case 2: return BPF_H;
    case 4: return BPF_W;
    case 8: return BPF_DW;
    default: return std::nullopt;
  }
}

Error no_place() {
  return make_error(EINVAL, "CO-RE record does not fit its instruction");
}

Result<void> patch_memory(bpf_insn& insn, const CoreValue& was, const CoreValue& is) {
  if (was.exact && was.value != static_cast<uint64_t>(int64_t{insn.off})) return no_place();
  if (is.value > INT16_MAX) return make_error(ERANGE, "CO-RE offset is larger than 32767");
  if (was.size != is.size && (was.widens != is.widens || was.widens == CoreValue::Widens::no)) {
    poison(insn);
    return {};
  }
  insn.off = static_cast<int16_t>(is.value);
  if (was.size == is.size) return {};
  const auto before = size_bits(was.size), after = size_bits(is.size);
  if (!after || before != BPF_SIZE(insn.code)) return no_place();
  insn.code = static_cast<uint8_t>((insn.code & ~0x18U) | *after);
  return {};
}

Result<void> patch(LinkedProgram& program, uint32_t number, const CoreValue& was, const CoreValue& is) {
  bpf_insn* const insn = &program.instructions[number];
  const bool wide = insn->code == kLoad64;
  if (wide && number + 1 >= program.instructions.size()) return no_place();
  if (!is.known) {
    poison(insn[0]);
    if (wide) poison(insn[1]);
    return {};
  }
  switch (BPF_CLASS(insn->code)) {
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX: return patch_memory(*insn, was, is);
    case BPF_ALU:
    case BPF_ALU64:
      if (BPF_SRC(insn->code) != BPF_K) return no_place();
      if (was.exact && static_cast<int32_t>(was.value) != insn->imm) return no_place();
      insn->imm = static_cast<int32_t>(is.value);
      return {};
    case BPF_LD: break;
    default: return no_place();
  }
  const uint64_t here = static_cast<uint32_t>(insn[0].imm) | uint64_t{static_cast<uint32_t>(insn[1].imm)} << 32;
  if (!wide || (was.exact && was.value != here)) return no_place();
  insn[0].imm = static_cast<int32_t>(is.value);
  insn[1].imm = static_cast<int32_t>(is.value >> 32);
  return {};
}

// What the path comes to in all kernel types that fit; they must agree.
Result<CoreValue> look_up(Applying& applying, const ImageCore& record, const CorePath& path) {
  auto row = candidates(applying, record.type, record.kind);
  if (!row) return row.error();
  Candidates& rows = **row;
  CoreValue agreed = core_absent(record.kind);
  uint64_t bits = 0;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const KernelType type = applying.types[rows.first + i];
    const Btf& target = applying.kernel.btf(type.home);
    CorePath there;
    const Fits fits = follow_path(applying.image.btf, path, record.kind, target, type.id, there);
    if (fits == Fits::no) continue;
    const auto value = fits == Fits::yes ? core_value(target, there, record.kind) : std::nullopt;
    if (!value) return make_error(EINVAL, "CO-RE record does not fit the kernel's type");
    if (kept > 0 && (there.bits != bits || value->known != agreed.known || value->value != agreed.value))
      return make_error(EINVAL, "kernel types of one name disagree about a CO-RE record");
    if (kept == 0) {
      agreed = *value;
      bits = there.bits;
    }
    applying.types[rows.first + kept++] = type;
  }
  if (kept > 0) rows.count = kept;
  return agreed;
}

// Without kernel BTF: members of types whose layout never changes.
bool answers_itself(const Btf& local, const ImageCore& record) {
  const auto type = local.type(record.type);
  const auto size = type && about_field(record.kind) ? local.size_of(record.type) : std::nullopt;
  return size && promised_to_user_space(local.name(type->name).view(), *size);
}

Result<void> apply(Applying& applying, const ImageCore& record, uint32_t number) {
  const Btf& local = applying.image.btf;
  const BtfName access = local.name(record.access);
  CorePath path;
  if (record.type == 0 || !read_path(local, record.type, record.kind, access.view(), path))
    return make_error(EINVAL, "CO-RE record is broken");
  const auto was = core_value(local, path, record.kind);
  if (!was) return make_error(EINVAL, "CO-RE record is broken");
  if (record.kind == kCoreTypeIdLocal || (!applying.kernel.present() && answers_itself(local, record)))
    return patch(applying.program, number, *was, *was);
  const auto is = look_up(applying, record, path);
  if (!is) return is.error();
  return patch(applying.program, number, *was, *is);
}

}  // namespace

Result<void> want_core_types(const ObjectImage& image, KernelTypes& kernel) {
  uint32_t before = 0;
  for (const ImageCore& record : image.core) {
    if (record.type == before || record.kind == kCoreTypeIdLocal) continue;
    before = record.type;
    const auto type = image.btf.type(record.type);
    if (type && !kernel.want(image.btf.name(type->name).view())) return make_error(ENOMEM, "CO-RE");
  }
  return {};
}

Result<void> apply_core(const ObjectImage& image, const KernelTypes& kernel, LinkedProgram& program) {
  Applying applying{image, kernel, program, {}, {}};
  for (const LinkedPiece& piece : program.pieces) {
    const ImageFunction& function = image.functions[piece.function];
    const auto* record = std::lower_bound(image.core.begin(), image.core.end(), function,
                                          [](const ImageCore& a, const ImageFunction& b) {
                                            return a.section != b.section ? a.section < b.section : a.offset < b.start;
                                          });
    for (; record != image.core.end() && record->section == function.section; ++record) {
      if (record->offset - function.start >= function.size) break;
      if (record->offset % 8 != 0) return make_error(EINVAL, "CO-RE record is broken");
      const auto number = piece.at + static_cast<uint32_t>((record->offset - function.start) / 8);
      if (const auto applied = apply(applying, *record, number); !applied) return applied;
    }
  }
  return {};
}

}  // namespace hosa
