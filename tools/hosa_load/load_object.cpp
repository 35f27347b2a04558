#include "tools/hosa_load/load_object.h"

#include "loader/sys/text.h"
#include "tools/hosa_load/object_file.h"

namespace hosa {
namespace {

void print_maps(const ObjectImage& image, Output& out) {
  bool first = true;
  for (const ImageMap& map : image.maps) {
    out.text(first ? "{\"name\":" : ",{\"name\":").quoted(map.name.view());
    out.text(",\"type\":").number(map.shape.type).text(",\"key_size\":").number(map.shape.key_bytes);
    out.text(",\"value_size\":").number(map.shape.value_bytes).text(",\"max_entries\":").number(map.shape.max_entries);
    out.text(",\"flags\":").number(map.shape.flags).text("}");
    first = false;
  }
}

void print_program(const ImageFunction& function, const ProgramReport& report, int code, Output& out) {
  out.text("{\"name\":").quoted(function.name).text(",\"section\":").quoted(function.section_name);
  out.text(",\"type\":").number(report.type).text(",\"expected_attach_type\":").number(report.expected_attach_type);
  out.text(",\"instructions\":").number(static_cast<int64_t>(report.instructions)).text(",\"errno\":").number(code);
  out.text(",\"fingerprint\":\"").hex(report.fingerprint, 16).text("\"}");
}

void print_refusal(Loading& loading, const ImageFunction& function, const Error& error, const ProgramReport& report) {
  loading.errors.text(loading.path).text(": ").text(function.name).text(": ").text(error.text().view()).text("\n");
  if (!report.source.empty()) loading.errors.text("  ").text(report.source.view()).text("\n");
}

// Programs that a map holds are kept until it is filled.
void keep_programs(Loading& loading) {
  for (const ImageSlot& slot : loading.image.slots) {
    const ImageSymbol& symbol = loading.image.symbols[slot.symbol];
    if (const auto function = loading.image.function_at(symbol.section, symbol.value)) loading.kept[*function] = true;
  }
  for (const ImageOperation& operation : loading.image.operations) loading.kept[operation.function] = true;
}

bool load_programs(Loading& loading, Output& out) {
  bool good = true, first = true;
  for (uint32_t i = 0; i < loading.image.functions.size(); ++i) {
    const ImageFunction& function = loading.image.functions[i];
    if (!function.entry || slice(function.section_name, 0, 1) == "?") continue;
    ProgramReport report;
    auto loaded = load_one_program(loading, i, report);
    if (!loaded) print_refusal(loading, function, loaded.error(), report);
    good = good && loaded;
    if (!first) out.text(",");
    first = false;
    print_program(function, report, loaded ? 0 : loaded.error().code == 0 ? -EINVAL : -loaded.error().code, out);
    if (loaded && loading.kept[i]) loading.programs[i] = loaded->release();
  }
  return good;
}

bool fill_maps(Loading& loading) {
  bool good = true;
  for (uint32_t i = 0; i < loading.image.maps.size(); ++i) {
    const auto filled = fill_with_programs(loading, i);
    if (filled) continue;
    good = false;
    loading.errors.text(loading.path).text(": map ").text(loading.image.maps[i].name.view()).text(": ");
    loading.errors.text(filled.error().text().view()).text("\n");
  }
  return good;
}

Result<void> prepare(Loading& loading, const Mapping& file) {
  std::string_view name = loading.path;
  name = slice(name, name.rfind('/') + 1);
  const auto read = read_image(Bytes(file.data(), file.size()), slice(name, 0, name.find('.')), loading.image);
  if (!read) return read;
  complete_shapes(loading.image);
  for (std::size_t i = 0; i < loading.image.maps.size(); ++i)
    if (!loading.maps.push_back(-1)) return make_error(ENOMEM, "read maps");
  for (std::size_t i = 0; i < loading.image.functions.size(); ++i)
    if (!loading.programs.push_back(-1) || !loading.kept.push_back(false)) return make_error(ENOMEM, "read functions");
  keep_programs(loading);
  loading.kernel.forget_names();
  if (const auto wanted = want_names(loading.image, loading.kernel); !wanted) return wanted;
  const auto gathered = loading.kernel.gather();
  if (!gathered && loading.options.verbose)
    loading.errors.text(loading.path).text(": ").text(gathered.error().text().view()).text("\n");
  return loading.kernel.present() ? Result<void>() : stand_in_contexts(loading);
}

}  // namespace

bool load_object(const char* path, KernelTypes& kernel, const LoadOptions& options, Output& out, Output& errors) {
  Loading loading{path, kernel, options, errors};
  const auto file = read_object_file(path);
  const Result<void> prepared = file ? prepare(loading, *file) : file.error();
  if (!prepared) errors.text(path).text(": ").text(prepared.error().text().view()).text("\n");
  out.text("{\"object\":").quoted(path).text(",\"maps\":[");
  if (prepared) print_maps(loading.image, out);
  out.text("],\"programs\":[");
  const bool loaded = prepared && load_programs(loading, out);
  const bool good = prepared && fill_maps(loading) && loaded;
  out.text("]}\n").flush();
  errors.flush();
  return good;
}

}  // namespace hosa
