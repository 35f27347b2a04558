// Reading single values out of a JSON object that hosa itself has written (status answers): by key, first occurrence,
// no nesting. Not a JSON parser: for the verbs that show a few numbers of an answer to people.
#pragma once
#include <string_view>

namespace hosa {

// The text of the value after "key": without quotes; empty when there is none.
std::string_view json_value(std::string_view json, std::string_view key);
// As a number; `otherwise` when it is missing or null.
double json_number(std::string_view json, std::string_view key, double otherwise);
// The array or object after "key":, brackets included; empty when there is none.
std::string_view json_block(std::string_view json, std::string_view key);
// The next {...} of an array's text; empty at its end. `array` is moved past it.
std::string_view next_object(std::string_view& array);

}  // namespace hosa
