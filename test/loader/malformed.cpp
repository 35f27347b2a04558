// Objects with one malady each (fixtures/loader/malformed, made by make.py there): each is refused, and by its name.
#include <dirent.h>

#include "loader/link_program.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

struct Malady {
  const char* name;
  const char* answer;
};
constexpr Malady kMaladies[] = {
    {"big-endian", "ELF file is not 64-bit little-endian"},
    {"btf-count", "type of BTF lies outside"},
    {"btf-kind", "BTF has a type of unknown kind"},
    {"btf-magic", "BTF has no header"},
    {"btf-name", "name in BTF lies outside"},
    {"btf-strings-outside", "parts of BTF lie outside it"},
    {"btf-types-odd", "parts of BTF lie outside it"},
    {"btf-types-outside", "parts of BTF lie outside it"},
    {"call-outside", "call leads to no function"},
    {"cut-1000", "ELF section table lies outside the file"},
    {"cut-63", "not an ELF file"},
    {"cut-64", "ELF section table lies outside the file"},
    {"cut-table", "ELF section table lies outside the file"},
    {"ext-core-outside", "records of .BTF.ext lie outside"},
    {"ext-record-size", "records of .BTF.ext lie outside"},
    {"function-size", "function lies outside its section: global_one"},
    {"licence-endless", "licence of the object is not terminated"},
    {"names-number", "ELF section names are missing"},
    {"no-sections", "ELF file has too few or many sections"},
    {"not-bpf", "ELF file is not a BPF object"},
    {"relocation-symbol", "relocation names no symbol: .relraw_tp/one"},
    {"section-name", "ELF section name lies outside its table"},
    {"section-outside", "ELF section lies outside the file: raw_tp/one"},
    {"section-repeated", "ELF sections are together larger than the file"},
    {"section-wraps", "ELF section lies outside the file: raw_tp/one"},
    {"symbol-name", "ELF symbol name lies outside its table"},
    {"symbols-link", "ELF symbol table has no names"},
    {"table-outside", "ELF section table lies outside the file"},
    {"table-wraps", "ELF section table lies outside the file"},
};

std::string answer_to(const std::string& name) {
  const auto bytes = fixture("malformed/" + name + ".o");
  ObjectImage image;
  Result<void> read = read_image(bytes_of(bytes), "x", image);
  for (uint32_t i = 0; read && i < image.functions.size(); ++i) {
    LinkedProgram program;
    if (const auto linked = link_program(image, i, program); !linked) return linked.error().text().c_str();
  }
  return read ? "read" : read.error().text().c_str();
}

}  // namespace

TEST_CASE("a malformed object is refused with the words that say what is wrong with it") {
  for (const Malady& malady : kMaladies) {
    INFO(malady.name);
    CHECK(answer_to(malady.name) == malady.answer);
  }
}

TEST_CASE("no malformed object in the collection goes without an answer") {
  DIR* const directory = ::opendir("test/fixtures/loader/malformed");
  REQUIRE(directory != nullptr);
  std::size_t objects = 0;
  while (const dirent* const entry = ::readdir(directory))
    objects += std::string(entry->d_name).find(".o") != std::string::npos;
  ::closedir(directory);
  CHECK(objects == std::size(kMaladies));
}
