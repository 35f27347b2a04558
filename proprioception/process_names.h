// Who a process is: the program it runs and its command line, kept from when it was first seen, because in an episode
// the command line must not be read (it can hang on a process in reclaim). The name of a process (comm) is its own
// claim; what it runs is the kernel's: /proc/PID/exe cannot be forged.
#pragma once
#include "proprioception/capacity.h"
#include "proprioception/process.h"

namespace hosa {

struct ProcessIdentity {
  FixedString<192> exe;                 // what /proc/PID/exe points at, without " (deleted)"; empty for kernel threads
  FixedString<256> arguments;           // the command line as it is, arguments end in NUL; cut at 256 bytes
  unsigned uid = 0;                     // effective
  bool owned_by_root = false;           // the program file is root's, and nobody else may write it
  bool foreign_user_namespace = false;  // not hosa's: its "root" is anybody
  bool known = false;                   // false: it could not be read, or it has gone

  std::string_view program() const;             // "sshd" of "/usr/sbin/sshd"
  std::string_view argument(int number) const;  // 0, 1, ..; empty when there is none
  FixedString<256> command_line() const;        // for people: spaces between arguments, control characters as '?'
};

// Everything from procfs, now. Reads status, exe, ns/user and, unless quick, cmdline.
ProcessIdentity read_identity(const Fd& proc, int pid, bool quick = false);

// A cache keyed by pid and start time: 256 sets of 4, the least recently used of a set gives way. 0.5 MB.
// All bits zero when new, so that a static cache costs no byte of the program file.
// exec changes who a process is, so the link exe is compared at each look-up (1.7 us, never waits; a first look 19 us).
class ProcessNames {
 public:
  // Known before, else read now. In calm: may_wait, the command line is read. In an episode not: a process first seen
  // then has an identity without arguments, which is completed by a later call that may wait.
  const ProcessIdentity& identify(const Fd& proc, const ProcessInfo& process, bool may_wait);
  // Only what is known already; nullptr: never seen.
  const ProcessIdentity* peek(int pid, uint64_t start_ticks) const;
  std::size_t size() const;

 private:
  struct Entry {
    int pid = 0;
    uint64_t start_ticks = 0, last_used = 0;
    bool quick = false;
    ProcessIdentity identity;
  };
  Entry& slot_for(const ProcessInfo& process);
  Entry entries_[kNameSets][kNameWays];
  uint64_t clock_ = 0;
};

}  // namespace hosa
