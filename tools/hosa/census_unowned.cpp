// Memory that is in no process, dealt out to the units of those who were handed such pages (unowned.h).
#include <algorithm>

#include "tools/hosa/census.h"

namespace hosa {
namespace {

constexpr double kLittle = 1024 * 1024;  // bytes

}  // namespace

// What each unit was handed since the last time, of one kind. Who has gone already counts under its cgroup, else as
// nobody (unit 0).
void Census::list_takers(std::span<const ProcessShare> handed, __u64 hosa_usage::*kind, Takers& takers) const {
  takers.clear();
  for (const ProcessShare& usage : handed) {
    const ProcessShare* before =
        find_handed({handed_before_.data(), handed_before_.size()}, static_cast<int>(usage.tgid));
    const uint64_t amount = usage.usage.*kind, base = before != nullptr ? before->usage.*kind : 0;
    if (usage.tgid == 0 || amount == base) continue;
    const auto bytes = static_cast<double>(amount > base ? amount - base : amount);  // less: dropped, and came back
    uint64_t unit = unit_of_pid(static_cast<int>(usage.tgid));
    if (unit == 0 && tree_.find(usage.usage.cgroup) != nullptr) unit = usage.usage.cgroup;
    const auto at =
        std::find_if(takers.begin(), takers.end(), [unit](const UnitBytes& taker) { return taker.unit == unit; });
    if (at != takers.end())
      at->bytes += bytes;
    else
      takers.push_back({unit, bytes});
  }
}

// A cgroup with memory files has counted its own already; who lives in the root cgroup has none (an appliance's
// everybody: a file growing in tmpfs was nobody's there until memory ran out).
void Census::add_given(const UnownedGrowth& growth, double UnitUse::*kind) {
  for (const UnitBytes& given : growth.given()) {
    if (!by_processes() && (given.unit & kTreeUnit) == 0) continue;
    for (UnitUse& use : uses_) {
      if (use.unit != given.unit) continue;
      use.bytes += given.bytes;
      use.*kind += given.bytes;
    }
  }
}

void Census::deal_unowned(const UnownedBytes& bytes, Handed& handed, bool calm) {
  static Takers takers;
  // When calm the table (0.1 ms) is read once there is something to deal.
  const auto moved = [](double now, double then) { return now > then + kLittle || now < then - kLittle; };
  const bool little = !moved(bytes.shared, dealt_.shared) && !moved(bytes.kernel, dealt_.kernel);
  if (!calm || !little) deal_anew(bytes, handed, takers);
  add_given(shared_growth_, &UnitUse::shared_bytes);
  add_given(kernel_growth_, &UnitUse::kernel_bytes);
}

void Census::deal_anew(const UnownedBytes& bytes, Handed& handed, Takers& takers) {
  dealt_ = bytes;
  const std::span<const ProcessShare> table = handed.now(now_s_);
  if (handed.read_s() != handed_read_s_) {
    handed_read_s_ = handed.read_s();
    list_takers(table, &hosa_usage::shared_bytes, takers);
    shared_growth_.step(bytes.shared, {takers.data(), takers.size()});
    list_takers(table, &hosa_usage::kernel_bytes, takers);
    kernel_growth_.step(bytes.kernel, {takers.data(), takers.size()});
    handed_before_.clear();
    for (const ProcessShare& usage : table) handed_before_.push_back(usage);
  }
}

}  // namespace hosa
