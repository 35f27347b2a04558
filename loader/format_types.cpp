#include "loader/format_types.h"

#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::string_view kContext = "trace_event_raw_";

constexpr uint32_t info(uint32_t kind, uint32_t count) {
  return kind << 24 | count;
}

const TraceField* field_of(const TraceFormat& format, std::string_view prefix, std::string_view member) {
  for (const std::string_view where : {"__data_loc_", "__rel_loc_"})
    if (slice(member, 0, where.size()) == where) member = slice(member, where.size());
  FixedString<63> name(prefix);
  const TraceField* const found = format.find(name.append(member).view());
  return found == nullptr && member == "nr" ? format.find("id") : found;
}

}  // namespace

std::string_view event_of_context(std::string_view type, std::string_view own) {
  type = without_flavour(type);
  if (type == "trace_event_raw_sys_enter" || type == "syscall_trace_enter") return "raw_syscalls/sys_enter";
  if (type == "trace_event_raw_sys_exit" || type == "syscall_trace_exit") return "raw_syscalls/sys_exit";
  return slice(type, 0, kContext.size()) == kContext ? own : std::string_view();
}

bool FormatTypes::put(std::initializer_list<uint32_t> words) {
  return types_.append(words.begin(), words.size() * sizeof(uint32_t));
}

uint32_t FormatTypes::add_string(std::string_view text) {
  if (strings_.empty() && !strings_.push_back(0)) return 0;
  const auto at = static_cast<uint32_t>(strings_.size());
  return strings_.append(text.data(), text.size()) && strings_.push_back(0) ? at : 0;
}

// The kind from the object, the size from the format.
Result<uint32_t> FormatTypes::add_member_type(const Btf& local, uint32_t id, const TraceField& field) {
  const Error full = make_error(ENOMEM, "types of tracepoints");
  const auto type = local.resolved(id);
  if (!type) return make_error(EINVAL, "context of a tracepoint is broken");
  const BtfName name = local.name(type->name);
  switch (type->kind) {
    case BTF_KIND_INT: {
      const uint32_t encoding = (field.is_signed ? BTF_INT_SIGNED : 0U) << 24 | (field.size * 8 & 0xff);
      if (!put({add_string(name.view()), info(BTF_KIND_INT, 0), field.size, encoding})) return full;
      break;
    }
    case BTF_KIND_ENUM:
    case kBtfEnum64:
      if (!put({add_string(name.view()), info(BTF_KIND_ENUM, 0), field.size})) return full;
      break;
    case BTF_KIND_PTR:
      if (!put({0, info(BTF_KIND_PTR, 0), 0})) return full;
      break;
    case BTF_KIND_ARRAY: {
      const auto shape = local.array(*type);
      const auto each = shape ? local.size_of(shape->type) : std::nullopt;
      if (!each || *each == 0) return make_error(EINVAL, "context of a tracepoint is broken");
      TraceField element = field;
      element.size = *each;
      const auto inside = add_member_type(local, shape->type, element);
      if (!inside) return inside.error();
      if (!put({0, info(BTF_KIND_ARRAY, 0), 0, *inside, *inside, field.size / *each})) return full;
      break;
    }
    default:  // a structure as a whole
      if (!put({add_string(name.view()), info(BTF_KIND_STRUCT, 0), field.size})) return full;
  }
  return ++count_;
}

Result<uint32_t> FormatTypes::add_structure(const Btf& local, const BtfType& structure, const TraceFormat& format,
                                            std::string_view prefix, int depth) {
  struct Member {
    uint32_t name, type, bits;
  };
  List<Member> members;
  uint32_t size = 0;
  for (uint32_t i = 0; i < structure.count; ++i) {
    const auto member = local.member(structure, i);
    const BtfName name = member ? local.name(member->name) : BtfName();
    if (name.empty()) continue;
    const auto type = local.resolved(member->type);
    if (name == "ent" && type && type->kind == BTF_KIND_STRUCT && depth == 0) {
      const auto head = add_structure(local, *type, format, "common_", 1);
      if (!head) return head.error();
      if (!members.push_back({add_string("ent"), *head, 0})) return make_error(ENOMEM, "types of tracepoints");
      continue;
    }
    const TraceField* const found = field_of(format, prefix, name.view());
    if (found == nullptr) continue;
    TraceField field = *found;
    if (!(field.name == name.view()) && name == "nr") field.size = local.size_of(member->type).value_or(field.size);
    const auto made = add_member_type(local, member->type, field);
    if (!made) return made.error();
    if (!members.push_back({add_string(name.view()), *made, field.offset * 8}))
      return make_error(ENOMEM, "types of tracepoints");
    if (field.offset + field.size > size) size = field.offset + field.size;
  }
  const uint32_t name = add_string(without_flavour(local.name(structure.name).view()));
  if (!put({name, info(BTF_KIND_STRUCT, static_cast<uint32_t>(members.size())), size}) ||
      !types_.append(members.data(), members.size() * sizeof(Member)))
    return make_error(ENOMEM, "types of tracepoints");
  return ++count_;
}

Result<void> FormatTypes::add(const Btf& local, const BtfType& structure, const TraceFormat& format) {
  const auto made = add_structure(local, structure, format, "", 0);
  return made ? Result<void>() : made.error();
}

bool FormatTypes::finish(List<unsigned char>& out) const {
  const auto types = static_cast<uint32_t>(types_.size()), strings = static_cast<uint32_t>(strings_.size());
  const btf_header header{BTF_MAGIC, BTF_VERSION, 0, sizeof(btf_header), 0, types, types, strings};
  return out.append(&header, sizeof header) && out.append(types_.data(), types) && out.append(strings_.data(), strings);
}

}  // namespace hosa
