#include "actuate/audit_ring.h"

#include <algorithm>
#include <cstring>

namespace hosa {

using journal_layout::kAuditRingBytes;

bool AuditRing::append(std::string_view line) {
  const uint64_t written = __atomic_load_n(&area_->written, __ATOMIC_RELAXED);
  const uint64_t used = written - __atomic_load_n(&area_->drained, __ATOMIC_ACQUIRE);
  if (used > kAuditRingBytes || line.size() > kAuditRingBytes - used) {
    __atomic_fetch_add(&area_->lost, 1, __ATOMIC_RELAXED);
    return false;
  }
  const std::size_t at = written % kAuditRingBytes;
  const std::size_t first = std::min(line.size(), kAuditRingBytes - at);
  if (first > 0) std::memcpy(area_->bytes + at, line.data(), first);
  if (first < line.size()) std::memcpy(area_->bytes, line.data() + first, line.size() - first);
  __atomic_store_n(&area_->written, written + line.size(), __ATOMIC_SEQ_CST);  // before the look whether to wake
  return true;
}

std::string_view AuditRing::oldest() const {
  const uint64_t drained = __atomic_load_n(&area_->drained, __ATOMIC_RELAXED);
  const uint64_t used = __atomic_load_n(&area_->written, __ATOMIC_ACQUIRE) - drained;
  if (used == 0 || used > kAuditRingBytes) return {};  // more than fits: damaged counters, nothing to trust
  const std::size_t at = drained % kAuditRingBytes;
  return {area_->bytes + at, std::min<std::size_t>(used, kAuditRingBytes - at)};
}

void AuditRing::drop(std::size_t count) {
  __atomic_fetch_add(&area_->drained, count, __ATOMIC_RELEASE);
}

}  // namespace hosa
