// innocent KIND ARGS OUT: programs that look like trouble and are none. Each appends one JSON line to OUT with the
// seconds its own work took, which the judge compares with the same work done before the agent was started.
//   sit MB SECONDS OUT             takes MB, then sits still, looking at one page a second
//   startup MB RATE HOLD OUT       takes MB at RATE megabytes a second, as a program that starts up, holds HOLD seconds
//   write PATH MB OUT              writes a file of MB megabytes
//   copy FROM TO OUT               copies a file by 128 KiB reads and writes
//   compile COUNT OUT COMMAND...   runs COMMAND COUNT times, one after the other
#include <sys/wait.h>

#include "test/lab/lab.h"

static void report(const char* path, const char* kind, double start, double took, double amount) {
  char line[256];
  int n = snprintf(line, sizeof line, "{\"kind\":\"%s\",\"start\":%.3f,\"took\":%.3f,\"amount\":%.1f}\n", kind, start,
                   took, amount);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, line, (size_t)n) != n) perror(path);
  if (fd >= 0) close(fd);
}

static unsigned char* take(size_t size, double rate_mb) {
  unsigned char* m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (m == MAP_FAILED) exit(1);
  size_t step = rate_mb > 0 ? (size_t)(rate_mb * (double)MB / 50) : size;
  struct pace pace = {0.02, now_boot()};
  for (size_t at = 0; at < size; at += step) {
    memset(m + at, 1, size - at < step ? size - at : step);
    if (rate_mb > 0) pace_wait(&pace);
  }
  return m;
}

static int sit(double mb, double seconds, const char* out) {
  double start = now_boot();
  volatile unsigned char* m = take((size_t)mb * MB, 0);
  double ready = now_boot(), worst = 0;
  uint64_t seed = 7;
  while (now_boot() < start + seconds) {
    double before = now_boot();
    m[next_random(&seed) % ((size_t)mb * MB)]++;
    double took = now_boot() - before;
    if (took > worst) worst = took;
    sleep_until(before + 1);
  }
  report(out, "sit", start, ready - start, worst * 1000);
  return 0;
}

static int startup(double mb, double rate, double hold, const char* out) {
  double start = now_boot();
  take((size_t)mb * MB, rate);
  char kind[32];
  snprintf(kind, sizeof kind, "startup-%.0f-%.0f", mb, rate);
  report(out, kind, start, now_boot() - start, mb);
  sleep_until(now_boot() + hold);
  return 0;
}

static int move_bytes(int from, int to, size_t limit, size_t* moved) {
  static char buffer[128 << 10];
  while (*moved < limit) {
    ssize_t n = from < 0 ? (ssize_t)sizeof buffer : read(from, buffer, sizeof buffer);
    if (n <= 0) return n < 0;
    if (write(to, buffer, (size_t)n) != n) return 1;
    *moved += (size_t)n;
  }
  return 0;
}

static int copy(const char* kind, const char* from_path, const char* to_path, size_t limit, const char* out) {
  double start = now_boot();
  size_t moved = 0;
  int from = from_path ? open(from_path, O_RDONLY | O_CLOEXEC) : -1;
  int to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (to < 0 || (from_path && from < 0) || move_bytes(from, to, limit, &moved)) return perror(kind), 1;
  close(to);
  report(out, kind, start, now_boot() - start, (double)moved / (double)MB);
  return 0;
}

static int compile(int count, const char* out, char** command) {
  double start = now_boot();
  int failed = 0, status;
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) execv(command[0], command), _exit(127);
    if (waitpid(child, &status, 0) != child || status != 0) failed++;
  }
  report(out, "compile", start, now_boot() - start, count - failed);
  return failed != 0;
}

int main(int argc, char** argv) {
  if (argc == 5 && !strcmp(argv[1], "sit")) return sit(atof(argv[2]), atof(argv[3]), argv[4]);
  if (argc == 6 && !strcmp(argv[1], "startup")) return startup(atof(argv[2]), atof(argv[3]), atof(argv[4]), argv[5]);
  if (argc == 5 && !strcmp(argv[1], "write")) return copy("write", NULL, argv[2], (size_t)atol(argv[3]) * MB, argv[4]);
  if (argc == 5 && !strcmp(argv[1], "copy")) return copy("copy", argv[2], argv[3], SIZE_MAX, argv[4]);
  if (argc >= 5 && !strcmp(argv[1], "compile")) return compile(atoi(argv[2]), argv[3], argv + 4);
  return fprintf(stderr, "innocent sit|startup|write|copy|compile ...\n"), 2;
}
