// Who is counted as growing where no memory controller counts it: real processes, this kernel's probes and /proc.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <fstream>
#include <memory>

#include "test/hosa/kernel_child.h"
#include "tools/hosa/census.h"

#include "proprioception/turn.h"

using namespace hosa;

namespace {

constexpr double kLeaked = 32.0 * kMegabyte;

// A process of its own tree: its parent, between us and it, ends, so that init adopts it.
class Orphan {
 public:
  template <class Work>
  explicit Orphan(Work work) {
    REQUIRE(::pipe(go_) == 0);
    REQUIRE(::pipe(done_) == 0);
    const pid_t between = ::fork();
    if (between == 0) {
      if (::fork() == 0) run_as_orphan(work);
      ::_exit(0);
    }
    ::waitpid(between, nullptr, 0);
    REQUIRE(::read(done_[0], &pid_, sizeof pid_) == sizeof pid_);
    for (int i = 0; i < 200 && parent() == between; ++i) ::usleep(1000);
  }
  ~Orphan() {
    for (const int fd : {go_[0], go_[1], done_[0], done_[1]}) ::close(fd);
  }
  void start() { REQUIRE(::write(go_[1], "g", 1) == 1); }
  void wait() {
    char byte = 0;
    REQUIRE(::read(done_[0], &byte, 1) == 1);
  }
  int pid() const { return pid_; }
  int parent() const {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string field;
    for (int i = 0; i < 4; ++i) stat >> field;
    return std::atoi(field.c_str());
  }

 private:
  template <class Work>
  [[noreturn]] void run_as_orphan(Work work) {
    ::close(go_[1]);
    ::setsid();
    const pid_t own = ::getpid();
    if (::write(done_[1], &own, sizeof own) != sizeof own) ::_exit(1);
    char byte = 0;
    while (::read(go_[0], &byte, 1) == 1) {
      work();
      if (::write(done_[1], &byte, 1) != 1) break;
    }
    ::_exit(0);
  }
  int go_[2], done_[2];
  pid_t pid_ = 0;
};

void grow_in_tmpfs() {
  static int fd = ::memfd_create("hosa", MFD_CLOEXEC);
  static char piece[256 * 1024];
  for (double done = 0; done < kLeaked; done += sizeof piece) {
    if (::write(fd, piece, sizeof piece) < 0) ::_exit(1);
    ::usleep(5000);
  }
}

// What a compiler does to memory: much anonymous memory, and copies of pages when it starts something.
void churn() {
  for (int i = 0; i < 8; ++i) touch_anonymous(MADV_NOHUGEPAGE);
  for (int i = 0; i < 50; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    ::waitpid(pid, nullptr, 0);
  }
}

UnownedBytes machine_wide() {
  UnownedBytes bytes;
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    const double kilobytes = std::atof(line.c_str() + line.find(':') + 1);
    if (line.starts_with("Shmem:")) bytes.shared = 1024 * kilobytes;
    if (line.starts_with("SUnreclaim:")) bytes.kernel = 1024 * kilobytes;
  }
  return bytes;
}

double bytes_of(const Census& census, uint64_t unit) {
  const UnitUse* const use = census.use_of(unit);
  return use != nullptr ? use->bytes : 0;
}

void pause_awhile() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(30);  // its parent may have ended before that
  ::pause();
  ::_exit(0);
}

// A census of this machine by its processes, with these probes or none.
struct Counted {
  Fd proc = std::move(*open_directory(AT_FDCWD, "/proc"));
  std::unique_ptr<Census> census = std::make_unique<Census>();
  std::unique_ptr<Handed> handed;
  std::unique_ptr<Members> members = std::make_unique<Members>();
  explicit Counted(KernelSide& side) : handed(std::make_unique<Handed>(side)) {
    census->open({&proc, nullptr, false, static_cast<double>(::getpagesize())});
  }
  void take(Census::Look look) {
    census->take(static_cast<double>(monotonic_ns()) * 1e-9, machine_wide(), *handed, look);
  }
  const Unit& unit_of(int pid) {
    const Unit* const unit = census->find(census->unit_of_pid(pid));
    REQUIRE(unit != nullptr);
    return *unit;
  }
};

}  // namespace

