/* Who did it, and whether somebody must know now: the two tables of usage, the tripwire windows and the records.
 * Shared by the probes that attribute. `current` is the task that allocates, forks, asks a disk or sends. */
#pragma once
#include "probes/bpf.h"

struct map SECTION("maps") config = {BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct hosa_config), 1, BPF_F_MMAPABLE};
struct map SECTION("maps") by_cgroup = {BPF_MAP_TYPE_LRU_HASH, sizeof(__u64), sizeof(struct hosa_usage), HOSA_CGROUPS,
                                        0};
struct map SECTION("maps") by_process = {BPF_MAP_TYPE_LRU_HASH, sizeof(__u32), sizeof(struct hosa_usage),
                                         HOSA_PROCESSES, 0};
/* When a process began to run its program (CLOCK_MONOTONIC), those that did so last. */
struct map SECTION("maps") began = {BPF_MAP_TYPE_LRU_HASH, sizeof(__u32), sizeof(__u64), HOSA_PROCESSES, 0};
struct map SECTION("maps") records = {BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 0};

ALWAYS_INLINE struct hosa_config* settings(void) {
  __u32 zero = 0;
  return map_lookup(&config, &zero);
}

ALWAYS_INLINE void add_usage(struct hosa_usage* usage, int subject, __u64 amount, __u64 cgroup) {
  add(subject == HOSA_ANON_BYTES     ? &usage->anon_bytes
      : subject == HOSA_ALL_BYTES    ? &usage->all_bytes
      : subject == HOSA_FAULTS       ? &usage->faults
      : subject == HOSA_BLOCK_BYTES  ? &usage->block_bytes
      : subject == HOSA_PACKETS      ? &usage->packets
      : subject == HOSA_SHARED_BYTES ? &usage->shared_bytes
      : subject == HOSA_KERNEL_BYTES ? &usage->kernel_bytes
                                     : &usage->forks,
      amount);
  usage->cgroup = cgroup;
}

/* Two CPUs may find the entry missing at once: BPF_NOEXIST makes one of them come second and add to the first's. */
ALWAYS_INLINE struct hosa_usage* attribute_to(void* table, const void* key, int subject, __u64 amount, __u64 cgroup,
                                              struct hosa_cpu* slot, __u64* made) {
  struct hosa_usage* usage = map_lookup(table, key);
  if (!usage) {
    struct hosa_usage fresh = {};
    fresh.cgroup = cgroup;
    if (map_update(table, key, &fresh, BPF_NOEXIST) == 0) add(made, 1);
    usage = map_lookup(table, key);
  }
  if (usage)
    add_usage(usage, subject, amount, cgroup);
  else
    add(&slot->unattributed, 1);
  return usage;
}

/* The process's own entry, or none. */
ALWAYS_INLINE struct hosa_usage* attribute_to_both(__u32 tgid, __u64 cgroup, int subject, __u64 amount,
                                                   struct hosa_cpu* slot) {
  attribute_to(&by_cgroup, &cgroup, subject, amount, cgroup, slot, &slot->made_cgroups);
  return attribute_to(&by_process, &tgid, subject, amount, cgroup, slot, &slot->made_processes);
}

ALWAYS_INLINE int starts_up(__u32 tgid, __u64 now, const struct hosa_usage* usage) {
  if (!usage || usage->all_bytes >= HOSA_START_BYTES) return 0;
  __u64* began_ns = map_lookup(&began, &tgid);
  return began_ns && now - *began_ns < HOSA_START_NS;
}

/* What has no window. hosa itself is not attributed. */
ALWAYS_INLINE void attribute_only(struct hosa_config* config_now, struct hosa_cpu* slot, int subject, __u64 amount) {
  __u32 tgid = current_pid_tgid() >> 32;
  if (config_now->own_tgid != 0 && tgid == config_now->own_tgid) return;
  attribute_to_both(tgid, current_cgroup(), subject, amount, slot);
}

/* Adds to an accumulator; what is due for attribution, or 0. */
ALWAYS_INLINE __u64 accumulate(__u64* pending, __u64 bytes) {
  __u64 sum = *pending + bytes;
  if (sum < HOSA_SAMPLE_BYTES) {
    *pending = sum;
    return 0;
  }
  *pending = 0;
  return sum;
}

