// offender [--mate] FAULT RATE ONSET SECONDS END OUT: ordinary work, a fault, ordinary work again.
//
// FAULT is a name of faults.c, RATE its size (megabytes a second; 0 = as fast as it can; processes or threads where
// it makes those). It starts with ordinary work, whose pace is measured over the 10 s before ONSET (CLOCK_BOOTTIME
// seconds), does the fault for SECONDS by the clock, frees everything, waits 15 s in which whoever held it lets go, and
// measures its pace again until END. --mate starts a second process of the same service which never does anything but
// ordinary work. OUT: one JSON object, written at END; a line "onset T" goes to stdout when the fault begins.
// In a unit with WatchdogSec= it is the process with the fault that tells systemd it is alive.
#include "test/lab/faults.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define kPaceSeconds 10.0
#define kGiveBackSeconds 15.0

struct paces {
  double before, during, after;
};

// The mate's three figures lie in shared memory, so that they survive whatever happens to it.
static void be_a_mate(double onset, double seconds, double end, struct paces* out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "mate");
  work_until(onset - kPaceSeconds);
  out->before = work_until(onset);
  out->during = work_until(onset + seconds);
  work_until(onset + seconds + kGiveBackSeconds);
  out->after = work_until(end - 1);  // before the report is written
  _exit(0);
}

static void* shared_page(size_t size) {
  void* p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) exit(1);
  return p;
}

// Children of a fault end by themselves at its end; those that were held longer are waited for, 10 s at most.
static unsigned collect_children(struct shared* s, unsigned* killed, double until) {
  int status;
  for (;;) {
    pid_t p = waitpid(-1, &status, WNOHANG);
    if (p < 0) return 0;
    if (p > 0 && WIFSIGNALED(status)) ++*killed;
    if (p == 0 && now_boot() > until) break;
    if (p == 0) usleep(20000);
  }
  (void)s;
  return 1;
}

// OFFENDER_TERM=1: as a service does that ends in good order; the time goes to stdout.
static void on_term(int signal) {
  char line[64];
  int n = snprintf(line, sizeof line, "terminated %.3f\n", now_boot());
  (void)signal;
  (void)!write(STDOUT_FILENO, line, (size_t)n);
  _exit(0);
}

extern const char __executable_start, etext;  // by the linker: this program's text

// What the fault is made of is in memory before it begins: the guest's clock runs on while the host's disk answers, and
// a storm whose first fork came 0.9 s after its onset was judged as held 0.9 s late.
static void read_own_text(void) {
  for (const char* at = &__executable_start; at < &etext; at += 4096) (void)*(const volatile char*)at;
}

int main(int argc, char** argv) {
  if (getenv("OFFENDER_TERM")) signal(SIGTERM, on_term);
  int mate = argc > 1 && !strcmp(argv[1], "--mate");
  argv += mate, argc -= mate;
  const struct fault* fault = argc == 7 ? find_fault(argv[1]) : NULL;
  if (!fault) return fprintf(stderr, "offender [--mate] FAULT RATE ONSET SECONDS END OUT\n"), 2;
  double rate = atof(argv[2]), onset = atof(argv[3]), seconds = atof(argv[4]), end = atof(argv[5]);
  struct shared* s = shared_page(sizeof *s);
  struct paces* mates = shared_page(sizeof *mates);
  if (mate && fork() == 0) be_a_mate(onset, seconds, end, mates);
  // The fault runs in a process of its own under the service's name, so that its children are not the mate's kin.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct paces own = {0, 0, 0};
  work_until(onset - kPaceSeconds);
  read_own_text();
  own.before = work_until(onset);
  double began = now_boot(), planned = onset + seconds;
  printf("onset %.3f\n", began), fflush(stdout);
  fault->run(rate, planned, s);
  double ended = now_boot();
  give_back();
  double freed = now_boot();
  unsigned killed = 0, left = 0;
  if (!mate && s->forks) left = collect_children(s, &killed, planned + 10);
  double drained = now_boot();
  work_until(planned + kGiveBackSeconds);
  own.after = work_until(end);
  FILE* out = fopen(argv[6], "w");
  if (!out) return perror(argv[6]), 1;
  fprintf(out,
          "{\"fault\":\"%s\",\"rate\":%.1f,\"onset\":%.3f,\"planned_end\":%.3f,\"ended\":%.3f,\"freed\":%.3f,"
          "\"drained\":%.3f,\"taken_mb\":%.1f,\"forks\":%u,\"killed\":%u,\"left\":%u,\"pace_before\":%.2f,"
          "\"pace_after\":%.2f,\"mate\":%s,\"mate_before\":%.2f,\"mate_during\":%.2f,\"mate_after\":%.2f}\n",
          fault->name, rate, began, planned, ended, freed, drained, (double)s->taken / (double)MB, s->forks, killed,
          left, own.before, own.after, mate ? "true" : "false", mates->before, mates->during, mates->after);
  fclose(out);
  return 0;
}
