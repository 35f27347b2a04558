/* Page faults of user mode: counted, and one in 16 attributed to its process with the weight of 16. This raw tracepoint
 * exists on x86; where it does not, user side opens a perf counter per CPU instead and this object is not loaded. It
 * costs 51-74 ns a fault (findings 1) and is attached only from level 1 on: when calm, /proc/vmstat counts for nothing.
 */
#include "probes/attribute.h"

SECTION("raw_tp/page_fault_user") int hosa_page_fault(void* ctx) {
  (void)ctx;
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  add(&slot->faults, 1);
  if (slot->faults & (HOSA_SAMPLE_FAULTS - 1)) return 0;
  __u32 tgid = current_pid_tgid() >> 32;
  if (config_now->own_tgid != 0 && tgid == config_now->own_tgid) return 0;
  __u64 cgroup = current_cgroup();
  attribute_to(&by_process, &tgid, HOSA_FAULTS, HOSA_SAMPLE_FAULTS, cgroup);
  attribute_to(&by_cgroup, &cgroup, HOSA_FAULTS, HOSA_SAMPLE_FAULTS, cgroup);
  return 0;
}
