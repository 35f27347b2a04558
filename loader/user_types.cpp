#include "loader/user_types.h"

namespace hosa {
namespace {

// least: the sizes of 5.8, which is older than what this loader is for. An object for another architecture has other
// registers, of another size.
#if defined(__aarch64__)
constexpr uint32_t kLeastRegisters = 272, kMostRegisters = 512, kLeastUser = 272;  // user_pt_regs begins pt_regs
#else
constexpr uint32_t kLeastRegisters = 168, kMostRegisters = 168, kLeastUser = UINT32_MAX;
#endif
constexpr uint32_t kGrows = UINT32_MAX;

constexpr struct {
  std::string_view name;
  uint32_t least, most;
} kPromised[] = {
    {"pt_regs", kLeastRegisters, kMostRegisters},
    {"user_pt_regs", kLeastUser, 272},
    {"bpf_perf_event_data", kLeastRegisters + 16, kGrows},
    {"bpf_raw_tracepoint_args", 0, kGrows},
    {"__sk_buff", 176, kGrows},
    {"xdp_md", 20, kGrows},
    {"bpf_sock", 80, kGrows},
    {"bpf_sock_addr", 72, kGrows},
    {"bpf_sock_ops", 184, kGrows},
    {"sk_msg_md", 72, kGrows},
    {"sk_reuseport_md", 32, kGrows},
    {"bpf_cgroup_dev_ctx", 12, kGrows},
    {"bpf_sysctl", 8, kGrows},
    {"bpf_sockopt", 40, kGrows},
    {"ethhdr", 14, 14},  // these are what goes over the wire
    {"iphdr", 20, 20},
    {"ipv6hdr", 40, 40},
    {"tcphdr", 20, 20},
    {"udphdr", 8, 8},
    {"icmphdr", 8, 8},
    {"vlan_hdr", 4, 4},
};

}  // namespace

bool promised_to_user_space(std::string_view type, uint32_t bytes) {
  for (const auto& promised : kPromised)
    if (promised.name == type) return bytes >= promised.least && bytes <= promised.most;
  return false;
}

}  // namespace hosa
