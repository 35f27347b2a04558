#include "tools/hosa/kernel_side.h"

#include <linux/perf_event.h>
#include <unistd.h>

#include <utility>

#include "loader/attach.h"
#include "loader/sys/cpu_list.h"
#include "loader/sys/perf.h"
#include "loader/tracefs.h"
#include "probes/embedded.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

static_assert(sizeof(hosa_cpu) == 1152 && sizeof(hosa_event) == 56 && sizeof(hosa_usage) == 56,
              "probes and user side agree without padding");

#if defined(__x86_64__)
constexpr const char* kBrkSymbol = "__x64_sys_brk";
#else
constexpr const char* kBrkSymbol = "__arm64_sys_brk";
#endif

// Bit values of include/linux/gfp_types.h, the same from 4.13 to 6.18; used where no format file can be read.
constexpr uint64_t kGfpMovable = 0x8, kGfpZero = 0x100, kGfpNoMemalloc = 0x80000;

// Entries per batch read: 3 KiB of stack, 1 ms on a 125 MIPS board. A hash bucket longer than this would be refused
// (ENOSPC); buckets number as many as entries, so they hold a handful.
constexpr uint32_t kBatch = 64;

struct RawProbe {
  Bytes file;
  const char* program;
  const char* tracepoint;
  KernelSensor sensor;
  const char* name;
};

Bytes embedded(const unsigned char* start, const unsigned char* end) {
  return Bytes(start, static_cast<std::size_t>(end - start));
}

#define HOSA_EMBEDDED(name) embedded(hosa_probe_##name##_start, hosa_probe_##name##_end)

void add_rung(RungReport& report, std::string_view sensor, std::string_view rung, std::string_view why) {
  report.push_back({sensor, rung, why});
}

uint64_t peek(const __u64& value) {
  return __atomic_load_n(&value, __ATOMIC_RELAXED);
}
void store(__u64& place, uint64_t value) {
  __atomic_store_n(&place, value, __ATOMIC_RELAXED);
}

Result<void> read_gfp_bits(const Fd& tracefs, const Error& no_tracefs, uint64_t& movable, uint64_t& zero,
                           uint64_t& no_memalloc) {
  if (!tracefs) return no_tracefs;
  char buffer[16384];  // 6.18's format of mm_page_alloc has 6 KB
  const auto format = read_format(tracefs.get(), "kmem/mm_page_alloc", buffer);
  if (!format) return format.error();
  const auto found_movable = find_flag(*format, "__GFP_MOVABLE");
  const auto found_zero = find_flag(*format, "__GFP_ZERO");
  const auto found_no_memalloc = find_flag(*format, "__GFP_NOMEMALLOC");
  if (!found_movable || !found_zero || !found_no_memalloc)
    return make_error(0, "flags are not printed as numbers in the format of", "kmem/mm_page_alloc");
  movable = *found_movable;
  zero = *found_zero;
  no_memalloc = *found_no_memalloc;
  return {};
}

MapSpec map_spec(std::string_view name, const MapShape& shape) {
  return MapSpec{name, shape};
}

// Key by key, for kernels without batches. A key that is evicted while we stand on it sends us back to the first one:
// twice the table is as far as this goes.
template <class Key, class Row, class Fill>
Result<std::size_t> read_usage_by_key(int map, std::span<Row> out, Fill fill) {
  Key key{};
  std::size_t used = 0;
  for (std::size_t step = 0; used < out.size() && step < 2 * out.size(); ++step) {
    const auto more = bpf_next_key(map, step == 0 ? nullptr : &key, &key);
    if (!more) return more.error();
    if (!*more) break;
    hosa_usage usage{};
    if (bpf_lookup(map, &key, &usage)) out[used++] = fill(key, usage);
  }
  return used;
}

// Any hash map of hosa_usage, in batches (5.6+).
template <class Key, class Row, class Fill>
Result<std::size_t> read_usage(int map, std::span<Row> out, Fill fill) {
  if (map < 0) return std::size_t{0};
  Key keys[kBatch];
  hosa_usage values[kBatch];
  uint32_t token = 0;
  std::size_t used = 0;
  for (bool first = true, more = true; more && used < out.size(); first = false) {
    const std::size_t room = out.size() - used;
    const auto batch = bpf_lookup_batch(map, first ? nullptr : &token, &token, keys, values,
                                        room < kBatch ? static_cast<uint32_t>(room) : kBatch);
    if (!batch && first) return read_usage_by_key<Key>(map, out, fill);
    if (!batch && batch.error().code == ENOSPC) break;  // the next bucket does not fit into what is left of `out`
    if (!batch) return batch.error();
    for (uint32_t i = 0; i < batch->count; ++i) out[used++] = fill(keys[i], values[i]);
    more = batch->more;
    let_others_run();
  }
  return used;
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
  }
  open_raw_probes(no_bpf, report);
  open_wakeups(no_bpf, report);
  open_syscalls(no_bpf, report);
  open_faults(sources, no_bpf, report);
  open_brk(sources, no_bpf, now_ns, report);
}

