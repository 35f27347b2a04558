// How much this room can hold, and why that much. Everything here is fixed: what does not fit is left out and the
// result says so (`complete`, `cut`); nothing is allocated while the machine is in trouble.
#pragma once
#include <cstddef>

namespace hosa {

// One text of the kernel per tick. /proc/stat is the longest: a line of about 80 bytes per CPU and two bytes per
// interrupt number; 64 KiB holds 256 CPUs with 8,000 interrupts. Longer texts lose their last, cut line.
constexpr std::size_t kKernelTextBytes = 64 * 1024;
// getdents64 answers whole entries; 4 KiB are about 120 names of /proc per system call.
constexpr std::size_t kDirectoryBytes = 4096;

// A systemd server has 60-120 cgroups, a Kubernetes node with 110 pods about 400. 512 * 0.65 KB = 330 KB.
constexpr std::size_t kMaxCgroups = 512;
constexpr int kMaxCgroupDepth = 16;
constexpr std::size_t kCgroupPathBytes = 512;
// Processes looked at in one cgroup before the answer is "too many to judge".
constexpr std::size_t kMaxProcsPerCgroup = 4096;

// A fork storm of 8,000 on 1 GiB was survived in the lab; 8192 * 104 bytes = 0.85 MB.
constexpr std::size_t kMaxProcesses = 8192;
// Names are kept for 256 sets of 4; a machine has 100-600 processes with a user side.
constexpr std::size_t kNameSets = 256;
constexpr std::size_t kNameWays = 4;

// Descriptors looked at per candidate process, waiters per pass over /proc/locks, tracers per pass over /proc.
constexpr std::size_t kMaxDescriptors = 4096;
constexpr std::size_t kMaxLockWaits = 256;
constexpr std::size_t kMaxTracers = 64;

}  // namespace hosa
