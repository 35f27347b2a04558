// Making kernel objects of an ObjectSpec: maps first, then programs whose loads of maps are patched with descriptors.
// Called at start-up only. No BTF is given to the kernel; findings: every map and program type hosa uses loads without
// on 5.10-6.18, amd64 and arm64.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "loader/context_fields.h"
#include "loader/object.h"
#include "loader/sys/fd.h"

namespace hosa {

// The maps of all objects that were loaded. Maps of one name are one map: objects share them by name, and a second
// object that states another shape is refused.
class Maps {
 public:
  // The descriptor of the map (owned here). max_entries: used where the spec says 0; a map that stands keeps its own.
  Result<int> create(const MapSpec& spec, uint32_t max_entries = 0);
  // -1 when no map of that name was created.
  int find(std::string_view name) const;
  void clear();

 private:
  struct Standing {
    MapSpec spec;
    Fd fd;
  };
  std::array<Standing, kMaxMaps> maps_;
  std::size_t count_ = 0;
};

// Creates what maps of the object are missing and loads one of its programs. When the verifier refuses, the program is
// given to it again with a log, and the error's subject is "NAME: the one line that matters"; full_log (optional)
// receives the whole log, NUL-terminated.
// places: where the object's fields lie in this kernel; not needed by objects without any.
Result<Fd> load_program(const ObjectSpec& object, const ProgramSpec& program, Maps& maps, std::span<char> full_log = {},
                        const FieldPlaces& places = {});

// The line that says why: the last one that is not one of the verifier's statistics. Empty when there is none.
// (verifier.c prints register state and instructions as it goes, then the complaint, then "processed N insns ...".)
std::string_view verifier_complaint(std::string_view log);

}  // namespace hosa
