// The types of an object as the kernel takes them: sizes and offsets of global data filled in, externs disguised, and
// for kernels that do not know some kinds, those replaced by older ones of the same length.
#pragma once
#include "loader/program_image.h"
#include "loader/sys/fd.h"

namespace hosa {

// Kinds the kernel knows, each tried with a BTF of a few types; asked for only after a refusal.
struct BtfFeatures {
  bool variables = true;          // VAR and DATASEC, 5.2
  bool global_functions = true;   // 5.6
  bool floats = true;             // 5.13
  bool declaration_tags = true;   // 5.16
  bool type_tags = true;          // 5.18
  bool wide_enumerations = true;  // 6.0
  bool question_marks = true;     // in names of sections, 6.11
};
BtfFeatures probe_btf_features();

// Appends the BTF to out; false when memory is gone.
bool btf_for_kernel(const ObjectImage& image, List<unsigned char>& out);
// Rewrites in place what the kernel does not know.
void replace_kinds(const Btf& btf, const BtfFeatures& features, List<unsigned char>& bytes);

// Gives the object's BTF to the kernel; without what the kernel does not know when it refuses the whole.
Result<Fd> load_object_btf(const ObjectImage& image);

}  // namespace hosa
