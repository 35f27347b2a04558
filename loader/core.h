// CO-RE: instructions that speak of kernel types are changed to fit the running kernel's. Records, kinds and rules of
// matching: the kernel's Documentation/bpf/llvm_reloc.rst. Pure but for reading kernel BTF in windows.
#pragma once
#include "loader/link_program.h"

namespace hosa {

// Applies all records of the program's functions. kernel: nullptr when there is no kernel BTF; then what needs it says
// so.
Result<void> apply_core(const ObjectImage& image, const Btf* kernel, LinkedProgram& program);

}  // namespace hosa
