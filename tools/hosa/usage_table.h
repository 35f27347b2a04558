// Reading the probes' tables of who used how much: any hash map of hosa_usage, whole, in no order, never beyond the
// room that is given. One that is evicted while the table is read is not seen.
#pragma once
#include <span>

#include "loader/sys/bpf.h"
#include "probes/events.h"
#include "proprioception/turn.h"

namespace hosa {

// Entries per batch read: 5 KiB of stack, 1 ms on a 125 MIPS board. A hash bucket longer than this would be refused
// (ENOSPC); buckets number as many as entries, so they hold a handful.
inline constexpr uint32_t kUsageBatch = 64;

// Key by key, for kernels without batches. A key that is evicted while we stand on it sends us back to the first one:
// twice the table is as far as this goes.
template <class Key, class Row, class Fill>
Result<std::size_t> read_usage_by_key(int map, std::span<Row> out, Fill fill) {
  Key key{};
  std::size_t used = 0;
  for (std::size_t step = 0; used < out.size() && step < 2 * out.size(); ++step) {
    const auto more = bpf_next_key(map, step == 0 ? nullptr : &key, &key);
    if (!more) return more.error();
    if (!*more) break;
    hosa_usage usage{};
    if (bpf_lookup(map, &key, &usage)) out[used++] = fill(key, usage);
  }
  return used;
}

// In batches (5.6+), resting between them (turn.h).
template <class Key, class Row, class Fill>
Result<std::size_t> read_usage(int map, std::span<Row> out, Fill fill) {
  if (map < 0) return std::size_t{0};
  Key keys[kUsageBatch];
  hosa_usage values[kUsageBatch];
  uint32_t token = 0;
  std::size_t used = 0;
  for (bool first = true, more = true; more && used < out.size(); first = false) {
    const std::size_t room = out.size() - used;
    const auto batch = bpf_lookup_batch(map, first ? nullptr : &token, &token, keys, values,
                                        room < kUsageBatch ? static_cast<uint32_t>(room) : kUsageBatch);
    if (!batch && first) return read_usage_by_key<Key>(map, out, fill);
    if (!batch && batch.error().code == ENOSPC) break;  // the next bucket does not fit into what is left of `out`
    if (!batch) return batch.error();
    for (uint32_t i = 0; i < batch->count; ++i) out[used++] = fill(keys[i], values[i]);
    more = batch->more;
    let_others_run();
  }
  return used;
}

}  // namespace hosa
