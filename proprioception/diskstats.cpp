#include "proprioception/diskstats.h"

#include <algorithm>

#include "proprioception/field_table.h"

namespace hosa {

namespace {

constexpr std::string_view kNotDisks[] = {"loop", "ram", "zram", "dm-", "md", "sr", "fd"};
constexpr uint64_t kSectorBytes = 512;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool counts_elsewhere(std::string_view name) {
  for (const std::string_view prefix : kNotDisks)
    if (name.starts_with(prefix) && name.size() > prefix.size() && is_digit(name[prefix.size()])) return true;
  return false;
}

void add_bytes(std::optional<uint64_t>& sum, std::optional<uint64_t> sectors) {
  uint64_t bytes = 0;
  if (sectors && !__builtin_mul_overflow(*sectors, kSectorBytes, &bytes)) add_to(sum, bytes);
}

}  // namespace

bool is_partition_of(std::string_view name, std::string_view disk) {
  if (disk.empty() || name.size() <= disk.size() || !name.starts_with(disk)) return false;
  std::string_view rest = slice(name, disk.size());
  if (is_digit(disk.back())) {
    if (rest.front() != 'p') return false;
    rest.remove_prefix(1);
  }
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), is_digit);
}

Diskstats parse_diskstats(std::string_view text) {
  Diskstats out;
  std::string_view disk;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    take_word(line);  // major
    take_word(line);  // minor
    const std::string_view name = take_word(line);
    if (name.empty() || counts_elsewhere(name) || is_partition_of(name, disk)) continue;
    std::optional<uint64_t> fields[10];
    for (auto& field : fields) field = to_number(take_word(line));
    if (!fields[9]) continue;  // a partition line of 2.6.24 has four numbers; cut lines have fewer than ten
    disk = name;
    ++out.disks;
    add_to(out.reads, fields[0]);
    add_bytes(out.read_bytes, fields[2]);
    add_to(out.writes, fields[4]);
    add_bytes(out.write_bytes, fields[6]);
    add_to(out.request_ms, fields[3]);
    add_to(out.request_ms, fields[7]);
    add_to(out.busy_ms, fields[9]);
  }
  return out;
}

}  // namespace hosa
