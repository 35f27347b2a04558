// bystander END RATE MB OUT (END: CLOCK_BOOTTIME in seconds): a small service that has nothing to do with the trouble.
//
// A server holds MB megabytes and touches 16 random pages of them per request; a client asks RATE times a second in
// an open loop: request i is due at start + i / RATE whatever became of the earlier ones, and its latency counts from
// that instant, so that a stall is charged to every request that fell into it.
// OUT: first line "start_s period_s count", then one line per request: latency in microseconds, or -1 if it was not
// answered within a second or could not be sent.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "test/lab/lab.h"

#define kMaxRequests 200000
#define kFailUs 1000000

static int32_t latency_us[kMaxRequests];

static void serve(int fd, size_t size) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  unsigned char* data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) _exit(1);
  memset(data, 1, size);
  uint64_t seed = 0x9e3779b97f4a7c15ull;
  uint32_t id;
  while (recv(fd, &id, sizeof id, 0) == sizeof id) {
    for (int i = 0; i < 16; i++) data[next_random(&seed) % size]++;
    if (send(fd, &id, sizeof id, 0) < 0) break;
  }
  _exit(0);
}

static void collect(int fd, double start, double period, uint32_t sent) {
  uint32_t id;
  while (recv(fd, &id, sizeof id, MSG_DONTWAIT) == sizeof id) {
    if (id >= sent) continue;
    double us = (now_boot() - (start + id * period)) * 1e6;
    latency_us[id] = us < kFailUs ? (int32_t)us : -1;
  }
}

static void report(const char* path, double start, double period, uint32_t count) {
  FILE* out = fopen(path, "w");
  if (!out) return;
  fprintf(out, "%.6f %.6f %u\n", start, period, count);
  for (uint32_t i = 0; i < count; i++) fprintf(out, "%d\n", latency_us[i]);
  fclose(out);
}

int main(int argc, char** argv) {
  if (argc != 5) return fprintf(stderr, "bystander END RATE MB OUT\n"), 2;
  double end = atof(argv[1]), period = 1.0 / atof(argv[2]);
  size_t size = (size_t)atol(argv[3]) * MB;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return perror("socketpair"), 1;
  if (fork() == 0) close(pair[0]), serve(pair[1], size);
  close(pair[1]);
  memset(latency_us, 0xff, sizeof latency_us);
  // The server's start-up is not a request; requests are due at multiples of their period (sampler.c says why).
  double start = next_multiple(now_boot() + 2, period, 0);
  uint32_t count = end > start ? (uint32_t)((end - start) / period) : 0;
  if (count > kMaxRequests) count = kMaxRequests;
  for (uint32_t i = 0; i < count; i++) {
    double due = start + i * period;
    for (;;) {
      collect(pair[0], start, period, i);
      double left = due - now_boot();
      if (left <= 0) break;
      struct timespec wait = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
      struct pollfd p = {pair[0], POLLIN, 0};
      ppoll(&p, 1, &wait, NULL);
    }
    if (send(pair[0], &i, sizeof i, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EPIPE) break;
  }
  usleep(1000000);
  collect(pair[0], start, period, count);
  report(argv[4], start, period, count);
  return 0;
}
