#include "test/lab/faults.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define kMostPieces (1 << 18)
#define kTmpfsPath "/dev/shm/offender"

// What this process took: pieces (malloc), maps (mmap), one tmpfs file, sockets.
static void* pieces[kMostPieces];
static size_t piece_count;
static struct map {
  void* at;
  size_t size;
} maps[1 << 14];
static size_t map_count;
static int sockets[1 << 15];
static size_t socket_count;
static int tmpfs_file = -1;

static unsigned long long took(struct shared* s, size_t bytes) {
  return __atomic_add_fetch(&s->taken, bytes, __ATOMIC_RELAXED);
}
static int full(struct shared* s) {
  return __atomic_load_n(&s->taken, __ATOMIC_RELAXED) >= kMostBytes;
}

// Calls take(bytes) 200 times a second with a 200th of the rate, or without pause if the rate is 0.
static void paced(double rate_mb, double until, struct shared* s, int (*take)(size_t, struct shared*), size_t unit) {
  struct pace pace = {0.005, now_boot()};
  size_t step = rate_mb > 0 ? (size_t)(rate_mb * (double)MB / 200) : 16 * unit;
  if (step < unit) pace.step = (double)unit / (rate_mb * (double)MB), step = unit;
  while (now_boot() < until) {
    feed_watchdog();
    if (full(s) || take(step, s)) {
      sleep_until(until);
      return;
    }
    if (rate_mb > 0) pace_wait(&pace);
  }
}

static int take_malloc(size_t bytes, struct shared* s) {
  for (size_t n = 0; n < bytes; n += 16 << 10) {
    if (piece_count == kMostPieces || !(pieces[piece_count] = malloc(16 << 10))) return 1;
    memset(pieces[piece_count++], 1, 16 << 10);
    took(s, 16 << 10);
  }
  return 0;
}

