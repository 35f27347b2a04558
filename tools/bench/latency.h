// From the first byte of a leak to its record, and from the record to the agent's loop, as the agent's status tells.
#pragma once
#include <string>

namespace bench {

// `leaks` times 50 MB/s for 80 ms, beside `hogs` processes that spin; `ask` answers the agent's status. The agent gives
// a record's time and when its loop saw it, so that what is measured is what it does, not what asking costs.
void print_latency(const char* name, int hogs, int leaks, std::string (*ask)());

}  // namespace bench
