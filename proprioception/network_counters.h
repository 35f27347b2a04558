// The network's counters since boot, of the network namespace the files were opened in: /proc/net/dev (interfaces),
// /proc/net/snmp (TCP, UDP over IPv4; the TCP counters include IPv6, the UDP ones do not), /proc/net/sockstat (levels).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct NetTraffic {
  std::optional<uint64_t> rx_packets, rx_bytes, tx_packets, tx_bytes;
  std::optional<uint64_t> drops;  // both directions: the ring was full, or no buffer could be had
};
struct NetDev {
  NetTraffic outside;   // all interfaces that lead out of the machine
  NetTraffic loopback;  // lo
};
// Interfaces that carry again what another one carries (bridges, veth pairs, bonds, VLANs, ifb) are left out by name.
NetDev parse_net_dev(std::string_view text);
bool carries_again(std::string_view interface_name);

struct NetProtocols {
  std::optional<uint64_t> tcp_active_opens, tcp_passive_opens;
  std::optional<uint64_t> tcp_segments_in;  // InSegs
  std::optional<uint64_t> tcp_retransmits;  // RetransSegs
  std::optional<uint64_t> tcp_resets_sent;  // OutRsts
  std::optional<uint64_t> udp_in, udp_out;  // datagrams
};
NetProtocols parse_snmp(std::string_view text);

// /proc/net/netstat, TcpExt: connections that came while the listener's queue was full, and what was dropped with them.
std::optional<uint64_t> parse_listen_drops(std::string_view netstat);

struct Sockstat {
  std::optional<uint64_t> sockets_used;
  std::optional<uint64_t> tcp_in_use;
  std::optional<uint64_t> tcp_memory_pages, udp_memory_pages;  // buffers, machine's pages; of the whole machine
};
Sockstat parse_sockstat(std::string_view text);

}  // namespace hosa
