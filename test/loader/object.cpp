// Reading BPF objects: what the real ones say, and that no damage to them does worse than an error.
#include "loader/object.h"

#include <random>

#include "loader/elf.h"
#include "probes/events.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

const char* const kObjects[] = {"memory.bpf.o", "brk.bpf.o"};

// Whatever is answered must stay inside the file: touch all of it, so that the address sanitizer sees an over-read.
unsigned touch(const Result<ObjectSpec>& object) {
  unsigned sum = 0;
  if (!object) return static_cast<unsigned>(object.error().text().size());
  for (const ProgramSpec& program : object->programs) {
    for (std::size_t i = 0; i < program.instructions.size(); ++i) sum += program.instructions.data()[i];
    for (const MapUse& use : program.map_uses) {
      REQUIRE(use.map < object->maps.size());
      REQUIRE((use.instruction + 2) * 8 <= program.instructions.size());
    }
  }
  return sum;
}

std::string error_of(const std::vector<unsigned char>& data) {
  const auto object = read_object(bytes_of(data));
  return object ? "none" : std::string(object.error().text().view());
}

}  // namespace

TEST_CASE("the memory probe's object reads as one raw tracepoint program with five maps") {
  const auto data = fixture("memory.bpf.o");
  const auto object = read_object(bytes_of(data));
  REQUIRE(object);
  CHECK(object->licence == "Dual MIT/GPL");
  REQUIRE(object->programs.size() == 1);
  const ProgramSpec& program = object->programs[0];
  CHECK(program.name == "hosa_page_alloc");
  CHECK(program.target == "mm_page_alloc");
  CHECK(program.type == BPF_PROG_TYPE_RAW_TRACEPOINT);
  CHECK(program.map_uses.size() > 5);
  CHECK(object->maps.size() == 5);
  bool seen = false;
  for (const MapSpec& map : object->maps) {
    if (!(map.name == "by_cgroup")) continue;
    seen = true;
    CHECK(map.shape == MapShape{BPF_MAP_TYPE_LRU_HASH, 8, 40, HOSA_CGROUPS, 0});
  }
  CHECK(seen);
}

TEST_CASE("an object may hold several programs, each found by its function's name") {
  const auto data = fixture("brk.bpf.o");
  const auto object = read_object(bytes_of(data));
  REQUIRE(object);
  REQUIRE(object->find_program("hosa_brk_kprobe") != nullptr);
  CHECK(object->find_program("hosa_brk_kprobe")->type == BPF_PROG_TYPE_KPROBE);
  REQUIRE(object->find_program("hosa_brk_tracepoint") != nullptr);
  CHECK(object->find_program("hosa_brk_tracepoint")->target == "syscalls/sys_enter_brk");
  CHECK(object->find_program("hosa_brk") == nullptr);
}

TEST_CASE("files that are no BPF objects are refused in words") {
  CHECK(error_of({}) == "not an ELF file");
  CHECK(error_of({'#', '!', '/', 'b', 'i', 'n'}) == "not an ELF file");
  auto data = fixture("memory.bpf.o");
  data[4] = ELFCLASS32;
  CHECK(error_of(data) == "ELF file is not 64-bit little-endian");
  data = fixture("memory.bpf.o");
  data[18] = EM_X86_64;
  CHECK(error_of(data) == "ELF file is not a BPF object");
}

TEST_CASE("an object cut at any length gives an error, never a crash") {
  for (const char* const name : kObjects) {
    const auto whole = fixture(name);
    REQUIRE(whole.size() > 1000);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::vector<unsigned char> cut(whole.begin(), whole.begin() + static_cast<long>(length));
      const auto object = read_object(bytes_of(cut));
      touch(object);
      REQUIRE_FALSE(object);  // the section table comes last
    }
  }
}

TEST_CASE("an object with any one byte changed gives an error or an answer, never a crash") {
  for (const char* const name : kObjects) {
    auto data = fixture(name);
    for (std::size_t i = 0; i < data.size(); ++i) {
      const unsigned char good = data[i];
      for (const unsigned char bad : {0x00, 0xff, 0x7f, 0x80, good ^ 1, good ^ 0x20}) {
        data[i] = bad;
        touch(read_object(bytes_of(data)));
      }
      data[i] = good;
    }
  }
}

TEST_CASE("an object with many bytes changed gives an error or an answer, never a crash") {
  std::mt19937 random(20261121);
  for (const char* const name : kObjects) {
    const auto whole = fixture(name);
    for (int round = 0; round < 5000; ++round) {
      auto data = whole;
      const unsigned changes = 1 + random() % 16;
      for (unsigned i = 0; i < changes; ++i) {
        // Every other change goes into the section headers, where offsets and sizes are.
        const std::size_t headers = data.size() / 12;
        const std::size_t at = random() % 2 != 0 ? data.size() - 1 - random() % headers : random() % data.size();
        data[at] = static_cast<unsigned char>(random());
      }
      touch(read_object(bytes_of(data)));
    }
  }
}

TEST_CASE("reading is deterministic: the same bytes give the same answer") {
  const auto data = fixture("memory.bpf.o");
  const auto once = read_object(bytes_of(data));
  const auto twice = read_object(bytes_of(data));
  REQUIRE(once);
  REQUIRE(twice);
  CHECK(touch(once) == touch(twice));
  CHECK(once->maps.size() == twice->maps.size());
}