Error KernelSide::find_tracefs(const KernelSources& sources) {
  if (sources.without_tracefs) return make_error(0, "--without tracefs");
  auto tracefs = open_tracefs(sources.proc);
  if (!tracefs) return tracefs.error();
  tracefs_ = std::move(*tracefs);
  return {};
}

void KernelSide::close() {
  brk_attachment_.reset();
  brk_program_.reset();
  for (Fd& fd : held_) fd.reset();
  for (Fd& fd : fault_counters_) fd.reset();
  fault_attachment_.reset();
  fault_program_.reset();
  for (Fd* fd : {&wakeup_attachment_, &wakeup_program_, &syscall_attachment_, &syscall_program_}) fd->reset();
  syscalls_.reset();
  watching_faults_ = false;
  faults_before_ = 0;
  held_count_ = fault_counter_count_ = 0;
  ring_ = RingBuffer();
  config_.reset();
  counters_.reset();
  maps_.clear();
  tracefs_.reset();
  brk_observed_ns_ = 0;
  brk_in_turns_ = false;
  has_ = {};
}

Result<void> KernelSide::create_maps(const KernelSources& sources) {
  raise_memlock_limit();
  const auto slots = possible_cpu_slots(sources.sys);
  if (!slots) return slots.error();
  cpu_slots_ = *slots;
  const uint32_t ring = ring_bytes();
  // The three whose size or mapping is decided here; the objects find them by name.
  const auto counters = maps_.create(
      map_spec("counters", {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(hosa_cpu), cpu_slots_, BPF_F_MMAPABLE}));
  if (!counters) return counters.error();
  const auto config =
      maps_.create(map_spec("config", {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(hosa_config), 1, BPF_F_MMAPABLE}));
  if (!config) return config.error();
  const auto records = maps_.create(map_spec("records", {BPF_MAP_TYPE_RINGBUF, 0, 0, ring, 0}));
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
  uint64_t movable = kGfpMovable, zero = kGfpZero, no_memalloc = kGfpNoMemalloc;
  if (const auto told = read_gfp_bits(tracefs_, no_tracefs_, movable, zero, no_memalloc))
    add_rung(report, "allocation flags", "tracefs format", "");
  else
    add_rung(report, "allocation flags", "values of 4.13-6.18", told.error().text().view());
  hosa_config* const settings = config();
  store(settings->page_bytes, static_cast<uint64_t>(::getpagesize()));
  store(settings->own_tgid, static_cast<uint64_t>(::getpid()));
  store(settings->gfp_movable, movable);
  store(settings->gfp_zero, zero);
  store(settings->gfp_nomemalloc, no_memalloc);
}

// The program lives on in its attachment as well; both descriptors are kept, so that `bpftool prog` shows an owner.
void KernelSide::hold(Fd fd) {
  if (held_count_ < held_.size()) held_[held_count_++] = std::move(fd);
}

Result<Fd> KernelSide::load(Bytes file, std::string_view program) {
  const auto object = read_object(file);
  if (!object) return object.error();
  const ProgramSpec* const spec = object->find_program(program);
  if (spec == nullptr) return make_error(0, "no such program in the object:", program);
  return load_program(*object, *spec, maps_);
}

Result<void> KernelSide::attach_raw(Bytes file, std::string_view program, const char* tracepoint) {
  auto loaded = load(file, program);
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
  const Result<void> bytes = no_bpf != nullptr ? *no_bpf : attach_block_bytes();
  if (bytes) set_has(KernelSensor::block_bytes);
  add_rung(report, "block bytes", bytes ? "tracepoint block_bio_queue" : "absent",
           bytes ? std::string_view("") : bytes.error().text().view());
}

void KernelSide::open_wakeups(const Error* no_bpf, RungReport& report) {
  auto loaded = no_bpf != nullptr ? Result<Fd>(*no_bpf) : load(HOSA_EMBEDDED(sched), "hosa_wakeup");
  if (loaded) wakeup_program_ = std::move(*loaded);
  auto attached = loaded ? attach_raw_tracepoint("sched_wakeup", wakeup_program_.get()) : Result<Fd>(loaded.error());
  if (!attached) {
    wakeup_program_.reset();
    return add_rung(report, "wakeups", "absent", attached.error().text().view());
  }
  wakeup_attachment_ = std::move(*attached);
  set_has(KernelSensor::wakeups);
  add_rung(report, "wakeups", "raw tracepoint sched_wakeup", "");
}

