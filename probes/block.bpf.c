/* Requests handed to block devices, counted; and bytes asked of them, attributed to whoever asked. The two are
 * different events: a request is issued by whoever happens to unplug the queue (often a kernel worker), a bio is queued
 * by the task that reads or writes; what the page cache writes back later is the flusher's. A device on top of another
 * (dm, md) queues its bios once more below: shares stay right, the sum counts both. */
#include "probes/attribute.h"

FIELD_TABLE(block_fields) = {{"block/block_bio_queue", "nr_sector"}, {"block/block_bio_queue", "rwbs"}};
enum { kSectors, kKind };

SECTION("raw_tp/block_rq_issue") int hosa_block_issue(void* ctx) {
  (void)ctx;
  struct hosa_cpu* slot = own_slot();
  if (slot) add(&slot->block_issues, 1);
  return 0;
}

SECTION("tracepoint/block/block_bio_queue") int hosa_block_bytes(void* ctx) {
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  if (FIELD(ctx, kKind, __u8) == 'D') return 0; /* a discard moves nothing */
  __u64 bytes = (__u64)FIELD(ctx, kSectors, __u32) << 9;
  add(&slot->block_bytes, bytes);
  bytes += slot->block_pending;
  slot->block_pending = bytes < HOSA_SAMPLE_BYTES ? bytes : 0;
  if (bytes >= HOSA_SAMPLE_BYTES) attribute(config_now, slot, HOSA_BLOCK_BYTES, bytes);
  return 0;
}
