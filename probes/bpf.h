/* What every probe needs: the few kernel helpers it calls, by their numbers in the UAPI's enum bpf_func_id, and the
 * macros that put things into the sections that loader/object.h reads. No libbpf, no BTF, no vmlinux.h. */
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>

#include "probes/events.h"

#define SECTION(name) __attribute__((section(name), used))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

static void* (*const map_lookup)(void* map, const void* key) = (void*)BPF_FUNC_map_lookup_elem;
static long (*const map_update)(void* map, const void* key, const void* value,
                                __u64 flags) = (void*)BPF_FUNC_map_update_elem;
static __u64 (*const now_ns)(void) = (void*)BPF_FUNC_ktime_get_ns;
static __u64 (*const current_pid_tgid)(void) = (void*)BPF_FUNC_get_current_pid_tgid;
static __u64 (*const current_cgroup)(void) = (void*)BPF_FUNC_get_current_cgroup_id;
static long (*const current_comm)(void* buffer, __u32 size) = (void*)BPF_FUNC_get_current_comm;
static __u32 (*const this_cpu)(void) = (void*)BPF_FUNC_get_smp_processor_id;
static long (*const get_stack)(void* ctx, void* buffer, __u32 bytes, __u64 flags) = (void*)BPF_FUNC_get_stack;
static void* (*const ring_reserve)(void* ring, __u64 size, __u64 flags) = (void*)BPF_FUNC_ringbuf_reserve;
static void (*const ring_submit)(void* record, __u64 flags) = (void*)BPF_FUNC_ringbuf_submit;

/* Field for field loader's MapShape. max_entries 0: the loading side decides. */
struct map {
  __u32 type;
  __u32 key_bytes;
  __u32 value_bytes;
  __u32 max_entries;
  __u32 flags;
};

/* A field of a tracepoint's context: number and name in FIELD_TABLE, read by FIELD. The load goes to a place where no
 * field is; loader/context_fields.h rewrites it for the kernel that runs. */
struct field {
  char event[40];
  char name[24];
};
#define FIELD_TABLE(table) const struct field SECTION("fields") table[]
#define FIELD(ctx, number, type) (*(volatile type*)((char*)(ctx) + 0x4000 + 8 * (number)))

/* A slot per possible CPU, mapped by user side. */
struct map SECTION("maps") counters = {BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct hosa_cpu), 0, BPF_F_MMAPABLE};

/* One program runs on one CPU without being moved, but an interrupt's event may come in between: totals are added
 * atomically. (With -mcpu=v2 this is one instruction, and its old value must not be used.) */
ALWAYS_INLINE void add(__u64* total, __u64 amount) {
  __sync_fetch_and_add(total, amount);
}

/* For the two hottest events: a plain addition. An interrupt's event between its load and its store goes uncounted. */
ALWAYS_INLINE void add_plainly(__u64* total, __u64 amount) {
  *(volatile __u64*)total += amount;
}

ALWAYS_INLINE struct hosa_cpu* own_slot(void) {
  __u32 cpu = this_cpu();
  return map_lookup(&counters, &cpu);
}

char licence[] SECTION("license") = "Dual MIT/GPL";
