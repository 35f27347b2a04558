// The bytes of the journal file, version 1: only journal*.cpp and audit_ring.cpp look at them. Native byte order and
// layout: the file never leaves the boot that wrote it. 64-bit kernels only, so every field has one size everywhere.
//
//   header | state of each entry | paths | entries | audit ring
//
// Agent and keeper map the same pages. Slots are allocated by one side only (the agent the front ranges, the keeper
// the back ones), so no lock is needed that a SIGKILL could leave taken; freeing is one store and open to both.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace hosa::journal_layout {

constexpr uint64_t kMagic = 0x6c6e726a61736f68;  // "hosajrnl" read as little endian
constexpr uint32_t kVersion = 1;
// 1024 entries: a held service of some hundred threads under SCHED_IDLE takes one entry each; the rest are a dozen.
constexpr int kEntries = 1024;
constexpr int kAgentEntries = 896;  // the keeper makes only rooms, controllers and limits that could block
// 64 cgroups: spec S7 bounds how many are contained at once far below that; ancestors for controllers come on top.
constexpr int kPaths = 64;
constexpr int kAgentPaths = 40;
constexpr std::size_t kPathBytes = 496;
constexpr std::size_t kValueBytes = 96;            // longest: an io.max line with four numbers of 20 digits
constexpr std::size_t kAuditRingBytes = 64 << 10;  // about 60 lines of 1 KB: 10 s of a dense episode

struct Header {
  uint64_t magic;  // stored last when the file is made
  uint32_t version;
  uint32_t file_bytes;
  char boot_id[40];   // text of /proc/sys/kernel/random/boot_id, zero padded
  uint64_t checksum;  // FNV-1a of the fields above
  int32_t agent_pid;
  int32_t keeper_pid;
  uint64_t agent_start_ticks;
  // Words that change while both run; each is stored and loaded atomically.
  uint64_t stamp_ns;      // CLOCK_MONOTONIC of the agent's last tick
  uint32_t acting;        // 1: the agent has or is about to have entries
  uint32_t watching;      // 1: the keeper looks each half second
  uint32_t gave_back;     // how often the keeper gave everything back while the agent lived
  uint32_t acknowledged;  // the agent's copy of it
  uint64_t reserved[2];
};

struct Path {
  uint64_t checksum;  // of id and text
  uint64_t cgroup_id;
  char text[kPathBytes];  // "/system.slice/x.service", "/" = root, zero padded
};

struct Value {
  char text[kValueBytes];
  uint64_t sequence;  // the higher valid one is the current one
  uint64_t checksum;  // of text and sequence; anything else = empty or half written
};

struct Entry {
  uint64_t cgroup_id;
  uint64_t start_ticks;
  uint64_t path_checksum;
  int32_t path_index;  // -1: none
  int32_t pid;
  int32_t tid;
  uint8_t kind;
  uint8_t file;
  uint8_t reserved[2];
  char old_value[kValueBytes];
  uint64_t checksum;     // of everything above
  Value ours[2];         // ours and ours before: a rewrite is recognised whichever of both reached the kernel
  uint64_t deadline_ns;  // CLOCK_BOOTTIME; one aligned store renews it
};

struct AuditRing {
  uint64_t written;  // bytes ever appended, by the producer
  uint64_t drained;  // bytes ever taken, by the consumer
  uint64_t lost;     // lines that found no room
  uint64_t reserved;
  char bytes[kAuditRingBytes];
};

struct File {
  Header header;
  uint32_t states[kEntries];
  Path paths[kPaths];
  Entry entries[kEntries];
  AuditRing audit;
};

static_assert(sizeof(Path) == 512);
static_assert(std::has_unique_object_representations_v<File>, "no padding may hide from the checksums");

}  // namespace hosa::journal_layout
