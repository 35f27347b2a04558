#include "proprioception/numa.h"

#include "loader/sys/cpu_list.h"
#include "proprioception/kernel_text.h"

namespace hosa {

namespace {

constexpr unsigned kMaxNodes = 64;
constexpr unsigned kOwnDistance = 10;

struct Nodes {
  unsigned number[kMaxNodes];
  unsigned count = 0;
};

Nodes online_nodes(const Fd& sys) {
  char buffer[256];
  Nodes nodes;
  const auto list = read_word(sys, "devices/system/node/online", buffer);
  if (!list) return nodes;
  for_each_range(*list, [&](unsigned first, unsigned last) {
    for (unsigned node = first; node <= last && nodes.count < kMaxNodes; ++node) nodes.number[nodes.count++] = node;
  });
  return nodes;
}

// True if the node is as near to one of the `earlier` first nodes as to itself. A row lists distances to the online
// nodes in their order.
bool repeats_an_earlier_node(const Fd& sys, const Nodes& nodes, unsigned earlier) {
  char buffer[1024];
  FixedString<64> path("devices/system/node/node");
  path.append_unsigned(nodes.number[earlier]).append("/distance");
  const auto row = read_word(sys, path.c_str(), buffer);
  if (!row) return false;
  std::string_view rest = *row;
  for (unsigned i = 0; i < earlier; ++i)
    if (to_number<unsigned>(take_word(rest)) == kOwnDistance) return true;
  return false;
}

}  // namespace

unsigned count_numa_nodes(const Fd& sys) {
  const Nodes nodes = online_nodes(sys);
  unsigned distinct = 0;
  for (unsigned i = 0; i < nodes.count; ++i)
    if (!repeats_an_earlier_node(sys, nodes, i)) ++distinct;
  return distinct == 0 ? 1 : distinct;
}

}  // namespace hosa
