// One program of an object: linked, relocated, given to the verifier.
#include <algorithm>

#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

// FNV-1a 64 over the instructions, with map numbers where descriptors stand. The basis is not the standard one;
// earlier tables were made with it.
uint64_t fingerprint(const LinkedProgram& program) {
  uint64_t hash = 1469598103934665603U;
  std::size_t next = 0;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    bpf_insn insn = program.instructions[i];
    if (next < program.maps.size() && program.maps[next].instruction == i)
      insn.imm = static_cast<int32_t>(program.maps[next++].map);
    unsigned char bytes[sizeof insn];
    std::memcpy(bytes, &insn, sizeof insn);
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211U;
  }
  return hash;
}

Result<void> put_maps(Loading& loading, LinkedProgram& program) {
  program.maps.sort([](const LinkedMapUse& a, const LinkedMapUse& b) { return a.instruction < b.instruction; });
  for (const LinkedMapUse& use : program.maps) {
    const auto fd = object_map(loading, use.map);
    if (!fd) return fd.error();
    bpf_insn* const insn = &program.instructions[use.instruction];
    insn[0].src_reg = use.value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
    insn[0].imm = *fd;
    insn[1].imm = use.value ? static_cast<int32_t>(use.offset) : 0;
  }
  return {};
}

// The function types of the program's pieces; all or none.
Result<void> function_types(const ObjectImage& image, const LinkedProgram& program,
                            List<std::array<uint32_t, 2>>& out) {
  for (const LinkedPiece& piece : program.pieces) {
    const ImageFunction& function = image.functions[piece.function];
    const auto* const record =
        std::lower_bound(image.function_types.begin(), image.function_types.end(), function,
                         [](const ImageFunctionType& a, const ImageFunction& b) {
                           return a.section != b.section ? a.section < b.section : a.offset < b.start;
                         });
    const bool found =
        record != image.function_types.end() && record->section == function.section && record->offset == function.start;
    if (found && !out.push_back({piece.at, record->type})) return make_error(ENOMEM, "types of functions");
  }
  out.sort([](const auto& a, const auto& b) { return a[0] < b[0]; });
  if (out.size() != program.pieces.size()) out.clear();
  return {};
}

// Helpers that read memory of the kernel or of a process have names of their own since 5.5.
bool use_older_reads(LinkedProgram& program) {
  bool changed = false;
  for (bpf_insn& insn : program.instructions) {
    if (insn.code != (BPF_JMP | BPF_CALL) || insn.src_reg != 0) continue;
    const int32_t before = insn.imm;
    if (before == BPF_FUNC_probe_read_kernel || before == BPF_FUNC_probe_read_user) insn.imm = BPF_FUNC_probe_read;
    if (before == BPF_FUNC_probe_read_kernel_str || before == BPF_FUNC_probe_read_user_str)
      insn.imm = BPF_FUNC_probe_read_str;
    changed = changed || insn.imm != before;
  }
  return changed;
}

bool has_kernel_reads() {
  bpf_insn text[6] = {};
  text[0] = {BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0};
  text[1] = {BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8};
  text[2] = {BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8};
  text[3] = {BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0};
  text[4] = {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel};
  text[5] = {BPF_JMP | BPF_EXIT, 0, 0, 0, 0};
  ProgramText program;
  program.type = BPF_PROG_TYPE_TRACEPOINT;
  program.instructions = text;
  program.licence = "GPL";
  return bpf_load_program(program).has_value();
}

// Everything but the program itself.
Result<void> prepare(Loading& loading, uint32_t number, LinkedProgram& program, ProgramText& text, List<int>& modules,
                     ProgramReport& report) {
  const auto described = describe_program(loading, number, text);
  report.type = text.type;
  report.expected_attach_type = text.expected_attach_type;
  if (const auto linked = link_program(loading.image, number, program); !linked) return linked;
  report.instructions = program.instructions.size();
  if (!described) return described;
  if (const auto applied = apply_core(loading.image, loading.kernel, program); !applied) return applied;
  if (const auto placed = place_context_fields(loading, program); !placed) return placed;
  if (const auto put = put_externs(loading, program, modules); !put) return put;
  return put_maps(loading, program);
}

}  // namespace

Result<Fd> load_one_program(Loading& loading, uint32_t number, ProgramReport& report) {
  LinkedProgram program;
  ProgramText text;
  List<int> modules;
  List<std::array<uint32_t, 2>> types;
  if (const auto ready = prepare(loading, number, program, text, modules, report); !ready) return ready.error();
  if (const auto typed = function_types(loading.image, program, types); !typed) return typed.error();
  text.instructions = {program.instructions.data(), program.instructions.size()};
  text.btf = types.empty() ? -1 : object_btf(loading);
  text.functions = {types.data(), types.size()};
  text.descriptors = modules.empty() ? nullptr : modules.data();
  Result<Fd> loaded = bpf_load_program(text);
  const int code = loaded ? 0 : loaded.error().code;
  if (code == EINVAL && !has_kernel_reads() && use_older_reads(program)) {
    auto older = bpf_load_program(text);
    if (older) {
      report.fingerprint = fingerprint(program);
      return older;
    }
  }
  if (!loaded) {
    auto explained = explain_refusal(loading, program, text, loaded.error(), report);
    if (explained) report.fingerprint = fingerprint(program);
    return explained;
  }
  report.fingerprint = fingerprint(program);
  return loaded;
}

}  // namespace hosa
