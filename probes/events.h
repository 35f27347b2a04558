/* The only contract between kernel side and user side: map layouts and ring-buffer records. Plain C, also read by
 * C++; fixed-width fields, no padding left to the compiler.
 *
 * Kernel side counts in one mmapable ARRAY `counters` (a slot per possible CPU; per-CPU maps cannot be mapped,
 * kernel/bpf/arraymap.c), attributes in two LRU tables and sends a record only when something must be known
 * now: a tripwire window overflowed. User side reads the slots as plain memory. */
#pragma once
#include <linux/types.h>

/* Bytes after which windows and quotas are fed; attributed is every second time. findings: exact within 3 % with 4K,
 * 16K and THP. Of memory 56 to 68 KiB, as chance has it: pages of different kinds that alternate in a fixed order would
 * else always meet the same kind. */
#define HOSA_SAMPLE_BYTES 65536
#define HOSA_SAMPLE_LEAST 57344

/* What a tripwire window counts. */
enum hosa_subject { HOSA_ANON_BYTES, HOSA_ALL_BYTES, HOSA_FORKS, HOSA_SUBJECTS };
/* Two windows: 10 ms sees a leak of 50 MB/s, 1 s one of 5 MB/s that drowns in the churn of 10 ms. */
enum hosa_span { HOSA_SHORT_WINDOW, HOSA_LONG_WINDOW, HOSA_SPANS };
/* Attributed, but without a window: one fault or packet in so many (a power of 2), with the weight of all. */
#define HOSA_FAULTS HOSA_SUBJECTS
#define HOSA_BLOCK_BYTES (HOSA_SUBJECTS + 1)
#define HOSA_PACKETS (HOSA_SUBJECTS + 2)
#define HOSA_SHARED_BYTES (HOSA_SUBJECTS + 3)
#define HOSA_KERNEL_BYTES (HOSA_SUBJECTS + 4)
/* Neither attributed nor windowed: what must be known at once, a record each. */
#define HOSA_DIRECT_RECLAIM (HOSA_SUBJECTS + 5) /* not more than one in HOSA_RECLAIM_QUIET_NS */
#define HOSA_OOM_KILL (HOSA_SUBJECTS + 6)
#define HOSA_EXIT (HOSA_SUBJECTS + 7) /* of a process in hosa_config.watched */
#define HOSA_RECORDS (HOSA_SUBJECTS + 8)
#define HOSA_RECLAIM_QUIET_NS 1000000000ULL
#define HOSA_WATCHED 32 /* one for each memory and each CPU hold of the agent */
#define HOSA_SAMPLE_FAULTS 16
#define HOSA_SAMPLE_PACKETS 16
/* Who began to run its program so lately, and was handed no more than that so far, starts up: it is attributed, but
 * fills no memory window. Half of an ordinary machine's trips are starts of programs (a shell's commands, a compiler),
 * and a leak needs no answer in its first tenths of a second. */
#define HOSA_START_NS 200000000ULL
#define HOSA_START_BYTES (32ULL << 20)
#define HOSA_SHORT_WINDOW_NS 10000000ULL
#define HOSA_LONG_WINDOW_NS 1000000000ULL

struct hosa_window {
  __u64 start_ns; /* CLOCK_MONOTONIC */
  __u64 amount;   /* bytes or forks since start_ns */
  __u64 quiet;    /* of these, by who is quiet (hosa_quiet), or told already: they trip nothing */
  __u64 sent;     /* whose record this window has sent last (thread group + 1; of forks: 1), 0: none */
};

/* How much windows that are over held: a histogram in half octaves, from which user side learns where this machine's
 * own calm ends. Bucket b holds amounts from 2^(b/2) units on (odd b: 3/4 of the next power), 0 and 1 their own; a unit
 * is 2^14 bytes or one fork. Windows in which nothing happened are never laid and so never counted. */
#define HOSA_BUCKETS 32
#define HOSA_BUCKET_SHIFT(subject) ((subject) == HOSA_FORKS ? 0 : 14)

/* A byte quota: when this cgroup (or, where that is 0, this thread group) has been handed so many bytes more, of
 * whatever kind, one record with span HOSA_QUOTA is sent. It drives the byte bucket of a held culprit. Counted per
 * HOSA_SAMPLE_BYTES and CPU, so that is by how much it may be late. */
#define HOSA_QUOTAS 16 /* one for each memory hold of the agent */
#define HOSA_QUOTA HOSA_SPANS
struct hosa_quota {
  __u64 cgroup;
  __u64 tgid;
  __s64 left_bytes; /* counted down; armed by user side */
  __u64 sent;       /* 1: nothing is sent before it is armed again */
};

/* Whose record of memory is under way or was found to be churn lately: what it is handed fills no window's limit before
 * `until_ns`, and another that leaks beside it is told all the same. A process has the slot of its id's low bits; who
 * comes later takes it. */
#define HOSA_QUIETS 64
struct hosa_quiet {
  __u64 tgid;
  __u64 until_ns; /* CLOCK_MONOTONIC */
};

