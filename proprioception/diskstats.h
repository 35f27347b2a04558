// /proc/diskstats summed over whole disks, since boot. Left out, because the same transfer is counted below them
// already or never reaches a disk: partitions, loop, ram, zram, dm- and md devices, optical drives and floppies.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct Diskstats {
  unsigned disks = 0;
  std::optional<uint64_t> reads, writes;            // completed requests
  std::optional<uint64_t> read_bytes, write_bytes;  // sectors in this file are always 512 bytes
  std::optional<uint64_t> request_ms;               // fields 4 and 8: time that completed requests have taken
  std::optional<uint64_t> busy_ms;                  // field 10: time with at least one request in flight, summed
};

Diskstats parse_diskstats(std::string_view text);

// True if `name` is a partition of the disk `disk`: sda1 of sda, nvme0n1p2 of nvme0n1, mmcblk0p1 of mmcblk0.
bool is_partition_of(std::string_view name, std::string_view disk);

}  // namespace hosa
