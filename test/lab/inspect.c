#include "test/lab/inspect.h"

#include <dirent.h>

const char* const kLimitNames[kLimitFiles] = {"memory.high", "memory.max", "memory.swap.max", "pids.max",
                                              "cpu.weight",  "cpu.max",    "io.max",          "cgroup.freeze"};

int tree_open(struct tree* t, const char* root) {
  t->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < kMostGroups; i++) t->group[i].dir = -1;
  return t->root < 0 ? -1 : 0;
}

static struct group* find_group(struct tree* t, const char* path) {
  for (int i = 0; i < kMostGroups; i++)
    if (t->group[i].dir >= 0 && !strcmp(t->group[i].path, path)) return &t->group[i];
  return NULL;
}

static struct group* add_group(struct tree* t, const char* path) {
  struct group* g = NULL;
  for (int i = 0; i < kMostGroups && !g; i++)
    if (t->group[i].dir < 0) g = &t->group[i];
  int dir = g ? openat(t->root, path + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (dir < 0) return NULL;
  memset(g, 0, sizeof *g);
  g->dir = dir;
  snprintf(g->path, sizeof g->path, "%s", path);
  g->room = !strcmp(strrchr(path, '/') + 1, "hosa.hold");
  for (int i = 0; i < kLimitFiles; i++) g->file[i] = openat(dir, kLimitNames[i], O_RDONLY | O_CLOEXEC);
  g->events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
  return g;
}

static void drop_group(struct group* g) {
  for (int i = 0; i < kLimitFiles; i++)
    if (g->file[i] >= 0) close(g->file[i]);
  if (g->events >= 0) close(g->events);
  close(g->dir);
  g->dir = -1;
}

// What a cgroup holds that nobody has written to (Documentation/admin-guide/cgroup-v2.rst), in kLimitNames' order.
static const char* const kUntouched[kLimitFiles] = {"max", "max", "max", "max", "100", "max 100000", "", "0"};

static int reread(int fd, char* text, size_t size) {
  ssize_t n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);
  if (n >= 0) text[n] = 0;
  return (int)n;
}

// A controller was switched off, and its values with it: worth telling if it was not the untouched one.
static void went_off(struct group* g, int file, change_fn changed, void* arg) {
  if (g->file[file] >= 0) close(g->file[file]);
  g->file[file] = -1;
  if (*g->value[file] && strcmp(g->value[file], kUntouched[file]) && changed)
    changed(g, kLimitNames[file], g->value[file], "", arg);
  *g->value[file] = 0;
}

// Files of controllers that are off do not exist; one that is switched on later is opened at its first look.
static void look_at(struct group* g, change_fn changed, void* arg) {
  char now[256], events[256];
  int retry = g->looks++ % 10 == 0;
  for (int i = 0; i < kLimitFiles; i++) {
    if (g->file[i] < 0 && retry) g->file[i] = openat(g->dir, kLimitNames[i], O_RDONLY | O_CLOEXEC);
    if (reread(g->file[i], now, sizeof now) < 0) {
      went_off(g, i, changed, arg);
      continue;
    }
    now[strcspn(now, "\n")] = 0;
    now[kValueSize - 1] = 0;
    if (strcmp(now, g->value[i]) && changed) changed(g, kLimitNames[i], g->value[i], now, arg);
    strcpy(g->value[i], now);
  }
  g->frozen = reread(g->events, events, sizeof events) > 0 && number_after(events, "frozen") == 1;
}

// A group that went away answers ENODEV to everything.
static void drop_gone(struct tree* t, change_fn changed, void* arg) {
  for (int i = 0; i < kMostGroups; i++) {
    struct group* g = &t->group[i];
    char text[8];
    if (g->dir < 0 || reread(g->events, text, sizeof text) >= 0) continue;
    drop_group(g);
    if (changed) changed(g, "rmdir", "", "gone", arg);
  }
}

static unsigned long links_of(int dir) {
  struct stat s;
  return fstat(dir, &s) ? 0 : (unsigned long)s.st_nlink;
}

static void add_children(struct tree* t, const char* path, int dir, change_fn changed, void* arg) {
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* d = fd < 0 ? NULL : fdopendir(fd);
  if (!d) return;
  for (struct dirent* e; (e = readdir(d));) {
    char child[128];
    if (e->d_type != DT_DIR || e->d_name[0] == '.') continue;
    if (snprintf(child, sizeof child, "%s/%s", path, e->d_name) >= (int)sizeof child || find_group(t, child)) continue;
    struct group* g = add_group(t, child);
    if (g && changed) changed(g, "mkdir", "", "made", arg);
  }
  closedir(d);
}

void tree_look(struct tree* t, change_fn changed, void* arg) {
  drop_gone(t, changed, arg);
  unsigned long links = links_of(t->root);
  if (links != t->links) add_children(t, "", t->root, changed, arg);
  t->links = links;
  for (int i = 0; i < kMostGroups; i++) {
    struct group* g = &t->group[i];
    if (g->dir < 0) continue;
    links = links_of(g->dir);
    if (links != g->links) add_children(t, g->path, g->dir, changed, arg);
    g->links = links;
    look_at(g, changed, arg);
  }
}

