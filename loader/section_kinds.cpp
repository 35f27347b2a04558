#include "loader/section_kinds.h"

#include <linux/bpf.h>
#include <linux/btf.h>

#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint32_t kFrags = 1U << 5;      // BPF_F_XDP_HAS_FRAGS, 5.18
constexpr uint32_t kSleepable = 1U << 4;  // BPF_F_SLEEPABLE, 5.10
constexpr uint32_t kNetfilter = 32;       // BPF_PROG_TYPE_NETFILTER, 6.4
constexpr uint32_t kNetfilterAttach = 45;
constexpr uint32_t kTcxIngress = 46, kTcxEgress = 47;                                                        // 6.6
constexpr uint32_t kUprobeMulti = 48;                                                                        // 6.6
constexpr uint32_t kUnixConnect = 49, kUnixSendmsg = 50, kUnixRecvmsg = 51, kUnixPeer = 52, kUnixSock = 53;  // 6.7
constexpr uint32_t kNetkitPrimary = 54, kNetkitPeer = 55;                                                    // 6.7
constexpr uint32_t kFsession = 58, kFentryMulti = 59, kFexitMulti = 60, kFsessionMulti = 61;                 // 7.x
constexpr uint32_t kKprobeSession = 56, kUprobeSession = 57;  // 6.10, 6.13

constexpr uint32_t kKprobe = BPF_PROG_TYPE_KPROBE, kTracing = BPF_PROG_TYPE_TRACING,
                   kClassifier = BPF_PROG_TYPE_SCHED_CLS;
using Target = SectionKind::Target;
constexpr uint32_t kAddress = BPF_PROG_TYPE_CGROUP_SOCK_ADDR, kSock = BPF_PROG_TYPE_CGROUP_SOCK;

