// Anonymous memory on the kernel that runs: of whatever pages it is, it is counted and attributed as the same bytes.
#include <fstream>

#include "loader/sys/file.h"
#include "test/hosa/kernel_child.h"

namespace {

uint64_t number_in(const char* path) {
  uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

uint64_t swap_free_bytes() {
  return number_after("/proc/meminfo", "SwapFree:") * 1024;
}
uint64_t swapped_out_pages() {
  return number_after("/proc/vmstat", "pswpout");
}

// A setting of the kernel, as it was again afterwards.
class Setting {
 public:
  Setting(const char* path, const char* value) : path_(path) {
    std::string words;
    std::getline(std::ifstream(path), words);
    const std::size_t from = words.find('['), to = words.find(']');
    if (from == std::string::npos || to == std::string::npos) return;
    before_ = words.substr(from + 1, to - from - 1);
    set_ = static_cast<bool>(std::ofstream(path_) << value << std::flush);
  }
  ~Setting() {
    if (set_) std::ofstream(path_) << before_ << std::flush;
  }
  explicit operator bool() const { return set_; }

 private:
  const char* path_;
  std::string before_;
  bool set_ = false;
};

// Mappings of a megabyte each, between which nothing may be touched: no room for a huge page of 2 MB.
void touch_pieces_of_a_megabyte(int advice) {
  constexpr std::size_t kGap = 64 * 1024, kStride = kMegabyte + kGap;
  constexpr std::size_t kBytes = kTouched / kMegabyte * kStride + kGap;
  void* const raw = ::mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  auto* const start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kGap - 1) & ~(kGap - 1));
  for (std::size_t piece = 0; piece < kTouched / kMegabyte; ++piece) {
    char* const at = start + piece * kStride;
    ::mprotect(at, kMegabyte, PROT_READ | PROT_WRITE);
    ::madvise(at, kMegabyte, advice);
    for (std::size_t i = 0; i < kMegabyte; i += 4096) at[i] = 1;
  }
  ::munmap(raw, kBytes);
}

}  // namespace

TEST_CASE("64 MB of small pages are counted and attributed to their process within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] { touch_anonymous(MADV_NOHUGEPAGE); });  // before the attachment, which it would inherit
  opened.side.watch_faults(true);
  const Counters before = opened.side.totals();
  const hosa_usage usage_before = opened.usage_of(child.pid());
  child.run();
  const Counters after = opened.side.totals();
  const hosa_usage usage = opened.usage_of(child.pid());
  CHECK(after.anon_bytes - before.anon_bytes > kTouched * 0.97);
  CHECK(after.all_bytes - before.all_bytes >= after.anon_bytes - before.anon_bytes);
  CHECK(static_cast<double>(usage.anon_bytes - usage_before.anon_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(usage.shared_bytes - usage_before.shared_bytes < 2 * kMegabyte);
  CHECK(usage.kernel_bytes - usage_before.kernel_bytes < 2 * kMegabyte);
  CHECK(after.faults - before.faults >= kTouched / static_cast<std::size_t>(::getpagesize()));
#ifdef __SANITIZE_ADDRESS__
  constexpr double kOff = 0.15;  // one shadow page per eight is read as well
#else
  constexpr double kOff = 0.05;
#endif
  if (opened.rung("page faults").find("raw tracepoint") == 0)
    CHECK(static_cast<double>(usage.faults - usage_before.faults) ==
          Approx(static_cast<double>(kTouched) / ::getpagesize()).epsilon(kOff));
  opened.side.watch_faults(false);
  const uint64_t counted = opened.side.totals().faults;
  touch_anonymous(MADV_NOHUGEPAGE);
  CHECK(opened.side.totals().faults == counted);  // off is off
  CHECK(usage.cgroup != 0);
  static std::array<CgroupShare, HOSA_CGROUPS> table;
  const auto count = opened.side.read_usage_by_cgroup(table);
  REQUIRE(count);
  uint64_t in_its_cgroup = 0;
  for (std::size_t i = 0; i < *count; ++i)
    if (table[i].cgroup == usage.cgroup) in_its_cgroup = table[i].usage.anon_bytes;
  CHECK(in_its_cgroup >= usage.anon_bytes);
}

TEST_CASE("64 MB of huge pages are counted and attributed as the same bytes") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  char buffer[128];
  const auto mode = read_file(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/enabled", buffer);
  if (!mode || mode->find("[never]") != std::string_view::npos) HOSA_SKIP("transparent huge pages are off");
  Opened opened;
  Child child([] { touch_anonymous(MADV_HUGEPAGE); });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
}

TEST_CASE("64 MB of multi-size huge pages are counted and attributed as the same bytes") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  const Setting size("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", "madvise");
  if (!size) HOSA_SKIP("no multi-size huge pages (6.8+)");
  const auto folios = [] {
    return number_in("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/stats/anon_fault_alloc");
  };
  Opened opened;
  Child child([] { touch_pieces_of_a_megabyte(MADV_HUGEPAGE); });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t folios_before = folios();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  if (folios() - folios_before < kTouched / (64 * 1024) / 2) HOSA_SKIP("this kernel gave no folios of 64 KB");
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.shared_bytes - before.shared_bytes < 2 * kMegabyte);
}

TEST_CASE("memory that is swapped out and in again is attributed once", "[guest]") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  if (swap_free_bytes() < 2 * kTouched) HOSA_SKIP("no swap of 128 MB");
  constexpr int kPageOut = 21;  // MADV_PAGEOUT, 5.4
  Opened opened;
  Child child([] {
    void* const raw = ::mmap(nullptr, kTouched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(raw, kTouched, MADV_NOHUGEPAGE);
    for (int turn = 0; turn < 3; ++turn) {
      for (std::size_t i = 0; i < kTouched; i += 512) static_cast<char*>(raw)[i] = static_cast<char>(i * 31);
      ::madvise(raw, kTouched, kPageOut);
    }
    ::munmap(raw, kTouched);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t swap_before = swapped_out_pages();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK((swapped_out_pages() - swap_before) * static_cast<uint64_t>(::getpagesize()) > 2 * kTouched);
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
}

TEST_CASE("a file that is read and written is no anonymous memory, but it is in the count of all pages") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    char path[] = "build/kernel_side_file_XXXXXX";
    const int fd = ::mkstemp(path);
    ::unlink(path);
    static char megabyte[kMegabyte];
    for (int i = 0; i < 32; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) break;
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(after.anon_bytes - before.anon_bytes < 4 * kMegabyte);
  CHECK(after.all_bytes - before.all_bytes > 28 * kMegabyte);
  CHECK(after.shared_bytes - before.shared_bytes < 2 * kMegabyte);
  CHECK(after.kernel_bytes - before.kernel_bytes < 2 * kMegabyte);
}
