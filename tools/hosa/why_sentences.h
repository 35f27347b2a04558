// The reason for the last decision, in three sentences (spec 9): which dimension, its value and calm range and its
// share of the distance; who carries it; what would have happened. Made of audit lines, so that the running agent and
// the log of one that has ended tell the same. Pure; what is missing in a line is left out of the sentences.
#pragma once
#include <string_view>

#include "loader/sys/fixed.h"

namespace hosa {

// Whether this audit line begins an episode's story: somebody was named, nobody was, or the score rose on its own.
bool is_reason(std::string_view audit_line);
// Whether it tells what came of it: a line of the same target, later.
bool is_outcome(std::string_view audit_line, std::string_view reason);

struct WhySentences {
  FixedString<400> what, who, otherwise;
};
// outcome may be empty. now_s: seconds since 1970.
WhySentences why_sentences(std::string_view reason, std::string_view outcome, double now_s);

}  // namespace hosa
