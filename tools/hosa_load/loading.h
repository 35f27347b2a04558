// Loading: one object on its way into the kernel, shared by the steps (object_maps, externs, program), each in a file.
#pragma once
#include "loader/context_fields.h"
#include "loader/core.h"
#include "loader/format_types.h"
#include "loader/program_image.h"
#include "loader/sys/fd.h"
#include "tools/hosa_load/output.h"

namespace hosa {

struct LoadOptions {
  bool verbose = false;
  const char* btf = "/sys/kernel/btf";
  uint32_t type = 0;  // BPF_PROG_TYPE_* of programs whose section tells nothing
};

struct Loading {
  const char* path;
  KernelTypes& kernel;
  const LoadOptions& options;
  Output& errors;
  ObjectImage image;
  Fd btf;
  bool btf_tried = false;
  Fd tracefs;                    // open once something is read there
  List<unsigned char> contexts;  // types of tracepoints' contexts, in place of kernel BTF
  List<int> maps;                // descriptors, -1 where none was needed yet
  List<int> programs;            // by function; descriptors of those that maps hold, -1 of all others
  List<bool> kept;               // by function: a map holds it
  ~Loading() {
    for (const List<int>* list : {&maps, &programs})
      for (const int descriptor : *list)
        if (descriptor >= 0) ::close(descriptor);
  }
};

// The object's BTF in the kernel, given when first needed; -1 when the kernel refuses it.
int object_btf(Loading& loading);

// Sizes that an object leaves to user space.
void complete_shapes(ObjectImage& image);
// The map's descriptor; made when first needed.
Result<int> object_map(Loading& loading, uint32_t number);
// What maps hold of programs, once these are loaded: tables of programs, structures of functions.
Result<void> fill_with_programs(Loading& loading, uint32_t number);
// What .kconfig holds on this machine.
Result<void> fill_config(Loading& loading, List<unsigned char>& content);

// Names that externs, programs' targets and structures of functions need from the kernel.
Result<void> want_names(const ObjectImage& image, KernelTypes& kernel);
// Puts what the kernel has for externs into the program; descriptors of modules are appended.
Result<void> put_externs(Loading& loading, LinkedProgram& program, List<int>& modules);

// Where the kernel has no BTF: types of tracepoints' contexts from tracefs.
Result<void> stand_in_contexts(Loading& loading);
// Loads of a tracepoint's fields that the object names in its section "fields".
Result<void> place_context_fields(Loading& loading, LinkedProgram& program);

// Structures of functions: the names they need, the member that a program fills, and the map.
bool want_operations(const ObjectImage& image, const ImageMap& map, KernelTypes& kernel);
struct OperationPlace {
  KernelType structure;
  uint32_t member = 0;
};
Result<OperationPlace> operation_place(const Loading& loading, const ImageOperation& operation);
Result<void> make_operations(Loading& loading, uint32_t number);

// Type, flags and target of a program.
Result<void> describe_program(Loading& loading, uint32_t function, ProgramText& text);

struct ProgramReport {
  uint32_t type = 0, expected_attach_type = 0;
  std::size_t instructions = 0;
  uint64_t fingerprint = 0;
  FixedString<255> source;  // the line that the verifier's complaint speaks of
};
// The descriptor, for those who keep it.
Result<Fd> load_one_program(Loading& loading, uint32_t function, ProgramReport& report);

// Asked again with room for a log, more each time it does not fit; since 6.4 its end is there in any case. The answer
// is the error with the verifier's reason, or the descriptor when the program was taken this time.
Result<Fd> explain_refusal(Loading& loading, const LinkedProgram& program, const ProgramText& text,
                           const Error& refused, ProgramReport& report);

}  // namespace hosa
