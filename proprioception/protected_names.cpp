#include "proprioception/protected_names.h"

#include "loader/sys/text.h"

namespace hosa {

namespace {

using enum PlayedBy;

constexpr const char* kSshd = "secure shell server";
constexpr const char* kLogin = "login on a terminal";
constexpr const char* kMultiplexer = "terminal multiplexer that holds sessions";
constexpr const char* kDisplay = "display server, compositor or login screen";
constexpr const char* kSystemd = "part of systemd";
constexpr const char* kBus = "message bus or authorization";
constexpr const char* kDevices = "device manager";
constexpr const char* kLog = "system log";
constexpr const char* kNetwork = "network manager";
constexpr const char* kContainers = "container runtime";
constexpr const char* kKubernetes = "Kubernetes node agent";
constexpr const char* kWatchdog = "watchdog feeder";
constexpr const char* kStorage = "serves storage that others would hang on";
constexpr const char* kInit = "init or service supervisor";

constexpr ProtectedName kNames[] = {
    {"sshd", root, kSshd},
    {"sshd-session", anybody, kSshd},
    {"sshd-auth", anybody, kSshd},
    {"dropbear", anybody, kSshd},
    {"tinysshd", anybody, kSshd},
    {"login", root, kLogin},
    {"agetty", root, kLogin},
    {"getty", root, kLogin},
    {"mgetty", root, kLogin},
    {"tmux", anybody, kMultiplexer},
    {"screen", anybody, kMultiplexer},
    {"Xorg", anybody, kDisplay},
    {"Xwayland", anybody, kDisplay},
    {"Xvnc", anybody, kDisplay},
    {"gnome-shell", anybody, kDisplay},
    {"gnome-session*", anybody, kDisplay},
    {"kwin_wayland", anybody, kDisplay},
    {"kwin_x11", anybody, kDisplay},
    {"plasmashell", anybody, kDisplay},
    {"weston", anybody, kDisplay},
    {"sway", anybody, kDisplay},
    {"labwc", anybody, kDisplay},
    {"wayfire", anybody, kDisplay},
    {"cage", anybody, kDisplay},
    {"mutter", anybody, kDisplay},
    {"lightdm", anybody, kDisplay},
    {"gdm*", anybody, kDisplay},
    {"sddm*", anybody, kDisplay},
    {"wayvnc", anybody, kDisplay},
    {"systemd", anybody, "systemd of the machine or of a user"},
    {"systemd-executor", anybody, kSystemd},
    {"systemd-journald", anybody, kLog},
    {"systemd-udevd", anybody, kDevices},
    {"systemd-networkd", anybody, kNetwork},
    {"systemd-resolved", anybody, kNetwork},
    {"systemd-*", root, kSystemd},
    {"dbus-daemon", anybody, kBus},
    {"dbus-broker", anybody, kBus},
    {"dbus-broker-launch", anybody, kBus},
    {"polkitd", anybody, kBus},
    {"udevadm", root, kDevices},
    {"udevd", root, kDevices},
    {"mdev", root, kDevices},
    {"eudevd", root, kDevices},
    {"rsyslogd", root, kLog},
    {"syslogd", root, kLog},
    {"klogd", root, kLog},
    {"NetworkManager", root, kNetwork},
    {"dhcpcd", root, kNetwork},
    {"dhclient", root, kNetwork},
    {"udhcpc", root, kNetwork},
    {"wpa_supplicant", root, kNetwork},
    {"iwd", root, kNetwork},
    {"connmand", root, kNetwork},
    {"netifd", root, kNetwork},
    {"networkd-dispatcher", root, kNetwork},
    {"containerd", anybody, kContainers},
    {"containerd-shim*", anybody, kContainers},
    {"dockerd", anybody, kContainers},
    {"docker-proxy", root, kContainers},
    {"crio", root, kContainers},
    {"conmon", anybody, kContainers},
    {"runc", anybody, kContainers},
    {"crun", anybody, kContainers},
    {"podman", anybody, kContainers},
    {"lxc-start", anybody, kContainers},
    {"kubelet", root, kKubernetes},
    {"k3s", root, kKubernetes},
    {"k3s-agent", root, kKubernetes},
    {"k3s-server", root, kKubernetes},
    {"watchdog", root, kWatchdog},
    {"wd_keepalive", root, kWatchdog},
    {"rpc.nfsd", root, kStorage},
    {"rpc.mountd", root, kStorage},
    {"nfsdcld", root, kStorage},
    {"ganesha.nfsd", root, kStorage},
    {"iscsid", root, kStorage},
    {"iscsiuio", root, kStorage},
    {"tgtd", root, kStorage},
    {"tcmu-runner", root, kStorage},
    {"nbd-client", root, kStorage},
    {"multipathd", root, kStorage},
    {"init", root, kInit},
    {"procd", root, kInit},
    {"runsvdir", root, kInit},
    {"runsv", root, kInit},
    {"s6-svscan", root, kInit},
    {"s6-supervise", root, kInit},
    {"supervise-daemon", root, kInit},
};

constexpr std::string_view kShells[] = {"sh",  "bash", "rbash", "dash", "ash",  "zsh",     "fish",
                                        "ksh", "mksh", "tcsh",  "csh",  "yash", "busybox", "nu"};

}  // namespace

const ProtectedName* find_protected_name(std::string_view program) {
  for (const ProtectedName& name : kNames) {
    if (name.program == program) return &name;
    if (name.program.ends_with('*') && program.starts_with(slice(name.program, 0, name.program.size() - 1)))
      return &name;
  }
  return nullptr;
}

bool is_shell(std::string_view program) {
  for (const std::string_view shell : kShells)
    if (program == shell || (shell == "zsh" && program.starts_with("zsh-"))) return true;
  return false;
}

bool is_interpreter(std::string_view program) {
  return program.starts_with("python") || program.starts_with("perl") || program == "ruby" || program == "node";
}

}  // namespace hosa
