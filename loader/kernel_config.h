// What the running kernel was built with: words of /boot/config-RELEASE or, where that is not there, /proc/config.gz.
#pragma once
#include <string_view>

#include "loader/list.h"
#include "loader/sys/error.h"

namespace hosa {

struct ConfigWord {
  std::string_view name;   // CONFIG_HZ
  FixedString<127> value;  // y, m, 250, "text" with its quotes; empty when the kernel was built without
};

// Fills in the values. An error when the configuration can be read nowhere.
Result<void> read_kernel_config(List<ConfigWord>& words);

// LINUX_VERSION_CODE of the running kernel, its last part cut at 255 as the kernel does.
uint32_t running_kernel_version();

}  // namespace hosa
