// Loads of a tracepoint's fields, rewritten for the kernel whose format files are there: 5.10's and 6.18's differ.
#include "loader/context_fields.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

constexpr unsigned char kLoad64 = BPF_LDX | BPF_MEM | BPF_DW, kLoad32 = BPF_LDX | BPF_MEM | BPF_W,
                        kLoad8 = BPF_LDX | BPF_MEM | BPF_B;

// A directory that looks like tracefs, with one event whose format is a fixture.
class Tracefs {
 public:
  Tracefs(const std::string& event, const std::string& format) {
    char name[] = "/tmp/hosa-tracefs.XXXXXX";
    root_ = ::mkdtemp(name);
    std::string path = root_ + "/events";
    ::mkdir(path.c_str(), 0755);
    path += "/" + event.substr(0, event.find('/'));
    ::mkdir(path.c_str(), 0755);
    path = root_ + "/events/" + event;
    ::mkdir(path.c_str(), 0755);
    std::ofstream(path + "/format") << fixture_text("format/" + format);
    fd_ = Fd(::open(root_.c_str(), O_DIRECTORY | O_CLOEXEC));
  }
  ~Tracefs() { (void)!std::system(("rm -r " + root_).c_str()); }
  int fd() const { return fd_.get(); }

 private:
  std::string root_;
  Fd fd_;
};

ContextFields naming(const char* event, std::initializer_list<const char*> names) {
  ContextFields fields;
  for (const char* name : names) fields.push_back({event, name});
  return fields;
}

bpf_insn load(unsigned char code, int field) {
  return {code, 0, 1, static_cast<int16_t>(kFieldMark + 8 * field), 0};
}

}  // namespace

TEST_CASE("the same load is four bytes wide on 5.10 and eight on 6.18, where gfp_flags has grown") {
  const struct {
    const char* format;
    unsigned char code;
    int16_t offset;
  } kKernels[] = {
      {"mm_page_alloc-5.10", kLoad32, 20}, {"mm_page_alloc-6.12", kLoad64, 24}, {"mm_page_alloc-6.18", kLoad64, 24}};
  for (const auto& kernel : kKernels) {
    CAPTURE(kernel.format);
    const Tracefs tracefs("kmem/mm_page_alloc", kernel.format);
    const auto places = find_fields(tracefs.fd(), naming("kmem/mm_page_alloc", {"pfn", "gfp_flags"}));
    REQUIRE(places);
    bpf_insn program[] = {load(kLoad64, 1), {kLoad64, 0, 1, 8, 0}};
    REQUIRE(place_fields(program, *places));
    CHECK(program[0].code == kernel.code);
    CHECK(program[0].off == kernel.offset);
    CHECK(program[1].off == 8);  // no mark: left alone
  }
}

TEST_CASE("of a field that is wider than the load, its first bytes are loaded") {
  const Tracefs tracefs("block/block_bio_queue", "block_bio_queue-6.18");
  const auto places = find_fields(tracefs.fd(), naming("block/block_bio_queue", {"nr_sector", "rwbs"}));
  REQUIRE(places);
  bpf_insn program[] = {load(kLoad32, 0), load(kLoad8, 1)};
  REQUIRE(place_fields(program, *places));
  CHECK(program[0].off == 24);
  CHECK(program[0].code == kLoad32);
  CHECK(program[1].off == 28);
  CHECK(program[1].code == kLoad8);
}

TEST_CASE("fields that are not there, or cannot be loaded, are errors and not offsets") {
  const Tracefs tracefs("block/block_bio_queue", "block_bio_queue-6.18");
  const auto absent = find_fields(tracefs.fd(), naming("block/block_bio_queue", {"nr_bytes"}));
  REQUIRE_FALSE(absent);
  CHECK(absent.error().text() == "no such field in the format: block/block_bio_queue nr_bytes");
  CHECK_FALSE(find_fields(tracefs.fd(), naming("block/no_such_event", {"dev"})));
  CHECK_FALSE(find_fields(tracefs.fd(), naming("../../etc/passwd", {"dev"})));
  bpf_insn beyond[] = {load(kLoad64, 1)};
  FieldPlaces places;
  places.push_back({24, 8});
  CHECK_FALSE(place_fields(beyond, places));
  for (const FieldPlace odd : {FieldPlace{24, 3}, FieldPlace{26, 8}, FieldPlace{24, 0}, FieldPlace{65536, 8}}) {
    places[0] = odd;
    bpf_insn program[] = {load(kLoad64, 0)};
    CHECK_FALSE(place_fields(program, places));
  }
  bpf_insn crooked[] = {{kLoad64, 0, 1, kFieldMark + 4, 0}};
  places[0] = {24, 8};
  CHECK_FALSE(place_fields(crooked, places));
}

TEST_CASE("the probes as they ship carry no BTF and name the fields that they load") {
  for (const char* name : {"memory", "sched", "fault", "block", "network", "brk", "fork"}) {
    CAPTURE(name);
    std::ifstream file("build/probes/" + std::string(name) + ".bpf.o", std::ios::binary);
    const std::vector<unsigned char> data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE_FALSE(data.empty());
    const std::string text(data.begin(), data.end());
    CHECK(text.find(".BTF") == std::string::npos);
    const auto object = read_object(bytes_of(data));
    REQUIRE(object);
    CHECK(object->fields.size() == (std::string(name) == "block" ? 2u : 0u));
  }
}
