// Opening the probes: maps, what the kernel side must know before the first program runs, then program by program.
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "loader/attach.h"
#include "loader/sys/cpu_list.h"
#include "loader/tracefs.h"
#include "tools/hosa/kernel_side.h"
#include "tools/hosa/shmem_code.h"

namespace hosa {
namespace {

static_assert(sizeof(hosa_cpu) == 1280 && sizeof(hosa_event) == 56 && sizeof(hosa_usage) == 72,
              "probes and user side agree without padding");

struct GfpFlag {
  const char* name;
  uint64_t bit;
};
// Bit values of include/linux/gfp_types.h, the same from 4.13 to 6.18; used where no format file can be read.
enum { kMovable, kZero, kNoMemalloc, kWrite, kNoRetry, kReclaimable, kHighMem, kHigh, kGfpFlags };
using GfpFlags = std::array<GfpFlag, kGfpFlags>;
constexpr GfpFlags kUsualFlags = {{{"__GFP_MOVABLE", 0x8},
                                   {"__GFP_ZERO", 0x100},
                                   {"__GFP_NOMEMALLOC", 0x80000},
                                   {"__GFP_WRITE", 0x1000},
                                   {"__GFP_NORETRY", 0x10000},
                                   {"__GFP_RECLAIMABLE", 0x10},
                                   {"__GFP_HIGHMEM", 0x2},
                                   {"__GFP_HIGH", 0x20}}};

struct RawProbe {
  Bytes file;
  const char* program;
  const char* tracepoint;
  KernelSensor sensor;
  const char* name;
};

Result<GfpFlags> read_gfp_flags(const Fd& tracefs, const Error& no_tracefs) {
  if (!tracefs) return no_tracefs;
  char buffer[16384];  // 6.18's format of mm_page_alloc has 6 KB
  const auto format = read_format(tracefs.get(), "kmem/mm_page_alloc", buffer);
  if (!format) return format.error();
  GfpFlags flags = kUsualFlags;
  for (GfpFlag& flag : flags) {
    const auto bit = find_flag(*format, flag.name);
    if (!bit) return make_error(0, "flags are not printed as numbers in the format of", "kmem/mm_page_alloc");
    flag.bit = *bit;
  }
  return flags;
}

MapSpec array_spec(std::string_view name, std::size_t value_bytes, uint32_t entries) {
  return MapSpec{name,
                 {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), static_cast<uint32_t>(value_bytes), entries, BPF_F_MMAPABLE}};
}

}  // namespace

void KernelSide::open(const KernelSources& sources, uint64_t now_ns, RungReport& report) {
  close();
  no_tracefs_ = find_tracefs(sources);
  const Result<void> maps = sources.without_bpf ? make_error(0, "--without bpf") : create_maps(sources);
  const Error* const no_bpf = maps ? nullptr : &maps.error();
  if (no_bpf != nullptr) {
    maps_.clear();
    ring_ = RingBuffer();
  } else {
    configure(report);
    tell_huge_tmpfs(sources, report);
  }
  open_raw_probes(no_bpf, report);
  open_block_bytes(no_bpf, report);
  open_wakeups(no_bpf, report);
  open_syscalls(no_bpf, report);
  faults_.open(sources.sys, maps_, no_bpf, report);
  if (faults_.there()) set_has(KernelSensor::faults);
  brk_.open({sources.sys, &tracefs_, &no_tracefs_}, maps_, no_bpf, now_ns, report);
  if (brk_.there()) set_has(KernelSensor::brk);
}

Error KernelSide::find_tracefs(const KernelSources& sources) {
  if (sources.without_tracefs) return make_error(0, "--without tracefs");
  auto tracefs = open_tracefs(sources.proc);
  if (!tracefs) return tracefs.error();
  tracefs_ = std::move(*tracefs);
  return {};
}

void KernelSide::close() {
  brk_.close();
  faults_.close();
  syscalls_.close();
  wakeups_.close();
  for (Fd& fd : held_) fd.reset();
  held_count_ = 0;
  ring_ = RingBuffer();
  config_.reset();
  counters_.reset();
  maps_.clear();
  tracefs_.reset();
  has_ = {};
}

