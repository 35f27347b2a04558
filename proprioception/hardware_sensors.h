// HardwareSensors: what this machine's shape and board add to a Sample: busy time per last-level cache, available
// memory per node (both only where there are several), temperature and throttling. Opened once with the topology; read
// at each tick by who reads Sensors. The board is read at most every 2 s (a Raspberry Pi asks its firmware).
#pragma once
#include "proprioception/board.h"
#include "proprioception/kernel_text.h"
#include "proprioception/signal.h"
#include "proprioception/topology.h"

namespace hosa {

struct Sample;

inline constexpr unsigned kMaxSensedNodes = 8;

struct Hardware {
  unsigned cache_groups = 0, nodes = 0;  // 0 where there is only one
  double cache_cpus[kMaxCacheGroups] = {};
  double cache_busy_seconds[kMaxCacheGroups] = {};  // running totals of the CPUs that share this cache
  // Share of the node's memory that could be had without swapping: free, file pages, half of the reclaimable slab
  // (nodes have no MemAvailable of their own).
  double node_available[kMaxSensedNodes] = {};
  unsigned first_node[kMaxSensedNodes] = {};  // the kernel's number of the (first) node
};

class HardwareSensors {
 public:
  void open(const Fd& proc, const Fd& sys, const Topology& topology);
  void read(Sample& sample, Hardware& out);

 private:
  void read_caches(Hardware& out);
  void read_nodes(Hardware& out) const;

  const Topology* topology_ = nullptr;
  KernelText stat_;
  KernelText nodes_[kMaxNodes];
  unsigned real_nodes_ = 0;
  double ticks_per_second_ = 100;
  // A CPU that is taken out takes its line with it, one that comes back brings all its past: a total goes on from where
  // it stood when the number of lines has changed.
  struct Group {
    unsigned cpus = 0;
    uint64_t ticks = 0, seen = 0;
  };
  Group groups_[kMaxCacheGroups];
  Board board_;
  BoardState board_state_;
  uint64_t board_read_ns_ = 0;
};

// Share of a node's memory that is available, from its meminfo ("Node 0 MemFree: 123 kB"); adds to both.
void add_node_memory(std::string_view text, double& available_bytes, double& total_bytes);

}  // namespace hosa