static int map_some(size_t bytes, int flags, int huge, struct shared* s) {
  size_t room = huge ? bytes + 2 * MB : bytes;
  if (map_count == sizeof maps / sizeof *maps) return 1;
  unsigned char* m = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (m == MAP_FAILED) return 1;
  maps[map_count++] = (struct map){m, room};
  madvise(m, room, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  if (!(flags & MAP_POPULATE)) memset(m, 1, bytes);
  took(s, bytes);
  return 0;
}
static int take_mmap(size_t bytes, struct shared* s) {
  return map_some(bytes, 0, 0, s);
}
static int take_huge(size_t bytes, struct shared* s) {
  return map_some(bytes, 0, 1, s);
}
static int take_populate(size_t bytes, struct shared* s) {
  return map_some(bytes, MAP_POPULATE, 0, s);
}

// Grows inside one reservation made at onset, as a Java or Go heap does: no mmap, no brk is ever seen.
static int take_heap(size_t bytes, struct shared* s) {
  static unsigned char* heap;
  static size_t used;
  if (!heap) {
    heap = mmap(NULL, kMostBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap == MAP_FAILED) return 1;
    maps[map_count++] = (struct map){heap, kMostBytes};
  }
  memset(heap + used, 1, bytes);
  used += bytes;
  took(s, bytes);
  return 0;
}

static int write_tmpfs(size_t bytes, size_t chunk, struct shared* s) {
  static char zeros[64 << 10];
  static char* large;
  if (tmpfs_file < 0) tmpfs_file = open(kTmpfsPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (chunk > sizeof zeros && !large) large = mmap(NULL, chunk, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t n = 0; n < bytes; n += chunk) {
    ssize_t wrote = write(tmpfs_file, chunk > sizeof zeros ? large : zeros, chunk);
    if (wrote <= 0) return 1;
    took(s, (size_t)wrote);
  }
  return 0;
}
static int take_tmpfs(size_t bytes, struct shared* s) {
  return write_tmpfs(bytes, 64 << 10, s);
}
static int take_tmpfs_huge(size_t bytes, struct shared* s) {
  return write_tmpfs(bytes, 256 * MB, s);
}

// Messages that nobody reads, into socket pair after socket pair.
static int take_sockets(size_t bytes, struct shared* s) {
  static char message[32 << 10];
  for (size_t n = 0; n < bytes;) {
    ssize_t sent = socket_count ? send(sockets[socket_count - 1], message, sizeof message, MSG_DONTWAIT) : -1;
    if (sent > 0) {
      took(s, (size_t)sent), n += (size_t)sent;
      continue;
    }
    int pair[2], large = 8 << 20;
    if (socket_count + 2 > sizeof sockets / sizeof *sockets) return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return 1;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large);
    sockets[socket_count++] = pair[1], sockets[socket_count++] = pair[0];
  }
  return 0;
}

static void leak(double r, double u, struct shared* s) {
  paced(r, u, s, take_malloc, 16 << 10);
}
static void leak_mmap(double r, double u, struct shared* s) {
  paced(r, u, s, take_mmap, MB / 4);
}
static void leak_huge(double r, double u, struct shared* s) {
  paced(r, u, s, take_huge, 2 * MB);
}
static void leak_populate(double r, double u, struct shared* s) {
  paced(r, u, s, take_populate, 64 * MB);
}
static void leak_heap(double r, double u, struct shared* s) {
  paced(r, u, s, take_heap, 64 << 10);
}
static void tmpfs(double r, double u, struct shared* s) {
  paced(r, u, s, take_tmpfs, 64 << 10);
}
static void tmpfs_huge(double r, double u, struct shared* s) {
  paced(r, u, s, take_tmpfs_huge, 256 * MB);
}
static void leak_sockets(double r, double u, struct shared* s) {
  struct rlimit many = {1 << 15, 1 << 15};
  setrlimit(RLIMIT_NOFILE, &many);
  paced(r, u, s, take_sockets, 32 << 10);
}

// A server in the leaking process, of the kind that does not know EINTR (each freeze returns it from epoll_wait,
// holding.md 3): it counts such answers as errors. Ten timeouts a second; a line "epoll ANSWERS EINTRS SECONDS" at its end.
static double serve_until;
static void* serve_by_epoll(void* unused) {
  int epoll = epoll_create1(EPOLL_CLOEXEC), interrupted = 0, answers = 0;
  double start = now_boot();
  (void)unused;
  for (struct epoll_event event; now_boot() < serve_until;) {
    int n = epoll_wait(epoll, &event, 1, 100);
    if (n < 0) interrupted++;
    if (n == 0) answers++;
  }
  printf("epoll %d %d %.1f\n", answers, interrupted, now_boot() - start), fflush(stdout);
  close(epoll);
  return NULL;
}
static void leak_beside_epoll(double r, double u, struct shared* s) {
  pthread_t server;
  serve_until = u;
  int failed = pthread_create(&server, NULL, serve_by_epoll, NULL);
  leak(r, u, s);
  if (!failed) pthread_join(server, NULL);
}

static pid_t child(struct shared* s) {
  pid_t p = fork();
  if (p > 0) s->forks++, s->alive++;
  if (p == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return p;
}

// Sixteen processes leak together; each is small beside a large innocent.
static void swarm(double rate, double until, struct shared* s) {
  for (int i = 0; i < 16; i++)
    if (child(s) == 0) leak(rate / 16, until, s), _exit(0);
  sleep_until(until);
}

// Every 0.2 s a new process with a session of its own takes a fifth of a second's worth of the rate and lives on for
// 20 s; its parent is gone from its point of view (it is adopted by the offender, a child subreaper).
static void relay(double rate, double until, struct shared* s) {
  unsigned killed = 0;
  struct pace pace = {0.2, now_boot()};
  while (now_boot() < until) {
    pid_t p = fork();
    if (p == 0) {
      if (fork()) _exit(0);
      setsid();
      prctl(PR_SET_PDEATHSIG, 0);
      double end = now_boot() + 20;
      size_t wanted = (size_t)(rate * (double)MB * 0.2), piece = 16 << 10;  // nobody pushes after the fault's end
      for (size_t n = 0; n < wanted && now_boot() < until; n += piece) take_malloc(piece, s);
      sleep_until(end < until ? end : until);
      _exit(0);
    }
    if (p > 0) waitpid(p, NULL, 0), s->forks += 2, s->alive++;
    reap(s, &killed);
    pace_wait(&pace);
  }
}

// Processes that double up to `rate` of them (a number here, not megabytes), each of which spins a little and lives
// until the end.
static void storm(double most, double until, struct shared* s, int sessions) {
  if (child(s)) {
    sleep_until(until);
    return;
  }
  while (now_boot() < until) {
    if (__atomic_load_n(&s->forks, __ATOMIC_RELAXED) < (unsigned)most) {
      pid_t p = fork();
      if (p > 0) __atomic_add_fetch(&s->forks, 1, __ATOMIC_RELAXED);
      if (p == 0 && sessions) setsid();
      if (p < 0) usleep(1000);
    } else {
      sleep_until(until);
    }
    for (volatile int i = 0; i < 20000; i++) {
    }
  }
  _exit(0);
}
static void forks(double most, double until, struct shared* s) {
  storm(most, until, s, 0);
}
static void forks_setsid(double most, double until, struct shared* s) {
  storm(most, until, s, 1);
}

static double spin_until;
static void* spin(void* unused) {
  (void)unused;
  while (now_boot() < spin_until)
    for (volatile int i = 0; i < 100000; i++) {
    }
  return NULL;
}
// `rate` threads that compute without pause.
static void spinners(double count, double until, struct shared* s) {
  pthread_t threads[256];
  int n = 0;
  (void)s;
  spin_until = until;
  while (n < (int)count && n < 256 && !pthread_create(&threads[n], NULL, spin, NULL)) n++;
  while (n > 0) pthread_join(threads[--n], NULL);
}

static void* idle(void* unused) {
  (void)unused;
  sleep_until(spin_until);
  return NULL;
}
// `rate` threads, made without pause, that wait: small stacks, so that it is tasks that run out and not memory.
static void threads(double count, double until, struct shared* s) {
  static pthread_t made[1 << 15];
  int n = 0, most = count < sizeof made / sizeof *made ? (int)count : (int)(sizeof made / sizeof *made);
  pthread_attr_t small;
  (void)s;
  spin_until = until;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16 << 10);
  while (n < most && now_boot() < until && !pthread_create(&made[n], &small, idle, NULL)) n++;
  while (n > 0) pthread_join(made[--n], NULL);
}

// `rate` descriptors a second that nobody closes, by processes of 16384 each.
static void descriptors(double rate, double until, struct shared* s) {
  struct rlimit many = {1 << 14, 1 << 14};
  struct pace pace = {0.01, now_boot()};
  setrlimit(RLIMIT_NOFILE, &many);
  if (child(s) == 0) {
    while (now_boot() < until) {
      for (int i = 0; i < (int)(rate / 100); i++)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 && child(s) != 0) sleep_until(until), _exit(0);
      pace_wait(&pace);
    }
    _exit(0);
  }
  sleep_until(until);
}