TEST_CASE("a file growing in tmpfs is its writer's, though a compiler beside it is handed many times the pages") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Orphan writer(grow_in_tmpfs), compiler(churn);
  if (writer.parent() > 2) HOSA_SKIP("orphans are adopted by another process than init");
  Opened opened;
  Counted counted(opened.side);
  counted.take(Census::Look::onset);
  const Census& census = *counted.census;
  const uint64_t writing = census.unit_of_pid(writer.pid()), compiling = census.unit_of_pid(compiler.pid());
  REQUIRE(writing != compiling);
  const double writer_before = bytes_of(census, writing), compiler_before = bytes_of(census, compiling);
  writer.start();
  compiler.start();
  for (int look = 0; look < 8; ++look) {
    ::usleep(200'000);
    counted.take(Census::Look::suspicious);
  }
  writer.wait();
  compiler.wait();
  ::usleep(200'000);
  counted.take(Census::Look::suspicious);
  const double writer_grew = bytes_of(census, writing) - writer_before;
  const double compiler_grew = bytes_of(census, compiling) - compiler_before;
  const hosa_usage of_compiler = opened.usage_of(static_cast<uint32_t>(compiler.pid()));
  CAPTURE(of_compiler.all_bytes, of_compiler.shared_bytes, of_compiler.kernel_bytes);
  CHECK(static_cast<double>(of_compiler.all_bytes) > 4 * kLeaked);
  CHECK(writer_grew > 0.5 * kLeaked);  // what others gave back meanwhile is missing from the machine-wide growth
  CHECK(writer_grew < 1.15 * kLeaked);
  CHECK(compiler_grew < 0.1 * kLeaked);
}

TEST_CASE("who was born into a tree of processes since the last census is a member once newborns are looked for") {
  Orphan parent([] {
    if (::fork() == 0) pause_awhile();
  });
  if (parent.parent() > 2) HOSA_SKIP("orphans are adopted by another process than init");
  KernelSide side;
  Counted counted(side);
  counted.take(Census::Look::onset);
  const Unit& tree = counted.unit_of(parent.pid());
  parent.start();
  parent.wait();
  counted.census->members(tree, {}, *counted.members);
  CHECK(counted.members->size() == 1);
  counted.census->see_newborn(tree);
  counted.census->members(tree, {}, *counted.members);
  CHECK(counted.members->size() == 2);
}

TEST_CASE("a crowd that one hold has just looked at is not read again for another, a few processes are") {
  const bool crowd = GENERATE(true, false);
  auto* const stage = static_cast<std::atomic<int>*>(
      ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  REQUIRE(stage != MAP_FAILED);
  const auto wait_for = [stage](int wanted) {  // at most 20 s: a hundred forks of a sanitised program took over 0.3 s
    for (int i = 0; i < 4000 && *stage != wanted; ++i) ::usleep(5'000);
    return *stage == wanted;
  };
  Orphan parent([crowd, stage, wait_for] {
    for (int i = 0; i < (crowd ? 100 : 3); ++i)
      if (::fork() == 0) pause_awhile();
    *stage = 1;
    wait_for(2);
  });
  if (parent.parent() > 2) HOSA_SKIP("orphans are adopted by another process than init");
  KernelSide side;
  Counted counted(side);
  parent.start();
  REQUIRE(wait_for(1));
  counted.take(Census::Look::onset);
  const Unit& tree = counted.unit_of(parent.pid());
  const double first_s = counted.census->glance(tree, *counted.members);
  CHECK(counted.members->size() == (crowd ? 101 : 4));
  CHECK((counted.census->glance(tree, *counted.members) == first_s) == crowd);
  CHECK(counted.members->size() == (crowd ? 101 : 4));
  *stage = 2;
  parent.wait();
  ::munmap(stage, sizeof(std::atomic<int>));
}

TEST_CASE("a glance ends where a record comes, and what was known before stands") {
  Orphan parent([] {
    if (::fork() == 0) pause_awhile();
  });
  if (parent.parent() > 2) HOSA_SKIP("orphans are adopted by another process than init");
  KernelSide side;
  Counted counted(side);
  counted.take(Census::Look::onset);
  const Unit& tree = counted.unit_of(parent.pid());
  const double known_s = counted.census->glance(tree, *counted.members);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reader(ends[0]), writer(ends[1]);
  REQUIRE(::write(writer.get(), "r", 1) == 1);
  begin_turn({.records = reader.get()});
  rest_now();
  CHECK(counted.census->glance(tree, *counted.members) == known_s);
  CHECK(counted.members->size() == 1);
  end_turn();
  begin_turn({});
  CHECK(counted.census->glance(tree, *counted.members) > known_s);
  end_turn();
}

TEST_CASE("of a tree of processes the one that takes the memory and the one that takes the CPU are told apart") {
  Orphan parent([] {
    int born[2];
    if (::pipe(born) != 0) ::_exit(1);
    if (::fork() == 0) {
      touch_anonymous(MADV_NOHUGEPAGE, true);
      if (::write(born[1], "m", 1) != 1) ::_exit(1);
      pause_awhile();
    }
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const uint64_t end = monotonic_ns() + 600'000'000; monotonic_ns() < end;) {
      }
      if (::write(born[1], "c", 1) != 1) ::_exit(1);
      pause_awhile();
    }
    char byte = 0;
    for (int i = 0; i < 2; ++i)
      if (::read(born[0], &byte, 1) != 1) ::_exit(1);
  });
  if (parent.parent() > 2) HOSA_SKIP("orphans are adopted by another process than init");
  KernelSide side;
  Counted counted(side);
  counted.take(Census::Look::onset);
  CHECK(counted.census->most(counted.unit_of(parent.pid()), Census::Of::cpu).pid == 0);  // nothing to compare with
  parent.start();
  parent.wait();
  counted.take(Census::Look::suspicious);
  const Unit& tree = counted.unit_of(parent.pid());
  const Census::Most memory = counted.census->most(tree, Census::Of::memory);
  const Census::Most cpu = counted.census->most(tree, Census::Of::cpu);
  CHECK(find_process(counted.census->processes(), memory.pid)->parent == parent.pid());
  CHECK(find_process(counted.census->processes(), cpu.pid)->parent == parent.pid());
  CHECK(memory.pid != cpu.pid);
  CHECK(memory.per_second > 10.0 * kMegabyte);
  CHECK(cpu.per_second > 0.05);
}
