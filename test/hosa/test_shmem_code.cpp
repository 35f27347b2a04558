#include "tools/hosa/shmem_code.h"

#include <filesystem>
#include <fstream>

#include "loader/sys/file.h"
#include "test/catch.h"

using namespace hosa;

namespace {

struct Roots {
  std::filesystem::path path;
  Fd proc, sys;
  Roots() {
    char name[] = "/tmp/hosa-shmem.XXXXXX";
    path = ::mkdtemp(name);
    std::filesystem::create_directories(path / "proc/self");
    std::filesystem::create_directories(path / "sys/kernel/mm/transparent_hugepage");
    proc = std::move(*open_directory(AT_FDCWD, (path / "proc").c_str()));
    sys = std::move(*open_directory(AT_FDCWD, (path / "sys").c_str()));
  }
  ~Roots() { std::filesystem::remove_all(path); }
  void write(const char* file, const std::string& text) const { std::ofstream(path / file) << text; }
};

}  // namespace

TEST_CASE("the code that hands out tmpfs pages reaches from its symbol to the next one") {
  const Roots roots;
  roots.write("proc/kallsyms",
              "ffffffff815b0000 t shmem_get_folio_gfp_of_another\n"
              "ffffffff815b5980 t __pfx_shmem_get_folio_gfp\n"
              "ffffffff815b5990 t shmem_get_folio_gfp\n"
              "ffffffff815b5990 T an_alias\n"
              "ffffffff815b6390 t shmem_fault\n");
  const CodeRange code = find_shmem_code(roots.proc);
  CHECK(code.start == 0xffffffff815b5990);
  CHECK(code.bytes == 0xa00);
  roots.write("proc/kallsyms", "ffffffc010245678 t shmem_getpage_gfp.isra.0\nffffffc0f0000000 t far_away\n");
  CHECK(find_shmem_code(roots.proc).start == 0xffffffc010245678);
  CHECK(find_shmem_code(roots.proc).bytes == 64 * 1024);
}

TEST_CASE("hidden addresses, no such symbol and nonsense are nowhere") {
  const Roots roots;
  CHECK(find_shmem_code(roots.proc).bytes == 0);
  for (const char* text :
       {"0000000000000000 t shmem_get_folio_gfp\n0000000000000000 t next\n", "ffffffff81000000 T other\n",
        "zz t shmem_get_folio_gfp\n", "ffffffff815b5990 t shmem_get_folio_gfp\n", ""}) {
    roots.write("proc/kallsyms", text);
    CHECK(find_shmem_code(roots.proc).bytes == 0);
  }
}

TEST_CASE("huge pages of tmpfs are possible where one is mounted with them or shared memory has them") {
  const Roots roots;
  const auto possible = [&](const char* shared, const char* options) {
    roots.write("sys/kernel/mm/transparent_hugepage/shmem_enabled", shared);
    roots.write("proc/self/mountinfo", std::string("22 1 0:21 / / rw - ext4 /dev/vda rw,huge=always\n"
                                                   "30 22 0:27 / /dev/shm rw,nosuid shared:5 - tmpfs tmpfs ") +
                                           options + "\n");
    return huge_tmpfs_possible(roots.proc, roots.sys);
  };
  CHECK_FALSE(huge_tmpfs_possible(roots.proc, roots.sys));
  CHECK_FALSE(possible("always within_size advise [never] deny force", "rw,size=64k"));
  CHECK_FALSE(possible("always within_size advise [never] deny force", "rw,huge=never"));
  CHECK(possible("always within_size advise [never] deny force", "rw,size=64k,huge=within_size"));
  CHECK(possible("always within_size [advise] never deny force", "rw"));
}
