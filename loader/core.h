// CO-RE: instructions that speak of kernel types are changed to fit the running kernel's. Records, kinds and rules of
// matching: the kernel's Documentation/bpf/llvm_reloc.rst. Pure but for reading kernel BTF in windows.
#pragma once
#include "loader/kernel_types.h"
#include "loader/link_program.h"

namespace hosa {

// Adds the names of all types that records of the object speak of to what is wanted of the kernel's.
Result<void> want_core_types(const ObjectImage& image, KernelTypes& kernel);
// Applies all records of the program's functions. Without kernel BTF, what needs it says so.
Result<void> apply_core(const ObjectImage& image, const KernelTypes& kernel, LinkedProgram& program);

}  // namespace hosa
