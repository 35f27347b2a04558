/* The end of memory, told at once: a task that must free pages itself before it gets one (the machine's own shortage; a
 * cgroup at its limit has another tracepoint), and somebody picked by the OOM killer. `current` is the task that asked
 * for memory, not the victim: the tracepoint's own arguments are a pid up to 6.7 and a pointer later. */
#include "probes/attribute.h"

ALWAYS_INLINE void tell(struct hosa_cpu* slot, int subject, __u64 now) {
  send(slot, subject, 0, now, 1, current_cgroup(), current_pid_tgid() >> 32);
}

SECTION("raw_tp/mm_vmscan_direct_reclaim_begin") int hosa_direct_reclaim(void* ctx) {
  (void)ctx;
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  __u64 now = now_ns();
  if (now < config_now->reclaim_quiet_until_ns) return 0;
  config_now->reclaim_quiet_until_ns = now + HOSA_RECLAIM_QUIET_NS; /* two CPUs may both send */
  tell(slot, HOSA_DIRECT_RECLAIM, now);
  return 0;
}

SECTION("raw_tp/mark_victim") int hosa_oom_kill(void* ctx) {
  (void)ctx;
  struct hosa_cpu* slot = own_slot();
  if (slot) tell(slot, HOSA_OOM_KILL, now_ns());
  return 0;
}