Result<void> KernelSide::create_maps(const KernelSources& sources) {
  raise_memlock_limit();
  const auto slots = possible_cpu_slots(sources.sys);
  if (!slots) return slots.error();
  cpu_slots_ = *slots;
  const uint32_t ring = ring_bytes();
  // The three whose size or mapping is decided here; the objects find them by name.
  const auto counters = maps_.create(array_spec("counters", sizeof(hosa_cpu), cpu_slots_));
  if (!counters) return counters.error();
  const auto config = maps_.create(array_spec("config", sizeof(hosa_config), 1));
  if (!config) return config.error();
  const auto records = maps_.create(MapSpec{"records", {BPF_MAP_TYPE_RINGBUF, 0, 0, ring, 0}});
  if (!records) return records.error();
  auto counter_memory =
      Mapping::of_file(*counters, 0, std::size_t{cpu_slots_} * sizeof(hosa_cpu), PROT_READ | PROT_WRITE);
  if (!counter_memory) return counter_memory.error();
  auto config_memory = Mapping::of_file(*config, 0, sizeof(hosa_config), PROT_READ | PROT_WRITE);
  if (!config_memory) return config_memory.error();
  auto opened = RingBuffer::open(*records, ring);
  if (!opened) return opened.error();
  counters_ = std::move(*counter_memory);
  config_ = std::move(*config_memory);
  ring_ = std::move(*opened);
  return {};
}

// Before the first probe is attached: one that ran with page size 0 would count nothing.
void KernelSide::configure(RungReport& report) {
  GfpFlags flags = kUsualFlags;
  if (const auto told = read_gfp_flags(tracefs_, no_tracefs_)) {
    flags = *told;
    add_rung(report, "allocation flags", "tracefs format", "");
  } else {
    add_rung(report, "allocation flags", "values of 4.13-6.18", told.error().text().view());
  }
  config()->own_tgid = static_cast<uint64_t>(::getpid());
  const auto bit = [&flags](std::size_t flag) { return static_cast<uint32_t>(flags[flag].bit); };  // gfp_t has 32
  hosa_page_kinds kinds{};
  kinds.page_bytes = static_cast<uint32_t>(::getpagesize());
  kinds.movable = bit(kMovable);
  kinds.zero = bit(kZero);
  kinds.nomemalloc = bit(kNoMemalloc);
  kinds.not_shared = bit(kZero) | bit(kWrite) | bit(kNoRetry);
  kinds.not_kernel = bit(kMovable) | bit(kReclaimable) | bit(kZero) | bit(kHighMem) | bit(kHigh) | bit(kWrite);
  for (std::size_t cpu = 0; cpu < cpu_slots(); ++cpu) slot(cpu)->kinds = kinds;
}

// Only where such a tmpfs may be (shmem_code.h).
void KernelSide::tell_huge_tmpfs(const KernelSources& sources, RungReport& report) {
  const auto proc = open_directory(AT_FDCWD, sources.proc), sys = open_directory(AT_FDCWD, sources.sys);
  if (!proc || !sys || !huge_tmpfs_possible(*proc, *sys)) return;
  const CodeRange code = find_shmem_code(*proc);
  config()->shmem_code = code.start;
  config()->shmem_code_bytes = code.bytes;
  if (code.bytes > 0)
    add_rung(report, "tmpfs with huge=", "caller on the kernel's stack", "");
  else
    add_rung(report, "tmpfs with huge=", "taken for anonymous memory", "/proc/kallsyms shows no address of it");
}

// The program lives on in its attachment as well; both descriptors are kept, so that `bpftool prog` shows an owner.
void KernelSide::hold(Fd fd) {
  if (held_count_ < held_.size()) held_[held_count_++] = std::move(fd);
}

Result<void> KernelSide::attach_raw(Bytes file, std::string_view program, const char* tracepoint) {
  auto loaded = load_embedded(file, program, maps_);
  if (!loaded) return loaded.error();
  auto attached = attach_raw_tracepoint(tracepoint, loaded->get());
  if (!attached) return attached.error();
  hold(std::move(*loaded));
  hold(std::move(*attached));
  return {};
}

