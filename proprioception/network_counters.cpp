#include "proprioception/network_counters.h"

#include "proprioception/field_table.h"

namespace hosa {

namespace {

constexpr std::string_view kCarriesAgain[] = {"veth", "br-",  "docker", "virbr", "cni", "cali", "flannel",
                                              "ifb",  "bond", "team",   "dummy", "lxc", "vnet"};

void add_interface(std::string_view numbers, NetTraffic& traffic) {
  std::optional<uint64_t> fields[12];  // rx bytes packets errs drop fifo frame compressed multicast, tx the same four
  for (auto& field : fields) field = to_number(take_word(numbers));
  if (!fields[11]) return;
  add_to(traffic.rx_bytes, fields[0]);
  add_to(traffic.rx_packets, fields[1]);
  add_to(traffic.drops, fields[3]);
  add_to(traffic.tx_bytes, fields[8]);
  add_to(traffic.tx_packets, fields[9]);
  add_to(traffic.drops, fields[11]);
}

// snmp comes as pairs of lines, names above numbers: the number below `name`.
std::optional<uint64_t> below(std::string_view names, std::string_view numbers, std::string_view name) {
  while (true) {
    const std::string_view key = take_word(names), value = take_word(numbers);
    if (key.empty() || value.empty()) return std::nullopt;
    if (key == name) return to_number(value);
  }
}

// sockstat: "TCP: inuse 1 orphan 0 mem 251": the number behind `name`.
std::optional<uint64_t> behind(std::string_view words, std::string_view name) {
  while (true) {
    const std::string_view key = take_word(words), value = take_word(words);
    if (key.empty() || value.empty()) return std::nullopt;
    if (key == name) return to_number(value);
  }
}

}  // namespace

bool carries_again(std::string_view name) {
  if (name.find('.') != std::string_view::npos) return true;  // eth0.10: a VLAN of eth0
  if (name.starts_with("br") && name.size() > 2 && name[2] >= '0' && name[2] <= '9') return true;
  for (const std::string_view prefix : kCarriesAgain)
    if (name.starts_with(prefix)) return true;
  return false;
}

NetDev parse_net_dev(std::string_view text) {
  NetDev out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.find(':') == std::string_view::npos) continue;  // the two heading lines
    const std::string_view name = trim(take_until(line, ':'));
    if (name == "lo")
      add_interface(line, out.loopback);
    else if (!carries_again(name))
      add_interface(line, out.outside);
  }
  return out;
}

NetProtocols parse_snmp(std::string_view text) {
  NetProtocols out;
  while (!text.empty()) {
    const std::string_view names = take_line(text);
    if (!names.starts_with("Tcp: ") && !names.starts_with("Udp: ")) continue;
    const std::string_view numbers = take_line(text);
    if (slice(numbers, 0, 5) != slice(names, 0, 5)) continue;
    if (names.starts_with("Tcp: ")) {
      out.tcp_active_opens = below(names, numbers, "ActiveOpens");
      out.tcp_passive_opens = below(names, numbers, "PassiveOpens");
      out.tcp_segments_in = below(names, numbers, "InSegs");
      out.tcp_retransmits = below(names, numbers, "RetransSegs");
      out.tcp_resets_sent = below(names, numbers, "OutRsts");
    } else {
      out.udp_in = below(names, numbers, "InDatagrams");
      out.udp_out = below(names, numbers, "OutDatagrams");
    }
  }
  return out;
}

std::optional<uint64_t> parse_listen_drops(std::string_view text) {
  while (!text.empty()) {
    const std::string_view names = take_line(text);
    if (!names.starts_with("TcpExt: ")) continue;
    const std::string_view numbers = take_line(text);
    if (numbers.starts_with("TcpExt: ")) return below(names, numbers, "ListenDrops");
  }
  return std::nullopt;
}

Sockstat parse_sockstat(std::string_view text) {
  Sockstat out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view kind = take_word(line);
    if (kind == "sockets:") out.sockets_used = behind(line, "used");
    if (kind == "TCP:") {
      out.tcp_in_use = behind(line, "inuse");
      out.tcp_memory_pages = behind(line, "mem");
    }
    if (kind == "UDP:") out.udp_memory_pages = behind(line, "mem");
  }
  return out;
}

}  // namespace hosa
