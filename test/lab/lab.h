// What the programs under test share: one clock, small files, a paced loop, ordinary work.
//
// Every time printed is CLOCK_BOOTTIME in seconds, the clock of hosa's audit lines, so that the judge lays all logs
// on one axis. Programs end by that clock, whatever was done to them meanwhile: a program that was held and let go
// late is told by `ended` against `planned_end`.
#ifndef TEST_LAB_LAB_H
#define TEST_LAB_LAB_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MB ((size_t)1 << 20)

static inline double now_boot(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void sleep_until(double when) {
  struct timespec t = {(time_t)when, (long)((when - (double)(time_t)when) * 1e9)};
  while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL) == EINTR) {
  }
}

// The first time at or after `when` that is a multiple of `step` away from `phase`.
static inline double next_multiple(double when, double step, double phase) {
  double steps = (when - phase) / step;
  long long whole = (long long)steps;
  return phase + step * (double)(whole + ((double)whole < steps ? 1 : 0));
}

// A schedule of equal steps. A step that comes more than five steps late is not caught up on: a leak that was held
// does not leak twice as fast afterwards, as a request loop would not.
struct pace {
  double step, next;
};

static inline void pace_wait(struct pace* p) {
  double now = now_boot();
  p->next += p->step;
  if (p->next < now - 5 * p->step) p->next = next_multiple(now - p->step, p->step, p->next);
  if (p->next > now) sleep_until(p->next);
}

static inline int read_small(int dir, const char* path, char* out, size_t size) {
  int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, out, size - 1);
  close(fd);
  if (n < 0) return -1;
  out[n] = 0;
  return (int)n;
}

// Tells systemd that this process is alive, where its unit has a WatchdogSec= (sd_notify(3): one datagram to the socket
// named in NOTIFY_SOCKET), at most five times a watchdog. Costs a clock reading elsewhere.
static inline void feed_watchdog(void) {
  static struct sockaddr_un to = {AF_UNIX, ""};
  static double next = -1, step;
  static int fd = -1;
  double now = now_boot();
  if (next < 0) {
    const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC");
    next = 1e18;
    if (!path || !usec || strlen(path) >= sizeof to.sun_path) return;
    strcpy(to.sun_path, path);
    if (*path == '@') to.sun_path[0] = 0;
    step = atof(usec) * 1e-6 / 5;
    next = now;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  if (now < next) return;
  next = now + step;
  const char* path = getenv("NOTIFY_SOCKET");
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  if (sendto(fd, "WATCHDOG=1", 10, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr*)&to, size) < 0) perror("watchdog");
}

// The number after `key` at the start of a line, as in memory.stat, /proc/meminfo, cpu.stat; -1 if there is none.
static inline long long number_after(const char* text, const char* key) {
  size_t n = strlen(key);
  for (const char* p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p)
    if (!strncmp(p, key, n) && (p[n] == ' ' || p[n] == ':')) return strtoll(p + n + 1, NULL, 10);
  return -1;
}

// xorshift64*: seeded, so that two runs ask for the same pages in the same order.
static inline uint64_t next_random(uint64_t* s) {
  *s ^= *s >> 12;
  *s ^= *s << 25;
  *s ^= *s >> 27;
  return *s * 2685821657736338717ull;
}

// One unit of ordinary work, 3 ms of a 125 MIPS CPU in one go (about a step of the leaks, so that a bystander beside it
// is as well served in health as beside a leak that hurts nobody): arithmetic over 64 KiB of its own, a megabyte
// mapped, touched here and there and given back, and a read of its own binary from the disk (so that evicted text costs
// what it costs users).
static inline unsigned ordinary_work(void) {
  static unsigned char own[64 << 10];
  static int self = -1;
  unsigned sum = 0;
  for (int pass = 0; pass < 7; pass++)
    for (size_t i = 0; i < sizeof own; i += 8) sum += (own[i] += (unsigned char)i);
  unsigned char* m = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (m != MAP_FAILED) {
    for (size_t i = 0; i < MB; i += 128 << 10) m[i] = (unsigned char)sum;
    munmap(m, MB);
  }
  if (self < 0) self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  char text[4096];
  static off_t at;
  if (pread(self, text, sizeof text, at) <= 0) at = 0;
  at += 65536;
  return sum + (unsigned char)text[0];
}

// Works with 10 ms between units until `until` and returns units per second of the time it really took.
static inline double work_until(double until) {
  double start = now_boot();
  long units = 0;
  while (now_boot() < until) {
    volatile unsigned keep = ordinary_work();
    (void)keep;
    units++;
    feed_watchdog();
    usleep(10000);
  }
  double took = now_boot() - start;
  return took > 0 ? (double)units / took : 0;
}

#endif
