// Memory that grows in no process, on the kernel that runs: tmpfs, shared memory, socket buffers are their taker's.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "test/hosa/kernel_child.h"

TEST_CASE("tmpfs and socket buffers are in the count of all pages within 5 %, and not anonymous") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    const int fd = ::memfd_create("hosa", MFD_CLOEXEC);
    static char megabyte[kMegabyte];
    for (std::size_t i = 0; i < kTouched / kMegabyte; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) ::_exit(1);
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.all_bytes - before.all_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));

  Child sender([] {
    for (int pair = 0; pair < 64; ++pair) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) ::_exit(1);
      const int room = 1 << 20;
      ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
      static char bytes[16384];
      while (::write(ends[0], bytes, sizeof bytes) > 0) {
      }
    }
  });
  const hosa_usage sender_before = opened.usage_of(sender.pid());
  sender.run();
  const hosa_usage sender_after = opened.usage_of(sender.pid());
  // 2 MB of buffer space (twice SO_SNDBUF) each, bookkeeping included: at least 1 MB of it is pages.
  CHECK(sender_after.all_bytes - sender_before.all_bytes > 64 * kMegabyte);
  CHECK(sender_after.anon_bytes - sender_before.anon_bytes < 2 * kMegabyte);
  CHECK(sender_after.shared_bytes - sender_before.shared_bytes < 2 * kMegabyte);
  CHECK(sender_after.kernel_bytes - sender_before.kernel_bytes > 64 * kMegabyte);
}

TEST_CASE("shared memory that is mapped is in no anonymous count, and its toucher's within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    void* const start = ::mmap(nullptr, kTouched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (std::size_t i = 0; i < kTouched; i += 4096) static_cast<char*>(start)[i] = 1;
    ::munmap(start, kTouched);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);
}

TEST_CASE("pages of two kinds that take turns are both counted within 5 %") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  Child child([] {
    constexpr int kMode = PROT_READ | PROT_WRITE;
    void* const shared = ::mmap(nullptr, kTouched, kMode, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void* const own = ::mmap(nullptr, kTouched, kMode, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(own, kTouched, MADV_NOHUGEPAGE);
    for (std::size_t i = 0; i < kTouched; i += 4096) static_cast<char*>(shared)[i] = static_cast<char*>(own)[i] = 1;
    ::munmap(shared, kTouched), ::munmap(own, kTouched);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(static_cast<double>(after.anon_bytes - before.anon_bytes) == Approx(kTouched).epsilon(0.05));
}

TEST_CASE("a tmpfs with huge pages is its writer's within 5 %, and not anonymous; anonymous huge pages beside it are") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  // In a mount namespace of this thread's own: it shows in its mountinfo, and goes with it.
  struct Namespace {
    int home = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), here = ::open(".", O_RDONLY | O_CLOEXEC);
    bool entered = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    bool mounted = entered && ::mount("tmpfs", "/mnt", "tmpfs", 0, "size=256m,huge=always") == 0;
    ~Namespace() {
      if (mounted) ::umount2("/mnt", MNT_DETACH);
      const bool back = ::setns(home, CLONE_NEWNS) == 0 && ::fchdir(here) == 0;
      ::close(home), ::close(here);
      if (!back) ::_exit(1);
    }
  } const own;
  if (!own.mounted) HOSA_SKIP("no tmpfs with huge= here");
  const auto huge = [] { return number_after("/proc/meminfo", "ShmemHugePages:"); };
  Opened opened;
  Child child([] {
    const int fd = ::open("/mnt/file", O_RDWR | O_CREAT, 0600);
    static char megabyte[kMegabyte];
    for (std::size_t i = 0; i < kTouched / kMegabyte; ++i)
      if (::write(fd, megabyte, sizeof megabyte) < 0) ::_exit(1);
    ::close(fd);
  });
  const hosa_usage before = opened.usage_of(child.pid());
  const uint64_t huge_before = huge();
  child.run();
  const hosa_usage after = opened.usage_of(child.pid());
  if (huge() - huge_before < kTouched / 2 / 1024) HOSA_SKIP("this kernel gave no huge pages to tmpfs");
  CHECK(static_cast<double>(after.shared_bytes - before.shared_bytes) == Approx(kTouched).epsilon(0.05));
  CHECK(after.anon_bytes - before.anon_bytes < 2 * kMegabyte);
  Child toucher([] { touch_anonymous(MADV_HUGEPAGE); });
  const hosa_usage toucher_before = opened.usage_of(toucher.pid());
  toucher.run();
  const hosa_usage touched = opened.usage_of(toucher.pid());
  CHECK(static_cast<double>(touched.anon_bytes - toucher_before.anon_bytes) == Approx(kTouched).epsilon(0.05));
}
