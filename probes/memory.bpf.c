/* Memory handed out: the byte sensor (findings 1). raw_tp arguments are values: ctx[0] page, ctx[1] order, ctx[2] gfp
 * flags; no BTF, no offset. Counts every page; attributes and feeds the windows once per 64 KiB and CPU, to whoever
 * crosses the line (+100 ns per page; once per page would be +250). Sees huge pages and 16K pages for what they are.
 *
 * Anonymous memory is told by its flags: movable and zeroed, or movable, order >= 2 and __GFP_NOMEMALLOC (multi-size
 * and huge pages that are zeroed later). Page cache in large folios has the former but not the latter. The second
 * accumulator counts all pages: tmpfs filled by write() and socket buffers are in no anonymous count, and wake the
 * loop by it.
 *
 * What grows without showing in any process is attributed by itself, so that it is not put down to whoever was handed
 * most pages of any kind (a compiler): tmpfs and shared memory are movable pages without __GFP_ZERO (anonymous),
 * __GFP_WRITE (a file that is written) and __GFP_NORETRY (read ahead); anonymous pages that are copied on write look
 * the same. The kernel's own are neither movable nor reclaimable nor zeroed (page tables, stacks), nor
 * __GFP_HIGHMEM (pipes), __GFP_WRITE (a block device's cache) or __GFP_HIGH (an interrupt's, whoever runs just then).
 *
 * Huge pages of tmpfs (huge=) have the flags of anonymous ones. Where such a tmpfs may be, who called is looked for on
 * the kernel's stack, for pages of two orders and more only: 1 us for each 64 KiB or 2 MiB.
 */
#include "probes/attribute.h"

ALWAYS_INLINE int is_anonymous(const struct hosa_config* config_now, __u64 gfp, __u64 order) {
  if (!(gfp & config_now->gfp_movable)) return 0;
  if (gfp & config_now->gfp_zero) return 1;
  return order >= 2 && (gfp & config_now->gfp_nomemalloc);
}

ALWAYS_INLINE int is_of_tmpfs(void* ctx, const struct hosa_config* config_now) {
  __u64 callers[16] = {}, start = config_now->shmem_code, bytes = config_now->shmem_code_bytes;
  if (bytes == 0 || get_stack(ctx, callers, sizeof callers, 0) < 0) return 0;
#pragma unroll
  for (int i = 2; i < 16; ++i) /* the first two are the tracepoint's */
    if (callers[i] - start < bytes) return 1;
  return 0;
}

ALWAYS_INLINE void count_anonymous(struct hosa_config* config_now, struct hosa_cpu* slot, __u64 bytes) {
  add_plainly(&slot->anon_bytes, bytes);
  __u64 due = accumulate(&slot->anon_pending, bytes);
  if (due) attribute(config_now, slot, HOSA_ANON_BYTES, due);
}

SECTION("raw_tp/mm_page_alloc") int hosa_page_alloc(__u64* ctx) {
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot || !ctx[0]) return 0; /* no page: the allocation failed */
  __u64 order = ctx[1] & 31, gfp = (__u32)ctx[2];
  __u64 bytes = config_now->page_bytes << order, due = 0;
  add_plainly(&slot->all_bytes, bytes);
  due = accumulate(&slot->all_pending, bytes);
  if (due) attribute(config_now, slot, HOSA_ALL_BYTES, due);
  int anonymous = is_anonymous(config_now, gfp, order), of_tmpfs = 0;
  if (anonymous && order >= 2) of_tmpfs = is_of_tmpfs(ctx, config_now);
  if (anonymous && !of_tmpfs) {
    count_anonymous(config_now, slot, bytes);
  } else if (gfp & config_now->gfp_movable) {
    if (!of_tmpfs && gfp & config_now->gfp_not_shared) return 0;
    due = accumulate(&slot->shared_pending, bytes);
    if (due) attribute_only(config_now, slot, HOSA_SHARED_BYTES, due);
  } else if (!(gfp & config_now->gfp_not_kernel)) {
    due = accumulate(&slot->kernel_pending, bytes);
    if (due) attribute_only(config_now, slot, HOSA_KERNEL_BYTES, due);
  }
  return 0;
}
