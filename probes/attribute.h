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

/* The entry of a table, made if there is none. Two CPUs may find it missing at once: BPF_NOEXIST makes one of them come
 * second and add to the first's. */
ALWAYS_INLINE struct hosa_usage* entry(void* table, const void* key, __u64 cgroup, struct hosa_cpu* slot, __u64* made) {
  struct hosa_usage* usage = map_lookup(table, key);
  if (usage) return usage;
  struct hosa_usage fresh = {};
  fresh.cgroup = cgroup;
  if (map_update(table, key, &fresh, BPF_NOEXIST) == 0) add(made, 1);
  usage = map_lookup(table, key);
  if (!usage) add(&slot->unattributed, 1);
  return usage;
}

ALWAYS_INLINE struct hosa_usage* entry_of_cgroup(__u64 cgroup, struct hosa_cpu* slot) {
  return entry(&by_cgroup, &cgroup, cgroup, slot, &slot->made_cgroups);
}

ALWAYS_INLINE struct hosa_usage* entry_of_process(__u32 tgid, __u64 cgroup, struct hosa_cpu* slot) {
  return entry(&by_process, &tgid, cgroup, slot, &slot->made_processes);
}

/* hosa itself is not attributed. */
ALWAYS_INLINE int is_own(const struct hosa_config* config_now, __u32 tgid) {
  return config_now->own_tgid != 0 && tgid == config_now->own_tgid;
}

ALWAYS_INLINE void attribute(struct hosa_config* config_now, struct hosa_cpu* slot, int subject, __u64 amount) {
  __u32 tgid = current_pid_tgid() >> 32;
  if (is_own(config_now, tgid)) return;
  __u64 cgroup = current_cgroup();
  struct hosa_usage* usage = entry_of_cgroup(cgroup, slot);
  if (usage) add_usage(usage, subject, amount, cgroup);
  usage = entry_of_process(tgid, cgroup, slot);
  if (usage) add_usage(usage, subject, amount, cgroup);
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

/* Adds to both windows of a subject, and tells of the one that overflows. */
ALWAYS_INLINE void fill_windows(struct hosa_config* config_now, struct hosa_cpu* slot, int subject, __u64 amount,
                                __u64 now, int quiet, __u64 cgroup, __u32 tgid) {
  __u64 sum = overflow(slot, subject, HOSA_SHORT_WINDOW, amount, now, config_now, quiet, tgid);
  if (sum) send(slot, subject, HOSA_SHORT_WINDOW, now, sum, cgroup, tgid);
  sum = overflow(slot, subject, HOSA_LONG_WINDOW, amount, now, config_now, quiet, tgid);
  if (sum) send(slot, subject, HOSA_LONG_WINDOW, now, sum, cgroup, tgid);
}
