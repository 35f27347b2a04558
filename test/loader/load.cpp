// Creating maps and programs on this machine's kernel, and what the verifier says.
#include "loader/load.h"

#include <cstring>
#include <string>

#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

TEST_CASE("of the verifier's log the complaint is shown, not its statistics") {
  CHECK(verifier_complaint("0: (79) r1 = *(u64 *)(r1 +8192)\ninvalid bpf_context access off=8192 size=8\n"
                           "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0\n") ==
        "invalid bpf_context access off=8192 size=8");
  CHECK(verifier_complaint("R0 !read_ok\nverification time 12 usec\nstack depth 0\nprocessed 2 insns\n\n") ==
        "R0 !read_ok");
  CHECK(verifier_complaint("") == "");
  CHECK(verifier_complaint("processed 0 insns") == "");
}

TEST_CASE("maps of one name are one map, and objects that disagree about its shape are refused") {
  if (!may_use_bpf()) HOSA_SKIP("creating BPF maps needs root");
  raise_memlock_limit();
  const int before = open_descriptors();
  {
    Maps maps;
    const MapSpec spec{"shared", {BPF_MAP_TYPE_ARRAY, 4, 8, 0, 0}};
    CHECK_FALSE(maps.create(spec));  // nobody decided how many entries
    const auto first = maps.create(spec, 3);
    REQUIRE(first);
    CHECK(*maps.create(spec) == *first);
    CHECK(maps.find("shared") == *first);
    CHECK(maps.find("other") == -1);
    const auto other = maps.create({"shared", {BPF_MAP_TYPE_ARRAY, 4, 16, 3, 0}});
    REQUIRE_FALSE(other);
    CHECK(other.error().text() == "two objects disagree about the shape of map shared");
    uint32_t key = 2;
    uint64_t value = 7, read = 0;
    CHECK(bpf_update(*first, &key, &value));
    CHECK(bpf_lookup(*first, &key, &read));
    CHECK(read == 7);
    key = 3;
    CHECK(bpf_lookup(*first, &key, &read).error().code == ENOENT);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a program that the verifier refuses is refused with its reason") {
  if (!may_use_bpf()) HOSA_SKIP("loading BPF programs needs root");
  // r0 is never written.
  const bpf_insn exit_only[] = {{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  ObjectSpec object;
  object.licence = "Dual MIT/GPL";
  ProgramSpec program;
  program.name = "refused";
  program.type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  program.instructions = Bytes(reinterpret_cast<const unsigned char*>(exit_only), sizeof exit_only);
  Maps maps;
  char log[65536];
  const auto fd = load_program(object, program, maps, log);
  REQUIRE_FALSE(fd);
  CHECK(std::string(fd.error().text().view()) == "load BPF program refused: R0 !read_ok: permission denied (EACCES)");
  CHECK(std::strstr(log, "processed") != nullptr);
}

TEST_CASE("the fixture object's programs load with their maps patched in") {
  if (!may_use_bpf()) HOSA_SKIP("loading BPF programs needs root");
  const auto data = fixture("memory.bpf.o");
  const auto object = read_object(bytes_of(data));
  REQUIRE(object);
  const int before = open_descriptors();
  {
    Maps maps;
    for (const MapSpec& map : object->maps) REQUIRE(maps.create(map, 65536));
    const auto fd = load_program(*object, object->programs[0], maps);
    if (!fd) FAIL(fd.error().text().c_str());
    REQUIRE(fd);
  }
  CHECK(open_descriptors() == before);
}
