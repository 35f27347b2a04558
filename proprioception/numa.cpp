#include "proprioception/numa.h"

#include "loader/sys/cpu_list.h"
#include "proprioception/kernel_text.h"

namespace hosa {

namespace {

constexpr unsigned kOwnDistance = 10;

NumaNodes online_nodes(const Fd& sys) {
  char buffer[256];
  NumaNodes nodes;
  const auto list = read_word(sys, "devices/system/node/online", buffer);
  if (!list) return nodes;
  for_each_range(*list, [&](unsigned first, unsigned last) {
    for (unsigned node = first; node <= last && nodes.count < kMaxNodes; ++node)
      nodes.number[nodes.count++] = static_cast<uint16_t>(node);
  });
  return nodes;
}

// The first earlier node that is as near to this one as itself, or the node itself. A row lists distances to the online
// nodes in their order.
unsigned nearest_earlier(const Fd& sys, const NumaNodes& nodes, unsigned node) {
  char buffer[1024];
  FixedString<64> path("devices/system/node/node");
  path.append_unsigned(nodes.number[node]).append("/distance");
  const auto row = read_word(sys, path.c_str(), buffer);
  if (!row) return node;
  std::string_view rest = *row;
  for (unsigned i = 0; i < node; ++i)
    if (to_number<unsigned>(take_word(rest)) == kOwnDistance) return i;
  return node;
}

}  // namespace

NumaNodes read_numa_nodes(const Fd& sys) {
  NumaNodes nodes = online_nodes(sys);
  unsigned real = 0;
  for (unsigned i = 0; i < nodes.count; ++i) {
    const unsigned same = nearest_earlier(sys, nodes, i);
    nodes.group[i] = same < i ? nodes.group[same] : static_cast<uint8_t>(real++);
  }
  nodes.real = real == 0 ? 1 : real;
  return nodes;
}

unsigned count_numa_nodes(const Fd& sys) {
  return read_numa_nodes(sys).real;
}

}  // namespace hosa
