// AuditRing: how audit lines reach the disk although the loop never waits for one. The agent appends whole lines to a
// ring in the journal's mapping, the keeper takes them out and writes the file. One producer, one consumer, no lock;
// a line either is in the ring whole or not at all, and lines that found no room are counted.
#pragma once
#include <string_view>

#include "actuate/journal_layout.h"

namespace hosa {

class AuditRing {
 public:
  explicit AuditRing(journal_layout::AuditRing& area) : area_(&area) {}

  // Agent: appends one line (the caller ends it with '\n'). False, and counted in lost(), when there is no room.
  bool append(std::string_view line);
  // Keeper: the oldest bytes in one piece (a second piece follows after a wrap); empty when there is nothing.
  std::string_view oldest() const;
  // Keeper: `count` of the bytes that oldest() showed are on disk.
  void drop(std::size_t count);

  uint64_t lost() const { return __atomic_load_n(&area_->lost, __ATOMIC_RELAXED); }
  bool empty() const { return oldest().empty(); }

 private:
  journal_layout::AuditRing* area_;
};

}  // namespace hosa
