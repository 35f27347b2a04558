// strike base FILE: writes the limits as they are now, before any agent runs, into FILE.
// strike look FILE: one JSON line {"held":N,"why":"..."}: what holds anybody now, against FILE; exit 1 if anything.
// strike kill|stop FILE PIDFILE DELAY frozen|any WITHIN: DELAY seconds from now (frozen: then at the next instant at
//   which a group is frozen, for 20 s at most) sends SIGKILL or SIGSTOP to the agent, and looks every 50 ms until
//   nothing holds anybody or WITHIN seconds are over. One JSON line
//   {"signal","held_before","frozen_before","clean_after" (-1: never),"why"}; exit 1 if WITHIN was not enough. A
//   stopped agent is killed afterwards.
#include <sched.h>
#include <signal.h>

#include "test/lab/inspect.h"

static struct tree tree, base;
static char why[2048];

static void put(const struct group* g, const char* file, const char* old, const char* now, void* out) {
  (void)old;
  if (strcmp(file, "mkdir") && strcmp(file, "rmdir")) fprintf(out, "%s\t%s\t%s\n", g->path, file, now);
}

static int write_base(const char* path) {
  FILE* out = fopen(path, "w");
  if (!out) return perror(path), 1;
  tree_look(&tree, put, out);
  return fclose(out);
}

static void read_base(const char* path) {
  char line[512];
  FILE* in = fopen(path, "r");
  for (int n = 0; in && fgets(line, sizeof line, in);) {
    char *group = strtok(line, "\t\n"), *file = strtok(NULL, "\t\n"), *value = strtok(NULL, "\t\n");
    if (!value) continue;
    if (n == 0 || strcmp(base.group[n - 1].path, group)) {
      if (n == kMostGroups) break;
      snprintf(base.group[n++].path, sizeof base.group[0].path, "%s", group);
    }
    struct group* g = &base.group[n - 1];
    g->dir = 0;
    for (int i = 0; i < kLimitFiles; i++)
      if (!strcmp(file, kLimitNames[i])) snprintf(g->value[i], kValueSize, "%s", value);
  }
  if (in) fclose(in);
}

static long agent_pid(const char* path) {
  char text[32];
  return read_small(AT_FDCWD, path, text, sizeof text) > 0 ? strtol(text, NULL, 10) : -1;
}

static int strike(int signal, long pid, double delay, int wait_frozen, double within) {
  double at = now_boot() + delay;
  sleep_until(at);
  do tree_look(&tree, NULL, NULL);
  while (wait_frozen && !frozen_rooms(&tree) && now_boot() < at + 20 && usleep(2000) == 0);
  // Between seeing a frozen room and the signal nothing else is done, so that the room is still frozen.
  int frozen = frozen_rooms(&tree);
  double struck = now_boot();
  if (pid <= 1 || kill((pid_t)pid, signal)) return perror("kill"), 2;
  int before = held(&tree, &base, why, sizeof why), left = before;
  while (left && now_boot() < struck + within) usleep(50000), left = held(&tree, &base, why, sizeof why);
  double clean = left ? -1 : now_boot() - struck;
  if (signal == SIGSTOP) kill((pid_t)pid, SIGKILL);
  printf("{\"signal\":\"%s\",\"held_before\":%d,\"frozen_before\":%d,\"clean_after\":%.2f,\"why\":\"%s\"}\n",
         signal == SIGSTOP ? "STOP" : "KILL", before, frozen, clean, left ? why : "");
  return left ? 1 : 0;
}

int main(int argc, char** argv) {
  for (int i = 0; i < kMostGroups; i++) base.group[i].dir = -1;
  const char* cgroups = getenv("LAB_CGROUPS");
  if (argc < 3 || tree_open(&tree, cgroups ? cgroups : "/sys/fs/cgroup"))
    return fprintf(stderr, "strike base|look|kill|stop FILE ...\n"), 2;
  if (!strcmp(argv[1], "base")) return write_base(argv[2]);
  read_base(argv[2]);
  if (!strcmp(argv[1], "look")) {
    int n = held(&tree, &base, why, sizeof why);
    printf("{\"held\":%d,\"why\":\"%s\"}\n", n, why);
    return n != 0;
  }
  if (argc != 7) return 2;
  struct sched_param fifo = {2};
  sched_setscheduler(0, SCHED_FIFO, &fifo);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  return strike(strcmp(argv[1], "stop") ? SIGKILL : SIGSTOP, agent_pid(argv[3]), atof(argv[4]),
                !strcmp(argv[5], "frozen"), atof(argv[6]));
}
