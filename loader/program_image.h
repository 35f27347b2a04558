// ProgramImage: a whole object as values, for tools that load anybody's objects (hosa-load): maps of every kind, global
// data, functions and what their instructions refer to. Pure: no kernel, no root. object.h is the agent's narrow reader
// of its own probes; this one has the room that foreign objects need and allocates by the size of the input.
#pragma once
#include <linux/bpf.h>

#include "loader/btf.h"
#include "loader/elf.h"
#include "loader/list.h"
#include "loader/sys/bpf.h"

namespace hosa {

struct ImageMap {
  FixedString<63> name;
  MapShape shape;
  uint64_t extra = 0;
  uint32_t key_type = 0, value_type = 0;  // BTF identifiers, 0 when not stated
  uint32_t inner = 0;                     // 1 + number of the inner map among ObjectImage::inner
  uint32_t section = 0;                   // global data: its section; otherwise .maps
  uint64_t offset = 0;                    // a variable of .maps: where
  uint64_t size = 0;
  Bytes content;  // initial content of global data
  bool global_data = false;
};

struct ImageFunction {
  std::string_view name;
  std::string_view section_name;
  uint32_t section = 0;
  uint64_t start = 0;  // bytes in its section
  uint64_t size = 0;
  bool entry = false;  // a program of its own
};

struct ImageExtern {
  std::string_view name;
  uint32_t symbol = 0;
  bool weak = false;
  bool kconfig = false;
  uint32_t type = 0;       // BTF VAR or FUNC
  uint32_t config_at = 0;  // offset in .kconfig
};

struct ImageRelocation {
  uint32_t section = 0;  // patched
  uint64_t offset = 0;
  uint32_t symbol = 0;
  uint32_t type = 0;
};

struct ObjectImage {
  ElfFile elf;
  ElfSection symbols;
  std::string_view licence = "";
  uint32_t version = 0;
  Btf btf;
  bool has_btf = false;
  Bytes extension;  // .BTF.ext
  List<ImageMap> maps, inner;
  List<ImageFunction> functions;
  List<ImageRelocation> relocations;  // sorted by section and offset
  List<ImageExtern> externs;
  uint32_t kconfig_map = 0;  // 1 + number of the map
};

// object_name: the file's name without what follows the first dot; names of data maps begin with it.
Result<void> read_image(Bytes file, std::string_view object_name, ObjectImage& image);

// Steps of read_image, each in a file of its own.
Result<void> read_image_maps(ObjectImage& image, std::string_view object_name);
Result<void> read_image_externs(ObjectImage& image);

}  // namespace hosa