/* What a page is, by the flags it was asked for with. Bit values from the tracepoint's format: they are not ABI. */
struct hosa_page_kinds {
  __u32 page_bytes;
  __u32 movable;
  __u32 zero;
  __u32 nomemalloc;
  __u32 not_shared; /* a movable page with none of these is no anonymous one and no file's (memory.bpf.c) */
  __u32 not_kernel; /* a page with none of these is the kernel's own */
};

/* One slot of `counters`: totals since load, read without locks; limits and kinds are written by user side. 1280 bytes
 * = twenty cache lines, all that a page needs in the first. */
struct hosa_cpu {
  __u64 all_bytes;    /* all pages handed out, gross: also tmpfs, page cache, sockets, slab */
  __u64 all_line;     /* where all_bytes is when they are looked at again */
  __u64 anon_bytes;   /* anonymous memory handed out, gross */
  __u64 shared_bytes; /* tmpfs and shared memory */
  __u64 kernel_bytes; /* the kernel's own */
  struct hosa_page_kinds kinds;
  __u64 wakeups;        /* sched_wakeup */
  __u64 faults;         /* user page faults while the program is attached (x86) */
  __u64 packets;        /* given to network devices, loopback included */
  __u64 block_issues;   /* block_rq_issue */
  __u64 block_bytes;    /* block_bio_queue: asked of block devices, by whoever asked; discards left out */
  __u64 block_pending;  /* bytes not yet attributed, < HOSA_SAMPLE_BYTES (plus one request) */
  __u64 forks;          /* sched_process_fork */
  __u64 execs;          /* sched_process_exec */
  __u64 exits;          /* sched_process_exit, threads too */
  __u64 brk_calls;      /* brk entries */
  __u64 records_lost;   /* ring buffer was full */
  __u64 unattributed;   /* samples for which a table had no room */
  __u64 made_processes; /* entries made in by_process; less those that are there now, they were dropped for others */
  __u64 made_cgroups;
  __u64 limits[HOSA_SUBJECTS][HOSA_SPANS]; /* per window, of this CPU; 0 = off */
  struct hosa_window windows[HOSA_SUBJECTS][HOSA_SPANS];
  __u32 ended[HOSA_SUBJECTS][HOSA_SPANS][HOSA_BUCKETS]; /* windows that are over, by how much they held */
  __u64 all_charged;                                    /* of the totals above, what somebody has been charged with */
  __u64 anon_charged;
  __u64 shared_charged;
  __u64 kernel_charged;
  __u64 all_told; /* and what windows and quotas have been told of */
  __u64 anon_told;
  __u64 spare[6];
};

/* The single slot of `config`, mapped writable by user side; all zero (and no limit in the slots) = probes count,
 * nothing trips. */
struct hosa_config {
  __u64 quiet_until_ns[HOSA_SUBJECTS][HOSA_SPANS]; /* CLOCK_MONOTONIC: no record of such windows before this */
  __u64 own_tgid;                                  /* hosa itself is never attributed */
  __u64 shmem_code; /* where the kernel's shmem_get_folio_gfp is, and how long; 0: not asked for (memory.bpf.c) */
  __u64 shmem_code_bytes;
  __u64 reclaim_quiet_until_ns; /* set by the probe itself */
  struct hosa_quota quotas[HOSA_QUOTAS];
  __u32 watched[HOSA_WATCHED]; /* thread groups whose end is told; 0: none */
  struct hosa_quiet quiets[HOSA_QUIETS];
};

/* Value of `by_cgroup` (key: __u64 cgroup id) and `by_process` (key: __u32 thread group id). Gross and sampled. */
struct hosa_usage {
  __u64 anon_bytes;
  __u64 all_bytes;
  __u64 forks;
  __u64 faults; /* while the fault program is attached */
  __u64 block_bytes;
  __u64 packets;      /* sent; those received are handed over by an interrupt, whoever runs just then */
  __u64 shared_bytes; /* tmpfs and shared memory, and copies on write */
  __u64 kernel_bytes; /* slab that cannot be reclaimed, socket buffers */
  __u64 cgroup;       /* the task's cgroup id at its last sample; on cgroup v1 hosts always the v2 root */
};
#define HOSA_CGROUPS 1024
#define HOSA_PROCESSES 1024 /* those that were handed 64 KiB lately; reading the table costs by its size */

/* One slot per possible CPU of `syscalls`: calls by number, wrapping around. */
#define HOSA_SYSCALLS 512
struct hosa_syscalls {
  __u32 calls[HOSA_SYSCALLS];
};

/* Ring-buffer record: a window overflowed, a quota was used up, or one of the three happened, while this task was
 * running. 56 bytes. */
struct hosa_event {
  __u32 subject; /* enum hosa_subject, or one of the three */
  __u32 span;    /* enum hosa_span, or HOSA_QUOTA */
  __u64 time_ns; /* CLOCK_MONOTONIC */
  __u64 amount;
  __u64 cgroup;
  __u32 tgid;
  __u32 cpu;
  char comm[16];
};
