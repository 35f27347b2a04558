// What tracefs tells of tracepoints' contexts, read only where an object needs it: places of fields that a program
// loads by number (context_fields.h), and types of contexts where the kernel has no BTF (format_types.h).
#include "loader/section_kinds.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

constexpr std::size_t kLongestFormat = std::size_t{64} << 10;  // 6.18's longest has 24 KB

Result<int> tracefs_of(Loading& loading) {
  if (!loading.tracefs) {
    auto opened = open_tracefs("/proc");
    if (!opened) return opened.error();
    loading.tracefs = std::move(*opened);
  }
  return loading.tracefs.get();
}

// The event of the program that the record belongs to; of a function that programs share, the program's whose event
// gave the type its name.
std::string_view event_of(const ObjectImage& image, const ImageCore& record, std::string_view type) {
  const ImageFunction* const function = image.function_around(record.section, record.offset);
  if (function == nullptr) return {};
  const auto target = [](const ImageFunction& program) {
    const SectionKind* const kind = section_kind(program.section_name);
    const bool classic = kind != nullptr && kind->type == BPF_PROG_TYPE_TRACEPOINT;
    return classic ? section_target(program.section_name) : std::string_view();
  };
  if (const std::string_view own = target(*function); !own.empty()) return event_of_context(type, own);
  if (!event_of_context(type, "").empty()) return event_of_context(type, "");
  for (const ImageFunction& other : image.functions) {
    std::string_view event = target(other);
    event = slice(event, event.rfind('/') + 1);
    type = without_flavour(type);
    if (!event.empty() && event.size() < type.size() && slice(type, type.size() - event.size()) == event)
      return event_of_context(type, target(other));
  }
  return {};
}

Result<void> add_context(Loading& loading, FormatTypes& types, const BtfType& structure, std::string_view event) {
  const auto tracefs = tracefs_of(loading);
  if (!tracefs) return tracefs.error();
  auto room = Mapping::of_memory(kLongestFormat);
  if (!room) return room.error();
  const auto text = read_format(*tracefs, event, std::span<char>(reinterpret_cast<char*>(room->data()), room->size()));
  if (!text) return text.error();
  const auto format = parse_format(*text);
  if (!format) return format.error();
  return types.add(loading.image.btf, structure, *format);
}

}  // namespace

Result<void> stand_in_contexts(Loading& loading) {
  struct Known {
    uint32_t type;
    std::string_view event;
  };
  List<Known> known;
  FormatTypes types;
  for (const ImageCore& record : loading.image.core) {
    const auto structure = loading.image.btf.type(record.type);
    if (!structure || structure->kind != BTF_KIND_STRUCT) continue;
    const BtfName name = loading.image.btf.name(structure->name);
    const std::string_view event = event_of(loading.image, record, name.view());
    if (event.empty()) continue;
    bool done = false;
    for (const Known& other : known) done = done || (other.type == record.type && other.event == event);
    if (done) continue;
    if (!known.push_back({record.type, event})) return make_error(ENOMEM, "types of tracepoints");
    if (const auto added = add_context(loading, types, *structure, event); !added) {
      // Its program will say that the type is not there; why is for those who ask.
      if (loading.options.verbose)
        loading.errors.text(loading.path).text(": ").text(added.error().text().view()).text("\n");
    }
  }
  if (types.empty()) return {};
  if (!types.finish(loading.contexts)) return make_error(ENOMEM, "types of tracepoints");
  auto btf = Btf::of_bytes(Bytes(loading.contexts.data(), loading.contexts.size()));
  if (!btf) return btf.error();
  return loading.kernel.stand_in(std::move(*btf));
}

Result<void> place_context_fields(Loading& loading, LinkedProgram& program) {
  const std::span<bpf_insn> instructions(program.instructions.data(), program.instructions.size());
  const ElfSection* const section = loading.image.find_section("fields");
  if (section == nullptr || !has_marked_loads(instructions)) return {};
  const auto fields = read_context_fields(section->content);
  if (!fields) return fields.error();
  const auto tracefs = tracefs_of(loading);
  if (!tracefs) return tracefs.error();
  const auto places = find_fields(*tracefs, *fields);
  if (!places) return places.error();
  return place_fields(instructions, *places);
}

}  // namespace hosa
