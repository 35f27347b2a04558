/* Requests handed to block devices, counted only. */
#include "probes/bpf.h"

SECTION("raw_tp/block_rq_issue") int hosa_block_issue(void* ctx) {
  (void)ctx;
  struct hosa_cpu* slot = own_slot();
  if (slot) add(&slot->block_issues, 1);
  return 0;
}
