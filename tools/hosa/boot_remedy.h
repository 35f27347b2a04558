// What has to be done to a machine's boot configuration, as a line for people: for `hosa doctor`. Nothing is changed.
#pragma once
#include "tools/hosa/surroundings.h"

namespace hosa {

// Adds a word such as psi=1 to the kernel's command line. Where that says something else of the same key (psi=0), the
// word is changed: of lockdown= only the first counts, of psi= only the last.
FixedString<200> boot_argument(const Surroundings& s, std::string_view argument);

// Of one that confidentiality took something from, and of one without pressure files.
FixedString<200> lockdown_remedy(const Surroundings& s);
FixedString<200> psi_remedy(const Surroundings& s);

// Where the command line is written on the machine below `root`, and what has to be run afterwards.
BootLine find_boot_line(const char* root = "");

}  // namespace hosa
