// What `hosa sense` shows, as JSON: the state vector with what is normal, and who carries how much of it. Made by the
// running agent (which has learned) or by the verb itself (which has just begun).
#pragma once
#include "actuate/history.h"
#include "tools/hosa/census.h"
#include "tools/hosa/json.h"
#include "tools/hosa/senses.h"

namespace hosa {

// "vector": [{name, unit, value, mean, low, high, z, c, source}]. mean, low and high (two standard deviations) only
// once the warm-up is over. And what the probes attribute (attribution.h).
void describe_vector(JsonLine& line, const Senses& senses, const detect::Verdict& verdict);

// "carriers": [{resource, unit, amount, per}]: who grew most since `before`, at most three per resource: bytes/s of
// what cannot be dropped, CPUs, tasks/s. Nothing where `before` is missing.
void describe_carriers(JsonLine& line, const Census& census, const UseHistory::Generation* before, double now_s);

}  // namespace hosa
