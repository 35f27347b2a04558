/* Memory handed out: the byte sensor (findings 1). raw_tp arguments are values: ctx[0] page, ctx[1] order, ctx[2] gfp
 * flags; no BTF, no offset. Counts every page; feeds the windows once per 64 KiB and CPU, attributes every second time,
 * to whoever crosses the line (once per page would be +250 ns). Sees huge pages and 16K pages for what they are.
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

ALWAYS_INLINE int is_anonymous(const struct hosa_page_kinds* kinds, __u32 gfp, __u32 order) {
  if (!(gfp & kinds->movable)) return 0;
  if (gfp & kinds->zero) return 1;
  return order >= 2 && (gfp & kinds->nomemalloc);
}

ALWAYS_INLINE int is_of_tmpfs(void* ctx) {
  const struct hosa_config* config_now = settings();
  if (!config_now) return 0;
  __u64 callers[16] = {}, start = config_now->shmem_code, bytes = config_now->shmem_code_bytes;
  if (bytes == 0 || get_stack(ctx, callers, sizeof callers, 0) < 0) return 0;
#pragma unroll
  for (int i = 2; i < 16; ++i) /* the first two are the tracepoint's */
    if (callers[i] - start < bytes) return 1;
  return 0;
}

/* Counts the page under its kind and says which: HOSA_ALL_BYTES if none is of interest. */
ALWAYS_INLINE int count_kind(void* ctx, struct hosa_cpu* slot, __u32 gfp, __u32 order, __u64 bytes) {
  const struct hosa_page_kinds* kinds = &slot->kinds;
  int of_tmpfs = 0;
  if (is_anonymous(kinds, gfp, order)) {
    of_tmpfs = order >= 2 && is_of_tmpfs(ctx);
    if (!of_tmpfs) {
      add_plainly(&slot->anon_bytes, bytes);
      return HOSA_ANON_BYTES;
    }
  }
  if (gfp & kinds->movable) {
    if (!of_tmpfs && gfp & kinds->not_shared) return HOSA_ALL_BYTES;
    add_plainly(&slot->shared_bytes, bytes);
    return HOSA_SHARED_BYTES;
  }
  if (gfp & kinds->not_kernel) return HOSA_ALL_BYTES;
  add_plainly(&slot->kernel_bytes, bytes);
  return HOSA_KERNEL_BYTES;
}

ALWAYS_INLINE int starts_up(__u32 tgid, __u64 now) {
  __u64* began_ns = map_lookup(&began, &tgid);
  if (!began_ns || now - *began_ns >= HOSA_START_NS) return 0;
  struct hosa_usage* usage = map_lookup(&by_process, &tgid);
  return !usage || usage->all_bytes < HOSA_START_BYTES;
}

ALWAYS_INLINE int is_quiet(struct hosa_config* config_now, __u32 tgid, __u64 now) {
  struct hosa_quiet* quiet = &config_now->quiets[tgid & (HOSA_QUIETS - 1)];
  return quiet->tgid == tgid && now < quiet->until_ns;
}

/* 5.10 cannot fetch what an atomic addition finds: two CPUs may both see the quota used up, and both send. */
ALWAYS_INLINE void use_quota(struct hosa_config* config_now, struct hosa_cpu* slot, __u64 amount, __u64 now,
                             __u64 cgroup, __u32 tgid) {
  for (int i = 0; i < HOSA_QUOTAS; ++i) {
    struct hosa_quota* quota = &config_now->quotas[i];
    if (quota->cgroup ? quota->cgroup != cgroup : !quota->tgid || quota->tgid != tgid) continue;
    __sync_fetch_and_add(&quota->left_bytes, -(__s64)amount);
    if (quota->left_bytes > 0 || quota->sent) continue;
    quota->sent = 1;
    send(slot, HOSA_ALL_BYTES, HOSA_QUOTA, now, amount, cgroup, tgid);
  }
}

/* What of a total nobody has been charged with yet. */
ALWAYS_INLINE __u64 take(__u64* charged, __u64 total) {
  __u64 due = total - *charged;
  *charged = total;
  return due;
}

ALWAYS_INLINE __u64 take_kind(struct hosa_cpu* slot, int kind) {
  return kind == HOSA_ANON_BYTES     ? take(&slot->anon_charged, slot->anon_bytes)
         : kind == HOSA_SHARED_BYTES ? take(&slot->shared_charged, slot->shared_bytes)
         : kind == HOSA_KERNEL_BYTES ? take(&slot->kernel_charged, slot->kernel_bytes)
                                     : 0;
}

ALWAYS_INLINE void add_both(struct hosa_usage* usage, __u64 all, int kind, __u64 due, __u64 cgroup) {
  add_usage(usage, HOSA_ALL_BYTES, all, cgroup);
  if (due) add_usage(usage, kind, due, cgroup);
}

/* All that was handed out since this was done last, and what was handed out of the kind of this page since it was done
 * for a page of that kind. */
ALWAYS_INLINE void charge(struct hosa_cpu* slot, int kind, int own, __u64 cgroup, __u32 tgid) {
  __u64 due = take_kind(slot, kind), all = take(&slot->all_charged, slot->all_bytes);
  if (own) return;
  struct hosa_usage* usage = entry_of_cgroup(cgroup, slot);
  if (usage) add_both(usage, all, kind, due, cgroup);
  usage = entry_of_process(tgid, cgroup, slot);
  if (usage) add_both(usage, all, kind, due, cgroup);
}

/* For whoever crosses the line. Each second time is enough to attribute, huge pages apart: the tables are half of what
 * a look costs. */
ALWAYS_INLINE void look(struct hosa_config* config_now, struct hosa_cpu* slot, int kind) {
  __u64 now = now_ns(), all = take(&slot->all_told, slot->all_bytes);
  __u64 anon = kind == HOSA_ANON_BYTES ? take(&slot->anon_told, slot->anon_bytes) : 0;
  slot->all_line = slot->all_bytes + HOSA_SAMPLE_LEAST + (((now ^ (now >> 6)) & 3) << 12);
  __u32 tgid = current_pid_tgid() >> 32;
  int own = is_own(config_now, tgid);
  __u64 cgroup = current_cgroup();
  if (slot->all_bytes - slot->all_charged >= 2 * HOSA_SAMPLE_LEAST) charge(slot, kind, own, cgroup, tgid);
  if (own) return;
  use_quota(config_now, slot, all, now, cgroup, tgid);
  if (starts_up(tgid, now)) return;
  int quiet = is_quiet(config_now, tgid, now);
  fill_windows(config_now, slot, HOSA_ALL_BYTES, all, now, quiet, cgroup, tgid);
  if (anon) fill_windows(config_now, slot, HOSA_ANON_BYTES, anon, now, quiet, cgroup, tgid);
}

SECTION("raw_tp/mm_page_alloc") int hosa_page_alloc(__u64* ctx) {
  struct hosa_cpu* slot = own_slot();
  if (!slot || !ctx[0]) return 0; /* no page: the allocation failed */
  __u32 order = ctx[1] & 31, gfp = (__u32)ctx[2];
  __u64 bytes = (__u64)slot->kinds.page_bytes << order;
  add_plainly(&slot->all_bytes, bytes);
  int kind = count_kind(ctx, slot, gfp, order, bytes);
  if (slot->all_bytes < slot->all_line) return 0;
  struct hosa_config* config_now = settings();
  if (config_now) look(config_now, slot, kind);
  return 0;
}
