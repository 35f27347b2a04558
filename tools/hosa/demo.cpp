#include "tools/hosa/verbs.h"
namespace hosa {
int demo_verb(const Options&) { return fail(make_error(0, "demo is not built yet"), kExitRuntime); }
}  // namespace hosa
