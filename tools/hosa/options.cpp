#include "tools/hosa/options.h"

#include "loader/sys/text.h"

namespace hosa {
namespace {

struct Unit {
  const char* suffix;
  double factor;
};

// A non-negative decimal number ("1.5") followed by one of the suffixes.
Result<double> number_with_unit(std::string_view text, std::span<const Unit> units, const char* allowed) {
  std::size_t end = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
  std::string_view digits = slice(text, 0, end);
  const std::string_view whole = take_until(digits, '.');
  const auto integer = to_number<uint64_t>(whole);
  const auto fraction = digits.empty() ? std::optional<uint64_t>(0) : to_number<uint64_t>(digits);
  if (!integer || !fraction || digits.size() > 9 || whole.size() > 12) return make_error(0, allowed, text);
  double value = static_cast<double>(*fraction);
  for (std::size_t i = 0; i < digits.size(); ++i) value /= 10;
  value += static_cast<double>(*integer);
  for (const Unit& unit : units) {
    if (slice(text, end) == unit.suffix) return value * unit.factor;
  }
  return make_error(0, allowed, text);
}

Result<void> set_value(Options& options, std::string_view name, std::string_view value) {
  if (name == "--warmup" && value == "train") {
    options.warmup_train = true;
    return {};
  }
  if (name == "--step") {
    auto seconds = parse_duration_s(value);
    if (!seconds) return seconds.error();
    if (*seconds < 0.01 || *seconds > 60) return make_error(0, "--step takes 10ms..60s, not", value);
    options.step_s = *seconds;
    return {};
  }
  if (name == "--warmup" || name == "--duration" || name == "--for") {
    auto seconds = parse_duration_s(value);
    if (!seconds) return seconds.error();
    (name == "--warmup" ? options.warmup_s : options.duration_s) = *seconds;
    return {};
  }
  if (name == "--room") {
    auto bytes = parse_size_bytes(value);
    if (!bytes) return bytes.error();
    if (*bytes < 16.0 * 1024 * 1024) return make_error(0, "--room takes at least 16M, not", value);
    options.room_bytes = *bytes;
    return {};
  }
  if (name == "--size") {
    auto bytes = parse_size_bytes(value);
    if (!bytes) return bytes.error();
    if (*bytes < 64.0 * 1024) return make_error(0, "--size takes at least 64K, not", value);
    options.size_bytes = *bytes;
    return {};
  }
  if (name == "--without") {
    auto without = parse_without(value);
    if (!without) return without.error();
    options.without = *without;
    return {};
  }
  if (value.empty()) return make_error(0, "empty value for", name);
  if (name == "--only")
    options.only = value;
  else if (name == "--audit")
    options.audit = value;
  else if (name == "--baseline")
    options.baseline = value;
  else if (name == "--state")
    options.state = value;
  else if (name == "--config")
    options.config = value;
  else if (name == "--schema")
    options.schema = value;
  else
    return make_error(0, "unknown option", name);
  if (options.only.cut() || options.audit.cut() || options.state.cut() || options.config.cut() ||
      options.schema.cut() || options.baseline.cut())
    return make_error(0, "value too long for", name);
  return {};
}

bool set_flag(Options& options, std::string_view name) {
  if (name == "--shadow") return options.shadow = true;
  if (name == "--json") return options.json = true;
  if (name == "--all") return options.all = true;
  if (name == "--strict") return options.strict = true;
  if (name == "--quick") return options.quick = true;
  if (name == "--csv") return options.csv = true;
  if (name == "--table") return options.table = true;
  if (name == "--once") return options.once = true;
  if (name == "--top") return options.top = true;
  if (name == "--unprivileged") return options.unprivileged = true;
  return false;
}

}  // namespace

Result<double> parse_duration_s(std::string_view text) {
  constexpr Unit kUnits[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"min", 60}, {"h", 3600}};
  auto seconds = number_with_unit(text, kUnits, "a duration is a number with ms, s, m or h, not");
  if (seconds && *seconds > 7 * 86400) return make_error(0, "a duration is at most 168h, not", text);
  return seconds;
}

Result<double> parse_size_bytes(std::string_view text) {
  constexpr double kKilo = 1024;
  constexpr Unit kUnits[] = {{"", 1}, {"K", kKilo}, {"M", kKilo * kKilo}, {"G", kKilo * kKilo * kKilo}};
  return number_with_unit(text, kUnits, "a size is a number with K, M or G, not");
}

Result<ForcedRungs> parse_without(std::string_view words) {
  ForcedRungs without;
  const std::string_view all = words;
  while (!words.empty()) {
    const std::string_view word = take_until(words, ',');
    if (word == "bpf")
      without.bpf = true;
    else if (word == "btf")
      without.btf = true;
    else if (word == "tracefs")
      without.tracefs = true;
    else if (word == "cgroup")
      without.cgroup = true;
    else if (word == "memcg")
      without.memcg = true;
    else if (word == "psi")
      without.psi = true;
    else
      return make_error(0, "--without takes bpf,btf,tracefs,cgroup,memcg,psi, not", all);
  }
  return without;
}

Result<Options> parse_options(std::span<char* const> argv) {
  Options options;
  if (argv.size() < 2) return options;
  options.verb = argv[1];
  for (std::size_t i = 2; i < argv.size(); ++i) {
    std::string_view rest = argv[i];
    if (set_flag(options, rest)) continue;
    const std::string_view verb = options.verb;
    const bool takes_file = verb == "replay" || verb == "record";
    if (takes_file && options.file.empty() && (rest == "-" || slice(rest, 0, 1) != "-")) {
      options.file = rest;
      if (options.file.cut()) return make_error(0, "file name too long:", rest);
      continue;
    }
    const bool has_equals = rest.find('=') != std::string_view::npos;
    const std::string_view name = take_until(rest, '=');
    if (slice(name, 0, 2) != "--") return make_error(0, "unexpected word", name);
    if (!has_equals && i + 1 >= argv.size()) return make_error(0, "missing value, or unknown option", name);
    const auto set = set_value(options, name, has_equals ? rest : std::string_view(argv[++i]));
    if (!set) return set.error();
  }
  return options;
}

}  // namespace hosa
