// sampler OFFENDER AGENT_PIDFILE UNTIL OUT: the witness. OFFENDER is its cgroup's directory or, where it has none of
// its own, the file with its number: then it and its children are looked at. LAB_CGROUPS names the tree of cgroups v2.
// Writes JSON lines to OUT until CLOCK_BOOTTIME UNTIL.
//
//   every 0.1 s  {"t","avail" kB}  and every second line also, of the offender's cgroup and everything below it:
//                "cur" bytes, "undrop" bytes that cannot be dropped (memory.current - active_file - inactive_file -
//                slab_reclaimable; without the memory controller RSS - shared + swap of its processes, of a v1
//                hierarchy its total_rss, plus Shmem and sockets of the machine), "refault" workingset_refault_file,
//                "psi" total us of memory full, "oom" oom_kill of vmstat
//   every second {"t","agent_rss" kB,"agent_cpu" s,"agent_switches"} while the agent lives
//   at changes   {"t","change":FILE,"group":PATH,"old","new"}, looked for every 0.2 s; of the offender's limits t is when
//                they were written (inotify), not when that was seen
// It is mlocked and SCHED_FIFO; its last line {"t","sampler_cpu"} says what it took itself, in seconds. "gap" of a line
// is how late that line is, if more than 0.1 s.
#include <sched.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "test/lab/inspect.h"

static FILE* out;

struct witness {
  int group, current, stat, meminfo, vmstat, psi;
  long page_kb;
  const char* pidfile;  // instead of a group, or NULL
};

static int reread(int fd, char* text, size_t size) {
  ssize_t n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);
  if (n >= 0) text[n] = 0;
  return n > 0;
}

// Many processes are looked at a few at a time, between two requests (see main): the 134 of a storm took 15 ms at once,
// and were the bystander's p99 (lab forks on pi5).
static void rest_among_many(int* looked) {
  if (++*looked % 8 == 0) sleep_until(next_multiple(now_boot() + 0.001, 0.005, 0.001));
}

// Anonymous memory of one process: resident without what is shared (proc(5), statm).
static long long process_kb(const char* pid, long page_kb) {
  char path[64], text[256];
  long size, resident, shared;
  snprintf(path, sizeof path, "/proc/%.20s/statm", pid);
  if (read_small(AT_FDCWD, path, text, sizeof text) <= 0) return 0;
  return sscanf(text, "%ld %ld %ld", &size, &resident, &shared) == 3 ? (resident - shared) * page_kb : 0;
}

// Without a cgroup of its own: the process whose number the file holds, and its children.
static long long family_kb(const char* pidfile, long page_kb) {
  char pid[32], path[96], children[8192];
  if (read_small(AT_FDCWD, pidfile, pid, sizeof pid) <= 0) return 0;
  pid[strcspn(pid, "\n")] = 0;
  long long total = process_kb(pid, page_kb);
  snprintf(path, sizeof path, "/proc/%s/task/%s/children", pid, pid);
  if (read_small(AT_FDCWD, path, children, sizeof children) <= 0) return total;
  int looked = 0;
  for (char *save, *p = strtok_r(children, " \n", &save); p; p = strtok_r(NULL, " \n", &save)) {
    total += process_kb(p, page_kb);
    rest_among_many(&looked);
  }
  return total;
}