void KernelSide::watch_wakeups(bool on) {
  if (!on) return wakeup_attachment_.reset();
  if (wakeup_attachment_ || !wakeup_program_) return;
  if (auto attached = attach_raw_tracepoint("sched_wakeup", wakeup_program_.get()))
    wakeup_attachment_ = std::move(*attached);
}

void KernelSide::open_syscalls(const Error* no_bpf, RungReport& report) {
  const Result<void> tried = no_bpf != nullptr ? *no_bpf : try_syscall_program();
  if (tried) set_has(KernelSensor::syscalls);
  add_rung(report, "system call mix", tried ? "raw tracepoint sys_enter, in turns" : "absent",
           tried ? std::string_view("") : tried.error().text().view());
}

// Attached once to see whether it works, and taken off again at once.
Result<void> KernelSide::try_syscall_program() {
  const auto map = maps_.create(
      map_spec("syscalls", {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(hosa_syscalls), cpu_slots_, BPF_F_MMAPABLE}));
  if (!map) return map.error();
  auto memory = Mapping::of_file(*map, 0, std::size_t{cpu_slots_} * sizeof(hosa_syscalls), PROT_READ);
  if (!memory) return memory.error();
  auto loaded = load(HOSA_EMBEDDED(syscalls), "hosa_syscall");
  if (!loaded) return loaded.error();
  const auto attached = attach_raw_tracepoint("sys_enter", loaded->get());
  if (!attached) return attached.error();
  syscalls_ = std::move(*memory);
  syscall_program_ = std::move(*loaded);
  return {};
}

void KernelSide::watch_syscalls(bool on) {
  if (!on) return syscall_attachment_.reset();
  if (syscall_attachment_ || !syscall_program_) return;
  if (auto attached = attach_raw_tracepoint("sys_enter", syscall_program_.get()))
    syscall_attachment_ = std::move(*attached);
}

void KernelSide::read_syscalls(SyscallCounts& sums) const {
  sums = {};
  const auto* const slots = reinterpret_cast<const hosa_syscalls*>(syscalls_.data());
  for (uint32_t cpu = 0; syscalls_ && cpu < cpu_slots_; ++cpu)
    for (std::size_t number = 0; number < HOSA_SYSCALLS; ++number)
      sums[number] += __atomic_load_n(&slots[cpu].calls[number], __ATOMIC_RELAXED);
}

