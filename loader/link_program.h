// link_program: one program of an image with the functions it calls behind it, calls resolved, uses of maps and externs
// listed. Pure; order as libbpf's (each callee once, where it is first called, depth first), so that fingerprints
// agree.
#pragma once
#include "loader/program_image.h"

namespace hosa {

// The kernel takes 256 functions a program (BPF_MAX_SUBPROGS) and a million instructions.
inline constexpr std::size_t kMaxPieces = 1024;
inline constexpr std::size_t kMaxLinkedInstructions = 1000000;

struct LinkedPiece {
  uint32_t function = 0;  // number among the image's functions
  uint32_t at = 0;        // first instruction
};
struct LinkedMapUse {
  uint32_t instruction = 0;
  uint32_t map = 0;
  bool value = false;   // the address of data in the map
  uint32_t offset = 0;  // of that data
};
struct LinkedExternUse {
  uint32_t instruction = 0;
  uint32_t item = 0;
  bool call = false;
};
struct LinkedProgram {
  List<bpf_insn> instructions;
  List<LinkedPiece> pieces;
  List<LinkedMapUse> maps;
  List<LinkedExternUse> externs;
};

Result<void> link_program(const ObjectImage& image, uint32_t function, LinkedProgram& out);

}  // namespace hosa
