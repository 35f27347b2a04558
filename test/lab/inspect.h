// What is being done to the programs under test, read from outside: the limits of every cgroup, hold rooms, stopped
// processes. It knows nothing of hosa but the name of its hold room, hosa.hold.
//
// Used by sampler (changes over the whole run) and by strike (is everything given back?). All cgroups
// below the given root are looked at.
#ifndef TEST_LAB_INSPECT_H
#define TEST_LAB_INSPECT_H

#include "test/lab/lab.h"

#define kMostGroups 96
#define kLimitFiles 8
#define kValueSize 48

extern const char* const kLimitNames[kLimitFiles];

struct group {
  char path[128];                 // from the cgroup root, "/lab/offender"
  int dir;                        // -1 = free
  int file[kLimitFiles], events;  // kept open: an open costs five times a pread
  unsigned looks;
  unsigned long links;                  // of the directory: changes when a child is made or removed
  char value[kLimitFiles][kValueSize];  // "" = no such file
  int room;                             // 1 if this is a hold room
  int frozen;                           // cgroup.events says so
};

struct tree {
  int root;
  unsigned long links;
  struct group group[kMostGroups];
};

// Called for each value that is not what it was at the last look; `old` is "" at the first.
typedef void (*change_fn)(const struct group* g, const char* file, const char* old, const char* now, void* arg);

int tree_open(struct tree* t, const char* root);
void tree_look(struct tree* t, change_fn changed, void* arg);  // rereads everything, finds new and gone groups
int frozen_rooms(const struct tree* t);

// Writes into `why` (comma-separated) everything that holds anybody: limit values other than `base`'s, frozen groups,
// rooms, processes in state T, threads with a scheduling policy or niceness other than normal, oom_score_adj > 0
// below LAB_MEMBERS (a cgroup path, "/lab/"), settings of the kernel that are lowered. LAB_NEW_PIDS_MAX: what a group
// made since `base` may have for pids.max as well as "max" (systemd's TasksMax=). Returns how many. Protocol of
// "nothing is left".
int held(struct tree* t, const struct tree* base, char* why, size_t size);

#endif
