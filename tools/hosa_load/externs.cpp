// What an object expects of the kernel by name: variables and functions with types (from BTF), symbols without
// (from kallsyms), targets of programs, structures of functions.
#include "loader/core_compare.h"
#include "loader/kernel_symbols.h"
#include "loader/section_kinds.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

// The type behind a variable; 0 when it is void, a symbol of which only the address is wanted.
uint32_t type_behind(const Btf& btf, uint32_t variable_id) {
  const auto variable = btf.type(variable_id);
  const auto type = variable ? btf.resolved(variable->size_or_type) : std::nullopt;
  return type ? type->id : 0;
}

bool is_untyped(const ObjectImage& image, const ImageExtern& item) {
  const auto type = image.btf.type(item.type);
  return !item.kconfig && type && type->kind == BTF_KIND_VAR && type_behind(image.btf, item.type) == 0;
}

Result<uint64_t> address_of(const ImageExtern& item) {
  List<KernelSymbol> wanted;
  if (!wanted.push_back({item.name})) return make_error(ENOMEM, "read /proc/kallsyms");
  const auto read = read_kernel_symbols(wanted);
  if (!read) return read.error();
  if (!wanted[0].found && !item.weak) return make_error(ESRCH, "not in /proc/kallsyms:", item.name);
  return wanted[0].address;
}

// The kernel's type of that name, if it is of the kind the object believes.
Result<std::optional<KernelType>> find_fitting(const Loading& loading, const ImageExtern& item, uint32_t kind) {
  const auto found = loading.kernel.find(without_flavour(item.name), kind);
  if (!found) {
    if (item.weak) return std::optional<KernelType>();
    if (!loading.kernel.present()) return make_error(ENOENT, "needs kernel BTF:", item.name);
    return make_error(ESRCH, "not in kernel BTF:", item.name);
  }
  const Btf& theirs = loading.kernel.btf(found->home);
  const auto here = loading.image.btf.type(item.type), there = theirs.type(found->id);
  const Fits fits = here && there && here->kind == kind
                        ? compatible_types(loading.image.btf, type_behind(loading.image.btf, item.type), theirs,
                                           type_behind(theirs, found->id))
                        : Fits::no;
  if (fits == Fits::yes) return found;
  if (item.weak && kind == BTF_KIND_FUNC) return std::optional<KernelType>();
  return make_error(EINVAL, "is of another type in the kernel:", item.name);
}

Result<void> put_call(Loading& loading, const ImageExtern& item, bpf_insn& insn, List<int>& modules) {
  const auto found = find_fitting(loading, item, BTF_KIND_FUNC);
  if (!found) return found.error();
  insn.src_reg = BPF_PSEUDO_KFUNC_CALL;
  insn.imm = *found ? static_cast<int32_t>((*found)->id) : 0;
  insn.off = 0;
  if (!*found || (*found)->home == 0) return {};
  const auto descriptor = loading.kernel.module_descriptor((*found)->home);
  if (!descriptor) return descriptor.error();
  if (modules.empty() && !modules.push_back(0)) return make_error(ENOMEM, "link program");  // [0] is the kernel
  std::size_t index = 1;
  while (index < modules.size() && modules[index] != *descriptor) ++index;
  if (index == modules.size() && !modules.push_back(*descriptor)) return make_error(ENOMEM, "link program");
  insn.off = static_cast<int16_t>(index);
  return {};
}

Result<void> put_variable(Loading& loading, const ImageExtern& item, bpf_insn* insn) {
  insn[0].imm = insn[1].imm = 0;
  if (is_untyped(loading.image, item)) {
    const auto address = address_of(item);
    if (!address) return address.error();
    insn[0].imm = static_cast<int32_t>(*address);
    insn[1].imm = static_cast<int32_t>(*address >> 32);
    return {};
  }
  const auto type = loading.image.btf.type(item.type);
  const auto found = find_fitting(loading, item, type ? type->kind : uint32_t{BTF_KIND_VAR});
  if (!found) return found.error();
  if (!*found) return {};
  insn[0].src_reg = BPF_PSEUDO_BTF_ID;
  insn[0].imm = static_cast<int32_t>((*found)->id);
  if ((*found)->home == 0) return {};
  const auto descriptor = loading.kernel.module_descriptor((*found)->home);
  if (!descriptor) return descriptor.error();
  insn[1].imm = *descriptor;
  return {};
}

bool want_target(const ImageFunction& function, KernelTypes& kernel) {
  const SectionKind* const kind = section_kind(function.section_name);
  if (!function.entry || kind == nullptr || kind->target == SectionKind::Target::none) return true;
  const TargetName target = target_name(function.section_name, *kind);
  return target.name.empty() || kernel.want(target.name.view());
}

}  // namespace

Result<void> want_names(const ObjectImage& image, KernelTypes& kernel) {
  bool room = true;
  for (const ImageFunction& function : image.functions) room = room && want_target(function, kernel);
  for (const ImageExtern& item : image.externs) {
    if (item.name == "LINUX_HAS_SYSCALL_WRAPPER")
      room = room && kernel.want("__x64_sys_bpf") && kernel.want("__arm64_sys_bpf");
    if (!item.kconfig && !is_untyped(image, item)) room = room && kernel.want(item.name);
  }
  for (const ImageMap& map : image.maps) {
    if (map.operations) room = room && want_operations(image, map, kernel);
  }
  if (!room) return make_error(ENOMEM, "collect names");
  return want_core_types(image, kernel);
}

Result<void> put_externs(Loading& loading, LinkedProgram& program, List<int>& modules) {
  for (const LinkedExternUse& use : program.externs) {
    const ImageExtern& item = loading.image.externs[use.item];
    bpf_insn* const insn = &program.instructions[use.instruction];
    if (use.call) {
      if (item.kconfig) return make_error(0, "configuration word is called:", item.name);
      if (const auto put = put_call(loading, item, *insn, modules); !put) return put;
      continue;
    }
    if (use.instruction + 1 >= program.instructions.size() || insn->code != (BPF_LD | BPF_IMM | BPF_DW))
      return make_error(0, "extern is not on a 16-byte load:", item.name);
    if (!item.kconfig) {
      if (const auto put = put_variable(loading, item, insn); !put) return put;
      continue;
    }
    if (loading.image.kconfig_map == 0) return make_error(0, "there is no .kconfig for", item.name);
    if (!program.maps.push_back({use.instruction, loading.image.kconfig_map - 1, true, item.config_at}))
      return make_error(ENOMEM, "link program");
  }
  return {};
}

}  // namespace hosa
