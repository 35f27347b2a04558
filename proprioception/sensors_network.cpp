// The network's part of a reading.
#include "proprioception/network_counters.h"
#include "proprioception/sensors.h"

namespace hosa {
namespace {

// FNV-1a, 64 bits: to see whether a text is the one it was.
uint64_t hash(std::string_view text) {
  uint64_t sum = 14695981039346656037u;
  for (const char letter : text) sum = (sum ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  return sum;
}

}  // namespace

// Netstat is the dearest of these texts (1.5 ms of 6 on a 125 MIPS board), and no connection is refused unless a
// segment has come in.
std::optional<uint64_t> Sensors::listen_drops(std::optional<uint64_t> segments_in, std::span<char> buffer) {
  if (segments_in && segments_in == segments_in_) return listen_drops_;
  const auto text = netstat_.read(buffer);
  segments_in_ = segments_in;
  listen_drops_ = text ? parse_listen_drops(*text) : std::nullopt;
  return listen_drops_;
}

void Sensors::read_network(std::span<char> buffer, bool all) {
  const bool moved = read_interfaces(buffer);
  if (!moved && !all) return;
  read_protocols(buffer);
  read_sockets(buffer);
}

// Whether any interface has moved a packet, one that is in no sum, too.
bool Sensors::read_interfaces(std::span<char> buffer) {
  const auto text = net_dev_.read(buffer);
  if (!text) return true;
  const NetDev net = parse_net_dev(*text);
  now_.put_sum(Signal::net_rx_packets, net.outside.rx_packets);
  now_.put_sum(Signal::net_rx_bytes, net.outside.rx_bytes);
  now_.put_sum(Signal::net_tx_packets, net.outside.tx_packets);
  now_.put_sum(Signal::net_tx_bytes, net.outside.tx_bytes);
  now_.put_sum(Signal::net_drops, net.outside.drops);
  now_.put_sum(Signal::loopback_packets, net.loopback.rx_packets);
  now_.put_sum(Signal::loopback_bytes, net.loopback.rx_bytes);
  const uint64_t before = interfaces_seen_;
  interfaces_seen_ = hash(*text);
  return interfaces_seen_ != before;
}

void Sensors::read_protocols(std::span<char> buffer) {
  std::optional<uint64_t> segments_in;
  if (const auto text = net_snmp_.read(buffer)) {
    const NetProtocols net = parse_snmp(*text);
    segments_in = net.tcp_segments_in;
    now_.put(Signal::tcp_active_opens, net.tcp_active_opens);
    now_.put(Signal::tcp_passive_opens, net.tcp_passive_opens);
    now_.put(Signal::tcp_retransmits, net.tcp_retransmits);
    now_.put(Signal::tcp_resets_sent, net.tcp_resets_sent);
    now_.put(Signal::udp_in, net.udp_in);
    now_.put(Signal::udp_out, net.udp_out);
  }
  now_.put(Signal::listen_drops, listen_drops(segments_in, buffer));
}

void Sensors::read_sockets(std::span<char> buffer) {
  const auto text = sockstat_.read(buffer);
  if (!text) return;
  const Sockstat sockets = parse_sockstat(*text);
  now_.put(Signal::sockets_used, sockets.sockets_used);
  now_.put(Signal::tcp_in_use, sockets.tcp_in_use);
  now_.put(Signal::tcp_memory_bytes, sockets.tcp_memory_pages, page_bytes_);
  now_.put(Signal::udp_memory_bytes, sockets.udp_memory_pages, page_bytes_);
}

}  // namespace hosa
