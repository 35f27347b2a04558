// corpus: loader/format
// libFuzzer target: tracefs format files and mountinfo, whole or broken.
#include "loader/tracefs.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto format = hosa::parse_format(text);
  if (format && format->find("order") != nullptr && format->find("order")->size > 65535) __builtin_trap();
  (void)hosa::find_flag(text, "__GFP_ZERO");
  (void)hosa::find_mount(text, "tracefs");
  return 0;
}