// Without the memory controller: what /proc/PID/statm says of everybody in the cgroup and its rooms.
static long long members_kb(int dir, long page_kb) {
  static const char* const kFiles[] = {"cgroup.procs", "hosa.hold/cgroup.procs"};
  char pids[8192];
  long long total = 0;
  int looked = 0;
  for (int i = 0; i < 2; i++) {
    if (read_small(dir, kFiles[i], pids, sizeof pids) <= 0) continue;
    for (char *save, *p = strtok_r(pids, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
      total += process_kb(p, page_kb);
      rest_among_many(&looked);
    }
  }
  return total;
}

// Of a cgroup v1 one text says it: the 1000 processes of a storm were 23 % of the CPU, and the bystander's p99 20 ms.
static long long group_kb(const struct witness* w) {
  char text[8192];
  long long rss = reread(w->stat, text, sizeof text) ? number_after(text, "total_rss") : -1;
  return rss >= 0 ? rss / 1024 : members_kb(w->group, w->page_kb);
}

static long long undroppable(const struct witness* w, const char* meminfo, long long* current, long long* refault) {
  char text[8192];
  *current = *refault = -1;
  if (!reread(w->current, text, sizeof text))
    return ((w->pidfile ? family_kb(w->pidfile, w->page_kb) : group_kb(w)) +
            number_after(meminfo, "Shmem") + number_after(meminfo, "SUnreclaim")) *
           1024;
  *current = strtoll(text, NULL, 10);
  if (!reread(w->stat, text, sizeof text)) return *current;
  *refault = number_after(text, "workingset_refault_file");
  long long slab = number_after(text, "slab_reclaimable");
  return *current - number_after(text, "active_file") - number_after(text, "inactive_file") - (slab > 0 ? slab : 0);
}

static void sample(const struct witness* w, int full, double late) {
  char meminfo[4096], text[16384];
  if (!reread(w->meminfo, meminfo, sizeof meminfo)) return;
  fprintf(out, "{\"t\":%.3f,\"avail\":%lld", now_boot(), number_after(meminfo, "MemAvailable"));
  if (late > 0.1) fprintf(out, ",\"gap\":%.3f", late);
  if (full) {
    long long current, refault, psi = -1;
    long long undrop = undroppable(w, meminfo, &current, &refault);
    fprintf(out, ",\"cur\":%lld,\"undrop\":%lld,\"refault\":%lld", current, undrop, refault);
    if (reread(w->psi, text, sizeof text)) {
      char* line = strstr(text, "full");
      char* total = line ? strstr(line, "total=") : NULL;
      if (total) psi = strtoll(total + 6, NULL, 10);
    }
    fprintf(out, ",\"psi\":%lld,\"oom\":%lld", psi,
            reread(w->vmstat, text, sizeof text) ? number_after(text, "oom_kill") : -1);
  }
  fputs("}\n", out);
}

static void sample_agent(const char* pidfile) {
  char text[2048], path[64];
  if (read_small(AT_FDCWD, pidfile, text, sizeof text) <= 0) return;
  long pid = strtol(text, NULL, 10);
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  if (read_small(AT_FDCWD, path, text, sizeof text) <= 0) return;
  long long rss = number_after(text, "VmRSS"), switches = number_after(text, "voluntary_ctxt_switches");
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  if (read_small(AT_FDCWD, path, text, sizeof text) <= 0 || !strrchr(text, ')')) return;
  char* p = strrchr(text, ')') + 3;
  double ticks = 0;
  for (int i = 4; i <= 15; i++) {
    long long v = strtoll(p, &p, 10);
    if (i >= 14) ticks += (double)v;
  }
  fprintf(out, "{\"t\":%.3f,\"agent_rss\":%lld,\"agent_cpu\":%.2f,\"agent_switches\":%lld}\n", now_boot(), rss,
          ticks / (double)sysconf(_SC_CLK_TCK), switches);
}

// When the offender's limits were first written since the last look at them.
static const char* const kWatched[] = {"memory.high", "memory.swap.max", "cpu.weight", "cpu.max", "pids.max"};
enum { kWatchedFiles = sizeof kWatched / sizeof *kWatched };
struct writes {
  const char* group;  // its directory
  int inotify, watch[kWatchedFiles], first_look;
  double t[kWatchedFiles];  // 0: not since then
};

static void watch_writes(struct writes* w) {
  char path[4352];
  w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  for (int i = 0; i < kWatchedFiles; i++) {
    snprintf(path, sizeof path, "%s/%s", w->group, kWatched[i]);
    w->watch[i] = inotify_add_watch(w->inotify, path, IN_MODIFY);
  }
}

static void note_writes(struct writes* w) {
  _Alignas(struct inotify_event) char events[4096];
  for (ssize_t n; (n = read(w->inotify, events, sizeof events)) > 0;) {
    for (char* p = events; p < events + n; p += sizeof(struct inotify_event)) {  // of files: no names follow
      for (int i = 0; i < kWatchedFiles; i++)
        if (w->watch[i] == ((struct inotify_event*)p)->wd && w->t[i] == 0) w->t[i] = now_boot();
    }
  }
}

// Until the next multiple, noting what is written meanwhile.
static void wait_noting(struct pace* pace, struct writes* w) {
  struct pollfd readable = {w->inotify, POLLIN, 0};
  double until = pace->next + pace->step;
  for (double left; (left = until - now_boot()) > 0;) {
    struct timespec time = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    if (ppoll(&readable, 1, &time, NULL) <= 0) break;
    note_writes(w);
  }
  pace_wait(pace);
}

static double written_at(const struct writes* w, const char* group, const char* file) {
  size_t all = strlen(w->group), end = strlen(group);
  for (int i = 0; i < kWatchedFiles && end <= all && !strcmp(w->group + all - end, group); i++)
    if (!strcmp(kWatched[i], file) && w->t[i] > 0) return w->t[i];
  return now_boot();
}

static void changed(const struct group* g, const char* file, const char* old, const char* now, void* writes) {
  const struct writes* w = writes;
  if (w->first_look) return;
  fprintf(out, "{\"t\":%.3f,\"change\":\"%s\",\"group\":\"%s\",\"old\":\"%s\",\"new\":\"%s\"}\n",
          written_at(w, g->path, file), file, g->path, old, now);
}

int main(int argc, char** argv) {
  if (argc != 5) return fprintf(stderr, "sampler OFFENDER AGENT_PIDFILE UNTIL OUT\n"), 2;
  double until = atof(argv[3]);
  static char buffer[1 << 16];
  out = fopen(argv[4], "w");
  if (!out) return perror(argv[4]), 1;
  setvbuf(out, buffer, _IOFBF, sizeof buffer);
  struct witness w = {open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                      -1,
                      -1,
                      open("/proc/meminfo", O_RDONLY),
                      open("/proc/vmstat", O_RDONLY),
                      open("/proc/pressure/memory", O_RDONLY),
                      sysconf(_SC_PAGESIZE) / 1024,
                      NULL};
  if (w.group < 0) w.pidfile = argv[1];
  w.current = openat(w.group, "memory.current", O_RDONLY | O_CLOEXEC);
  w.stat = openat(w.group, "memory.stat", O_RDONLY | O_CLOEXEC);
  struct sched_param fifo = {2};
  sched_setscheduler(0, SCHED_FIFO, &fifo);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  static struct tree tree;
  struct writes writes = {.group = argv[1], .first_look = 1};
  watch_writes(&writes);
  const char* cgroups = getenv("LAB_CGROUPS");
  if (!cgroups) cgroups = "/sys/fs/cgroup";
  if (tree_open(&tree, cgroups)) perror(cgroups);
  tree_look(&tree, changed, &writes);
  writes.first_look = 0;
  // A look is 1-2.4 ms on one CPU at 125 MIPS, and this runs ahead of everybody: where it met a request in the fault and
  // none before, it was the bystander's p99 (0.8 -> 1.8 ms, lab sockets). So it looks between two requests, which are due
  // at multiples of 5 ms and take 0.3.
  struct pace pace = {0.1, next_multiple(now_boot(), 0.1, 0.001)};
  for (unsigned tick = 0; now_boot() < until; tick++) {
    double late = now_boot() - pace.next;
    sample(&w, tick % 2 == 0, late);
    if (tick % 2 == 1) {
      tree_look(&tree, changed, &writes);
      memset(writes.t, 0, sizeof writes.t);
    }
    if (tick % 10 == 5) sample_agent(argv[2]), fflush(out);
    wait_noting(&pace, &writes);
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  fprintf(out, "{\"t\":%.3f,\"sampler_cpu\":%.3f}\n", now_boot(),
          (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6);
  fclose(out);
  return 0;
}
