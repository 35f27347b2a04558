#include "proprioception/file_locks.h"

#include "loader/sys/text.h"
#include "proprioception/kernel_text.h"

namespace hosa {

namespace {

// Level 0 is a lock that is held, 1 waits for it, 2 waits behind 1. 5.10 indents nothing: its waiters are all level 1.
int take_level(std::string_view& line) {
  std::size_t spaces = 0;
  while (spaces < line.size() && line[spaces] == ' ') ++spaces;
  if (!slice(line, spaces).starts_with("->")) return 0;
  line = slice(line, spaces + 2);
  return spaces == 0 ? 1 : static_cast<int>(spaces);
}

}  // namespace

std::optional<LockWait> LockLines::take(std::string_view line) {
  const bool numbered = to_number(take_until(line, ':')).has_value();
  const int level = take_level(line);
  take_word(line);  // POSIX, FLOCK, OFDLCK, LEASE
  take_word(line);  // ADVISORY, MANDATORY, ACTIVE
  take_word(line);  // READ, WRITE
  const auto pid = to_number<int>(take_word(line));
  if (!numbered || !pid || level > levels_ || level >= kLevels) {
    levels_ = 0;
    return std::nullopt;
  }
  pid_at_[level] = *pid > 0 ? *pid : 0;  // -1 is an open file description lock, 0 a process we cannot see
  levels_ = level + 1;
  if (level == 0 || pid_at_[level] == 0) return std::nullopt;
  return LockWait{pid_at_[level], pid_at_[level - 1]};
}

Result<LockPass> read_lock_waits(const Fd& proc, LockWaits& waits) {
  waits.clear();
  const auto file = open_file(proc.get(), "locks");
  if (!file) return file.error();
  LockPass pass;
  LockLines parser;
  LineReader lines(file->get());
  while (const auto line = lines.next())
    if (const auto wait = parser.take(*line))
      if (!waits.push_back(*wait)) pass.complete = false;
  return pass;
}

}  // namespace hosa