// `rate` processes that write 64 KiB, fsync, and read a file of theirs again past the page cache, without pause.
static void flush_storm(double count, double until, struct shared* s) {
  static char block[64 << 10];
  for (int i = 0; i < (int)count; i++) {
    if (child(s)) continue;
    char path[32];
    snprintf(path, sizeof path, "/tmp/storm%d", i);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    unlink(path);
    for (off_t at = 0; file >= 0 && now_boot() < until; at = (at + (off_t)sizeof block) % (off_t)(16 * MB)) {
      if (pwrite(file, block, sizeof block, at) < 0 || fsync(file)) break;
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
      if (pread(file, block, sizeof block, 0) < 0) break;
    }
    _exit(0);
  }
  sleep_until(until);
}

// The storm from a shell's session: two innocents of the same session work on beside it.
static void forks_in_session(double most, double until, struct shared* s) {
  for (int i = 0; i < 2; i++)
    if (child(s) == 0) prctl(PR_SET_NAME, "session-mate"), work_until(until), _exit(0);
  if (child(s) == 0) {
    storm(most, until, s, 0);
    while (wait(NULL) > 0) continue;  // or its end would be the death of its child, which is late where it was held
    _exit(0);
  }
  sleep_until(until);
}

// The fault that is none: what the sampler and the judge say of a quiet run.
static void nothing(double rate, double until, struct shared* s) {
  (void)rate, (void)s;
  work_until(until);
}

const struct fault kFaults[] = {
    {"leak", leak},
    {"leak-epoll", leak_beside_epoll},
    {"mmap", leak_mmap},
    {"huge", leak_huge},
    {"populate", leak_populate},
    {"heap", leak_heap},
    {"tmpfs", tmpfs},
    {"tmpfs-huge", tmpfs_huge},
    {"sockets", leak_sockets},
    {"swarm", swarm},
    {"relay", relay},
    {"forks", forks},
    {"forks-setsid", forks_setsid},
    {"spin", spinners},
    {"threads", threads},
    {"descriptors", descriptors},
    {"flush-storm", flush_storm},
    {"forks-in-session", forks_in_session},
    {"nothing", nothing},
    {NULL, NULL},
};

const struct fault* find_fault(const char* name) {
  for (const struct fault* f = kFaults; f->name; f++)
    if (!strcmp(f->name, name)) return f;
  return NULL;
}

void give_back(void) {
  // Freeing 400 MB takes 7 s of a 125 MIPS CPU, which a watchdog of 8 s would not live through.
  while (piece_count) {
    free(pieces[--piece_count]);
    if (piece_count % 256 == 0) feed_watchdog();
  }
  malloc_trim(0);
  while (map_count) map_count--, munmap(maps[map_count].at, maps[map_count].size);
  while (socket_count) close(sockets[--socket_count]);
  if (tmpfs_file >= 0) close(tmpfs_file), unlink(kTmpfsPath), tmpfs_file = -1;
}

void reap(struct shared* s, unsigned* killed) {
  int status;
  while (waitpid(-1, &status, WNOHANG) > 0) {
    if (WIFSIGNALED(status)) ++*killed;
    if (s->alive) s->alive--;
  }
}