constexpr SectionKind kKinds[] = {
    {"socket", BPF_PROG_TYPE_SOCKET_FILTER},
    {"sk_reuseport/migrate", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE},
    {"sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT},
    {"kprobe", kKprobe},
    {"kretprobe", kKprobe},
    {"uprobe", kKprobe},
    {"uprobe.s", kKprobe, 0, kSleepable},
    {"uretprobe", kKprobe},
    {"uretprobe.s", kKprobe, 0, kSleepable},
    {"kprobe.multi", kKprobe, BPF_TRACE_KPROBE_MULTI},
    {"kretprobe.multi", kKprobe, BPF_TRACE_KPROBE_MULTI},
    {"kprobe.session", kKprobe, kKprobeSession},
    {"uprobe.multi", kKprobe, kUprobeMulti},
    {"uretprobe.multi", kKprobe, kUprobeMulti},
    {"uprobe.session", kKprobe, kUprobeSession},
    {"uprobe.multi.s", kKprobe, kUprobeMulti, kSleepable},
    {"uretprobe.multi.s", kKprobe, kUprobeMulti, kSleepable},
    {"uprobe.session.s", kKprobe, kUprobeSession, kSleepable},
    {"ksyscall", kKprobe},
    {"kretsyscall", kKprobe},
    {"usdt", kKprobe},
    {"usdt.s", kKprobe, 0, kSleepable},
    {"tc/ingress", kClassifier, kTcxIngress},
    {"tc/egress", kClassifier, kTcxEgress},
    {"tcx/ingress", kClassifier, kTcxIngress},
    {"tcx/egress", kClassifier, kTcxEgress},
    {"tc", kClassifier},
    {"classifier", kClassifier},
    {"action", BPF_PROG_TYPE_SCHED_ACT},
    {"netkit/primary", kClassifier, kNetkitPrimary},
    {"netkit/peer", kClassifier, kNetkitPeer},
    {"tracepoint", BPF_PROG_TYPE_TRACEPOINT},
    {"tp", BPF_PROG_TYPE_TRACEPOINT},
    {"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT},
    {"raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT},
    {"raw_tracepoint.w", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
    {"raw_tp.w", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
    {"tracepoint.s", BPF_PROG_TYPE_TRACEPOINT, 0, kSleepable},
    {"tp.s", BPF_PROG_TYPE_TRACEPOINT, 0, kSleepable},
    {"raw_tracepoint.s", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, kSleepable},
    {"raw_tp.s", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, kSleepable},
    {"tp_btf.s", kTracing, BPF_TRACE_RAW_TP, kSleepable, Target::trace},
    {"fsession", kTracing, kFsession, 0, Target::function},
    {"fsession.s", kTracing, kFsession, kSleepable, Target::function},
    {"fentry.multi", kTracing, kFentryMulti},
    {"fexit.multi", kTracing, kFexitMulti},
    {"fsession.multi", kTracing, kFsessionMulti},
    {"fentry.multi.s", kTracing, kFentryMulti, kSleepable},
    {"fexit.multi.s", kTracing, kFexitMulti, kSleepable},
    {"fsession.multi.s", kTracing, kFsessionMulti, kSleepable},
    {"tp_btf", kTracing, BPF_TRACE_RAW_TP, 0, Target::trace},
    {"fentry", kTracing, BPF_TRACE_FENTRY, 0, Target::function},
    {"fmod_ret", kTracing, BPF_MODIFY_RETURN, 0, Target::function},
    {"fexit", kTracing, BPF_TRACE_FEXIT, 0, Target::function},
    {"fentry.s", kTracing, BPF_TRACE_FENTRY, kSleepable, Target::function},
    {"fmod_ret.s", kTracing, BPF_MODIFY_RETURN, kSleepable, Target::function},
    {"fexit.s", kTracing, BPF_TRACE_FEXIT, kSleepable, Target::function},
    {"freplace", BPF_PROG_TYPE_EXT},
    {"lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 0, Target::lsm},
    {"lsm.s", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, kSleepable, Target::lsm},
    {"lsm_cgroup", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, 0, Target::lsm},
    {"iter", kTracing, BPF_TRACE_ITER, 0, Target::iterator},
    {"iter.s", kTracing, BPF_TRACE_ITER, kSleepable, Target::iterator},
    {"syscall", BPF_PROG_TYPE_SYSCALL, 0, kSleepable},
    {"xdp.frags/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, kFrags},
    {"xdp/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP},
    {"xdp.frags/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, kFrags},
    {"xdp/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP},
    {"xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, kFrags},
    {"xdp", BPF_PROG_TYPE_XDP, BPF_XDP},
    {"perf_event", BPF_PROG_TYPE_PERF_EVENT},
    {"lwt_in", BPF_PROG_TYPE_LWT_IN},
    {"lwt_out", BPF_PROG_TYPE_LWT_OUT},
    {"lwt_xmit", BPF_PROG_TYPE_LWT_XMIT},
    {"lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL},
    {"sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS},
    {"sk_skb/stream_parser", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_PARSER},
    {"sk_skb/stream_verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT},
    {"sk_skb/verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT},
    {"sk_skb", BPF_PROG_TYPE_SK_SKB},
    {"sk_msg", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT},
    {"lirc_mode2", BPF_PROG_TYPE_LIRC_MODE2, BPF_LIRC_MODE2},
    {"flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR},
    {"cgroup_skb/ingress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS},
    {"cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS},
    {"cgroup/skb", BPF_PROG_TYPE_CGROUP_SKB},
    {"cgroup/sock_create", kSock, BPF_CGROUP_INET_SOCK_CREATE},
    {"cgroup/sock_release", kSock, BPF_CGROUP_INET_SOCK_RELEASE},
    {"cgroup/sock", kSock, BPF_CGROUP_INET_SOCK_CREATE},
    {"cgroup/post_bind4", kSock, BPF_CGROUP_INET4_POST_BIND},
    {"cgroup/post_bind6", kSock, BPF_CGROUP_INET6_POST_BIND},
    {"cgroup/bind4", kAddress, BPF_CGROUP_INET4_BIND},
    {"cgroup/bind6", kAddress, BPF_CGROUP_INET6_BIND},
    {"cgroup/connect4", kAddress, BPF_CGROUP_INET4_CONNECT},
    {"cgroup/connect6", kAddress, BPF_CGROUP_INET6_CONNECT},
    {"cgroup/connect_unix", kAddress, kUnixConnect},
    {"cgroup/sendmsg4", kAddress, BPF_CGROUP_UDP4_SENDMSG},
    {"cgroup/sendmsg6", kAddress, BPF_CGROUP_UDP6_SENDMSG},
    {"cgroup/sendmsg_unix", kAddress, kUnixSendmsg},
    {"cgroup/recvmsg4", kAddress, BPF_CGROUP_UDP4_RECVMSG},
    {"cgroup/recvmsg6", kAddress, BPF_CGROUP_UDP6_RECVMSG},
    {"cgroup/recvmsg_unix", kAddress, kUnixRecvmsg},
    {"cgroup/getpeername4", kAddress, BPF_CGROUP_INET4_GETPEERNAME},
    {"cgroup/getpeername6", kAddress, BPF_CGROUP_INET6_GETPEERNAME},
    {"cgroup/getpeername_unix", kAddress, kUnixPeer},
    {"cgroup/getsockname4", kAddress, BPF_CGROUP_INET4_GETSOCKNAME},
    {"cgroup/getsockname6", kAddress, BPF_CGROUP_INET6_GETSOCKNAME},
    {"cgroup/getsockname_unix", kAddress, kUnixSock},
    {"cgroup/sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL},
    {"cgroup/getsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT},
    {"cgroup/setsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT},
    {"cgroup/dev", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE},
    {"struct_ops", BPF_PROG_TYPE_STRUCT_OPS},
    {"struct_ops.s", BPF_PROG_TYPE_STRUCT_OPS, 0, kSleepable},
    {"sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP},
    {"netfilter", kNetfilter, kNetfilterAttach},
};

// The length of the kind's name where the section begins with it, as a whole word.
std::size_t matched(std::string_view section, const SectionKind& kind) {
  const std::string_view name = kind.name;
  if (slice(section, 0, name.size()) != name) return 0;
  return section.size() == name.size() || section[name.size()] == '/' ? name.size() : 0;
}

}  // namespace

const SectionKind* section_kind(std::string_view section) {
  for (const SectionKind& kind : kKinds)
    if (matched(section, kind) > 0) return &kind;
  return nullptr;
}

std::string_view section_target(std::string_view section) {
  const SectionKind* const kind = section_kind(section);
  return kind == nullptr ? std::string_view{} : slice(section, matched(section, *kind) + 1);
}

TargetName target_name(std::string_view section, const SectionKind& kind) {
  TargetName target;
  std::string_view name = slice(section, matched(section, kind) + 1);
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    target.module = slice(name, 0, colon);
    name = slice(name, colon + 1);
  }
  target.kind = kind.target == Target::trace ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC;
  if (kind.target == Target::none || name.empty()) return target;
  target.name = kind.target == Target::trace      ? "btf_trace_"
                : kind.target == Target::lsm      ? "bpf_lsm_"
                : kind.target == Target::iterator ? "bpf_iter_"
                                                  : "";
  target.name.append(name);
  return target;
}

}  // namespace hosa
