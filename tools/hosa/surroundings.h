// What this machine grants and withholds: privileges, boot arguments, which hierarchy holds which controller. Facts
// only; `hosa doctor` makes reasons and remedies of them. What cannot be read stays empty or false.
#pragma once
#include "proprioception/cgroup_mount.h"
#include "proprioception/machine.h"

namespace hosa {

// Of one controller, from /proc/cgroups (fs: cgroup v1 and v2 share it) and cgroup.controllers of the v2 root.
struct Controller {
  bool built_in = false;   // has a line
  bool disabled = false;   // by cgroup_disable= on the command line
  bool on_v1 = false;      // held by a v1 hierarchy, so v2 cannot have it
  bool available = false;  // listed by the v2 root
};
// v1_name: as /proc/cgroups has it, where that is another one (io was blkio).
Controller parse_controller(std::string_view proc_cgroups, std::string_view v2_controllers, std::string_view name,
                            std::string_view v1_name = {});

// Where the kernel's command line is written on this machine, for people; what has to be run then.
struct BootLine {
  const char* file = "";
  const char* where = "";
  const char* then = "";
};

struct Surroundings {
  FixedString<32> architecture;  // uname -m
  bool root = false;             // effective uid 0
  uint64_t capabilities = 0;     // CapEff
  FixedString<32> lockdown;      // none, integrity, confidentiality; empty: not built in, or it may not be asked
  bool btf = false;              // /sys/kernel/btf/vmlinux can be opened
  FixedString<120> no_tracefs;   // why tracefs cannot be had; empty: it can
  FixedString<200> no_psi;       // why pressure cannot be read; empty: it can
  Controller memory, cpu, pids, io;
  bool freezer = false;          // some cgroup has cgroup.freeze, or there is none to ask
  bool psi_built_in = true;      // asked only where pressure cannot be read
  FixedString<2047> boot_words;  // the kernel's command line
  BootLine boot_line;
  CgroupHome cgroup;
  Machine machine;

  bool may(unsigned capability) const { return (capabilities >> capability & 1) != 0; }
};

inline constexpr unsigned kCapSysAdmin = 21, kCapSysNice = 23, kCapPerfmon = 38, kCapBpf = 39;

// without: forced rungs, as the options say.
struct ForcedRungs;
Surroundings read_surroundings(const Fd& proc, const Fd& sys, const ForcedRungs& without);

}  // namespace hosa
