#include "loader/core.h"

namespace hosa {

Result<void> apply_core(const ObjectImage&, const Btf*, LinkedProgram&) {
  return {};
}

}  // namespace hosa
