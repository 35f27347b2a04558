// A file that must be whole after a power cut: written beside its place, synced, renamed over it, the directory synced.
//
// The loop never waits for a disk and neither does the keeper, who has leases to look after: the agent fills SavedPages
// (shared with the keeper, who was forked with them), asks the keeper (KeeperTask::save), and a child of the keeper
// writes. What became of it stands in `state`; the child tells a failure on standard error, once.
#pragma once
#include <sys/types.h>

#include <span>

#include "loader/sys/error.h"

namespace hosa {

// A path of at most 250 bytes. The new file is mode 0600.
Result<void> write_whole(const char* path, std::span<const unsigned char> bytes);

enum class SavedState : uint32_t { idle, asked, done, failed };

struct SavedPages {
  static constexpr std::size_t kBytes = 32 * 1024;  // 64 dimensions take 25 KB, 256 known sizes 6 KB

  uint32_t state;  // a SavedState; from `asked` on the pages belong to the keeper's side
  int32_t error;   // errno of the last failure
  uint32_t told;
  uint32_t size;
  char path[256];
  unsigned char bytes[kBytes];

  // Null where no memory is to be had. Never unmapped: it lives as long as the process.
  static SavedPages* map();
  SavedState look() const { return static_cast<SavedState>(__atomic_load_n(&state, __ATOMIC_ACQUIRE)); }
  void set(SavedState next) { __atomic_store_n(&state, static_cast<uint32_t>(next), __ATOMIC_RELEASE); }
};

// Keeper: forks who writes; answers its pid.
Result<pid_t> start_writer(SavedPages& pages);

}  // namespace hosa
