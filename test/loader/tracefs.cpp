// tracefs: mount points, format files and the constant expressions in them.
#include "loader/tracefs.h"

#include "loader/sys/cpu_list.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

TEST_CASE("the mount point is taken from mountinfo, escapes undone, bind mounts of a part passed over") {
  const std::string text =
      "22 28 0:21 / /proc rw,nosuid - proc proc rw\n"
      "30 22 0:12 /instances/x /mnt/part rw - tracefs none rw\n"
      "31 22 0:12 / /sys/kernel/tracing\\040dir rw,nosuid shared:12 master:1 - tracefs none rw\n"
      "32 22 0:12 / /other rw - tracefs none rw\n";
  const auto found = find_mount(text, "tracefs");
  REQUIRE(found);
  CHECK(*found == "/sys/kernel/tracing dir");
  CHECK_FALSE(find_mount(text, "cgroup2"));
  CHECK_FALSE(find_mount("31 22 0:12 / /x rw -", "tracefs"));
  CHECK_FALSE(find_mount("\n\n - \n", "tracefs"));
}

TEST_CASE("a real format file gives id, offsets and sizes") {
  const auto format = parse_format(fixture_text("format/mm_page_alloc-6.18"));
  REQUIRE(format);
  CHECK(format->id == 653);
  REQUIRE(format->find("gfp_flags") != nullptr);
  CHECK(format->find("gfp_flags")->offset == 24);
  CHECK(format->find("gfp_flags")->size == 8);
  CHECK_FALSE(format->find("gfp_flags")->is_signed);
  CHECK(format->find("migratetype")->is_signed);
  CHECK(format->find("nothing") == nullptr);
}

TEST_CASE("fields that are arrays or strings go by their bare name") {
  const auto format = parse_format(fixture_text("format/block_rq_issue-6.18"));
  REQUIRE(format);
  CHECK(format->find("rwbs") != nullptr);
  CHECK(format->find("comm") != nullptr);
  CHECK(format->find("cmd") != nullptr);
  CHECK(format->find("nr_sector")->size == 4);
}

TEST_CASE("a broken format file is an error at every length, or an answer within bounds") {
  const std::string whole = fixture_text("format/mm_page_alloc-6.18");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto format = parse_format({whole.data(), length});
    if (format) CHECK(format->fields.size() <= 8);
    find_flag({whole.data(), length}, "__GFP_ZERO");
  }
  CHECK_FALSE(parse_format("ID: x\n"));
  CHECK_FALSE(parse_format("ID: 1\nfield:int a; offset:99999999999; size:4; signed:1;\n"));
}

TEST_CASE("allocation flags are worked out as 5.10, 6.12 and 6.18 print them") {
  for (const char* const version : {"5.10", "6.12", "6.18"}) {
    INFO(version);
    const std::string text = fixture_text("format/mm_page_alloc-" + std::string(version));
    CHECK(find_flag(text, "__GFP_MOVABLE") == 0x8);
    CHECK(find_flag(text, "__GFP_ZERO") == 0x100);
    CHECK(find_flag(text, "__GFP_NOMEMALLOC") == 0x80000);
    CHECK(find_flag(text, "GFP_TRANSHUGE_LIGHT") == 0x1c20ca);
    CHECK_FALSE(find_flag(text, "__GFP_NOTHING"));
    CHECK_FALSE(find_flag(text, ""));
  }
  CHECK(parse_format(fixture_text("format/mm_page_alloc-5.10"))->find("gfp_flags")->size == 4);
  CHECK(parse_format(fixture_text("format/mm_page_alloc-6.12"))->find("gfp_flags")->size == 8);
}

TEST_CASE("older spellings of flags are read too, and names nobody resolved are not guessed") {
  CHECK(find_flag("{(unsigned long)((gfp_t)0x80000u), \"__GFP_NOMEMALLOC\"}", "__GFP_NOMEMALLOC") == 0x80000);
  CHECK(find_flag("{(unsigned long)(((gfp_t)(0x400u|0x800u)) & ~((gfp_t)0x400u)), \"A\"}", "A") == 0x800);
  CHECK_FALSE(find_flag("{( unsigned long)(( gfp_t)((((1UL))) << (___GFP_ZERO_BIT))), \"__GFP_ZERO\"}", "__GFP_ZERO"));
  CHECK_FALSE(find_flag("{1 << 64, \"A\"}", "A"));
  CHECK_FALSE(find_flag("{(1, \"A\"}", "A"));
  CHECK_FALSE(find_flag("{" + std::string(10000, '(') + "1, \"A\"}", "A"));
  CHECK_FALSE(find_flag("{" + std::string(10000, '~') + "1, \"A\"}", "A"));
  CHECK_FALSE(find_flag("\"A\"", "A"));
}

TEST_CASE("a list of CPUs is read as sysfs writes it") {
  uint32_t sum = 0;
  CHECK(for_each_range("0-3,8,10-11\n", [&](uint32_t first, uint32_t last) { sum += last - first + 1; }));
  CHECK(sum == 7);
  const auto nothing = [](uint32_t, uint32_t) {};
  CHECK_FALSE(for_each_range("", nothing));
  CHECK_FALSE(for_each_range("3-1", nothing));
  CHECK_FALSE(for_each_range("1,x", nothing));
  CHECK_FALSE(for_each_range("99999999999", nothing));
  CHECK(*possible_cpu_slots("test/fixtures/loader/sys") == 6);
  CHECK_FALSE(possible_cpu_slots("test/fixtures/loader/nowhere"));
}

TEST_CASE("tracefs is found or mounted privately, and a machine that names none still gets one") {
  if (!may_use_bpf()) HOSA_SKIP("tracefs needs root");
  for (const char* const proc : {"/proc", "test/fixtures/loader/proc-without-tracefs"}) {
    const int before = open_descriptors();
    {
      const auto tracefs = open_tracefs(proc);
      if (!tracefs) HOSA_SKIP("this kernel has no tracefs");
      const auto id = tracepoint_id(tracefs->get(), "kmem/mm_page_alloc");
      REQUIRE(id);
      char buffer[16384];
      const auto text = read_format(tracefs->get(), "kmem/mm_page_alloc", buffer);
      REQUIRE(text);
      CHECK(parse_format(*text)->id == *id);
      CHECK_FALSE(tracepoint_id(tracefs->get(), "../x"));
    }
    CHECK(open_descriptors() == before);
  }
}
