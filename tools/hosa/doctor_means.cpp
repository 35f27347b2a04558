// Each means of holding and the rung it stands on, for `hosa doctor`. Nothing is changed to find out.
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/hosa/boot_remedy.h"
#include "tools/hosa/doctor.h"

#include "proprioception/turn.h"

namespace hosa {
namespace {

FixedString<200> controller_remedy(const Surroundings& s, const Controller& controller, const char* name) {
  const auto argument = [&](const char* key) { return boot_argument(s, FixedString<64>(key).append(name).view()); };
  if (!s.cgroup.directory && s.cgroup.reason.view().starts_with("--without")) return "leave out --without";
  if (controller.disabled)
    return s.machine.model.view().starts_with("Raspberry Pi")
               ? argument("cgroup_enable=")
               : FixedString<200>("take cgroup_disable=").append(name).append(" off the kernel command line; restart");
  if (controller.on_v1) return argument("cgroup_no_v1=");
  if (!controller.built_in) return FixedString<200>("a kernel built with the controller ").append(name);
  return "";
}

FixedString<255> why_no_controller(const Surroundings& s, const Controller& controller, const char* name) {
  FixedString<255> why;
  if (!s.cgroup.directory) return why.append("no cgroup v2: ").append(s.cgroup.reason.view());
  why.append("the controller ").append(name);
  if (controller.disabled) return why.append(" is switched off on the kernel command line");
  if (controller.on_v1) return why.append(" is held by a cgroup v1 hierarchy");
  if (!controller.built_in) return why.append(" is not built into this kernel");
  return why.append(" is not offered by the v2 root");
}

void add(Diagnoses& out, const char* name, const char* rung, const char* chain, std::string_view why = {},
         std::string_view costs = {}, std::string_view improve = {}) {
  Diagnosis d;
  d.name = name;
  d.rung = rung;
  d.chain = chain;
  d.why = why;
  d.costs = costs;
  d.improve = improve;
  out.push_back(d);
}

struct ControllerMeans {
  const char* name;
  const char* controller;
  const Controller& state;
  const char* best;
  const char* fallback;
  const char* costs;
};

void add_controller(Diagnoses& out, const Surroundings& s, const ControllerMeans& m) {
  const FixedString<255> chain = FixedString<255>(m.best).append(" -> ").append(m.fallback);
  if (m.state.available) return add(out, m.name, m.best, chain.c_str());
  add(out, m.name, m.fallback, chain.c_str(), why_no_controller(s, m.state, m.controller).view(), m.costs,
      controller_remedy(s, m.state, m.controller).view());
}

void add_room(Diagnoses& out, const Surroundings& s) {
  constexpr const char* kChain = "cgroup.freeze of a hold room -> SIGSTOP";
  constexpr const char* kCosts = "shells and parents see SIGSTOP; children born meanwhile are stopped one by one";
  if (!s.cgroup.directory)
    return add(out, "hold room", "SIGSTOP", kChain,
               FixedString<255>("no cgroup v2: ").append(s.cgroup.reason.view()).view(), kCosts,
               s.root ? "" : "sudo hosa doctor   (mounts cgroup v2 privately where there is none)");
  if (!s.freezer) return add(out, "hold room", "SIGSTOP", kChain, "this kernel has no cgroup.freeze (5.2+)", kCosts);
  add(out, "hold room", "cgroup.freeze of a hold room", kChain);
}

void add_keeper(Diagnoses& out) {
  constexpr const char* kChain = "keeper process on a pidfd -> nobody is held";
  const long fd = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (fd >= 0) {
    ::close(static_cast<int>(fd));
    return add(out, "giving back after our death", "keeper process on a pidfd", kChain);
  }
  add(out, "giving back after our death", "nobody is held", kChain, errno_error("pidfd_open (5.3+)").text().view(),
      "only watching", "a kernel of 5.3 or later");
}

void add_journal(Diagnoses& out) {
  constexpr const char* kChain = "/run -> /var/run -> /dev/shm -> memory shared with the keeper";
  for (const char* place : {"/run", "/var/run", "/dev/shm"})
    if (::access(place, W_OK) == 0) return add(out, "journal", place, kChain);
  add(out, "journal", "memory shared with the keeper", kChain, "none of the directories can be written",
      "what agent and keeper leave when both die at once is not found by the next start",
      ::geteuid() == 0 ? "" : "sudo hosa doctor");
}

void add_urgency(Diagnoses& out, const Surroundings& s) {
  constexpr const char* kChain = "real-time priority 1 -> nice -20 -> as it is";
  if (may_be_real_time()) return add(out, "own urgency", "real-time priority 1", kChain);
  if (s.may(kCapSysNice))
    return add(out, "own urgency", "nice -20", kChain,
               "real-time priority is refused here (a cgroup v1 cpu controller without cpu.rt_runtime_us)",
               "beside busy sessions 5 ms late instead of 0.06 ms", "");
  add(out, "own urgency", "as it is", kChain, "no CAP_SYS_NICE", "beside CPU hogs 4 ms late instead of 0.08 ms",
      "sudo hosa run   (or give the service CAP_SYS_NICE)");
}

}  // namespace

void diagnose_means(const KernelSide& kernel, const Surroundings& s, Diagnoses& out) {
  add_controller(out, s,
                 {"memory insurance", "memory", s.memory, "memory.high", "none: the bucket starts at 3/8 of the room",
                  "nothing holds the line while we decide"});
  add_room(out, s);
  constexpr const char* kQuota = "raw_tp mm_page_alloc, per 64 KiB -> a look each 10 ms";
  if (kernel.has(KernelSensor::memory))
    add(out, "byte quota", "raw_tp mm_page_alloc, per 64 KiB", kQuota);
  else
    add(out, "byte quota", "a look each 10 ms", kQuota, "see memory_allocated",
        "up to 0.5 MB more at 50 MB/s before the freeze", s.root ? "" : "sudo hosa doctor");
  add_controller(out, s,
                 {"cpu", "cpu", s.cpu, "cpu.weight and cpu.max",
                  s.cpu.on_v1 ? "cpu.shares and SCHED_IDLE on every thread" : "SCHED_IDLE on every thread",
                  "a pass over all threads each 50 ms"});
  add_controller(out, s,
                 {"tasks", "pids", s.pids, "pids.max", "SCHED_IDLE on every thread and the hold room",
                  "a storm is slowed, not stopped at a number"});
  add_keeper(out);
  add_journal(out);
  add_urgency(out, s);
}

}  // namespace hosa
