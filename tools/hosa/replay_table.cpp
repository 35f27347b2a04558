#include "tools/hosa/replay_table.h"

#include <fcntl.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "tools/hosa/csv.h"

namespace hosa {
namespace {

using detect::Dimension;
using detect::Kind;
using detect::Resource;

constexpr std::size_t kSchemaBytes = 16 * 1024;
// Of a plain number. 0.00001 was tried: mean VUS-PR of the SMD sets fell from .480 to .437 (second half of them .493 to
// .408), of the ASD sets stayed at .320.
constexpr double kPlainFloor = 0.005;

std::optional<Kind> kind_named(std::string_view name) {
  if (name == "rate") return Kind::rate;
  if (name == "share") return Kind::share;
  if (name == "count") return Kind::count;
  if (name == "fraction") return Kind::fraction;
  if (name == "number") return Kind::number;
  return std::nullopt;
}

struct SchemaLine {
  std::string_view name;
  Dimension dimension;
};

std::optional<SchemaLine> parse_schema_line(std::string_view line) {
  const std::string_view name = trim(take_until(line, ','));
  const auto kind = kind_named(trim(take_until(line, ',')));
  const auto scale = csv_number(take_until(line, ','));
  const auto sign = csv_number(take_until(line, ','));
  const auto floor = csv_number(line);
  if (name.empty() || name.size() > 47 || !kind || !scale || !(*scale > 0) || !sign || !floor || !(*floor > 0))
    return std::nullopt;
  if (*sign != 1 && *sign != -1 && *sign != 0) return std::nullopt;
  const bool cumulative = *kind == Kind::rate || *kind == Kind::share;
  return SchemaLine{name, {"", "1", *kind, *scale, static_cast<int>(*sign), *floor, Resource::cpu, cumulative}};
}

Error bad_line(const char* path, std::size_t line) {
  FixedString<120> place(path);
  place.append(":").append_unsigned(line);
  return make_error(0, "a schema line is name,kind,scale > 0,sign -1..1,floor > 0:", place.view());
}

Error too_wide() {
  return make_error(0, "a row has at most 1024 columns, unlike the first line");
}

// What programs write for a number they do not have.
bool is_missing(std::string_view cell) {
  for (const std::string_view word :
       {"", "nan", "NaN", "NAN", "na", "NA", "N/A", "null", "NULL", "None", "inf", "-inf"})
    if (cell == word) return true;
  return false;
}

bool is_context(std::string_view name) {
  return name == "label" || name == "fault" || slice(name, 0, 4) == "ctx_" || name == "time" || name == "timestamp";
}

bool all_numbers(std::string_view line) {
  while (!line.empty()) {
    if (!csv_number(take_until(line, ','))) return false;
  }
  return true;
}

}  // namespace

Result<void> ReplayTable::read(const char* schema_path, std::string_view header) {
  static char buffer[kSchemaBytes];
  std::string_view schema;
  if (schema_path[0] != 0) {
    auto text = read_file(AT_FDCWD, schema_path, buffer);
    if (!text) return text.error();
    if (text->size() == sizeof buffer) return make_error(0, "a schema has at most 16 KB, unlike", schema_path);
    schema = *text;
    timed = true;
  }
  std::size_t line_number = 0;
  for (std::string_view rest = schema; !rest.empty();) {
    const std::string_view line = trim(take_line(rest));
    ++line_number;
    if (!line.empty() && line.front() != '#' && !parse_schema_line(line)) return bad_line(schema_path, line_number);
  }
  headless = !timed && all_numbers(header);
  bool has_time = false;
  if (slice(header, 0, 3) == "\xef\xbb\xbf") header = slice(header, 3);  // a byte order mark
  const bool nameless_last = !header.empty() && header.back() == ',';
  for (std::size_t column = 0; !header.empty(); ++column) {
    std::string_view name = csv_text(take_until(header, ','));
    FixedString<47> own(name);
    if (headless) own = FixedString<47>("f").append_unsigned(column);
    Role role = Role::ignored;
    std::optional<SchemaLine> found;
    if (!headless && name == "t") {
      role = Role::time;
      has_time = true;
    } else if (!headless && (name == "phase" || name == "split")) {
      role = Role::phase;
    } else if (timed) {
      for (std::string_view rest = schema; !rest.empty() && !found;) {
        found = parse_schema_line(trim(take_line(rest)));
        if (found && found->name != name) found.reset();
      }
    } else if (headless || !is_context(name)) {
      found = SchemaLine{name, {"", "1", Kind::fraction, 1, 1, kPlainFloor, Resource::cpu, false}};
    }
    if (found && !dimensions.push_back(found->dimension)) {
      ++left_out;
    } else if (found) {
      names.push_back(own);
      role = Role::dimension;
    }
    if (!roles.push_back(role)) return too_wide();
  }
  if (nameless_last && !roles.push_back(Role::ignored)) return too_wide();
  if (dimensions.empty()) return make_error(0, "no column of the first line is a dimension");
  if (timed && !has_time) return make_error(0, "with a schema a column t (seconds) is needed");
  for (std::size_t j = 0; j < dimensions.size(); ++j) dimensions[j].name = names[j].c_str();
  return {};
}

std::size_t ReplayTable::leave_out_text(std::string_view row) {
  if (timed) return 0;
  std::size_t j = 0, kept = 0;
  for (std::size_t column = 0; column < roles.size(); ++column) {
    const std::string_view cell = take_until(row, ',');
    if (roles[column] != Role::dimension) continue;
    if (!csv_number(cell) && !is_missing(csv_text(cell))) {
      roles[column] = Role::ignored;
    } else {
      dimensions[kept] = dimensions[j];
      names[kept] = names[j];
      ++kept;
    }
    ++j;
  }
  const std::size_t text = j - kept;
  dimensions.resize_down(kept);
  names.resize_down(kept);
  for (std::size_t k = 0; k < kept; ++k) dimensions[k].name = names[k].c_str();
  return text;
}

}  // namespace hosa