/* The bucket of a histogram in half octaves (events.h). */
ALWAYS_INLINE __u32 bucket_of(__u64 units) {
  __u32 bucket = 0;
  if (units > 65535) units = 65535;
  if (units >= 512) units >>= 8, bucket += 16;
  if (units >= 32) units >>= 4, bucket += 8;
  if (units >= 8) units >>= 2, bucket += 4;
  if (units >= 4) units >>= 1, bucket += 2;
  return (bucket + (__u32)units) & (HOSA_BUCKETS - 1);
}

ALWAYS_INLINE int is_quiet(struct hosa_config* config_now, __u32 tgid, __u64 now) {
  struct hosa_quiet* quiet = &config_now->quiets[tgid & (HOSA_QUIETS - 1)];
  return quiet->tgid == tgid && now < quiet->until_ns;
}

/* Adds to a window of this CPU; what it holds now if this made it overflow and a record is due, else 0. Windows are
 * laid end to end from the first event after the last one ended; one that ended is put down in the histogram, with what
 * those who are quiet took. A window tells of nobody twice in a row (forks: tells once); of another when it holds as
 * much again. */
ALWAYS_INLINE __u64 overflow(struct hosa_cpu* slot, int subject, int span, __u64 amount, __u64 now,
                             struct hosa_config* config_now, int quiet, __u32 tgid) {
  __u64 who = subject == HOSA_FORKS ? 1 : (__u64)tgid + 1;
  struct hosa_window* window = &slot->windows[subject][span];
  if (now - window->start_ns >= (span == HOSA_SHORT_WINDOW ? HOSA_SHORT_WINDOW_NS : HOSA_LONG_WINDOW_NS)) {
    slot->ended[subject][span][bucket_of(window->amount >> HOSA_BUCKET_SHIFT(subject))] += 1;
    window->start_ns = now;
    window->amount = 0;
    window->quiet = 0;
    window->sent = 0;
  }
  window->amount += amount;
  if (quiet) {
    window->quiet += amount;
    return 0;
  }
  __u64 sum = window->amount - window->quiet, limit = slot->limits[subject][span];
  if (window->sent == who || limit == 0 || sum < limit) return 0;
  if (now < config_now->quiet_until_ns[subject][span]) return 0;
  window->sent = who;
  window->quiet = window->amount;
  return sum;
}

ALWAYS_INLINE void send(struct hosa_cpu* slot, int subject, int span, __u64 now, __u64 amount, __u64 cgroup,
                        __u32 tgid) {
  struct hosa_event* event = ring_reserve(&records, sizeof *event, 0);
  if (!event) {
    add(&slot->records_lost, 1);
    return;
  }
  event->subject = subject;
  event->span = span;
  event->time_ns = now;
  event->amount = amount;
  event->cgroup = cgroup;
  event->tgid = tgid;
  event->cpu = this_cpu();
  current_comm(event->comm, sizeof event->comm);
  ring_submit(event, 0);
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

/* The whole of it for one sample. hosa itself is neither attributed nor does it trip. */
ALWAYS_INLINE void attribute(struct hosa_config* config_now, struct hosa_cpu* slot, int subject, __u64 amount) {
  __u32 tgid = current_pid_tgid() >> 32;
  if (config_now->own_tgid != 0 && tgid == config_now->own_tgid) return;
  __u64 now = now_ns();
  __u64 cgroup = current_cgroup();
  int quiet = subject != HOSA_FORKS && is_quiet(config_now, tgid, now);
  struct hosa_usage* usage = attribute_to_both(tgid, cgroup, subject, amount, slot);
  if (subject == HOSA_ALL_BYTES) use_quota(config_now, slot, amount, now, cgroup, tgid);
  if (subject != HOSA_FORKS && starts_up(tgid, now, usage)) return;
  __u64 sum = overflow(slot, subject, HOSA_SHORT_WINDOW, amount, now, config_now, quiet, tgid);
  if (sum) send(slot, subject, HOSA_SHORT_WINDOW, now, sum, cgroup, tgid);
  sum = overflow(slot, subject, HOSA_LONG_WINDOW, amount, now, config_now, quiet, tgid);
  if (sum) send(slot, subject, HOSA_LONG_WINDOW, now, sum, cgroup, tgid);
}
