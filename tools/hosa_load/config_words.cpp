// .kconfig: one word per extern, from the kernel's configuration or answered by us (LINUX_*). A word the kernel was
// built without is an error unless the extern is weak.
#include <algorithm>

#include "loader/kernel_config.h"
#include "loader/kernel_symbols.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

enum class Shape { number, boolean, tristate, letter, text, unknown };

struct Word {
  Shape shape = Shape::unknown;
  bool has_sign = false;
  uint32_t size = 0;
};

Word word_of(const Btf& btf, uint32_t variable_id) {
  const auto variable = btf.type(variable_id);
  const auto type = variable ? btf.resolved(variable->size_or_type) : std::nullopt;
  const auto size = type ? btf.size_of(type->id) : std::nullopt;
  if (!size) return {};
  if (const auto array = btf.array(*type)) {
    const auto element = btf.resolved(array->type);
    return {element && element->kind == BTF_KIND_INT && element->size_or_type == 1 ? Shape::text : Shape::unknown,
            false, *size};
  }
  if (type->kind == BTF_KIND_ENUM || type->kind == kBtfEnum64)
    return {btf.name(type->name) == "libbpf_tristate" ? Shape::tristate : Shape::unknown, false, *size};
  if (type->kind != BTF_KIND_INT) return {};
  const uint32_t encoding = btf.integer(*type).value_or(0) >> 24;
  if ((encoding & BTF_INT_BOOL) != 0) return {*size == 1 ? Shape::boolean : Shape::unknown, false, *size};
  const bool power = *size != 0 && *size <= 8 && (*size & (*size - 1)) == 0;
  return {!power       ? Shape::unknown
          : *size == 1 ? Shape::letter
                       : Shape::number,
          (encoding & BTF_INT_SIGNED) != 0, *size};
}

Error unfit(const ImageExtern& item) {
  return make_error(EINVAL, "configuration word is of another type:", item.name);
}

Result<void> put_number(const ImageExtern& item, const Word& word, uint64_t value, unsigned char* out) {
  if (word.shape != Shape::number && word.shape != Shape::letter && word.shape != Shape::boolean) return unfit(item);
  if (word.shape == Shape::boolean && value > 1) return unfit(item);
  if (word.size < 8) {
    const uint64_t limit = uint64_t{1} << (word.size * 8 - (word.has_sign ? 1 : 0));
    const bool negative = word.has_sign && static_cast<int64_t>(value) >= -static_cast<int64_t>(limit);
    if (value >= limit && !(negative && static_cast<int64_t>(value) < 0))
      return make_error(ERANGE, "configuration word is too large:", item.name);
  }
  std::memcpy(out, &value, word.size);
  return {};
}

Result<void> put_value(const ImageExtern& item, const Word& word, std::string_view value, unsigned char* out) {
  const char first = value.front();
  if (first == '"') {
    if (word.shape != Shape::text || value.size() < 2) return unfit(item);
    const std::string_view inside = slice(value, 1, value.size() - 2);
    std::memcpy(out, inside.data(), inside.size() < word.size ? inside.size() : word.size - 1);
    return {};
  }
  if (value.size() == 1 && (first == 'y' || first == 'n' || first == 'm')) {
    if (word.shape == Shape::letter) {
      *out = static_cast<unsigned char>(first);
      return {};
    }
    if (word.shape == Shape::tristate) {
      const uint32_t state = first == 'n' ? 0 : first == 'y' ? 1 : 2;
      std::memcpy(out, &state, word.size < sizeof state ? word.size : sizeof state);
      return {};
    }
    if (word.shape != Shape::boolean || first == 'm') return unfit(item);
    *out = first == 'y';
    return {};
  }
  const bool minus = first == '-';
  const std::string_view digits = slice(value, minus ? 1 : 0);
  const bool hex = slice(digits, 0, 2) == "0x";
  const auto number = hex ? to_number<uint64_t>(slice(digits, 2), 16) : to_number<uint64_t>(digits);
  if (!number || word.shape == Shape::boolean) return unfit(item);
  return put_number(item, word, minus ? ~*number + 1 : *number, out);
}

// Whether kprobes may ask for the cookie they were attached with (5.15): tried, not guessed from the version.
bool has_cookie() {
  bpf_insn text[2] = {};
  text[0].code = BPF_JMP | BPF_CALL;
  text[0].imm = BPF_FUNC_get_attach_cookie;
  text[1].code = BPF_JMP | BPF_EXIT;
  ProgramText program;
  program.type = BPF_PROG_TYPE_KPROBE;
  program.instructions = text;
  program.licence = "GPL";
  program.kernel_version = running_kernel_version();
  return bpf_load_program(program).has_value();
}

// Whether system calls are functions with a prefix of their architecture's, which take registers (4.17).
bool has_wrapped_calls(const KernelTypes& kernel) {
  constexpr std::string_view kNames[] = {"__arm64_sys_bpf", "__x64_sys_bpf"};
  List<KernelSymbol> symbols;
  for (const std::string_view name : kNames)
    if (kernel.find(name, BTF_KIND_FUNC) || !symbols.push_back({name})) return true;
  if (kernel.present() || !read_kernel_symbols(symbols)) return false;
  return symbols[0].found || symbols[1].found;
}

std::optional<uint64_t> answer(const Loading& loading, std::string_view name) {
  if (name == "LINUX_KERNEL_VERSION") return running_kernel_version();
  if (name == "LINUX_HAS_BPF_COOKIE") return has_cookie() ? 1 : 0;
  if (name != "LINUX_HAS_SYSCALL_WRAPPER") return std::nullopt;
  return has_wrapped_calls(loading.kernel);
}

Result<void> fill_word(const Loading& loading, const ImageExtern& item, const List<ConfigWord>& config,
                       unsigned char* out) {
  const Word word = word_of(loading.image.btf, item.type);
  if (word.shape == Shape::unknown) return make_error(ENOTSUP, "configuration word is of an unknown type:", item.name);
  if (slice(item.name, 0, 7) != "CONFIG_") {
    const auto value = answer(loading, item.name);
    if (value) return put_number(item, word, *value, out);
    return item.weak ? Result<void>() : make_error(EINVAL, "nobody answers for", item.name);
  }
  const auto* const known = std::lower_bound(config.begin(), config.end(), item.name,
                                             [](const ConfigWord& a, std::string_view b) { return a.name < b; });
  if (known != config.end() && known->name == item.name && !known->value.empty())
    return put_value(item, word, known->value.view(), out);
  return item.weak ? Result<void>() : make_error(ESRCH, "the kernel was built without", item.name);
}

}  // namespace

Result<void> fill_config(Loading& loading, List<unsigned char>& content) {
  List<ConfigWord> config;
  for (const ImageExtern& item : loading.image.externs)
    if (item.kconfig && slice(item.name, 0, 7) == "CONFIG_" && !config.push_back({item.name, {}}))
      return make_error(ENOMEM, "read kernel configuration");
  Result<void> read = config.empty() ? Result<void>() : read_kernel_config(config);
  for (const ImageExtern& item : loading.image.externs) {
    if (!item.kconfig) continue;
    const auto filled = fill_word(loading, item, config, content.data() + item.config_at);
    if (filled) continue;
    return !read && filled.error().code == ESRCH ? read.error() : filled.error();
  }
  return {};
}

}  // namespace hosa
