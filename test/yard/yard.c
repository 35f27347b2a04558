// yard OBJ...: what libbpf makes of objects, for comparison with hosa-load (compare.py). Nothing that ships links this.
//   cc -O2 test/yard/yard.c -lbpf -o build/yard
// Each program is loaded alone, maps that leave their size to user space get hosa-load's sizes. Lines:
//   MAP OBJECT NAME TYPE KEY VALUE ENTRIES FLAGS
//   OBJECT PROGRAM ERRNO INSTRUCTIONS FINGERPRINT TYPE EXPECTED_ATTACH_TYPE
//   OBJECT OPEN ERRNO
// yard --once OBJ: opens and loads the whole object once and ends, to be timed (paired.py).
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { USER_RINGBUF = 31, CGRP_STORAGE = 32, ARENA = 33 };  // newer than Debian 12's headers

static int quiet(enum libbpf_print_level level, const char* format, va_list words) {
  (void)level, (void)format, (void)words;
  return 0;
}

static int keeps_zero(int type) {
  return type == BPF_MAP_TYPE_PERF_EVENT_ARRAY || type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_INODE_STORAGE ||
         type == BPF_MAP_TYPE_TASK_STORAGE || type == CGRP_STORAGE || type == BPF_MAP_TYPE_STRUCT_OPS || type == ARENA ||
         type == BPF_MAP_TYPE_CGROUP_STORAGE || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static struct bpf_object* opened(const char* path) {
  struct bpf_object* const object = bpf_object__open(path);
  struct bpf_map* map;
  if (!object) return NULL;
  bpf_object__for_each_map(map, object) {
    const int type = bpf_map__type(map);
    bpf_map__set_pin_path(map, NULL);
    if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(map)) bpf_map__set_value_size(map, 127 * 8);
    if (bpf_map__max_entries(map) || keeps_zero(type)) continue;
    bpf_map__set_max_entries(map, type == BPF_MAP_TYPE_RINGBUF || type == USER_RINGBUF ? 65536
                                  : type == BPF_MAP_TYPE_STACK_TRACE                   ? 1024
                                                                                       : 8);
  }
  return object;
}

static int map_number(struct bpf_object* object, int fd) {
  struct bpf_map* map;
  int number = 0;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__fd(map) == fd) return number;
    number++;
  }
  return fd;
}

static unsigned long long fingerprint(struct bpf_object* object, struct bpf_program* program) {
  unsigned long long hash = 1469598103934665603ull;
  const struct bpf_insn* const insns = bpf_program__insns(program);
  for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
    struct bpf_insn insn = insns[i];
    if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && (insn.src_reg == 1 || insn.src_reg == 2))
      insn.imm = map_number(object, insn.imm);
    for (size_t k = 0; k < sizeof insn; k++) hash = (hash ^ ((unsigned char*)&insn)[k]) * 1099511628211ull;
  }
  return hash;
}

// Loads program number `wanted` and no other.
static void load_one(const char* path, const char* name, int wanted) {
  struct bpf_object* const object = opened(path);
  struct bpf_program *program, *chosen = NULL;
  int number = 0;
  if (!object) return;
  bpf_object__for_each_program(program, object) {
    if (number == wanted && bpf_program__autoload(program)) chosen = program;
    bpf_program__set_autoload(program, number++ == wanted && chosen);
  }
  if (chosen) {
    const int error = bpf_object__load(object);
    printf("%s %s %d %zu %016llx %d %d\n", name, bpf_program__name(chosen), error, bpf_program__insn_cnt(chosen),
           error ? 0 : fingerprint(object, chosen), bpf_program__type(chosen),
           bpf_program__expected_attach_type(chosen));
  }
  bpf_object__close(object);
}

static void measure(const char* path) {
  const char* const slash = strrchr(path, '/');
  const char* const name = slash ? slash + 1 : path;
  struct bpf_object* const object = opened(path);
  struct bpf_program* program;
  struct bpf_map* map;
  int count = 0;
  if (!object) {
    printf("%s OPEN %d\n", name, -errno);
    return;
  }
  bpf_object__for_each_program(program, object) count++;
  bpf_object__for_each_map(map, object)
    printf("MAP %s %s %d %u %u %u %u\n", name, bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map),
           bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map));
  bpf_object__close(object);
  for (int i = 0; i < count; i++) load_one(path, name, i);
}

int main(int count, char** words) {
  libbpf_set_print(quiet);
  if (count == 3 && !strcmp(words[1], "--once")) {
    struct bpf_object* const object = opened(words[2]);
    const int error = object ? bpf_object__load(object) : -errno;
    bpf_object__close(object);
    return error != 0;
  }
  for (int i = 1; i < count; i++) measure(words[i]);
  return 0;
}
