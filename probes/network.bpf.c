/* Packets given to network devices: counted, and one in 16 attributed to the task that sends with the weight of 16.
 * (Those received come in an interrupt, in which `current` is anybody.) An acknowledgement or a forwarded packet is
 * sent by an interrupt too: such a one is put down to whoever it interrupts, process 0 on an idle CPU. */
#include "probes/attribute.h"

SECTION("raw_tp/net_dev_queue") int hosa_packet(void* ctx) {
  (void)ctx;
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  add(&slot->packets, 1);
  if (slot->packets & (HOSA_SAMPLE_PACKETS - 1)) return 0;
  attribute(config_now, slot, HOSA_PACKETS, HOSA_SAMPLE_PACKETS);
  return 0;
}
