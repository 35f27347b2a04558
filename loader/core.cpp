#include "loader/core.h"

#include "loader/btf_ext.h"
#include "loader/core_match.h"

namespace hosa {
namespace {

constexpr int32_t kPoison = 195896080;  // 0xbad2310, the field's word for "reached although impossible"
constexpr uint8_t kLoad64 = BPF_LD | BPF_IMM | BPF_DW;

struct Candidates {
  uint32_t local = 0;  // type they were looked up for
  uint32_t first = 0, count = 0;
};
struct Applying {
  const ObjectImage& image;
  const Btf* kernel;
  LinkedProgram& program;
  List<Candidates> known;
  List<uint32_t> types;
};

bool same_kind(uint32_t a, uint32_t b) {
  const auto is_enum = [](uint32_t kind) { return kind == BTF_KIND_ENUM || kind == kBtfEnum64; };
  return a == b || (is_enum(a) && is_enum(b));
}

Result<Candidates> candidates(Applying& applying, uint32_t id) {
  for (const Candidates& row : applying.known)
    if (row.local == id) return row;
  const auto local = applying.image.btf.type(id);
  if (!local) return make_error(0, "CO-RE record names no type");
  const BtfName name = applying.image.btf.name(local->name);
  if (name.empty()) return make_error(0, "CO-RE record names a type without name");
  if (applying.kernel == nullptr) return make_error(ENOENT, "needs kernel BTF: type", name.view());
  Candidates row{id, static_cast<uint32_t>(applying.types.size()), 0};
  List<uint32_t> found;
  if (!applying.kernel->find_all(without_flavour(name.view()), false, found)) return make_error(ENOMEM, "CO-RE");
  for (const uint32_t candidate : found) {
    const auto type = applying.kernel->type(candidate);
    if (!type || !same_kind(type->kind, local->kind)) continue;
    if (!applying.types.push_back(candidate)) return make_error(ENOMEM, "CO-RE");
    ++row.count;
  }
  if (!applying.known.push_back(row)) return make_error(ENOMEM, "CO-RE");
  return row;
}

void poison(bpf_insn& insn) {
  insn = {};
  insn.code = BPF_JMP | BPF_CALL;
  insn.imm = kPoison;
}

Result<void> patch(LinkedProgram& program, uint32_t number, const CoreValue& was, const CoreValue& is) {
  bpf_insn* const insn = &program.instructions[number];
  const bool wide = insn->code == kLoad64;
  if (wide && number + 1 >= program.instructions.size()) return make_error(0, "CO-RE record on half an instruction");
  const uint8_t kind = BPF_CLASS(insn->code);
  const bool memory = kind == BPF_LDX || kind == BPF_ST || kind == BPF_STX;
  const bool resized = memory && was.size != 0 && is.size != 0 && was.size != is.size;
  if (!is.known || (resized && (!was.resizable || !is.resizable))) {
    poison(insn[0]);
    if (wide) poison(insn[1]);
    return {};
  }
  if (wide) {
    insn[0].imm = static_cast<int32_t>(is.value);
    insn[1].imm = static_cast<int32_t>(is.value >> 32);
    return {};
  }
  if ((kind == BPF_ALU || kind == BPF_ALU64) && BPF_SRC(insn->code) == BPF_K) {
    insn->imm = static_cast<int32_t>(is.value);
    return {};
  }
  if (!memory) return make_error(0, "CO-RE record on an instruction that has no place for it");
  if (is.value > INT16_MAX) return make_error(ERANGE, "CO-RE offset is too large");
  insn->off = static_cast<int16_t>(is.value);
  if (!resized) return {};
  const uint8_t bits = is.size == 1 ? BPF_B : is.size == 2 ? BPF_H : is.size == 4 ? BPF_W : BPF_DW;
  insn->code = static_cast<uint8_t>((insn->code & ~0x18U) | bits);
  return {};
}

Result<void> apply(Applying& applying, const ExtCore& record, uint32_t number) {
  const Btf& local = applying.image.btf;
  const BtfName access = local.name(record.access);
  CorePath path;
  if (!read_path(local, record.type, record.kind, access.view(), path)) return make_error(0, "CO-RE record is broken");
  const CoreValue was = core_value(local, path, record.kind);
  if (record.kind == kCoreTypeIdLocal)
    return patch(applying.program, number, was, CoreValue{record.type, 0, false, true});
  const auto row = candidates(applying, record.type);
  if (!row) return row.error();
  CoreValue is = core_absent(record.kind);
  for (uint32_t i = 0; i < row->count; ++i) {
    CorePath there;
    if (!follow_path(local, path, record.kind, *applying.kernel, applying.types[row->first + i], there)) continue;
    is = core_value(*applying.kernel, there, record.kind);
    break;
  }
  return patch(applying.program, number, was, is);
}

}  // namespace

Result<void> apply_core(const ObjectImage& image, const Btf* kernel, LinkedProgram& program) {
  Applying applying{image, kernel, program, {}, {}};
  for (const LinkedPiece& piece : program.pieces) {
    const ImageFunction& function = image.functions[piece.function];
    List<ExtCore> records;
    const auto read = read_ext(image.extension, ExtPart::core, image.btf, function.section_name, records);
    if (!read) return read;
    for (const ExtCore& record : records) {
      if (record.offset < function.start || record.offset - function.start >= function.size || record.offset % 8 != 0)
        continue;
      const auto number = piece.at + static_cast<uint32_t>((record.offset - function.start) / 8);
      if (const auto applied = apply(applying, record, number); !applied) return applied;
    }
  }
  return {};
}

}  // namespace hosa
