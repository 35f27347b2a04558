#include "tools/hosa/embedded_probe.h"

#include <utility>

#include "loader/attach.h"

namespace hosa {

Result<Fd> load_embedded(Bytes object, std::string_view program, Maps& maps) {
  const auto read = read_object(object);
  if (!read) return read.error();
  const ProgramSpec* const spec = read->find_program(program);
  if (spec == nullptr) return make_error(0, "no such program in the object:", program);
  return load_program(*read, *spec, maps);
}

Result<void> SwitchedProbe::open(Bytes object, std::string_view program, const char* tracepoint, Maps& maps) {
  close();
  auto loaded = load_embedded(object, program, maps);
  if (!loaded) return loaded.error();
  auto attached = attach_raw_tracepoint(tracepoint, loaded->get());
  if (!attached) return attached.error();
  program_ = std::move(*loaded);
  attachment_ = std::move(*attached);
  tracepoint_ = tracepoint;
  return {};
}

void SwitchedProbe::close() {
  attachment_.reset();
  program_.reset();
}

void SwitchedProbe::watch(bool on) {
  if (!on) return attachment_.reset();
  if (attachment_ || !program_) return;
  if (auto attached = attach_raw_tracepoint(tracepoint_, program_.get())) attachment_ = std::move(*attached);
}

}  // namespace hosa
