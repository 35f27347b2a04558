// From the first byte of a leak to its record, and from a record to the agent's loop, as the agent's status tells: what
// is measured is what it does, not what asking costs.
#pragma once
#include <string>

namespace bench {

// `leaks` times 50 MB/s, one a second. `ask` answers the agent's status.
void print_onset(int leaks, std::string (*ask)());
// `bursts` of forks, each of which trips the wire of forks once, beside `hogs` processes that spin.
void print_record_to_loop(const char* name, int hogs, int bursts, std::string (*ask)());

}  // namespace bench
