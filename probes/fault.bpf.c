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
  attribute(config_now, slot, HOSA_FAULTS, HOSA_SAMPLE_FAULTS);
  return 0;
}