int frozen_rooms(const struct tree* t) {
  int n = 0;
  for (int i = 0; i < kMostGroups; i++)
    if (t->group[i].dir >= 0 && (t->group[i].frozen || (t->group[i].room && !strcmp(t->group[i].value[7], "1")))) n++;
  return n;
}

struct finding {
  char* text;
  size_t size, used;
  int count;
};
static void found(struct finding* f, const char* format, ...) {
  va_list args;
  va_start(args, format);
  f->count++;
  if (f->used + 2 < f->size) {
    if (f->used) f->text[f->used++] = ',';
    int n = vsnprintf(f->text + f->used, f->size - f->used, format, args);
    f->used += n < 0 ? 0 : (size_t)n < f->size - f->used ? (size_t)n : f->size - f->used - 1;
  }
  va_end(args);
}

static const struct group* same(const struct tree* base, const char* path) {
  for (int i = 0; i < kMostGroups; i++)
    if (base->group[i].dir >= 0 && !strcmp(base->group[i].path, path)) return &base->group[i];
  return NULL;
}

// State, nice and policy (fields 3, 19 and 41 of /proc/PID/stat, proc(5)) and oom_score_adj of one process. Of the
// fields only those after the last ')' are counted: a comm may hold anything.
static void look_at_process(const char* pid, struct finding* f) {
  char path[64], text[1024], adj[16];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  if (read_small(AT_FDCWD, path, text, sizeof text) <= 0) return;
  char* at = strrchr(text, ')');
  if (!at) return;
  char state = at[2];
  long field[42] = {0};
  char* p = at + 3;
  for (int i = 4; i <= 41 && *p; i++) field[i] = strtol(p, &p, 10);
  snprintf(path, sizeof path, "/proc/%s/oom_score_adj", pid);
  if (read_small(AT_FDCWD, path, adj, sizeof adj) > 0 && atoi(adj) != 0)
    found(f, "%s oom_score_adj=%d", pid, atoi(adj));
  if (state == 'T') found(f, "%s stopped", pid);
  if (field[19] != 0) found(f, "%s nice=%ld", pid, field[19]);
  if (field[41] != 0) found(f, "%s policy=%ld", pid, field[41]);
}

static void look_at_members(const struct group* g, struct finding* f) {
  static char pids[16384];
  const char* below = getenv("LAB_MEMBERS");
  if (!below) below = "/lab/";
  if (strncmp(g->path, below, strlen(below)) || read_small(g->dir, "cgroup.procs", pids, sizeof pids) <= 0) return;
  for (char* p = strtok(pids, "\n"); p; p = strtok(NULL, "\n")) look_at_process(p, f);
}

// Programs without a cgroup of their own: the lab keeps the numbers of two of them.
static void look_at_pidfiles(struct finding* f) {
  static const char* const kFiles[] = {"/run/offender.pid", "/run/bystander.pid"};
  char pid[32];
  for (int i = 0; i < 2; i++) {
    if (read_small(AT_FDCWD, kFiles[i], pid, sizeof pid) <= 0) continue;
    pid[strcspn(pid, "\n")] = 0;
    look_at_process(pid, f);
  }
}

// Settings of the machine; where a kernel has them, these are its defaults.
static void look_at_settings(struct finding* f) {
  static const char kLists[] = "/proc/sys/vm/percpu_pagelist_high_fraction";
  static const char kPace[] = "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan";
  static const char kPreempt[] = "/sys/kernel/debug/sched/preempt", kPreemptBefore[] = "/run/preempt";
  char value[64], before[64];
  if (read_small(AT_FDCWD, kPreempt, value, sizeof value) > 0 &&
      read_small(AT_FDCWD, kPreemptBefore, before, sizeof before) > 0 && strcmp(value, before))
    found(f, "preemption");
  if (read_small(AT_FDCWD, kLists, value, sizeof value) > 0 && atol(value) != 0)
    found(f, "page lists 1/%ld", atol(value));
  if (read_small(AT_FDCWD, kPace, value, sizeof value) > 0 && atol(value) < 16) found(f, "khugepaged %ld", atol(value));
}

int held(struct tree* t, const struct tree* base, char* why, size_t size) {
  struct finding f = {why, size, 0, 0};
  why[0] = 0;
  look_at_settings(&f);
  tree_look(t, NULL, NULL);
  if (getenv("LAB_CGROUPS")) look_at_pidfiles(&f);
  for (int i = 0; i < kMostGroups; i++) {
    const struct group* g = &t->group[i];
    if (g->dir < 0) continue;
    if (g->room) found(&f, "room %s", g->path);
    if (g->frozen) found(&f, "frozen %s", g->path);
    const struct group* was = same(base, g->path);
    for (int j = 0; j < kLimitFiles; j++) {
      const char* expected = was && was->value[j][0] ? was->value[j] : kUntouched[j];
      const char* tasks = was || strcmp(kLimitNames[j], "pids.max") ? NULL : getenv("LAB_NEW_PIDS_MAX");
      if (g->value[j][0] && strcmp(expected, g->value[j]) && (!tasks || strcmp(tasks, g->value[j])))
        found(&f, "%s %s=%s", g->path, kLimitNames[j], g->value[j]);
    }
    look_at_members(g, &f);
  }
  return f.count;
}
