// One program of an object: what the kernel must know of it, linked, relocated, given to the verifier.
#include <algorithm>

#include "loader/kernel_config.h"
#include "loader/section_kinds.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

constexpr uint32_t kTracingReplaces = BPF_PROG_TYPE_EXT;

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

// "fentry/module:function" asks for the module's.
Result<void> find_target(Loading& loading, const SectionKind& kind, std::string_view target, ProgramText& text) {
  std::string_view module;
  if (const std::size_t colon = target.find(':'); colon != std::string_view::npos) {
    module = slice(target, 0, colon);
    target = slice(target, colon + 1);
  }
  FixedString<255> wanted(kind.prefix);
  wanted.append(target);
  if (!loading.kernel.present()) return make_error(ENOENT, "needs kernel BTF:", wanted.view());
  for (const KernelType& type : loading.kernel.named(wanted.view())) {
    const Btf& btf = loading.kernel.btf(type.home);
    const auto found = btf.type(type.id);
    if (!found || found->kind != kind.target_kind || !btf.name_is(found->name, wanted.view())) continue;
    const std::string_view home = type.home == 0 ? std::string_view("vmlinux") : loading.kernel.module_name(type.home);
    if (!module.empty() && module != home) continue;
    text.attach_btf_id = type.id;
    if (type.home == 0) return {};
    const auto descriptor = loading.kernel.module_descriptor(type.home);
    if (!descriptor) return descriptor.error();
    text.attach_btf_module = *descriptor;
    return {};
  }
  return make_error(ESRCH, "not in kernel BTF:", wanted.view());
}

// Which structure of the kernel's, and which of its members, a function given to the kernel is for.
Result<void> find_operation(Loading& loading, uint32_t function, ProgramText& text) {
  const ImageOperation* const operation = loading.image.operation_of(function);
  if (operation == nullptr) return make_error(EINVAL, "no structure of functions holds it");
  const Btf& local = loading.image.btf;
  const auto here = local.type(operation->type);
  const BtfName name = here ? local.name(here->name) : BtfName();
  const auto found = loading.kernel.find(without_flavour(name.view()), BTF_KIND_STRUCT);
  if (!found) return make_error(ENOTSUP, "not in kernel BTF:", name.view());
  const Btf& theirs = loading.kernel.btf(found->home);
  const auto there = theirs.type(found->id);
  for (uint32_t i = 0; i < here->count; ++i) {
    const auto member = local.member(*here, i);
    if (!member || member->bit_offset / 8 != operation->offset) continue;
    const BtfName wanted = local.name(member->name);
    for (uint32_t k = 0; there && k < there->count; ++k) {
      const auto candidate = theirs.member(*there, k);
      if (!candidate || !theirs.name_is(candidate->name, without_flavour(wanted.view()))) continue;
      text.attach_btf_id = found->id;
      text.expected_attach_type = k;
      if (found->home == 0) return {};
      const auto descriptor = loading.kernel.module_descriptor(found->home);
      if (!descriptor) return descriptor.error();
      text.attach_btf_module = *descriptor;
      return {};
    }
    return make_error(ENOTSUP, "the kernel's structure has no such member:", wanted.view());
  }
  return make_error(EINVAL, "no member lies where the function is put");
}

Result<void> describe(Loading& loading, uint32_t number, ProgramText& text) {
  const ImageFunction& function = loading.image.functions[number];
  text.name = function.name;
  text.licence = loading.image.licence.data();
  const SectionKind* const kind = section_kind(function.section_name);
  text.type = loading.options.type;
  if (kind == nullptr && text.type != 0) return {};
  if (kind == nullptr) return make_error(EINVAL, "nothing is known of programs in section", function.section_name);
  text.type = kind->type;
  text.expected_attach_type = kind->attach;
  text.flags = kind->flags;
  if (kind->type == BPF_PROG_TYPE_KPROBE)
    text.kernel_version =
        loading.image.version != 0 && loading.image.version != ~0U ? loading.image.version : running_kernel_version();
  if (kind->type == kTracingReplaces) return make_error(EINVAL, "which program it replaces is not known");
  if (kind->type == BPF_PROG_TYPE_STRUCT_OPS) return find_operation(loading, number, text);
  const std::string_view target = section_target(function.section_name);
  if (kind->prefix == nullptr) return {};
  if (target.empty()) return make_error(EINVAL, "section names no target:", function.section_name);
  return find_target(loading, *kind, target, text);
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

}  // namespace

Result<void> load_one_program(Loading& loading, uint32_t number, ProgramReport& report) {
  LinkedProgram program;
  ProgramText text;
  List<int> modules;
  const auto described = describe(loading, number, text);
  report.type = text.type;
  report.expected_attach_type = text.expected_attach_type;
  if (const auto linked = link_program(loading.image, number, program); !linked) return linked;
  report.instructions = program.instructions.size();
  if (!described) return described;
  if (const auto applied = apply_core(loading.image, loading.kernel, program); !applied) return applied;
  if (const auto placed = place_context_fields(loading, program); !placed) return placed;
  if (const auto put = put_externs(loading, program, modules); !put) return put;
  if (const auto put = put_maps(loading, program); !put) return put;
  List<std::array<uint32_t, 2>> types;
  if (const auto typed = function_types(loading.image, program, types); !typed) return typed;
  text.instructions = {program.instructions.data(), program.instructions.size()};
  text.btf = types.empty() ? -1 : object_btf(loading);
  text.functions = {types.data(), types.size()};
  text.descriptors = modules.empty() ? nullptr : modules.data();
  auto loaded = bpf_load_program(text);
  if (!loaded && loaded.error().code == EINVAL && !has_kernel_reads() && use_older_reads(program)) {
    if (bpf_load_program(text)) {
      report.fingerprint = fingerprint(program);
      return {};
    }
  }
  if (!loaded)
    if (const auto explained = explain_refusal(loading, program, text, loaded.error(), report); !explained)
      return explained;
  report.fingerprint = fingerprint(program);
  return {};
}

}  // namespace hosa