void KernelSide::open_raw_probes(const Error* no_bpf, RungReport& report) {
  const RawProbe probes[] = {
      {HOSA_EMBEDDED(memory), "hosa_page_alloc", "mm_page_alloc", KernelSensor::memory, "memory"},
      {HOSA_EMBEDDED(fork), "hosa_fork", "sched_process_fork", KernelSensor::forks, "forks"},
      {HOSA_EMBEDDED(fork), "hosa_exec", "sched_process_exec", KernelSensor::execs, "execs"},
      {HOSA_EMBEDDED(fork), "hosa_exit", "sched_process_exit", KernelSensor::exits, "exits"},
      {HOSA_EMBEDDED(reclaim), "hosa_direct_reclaim", "mm_vmscan_direct_reclaim_begin", KernelSensor::reclaim,
       "direct reclaim, at once"},
      {HOSA_EMBEDDED(reclaim), "hosa_oom_kill", "mark_victim", KernelSensor::oom_kills, "OOM kills, at once"},
      {HOSA_EMBEDDED(block), "hosa_block_issue", "block_rq_issue", KernelSensor::block_io, "block io"},
      {HOSA_EMBEDDED(network), "hosa_packet", "net_dev_queue", KernelSensor::packets, "packets sent"},
  };
  for (const RawProbe& probe : probes) {
    const Result<void> attached = no_bpf != nullptr ? *no_bpf : attach_raw(probe.file, probe.program, probe.tracepoint);
    if (!attached) {
      add_rung(report, probe.name, "absent", attached.error().text().view());
      continue;
    }
    set_has(probe.sensor);
    add_rung(report, probe.name, FixedString<63>("raw tracepoint ").append(probe.tracepoint).view(), "");
  }
}

void KernelSide::open_block_bytes(const Error* no_bpf, RungReport& report) {
  const Result<void> bytes = no_bpf != nullptr ? *no_bpf : attach_block_bytes();
  if (bytes) set_has(KernelSensor::block_bytes);
  add_rung(report, "block bytes", bytes ? "tracepoint block_bio_queue" : "absent",
           bytes ? std::string_view("") : bytes.error().text().view());
}

// The one probe that reads a tracepoint's fields: bytes are behind a pointer in the raw one.
Result<void> KernelSide::attach_block_bytes() {
  if (!tracefs_) return no_tracefs_;
  const auto object = read_object(HOSA_EMBEDDED(block));
  if (!object) return object.error();
  const auto places = find_fields(tracefs_.get(), object->fields);
  if (!places) return places.error();
  const ProgramSpec* const program = object->find_program("hosa_block_bytes");
  if (program == nullptr) return make_error(0, "no such program in the object:", "hosa_block_bytes");
  auto loaded = load_program(*object, *program, maps_, {}, *places);
  if (!loaded) return loaded.error();
  auto attached = attach_tracepoint(tracefs_.get(), program->target.view(), loaded->get());
  if (!attached) return attached.error();
  hold(std::move(*loaded));
  hold(std::move(*attached));
  return {};
}

void KernelSide::open_wakeups(const Error* no_bpf, RungReport& report) {
  const Result<void> opened =
      no_bpf != nullptr ? *no_bpf : wakeups_.open(HOSA_EMBEDDED(sched), "hosa_wakeup", "sched_wakeup", maps_);
  if (opened) set_has(KernelSensor::wakeups);
  add_rung(report, "wakeups", opened ? "raw tracepoint sched_wakeup" : "absent",
           opened ? std::string_view("") : opened.error().text().view());
}

void KernelSide::open_syscalls(const Error* no_bpf, RungReport& report) {
  const Result<void> opened = no_bpf != nullptr ? *no_bpf : syscalls_.open(cpu_slots_, maps_);
  if (opened) set_has(KernelSensor::syscalls);
  add_rung(report, "system call mix", opened ? "raw tracepoint sys_enter, in turns" : "absent",
           opened ? std::string_view("") : opened.error().text().view());
}

}  // namespace hosa
