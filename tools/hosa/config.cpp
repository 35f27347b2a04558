#include "tools/hosa/config.h"

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "tools/hosa/options.h"

namespace hosa {
namespace {

constexpr std::size_t kFileBytes = 16384;  // longer files are an error: nobody writes them by hand
constexpr const char* kDefaultFile = "/etc/hosa/hosa.toml";
constexpr const char* kDefaultDirectory = "/etc/hosa/hosa.toml.d";

struct Place {
  const char* file;
  int64_t line;
  Error error(const char* what, std::string_view text) const {
    FixedString<120> subject(file);
    subject.append(":").append_number(line).append(": ").append(text);
    return make_error(0, what, subject.view());
  }
};

// "..." without escapes but \" and \\; the rest of the line after it must be blank, a comment, or what the caller
// takes.
Result<std::string_view> take_string(std::string_view& text, const Place& place) {
  text = trim(text);
  if (text.empty() || text.front() != '"') return place.error("a string in \"...\" is expected at", text);
  const std::size_t end = text.find('"', 1);
  if (end == std::string_view::npos) return place.error("a string has no end at", text);
  const std::string_view inside = slice(text, 1, end - 1);
  if (inside.find('\\') != std::string_view::npos) return place.error("escapes are not read in strings at", text);
  text = trim(slice(text, end + 1));
  return inside;
}

Result<void> end_of_line(std::string_view rest, const Place& place) {
  rest = trim(rest);
  if (!rest.empty() && rest.front() != '#') return place.error("something stands after the value at", rest);
  return {};
}

Result<void> set_string(FixedString<256>& out, std::string_view text, const Place& place) {
  auto value = take_string(text, place);
  if (!value) return value.error();
  out = FixedString<256>(*value);
  if (out.cut() || out.empty()) return place.error("a string of 1 to 256 characters is expected at", *value);
  return end_of_line(text, place);
}

Result<void> set_flag(bool& out, std::string_view text, const Place& place) {
  const std::string_view word = take_word(text);
  if (word != "true" && word != "false") return place.error("true or false is expected at", word);
  out = word == "true";
  return end_of_line(text, place);
}

Result<void> set_number(int& out, int least, int most, const char* range, std::string_view text, const Place& place) {
  const std::string_view word = take_word(text);
  const auto number = to_number<int>(word);
  if (!number || *number < least || *number > most) return place.error(range, word);
  out = *number;
  return end_of_line(text, place);
}

Result<void> set_duration(double& out, std::string_view text, const Place& place) {
  auto value = take_string(text, place);
  if (!value) return value.error();
  const auto seconds = parse_duration_s(*value);
  if (!seconds) return place.error("a duration like \"5m\", at most 168h, is expected at", *value);
  out = *seconds;
  return end_of_line(text, place);
}

Result<void> set_patterns(Config& config, std::string_view text, const Place& place) {
  text = trim(text);
  if (text.empty() || text.front() != '[') return place.error("[\"...\", ...] on one line is expected at", text);
  text = trim(slice(text, 1));
  while (!text.empty() && text.front() != ']') {
    auto pattern = take_string(text, place);
    if (!pattern) return pattern.error();
    const bool known = pattern->starts_with("/") || pattern->starts_with("cmd:") || pattern->starts_with("uid:");
    if (!known || pattern->size() < 2 || pattern->size() > 128) {
      return place.error("a pattern is /cgroup/path, cmd:part or uid:N, not", *pattern);
    }
    if (!config.protect.push_back(*pattern)) return place.error("at most 64 patterns are read, too many at", *pattern);
    if (!text.empty() && text.front() == ',') text = trim(slice(text, 1));
  }
  if (text.empty()) return place.error("the array has no ] on this line at", text);
  return end_of_line(slice(text, 1), place);
}

Result<void> set_key(Config& config, std::string_view section, std::string_view key, std::string_view value,
                     const Place& place) {
  FixedString<80> name(section);
  name.append(".").append(key);
  if (name == "run.warmup") return set_duration(config.warmup_s, value, place);
  if (name == "run.shadow") return set_flag(config.shadow, value, place);
  if (name == "run.audit") return set_string(config.audit, value, place);
  if (name == "run.only") return set_string(config.only, value, place);
  if (name == "policy.ceiling") return set_number(config.ceiling, 2, 4, "policy.ceiling is 2 to 4, not", value, place);
  if (name == "policy.max_contained") {
    return set_number(config.max_contained, 1, 16, "policy.max_contained is 1 to 16, not", value, place);
  }
  if (name == "protection.patterns") return set_patterns(config, value, place);
  return place.error("unknown key at", name.view());
}

Result<void> read_into(Config& config, int directory, const char* path, const char* shown) {
  char text[kFileBytes + 1];
  auto content = read_file(directory, path, text);
  if (!content) return content.error();
  if (content->size() > kFileBytes) return make_error(0, "configuration is longer than 16384 bytes:", shown);
  return parse_config(*content, shown, config);
}

// The names in hosa.toml.d that end in .toml, sorted; at most 32.
Result<void> read_directory_into(Config& config) {
  auto directory = open_directory(AT_FDCWD, kDefaultDirectory);
  if (!directory) return directory.error().code == ENOENT ? Result<void>{} : Result<void>(directory.error());
  FixedVector<FixedString<96>, 32> names;
  DirectoryReader reader(directory->get());
  while (const auto entry = reader.next()) {
    if (!entry->name.ends_with(".toml")) continue;
    if (!names.push_back(entry->name)) return make_error(0, "more than 32 files in", kDefaultDirectory);
  }
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.view() < b.view(); });
  for (const auto& name : names) {
    const auto read = read_into(config, directory->get(), name.c_str(), name.c_str());
    if (!read) return read.error();
  }
  return {};
}

}  // namespace

Result<void> parse_config(std::string_view text, const char* name, Config& config) {
  Place place{name, 0};
  std::string_view section;
  Config next = config;
  while (!text.empty()) {
    ++place.line;
    std::string_view line = trim(take_line(text));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      const std::size_t end = line.find(']');
      if (end == std::string_view::npos) return place.error("a section is [name], not", line);
      section = slice(line, 1, end - 1);
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return place.error("key = value is expected at", line);
    const auto set = set_key(next, section, trim(slice(line, 0, equals)), trim(slice(line, equals + 1)), place);
    if (!set) return set.error();
  }
  config = next;
  return {};
}

Result<Config> load_config(const char* path) {
  Config config;
  if (path[0] != 0) {
    const auto read = read_into(config, AT_FDCWD, path, path);
    if (!read) return read.error();
    return config;
  }
  const auto read = read_into(config, AT_FDCWD, kDefaultFile, kDefaultFile);
  if (!read && read.error().code != ENOENT) return read.error();
  const auto rest = read_directory_into(config);
  if (!rest) return rest.error();
  return config;
}

}  // namespace hosa
