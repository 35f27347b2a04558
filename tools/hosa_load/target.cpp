// What the kernel must know of a program beside its instructions: type, flags, and what it attaches to.
#include "loader/kernel_config.h"
#include "loader/section_kinds.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

Result<void> take(Loading& loading, const KernelType& type, ProgramText& text) {
  text.attach_btf_id = type.id;
  if (type.home == 0) return {};
  const auto descriptor = loading.kernel.module_descriptor(type.home);
  if (!descriptor) return descriptor.error();
  text.attach_btf_module = *descriptor;
  return {};
}

Result<void> find_target(Loading& loading, std::string_view section, const SectionKind& kind, ProgramText& text) {
  const TargetName target = target_name(section, kind);
  const std::string_view wanted = target.name.view();
  if (wanted.empty()) return make_error(EINVAL, "section names no target:", section);
  if (!loading.kernel.present()) return make_error(ENOENT, "needs kernel BTF:", wanted);
  for (const KernelType& type : loading.kernel.named(wanted)) {
    const Btf& btf = loading.kernel.btf(type.home);
    const auto found = btf.type(type.id);
    if (!found || found->kind != target.kind || !btf.name_is(found->name, wanted)) continue;
    const std::string_view home = type.home == 0 ? std::string_view("vmlinux") : loading.kernel.module_name(type.home);
    if (target.module.empty() || target.module == home) return take(loading, type, text);
  }
  return make_error(ESRCH, "not in kernel BTF:", wanted);
}

Result<void> find_operation(Loading& loading, uint32_t function, ProgramText& text) {
  const ImageOperation* const operation = loading.image.operation_of(function);
  if (operation == nullptr) return make_error(EINVAL, "no structure of functions holds it");
  const auto place = operation_place(loading, *operation);
  if (!place) return place.error();
  text.expected_attach_type = place->member;
  return take(loading, place->structure, text);
}

}  // namespace

Result<void> describe_program(Loading& loading, uint32_t number, ProgramText& text) {
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
  if (kind->type == BPF_PROG_TYPE_EXT) return make_error(EINVAL, "which program it replaces is not known");
  if (kind->type == BPF_PROG_TYPE_STRUCT_OPS) return find_operation(loading, number, text);
  if (kind->target == SectionKind::Target::none) return {};
  return find_target(loading, function.section_name, *kind, text);
}

}  // namespace hosa