// The one probe that reads a tracepoint's fields: bytes are behind a pointer in the raw one.
Result<void> KernelSide::attach_block_bytes() {
  if (!tracefs_) return no_tracefs_;
  const auto object = read_object(HOSA_EMBEDDED(block));
  if (!object) return object.error();
  const auto places = find_fields(tracefs_.get(), *object);
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

void KernelSide::open_faults(const KernelSources& sources, const Error* no_bpf, RungReport& report) {
  sys_root_ = sources.sys;
  const Result<void> raw = no_bpf != nullptr ? *no_bpf : try_fault_program();
  if (raw) {
    set_has(KernelSensor::faults);
    return add_rung(report, "page faults", "raw tracepoint page_fault_user, from level 1", "");
  }
  FixedString<255> why(raw.error().text().view());
  const auto counting = open_fault_counters();
  close_fault_counters();
  if (counting) {
    set_has(KernelSensor::faults);
    return add_rung(report, "page faults", "perf counter per CPU, from level 1", why.view());
  }
  why.append("; ").append(counting.error().text().view());
  add_rung(report, "page faults", "absent", why.view());
}

// Attached once to see whether it works, and taken off again at once.
Result<void> KernelSide::try_fault_program() {
  auto loaded = load(HOSA_EMBEDDED(fault), "hosa_page_fault");
  if (!loaded) return loaded.error();
  const auto attached = attach_raw_tracepoint("page_fault_user", loaded->get());
  if (!attached) return attached.error();
  fault_program_ = std::move(*loaded);
  return {};
}

// CPUs that are possible but not online refuse (ENODEV) and are left out: one plugged in later is not counted.
Result<void> KernelSide::open_fault_counters() {
  const auto slots = possible_cpu_slots(sys_root_.c_str());
  if (!slots) return slots.error();
  if (*slots > kMaxFaultCounters) return make_error(0, "too many CPUs for a perf counter on each");
  for (uint32_t cpu = 0; cpu < *slots; ++cpu) {
    auto counter = perf_open_software_counter(PERF_COUNT_SW_PAGE_FAULTS, static_cast<int>(cpu));
    if (!counter && counter.error().code == ENODEV) continue;
    if (!counter) return counter.error();
    fault_counters_[fault_counter_count_++] = std::move(*counter);
  }
  if (fault_counter_count_ == 0) return make_error(ENODEV, "open software counter");
  return {};
}

void KernelSide::close_fault_counters() {
  for (std::size_t i = 0; i < fault_counter_count_; ++i) {
    faults_before_ += perf_read_counter(fault_counters_[i].get()).value_or(0);
    fault_counters_[i].reset();
  }
  fault_counter_count_ = 0;
}

void KernelSide::watch_faults(bool on) {
  if (on == watching_faults_ || !has(KernelSensor::faults)) return;
  watching_faults_ = on;
  if (!fault_program_) {
    if (on)
      (void)open_fault_counters();  // it could be opened once; what cannot now is not counted
    else
      close_fault_counters();
    return;
  }
  fault_attachment_.reset();
  if (!on) return;
  if (auto attached = attach_raw_tracepoint("page_fault_user", fault_program_.get()))
    fault_attachment_ = std::move(*attached);
}

void KernelSide::open_brk(const KernelSources& sources, const Error* no_bpf, uint64_t now_ns, RungReport& report) {
  const Result<void> kprobe = no_bpf != nullptr ? *no_bpf : attach_brk_kprobe(sources);
  if (kprobe) {
    brk_since_ns_ = now_ns;
    set_has(KernelSensor::brk);
    return add_rung(report, "brk", FixedString<63>("kprobe ").append(kBrkSymbol).view(), "");
  }
  FixedString<255> why(kprobe.error().text().view());
  if (no_bpf != nullptr) return add_rung(report, "brk", "absent", why.view());
  const Result<void> tracepoint = attach_brk_tracepoint(now_ns);
  if (tracepoint) {
    set_has(KernelSensor::brk);
    return add_rung(report, "brk", "tracepoint sys_enter_brk, in turns", why.view());
  }
  why.append("; ").append(tracepoint.error().text().view());
  add_rung(report, "brk", "absent", why.view());
}

Result<void> KernelSide::attach_brk_kprobe(const KernelSources& sources) {
  auto loaded = load(HOSA_EMBEDDED(brk), "hosa_brk_kprobe");
  if (!loaded) return loaded.error();
  auto attached = attach_kprobe(sources.sys, kBrkSymbol, loaded->get());
  if (!attached) return attached.error();
  hold(std::move(*loaded));
  brk_attachment_ = std::move(*attached);
  return {};
}

// Attached once to see whether it works, and taken off again at once: turns are the loop's decision.
Result<void> KernelSide::attach_brk_tracepoint(uint64_t now_ns) {
  if (!tracefs_) return no_tracefs_;
  auto loaded = load(HOSA_EMBEDDED(brk), "hosa_brk_tracepoint");
  if (!loaded) return loaded.error();
  brk_program_ = std::move(*loaded);
  brk_in_turns_ = true;
  const Result<void> tried = start_turn(now_ns);
  stop_turn(now_ns);
  if (!tried) {
    brk_in_turns_ = false;
    brk_program_.reset();
  }
  return tried;
}

Result<void> KernelSide::start_turn(uint64_t now_ns) {
  if (!brk_in_turns_ || brk_attachment_) return {};
  auto attached = attach_tracepoint(tracefs_.get(), "syscalls/sys_enter_brk", brk_program_.get());
  if (!attached) return attached.error();
  brk_attachment_ = std::move(*attached);
  brk_since_ns_ = now_ns;
  return {};
}

// Disabling the event would not do: the program and the slow syscall path go only with the descriptor.
void KernelSide::stop_turn(uint64_t now_ns) {
  if (!brk_in_turns_ || !brk_attachment_) return;
  brk_observed_ns_ = brk_observed_ns(now_ns);
  brk_attachment_.reset();
}

uint64_t KernelSide::brk_observed_ns(uint64_t now_ns) const {
  const bool running = brk_attachment_ && now_ns > brk_since_ns_;
  return brk_observed_ns_ + (running ? now_ns - brk_since_ns_ : 0);
}

Counters KernelSide::totals() const {
  Counters sum;
  const auto* const slots = reinterpret_cast<const hosa_cpu*>(counters_.data());
  const uint32_t count = counters_ ? cpu_slots_ : 0;
  for (uint32_t cpu = 0; cpu < count; ++cpu) {
    const hosa_cpu& slot = slots[cpu];
    sum.wakeups += peek(slot.wakeups);
    sum.faults += peek(slot.faults);
    sum.brk_calls += peek(slot.brk_calls);
    sum.block_issues += peek(slot.block_issues);
    sum.block_bytes += peek(slot.block_bytes);
    sum.packets += peek(slot.packets);
    sum.forks += peek(slot.forks);
    sum.execs += peek(slot.execs);
    sum.exits += peek(slot.exits);
    sum.anon_bytes += peek(slot.anon_bytes);
    sum.all_bytes += peek(slot.all_bytes);
    sum.records_lost += peek(slot.records_lost);
    sum.unattributed += peek(slot.unattributed);
    sum.made_processes += peek(slot.made_processes);
    sum.made_cgroups += peek(slot.made_cgroups);
  }
  sum.faults += faults_before_;
  for (std::size_t i = 0; i < fault_counter_count_; ++i)
    sum.faults += perf_read_counter(fault_counters_[i].get()).value_or(0);
  return sum;
}

void KernelSide::set_limits(const WindowLimits& limits) {
  for (std::size_t cpu = 0; cpu < cpu_slots(); ++cpu)
    for (std::size_t subject = 0; subject < HOSA_SUBJECTS; ++subject)
      for (std::size_t span = 0; span < HOSA_SPANS; ++span) set_limit(cpu, subject, span, limits[subject][span]);
}

void KernelSide::set_limit(std::size_t cpu, std::size_t subject, std::size_t span, uint64_t limit) {
  if (cpu < cpu_slots()) store(slot(cpu)->limits[subject][span], limit);
}

uint32_t KernelSide::ended_windows(std::size_t cpu, std::size_t subject, std::size_t span, std::size_t bucket) const {
  return cpu < cpu_slots() ? __atomic_load_n(&slot(cpu)->ended[subject][span][bucket], __ATOMIC_RELAXED) : 0;
}

void KernelSide::quiet_until(uint64_t monotonic_ns) {
  if (config_) store(config()->quiet_until_ns, monotonic_ns);
}

// The probe may be counting down while this is written: `sent` last, so that no record is lost.
void KernelSide::arm_quota(std::size_t slot, uint64_t cgroup, uint64_t bytes) {
  if (!config_ || slot >= HOSA_QUOTAS) return;
  hosa_quota& quota = config()->quotas[slot];
  store(quota.cgroup, cgroup);
  __atomic_store_n(&quota.left_bytes, static_cast<int64_t>(bytes), __ATOMIC_RELAXED);
  __atomic_store_n(&quota.sent, uint64_t{0}, __ATOMIC_RELEASE);
}

void KernelSide::drop_quota(std::size_t slot) {
  if (!config_ || slot >= HOSA_QUOTAS) return;
  store(config()->quotas[slot].cgroup, 0);
  __atomic_store_n(&config()->quotas[slot].sent, uint64_t{1}, __ATOMIC_RELEASE);
}

void KernelSide::consume(KernelEvents& events) {
  events.clear();
  if (!ring_) return;
  ring_.consume(
      [&](Bytes record) {
        const auto event = record.read<hosa_event>(0);
        if (event && event->subject < HOSA_SUBJECTS && event->span <= HOSA_QUOTA) events.push_back(*event);
      },
      KernelEvents::capacity());
}

Result<std::size_t> KernelSide::read_usage_by_cgroup(std::span<CgroupShare> out) const {
  return read_usage<uint64_t>(maps_.find("by_cgroup"), out, [](uint64_t key, const hosa_usage& usage) {
    return CgroupShare{key, usage};
  });
}

Result<std::size_t> KernelSide::read_usage_by_process(std::span<ProcessShare> out) const {
  return read_usage<uint32_t>(maps_.find("by_process"), out, [](uint32_t key, const hosa_usage& usage) {
    return ProcessShare{key, usage};
  });
}

KernelSide::Forgotten KernelSide::forgotten() const {
  static std::array<ProcessShare, HOSA_PROCESSES> processes;
  static std::array<CgroupShare, HOSA_CGROUPS> cgroups;
  const Counters now = totals();
  const auto processes_there = read_usage_by_process(processes);
  const auto cgroups_there = read_usage_by_cgroup(cgroups);
  const auto less = [](uint64_t made, std::size_t there) { return made > there ? made - there : 0; };
  return {less(now.made_processes, processes_there.value_or(0)), less(now.made_cgroups, cgroups_there.value_or(0)),
          now.unattributed};
}

}  // namespace hosa
