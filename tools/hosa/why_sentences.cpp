#include "tools/hosa/why_sentences.h"

#include <algorithm>

#include "detect/number_format.h"
#include "loader/sys/text.h"
#include "tools/hosa/dimension_table.h"
#include "tools/hosa/json_read.h"

namespace hosa {
namespace {

using Sentence = FixedString<400>;

// Three digits are enough for people.
void number(Sentence& text, double value) {
  double unit = 1;
  const double size = value < 0 ? -value : value;
  while (size > 0 && size / unit < 100 && unit > 1e-6) unit /= 10;
  while (size / unit >= 1000 && unit < 1) unit *= 10;
  char digits[detect::kNumberChars];
  const double rounded = size < 1e15 ? static_cast<double>(static_cast<int64_t>(value / unit + 0.5)) * unit : value;
  text.append({digits, detect::format_number(rounded, digits)});
}

void bytes(Sentence& text, double value) {
  number(text, value / 1048576);
  text.append(" MB");
}

void percent(Sentence& text, double share) {
  text.append_number(static_cast<int64_t>(std::clamp(share, 0.0, 1.0) * 100 + 0.5)).append(" %");
}

void seconds(Sentence& text, double value) {
  const double most = 1e9;
  const auto whole = static_cast<int64_t>(std::clamp(value, 0.0, most) + 0.5);
  if (whole < 120)
    number(text, std::min(value, most)), text.append(" s");
  else if (whole < 7200)
    text.append_number(whole / 60).append(" min");
  else
    text.append_number(whole / 3600).append(" h");
}

// A value of a dimension in its own unit.
void amount(Sentence& text, double value, std::string_view unit) {
  if (unit == "share" || unit == "of RAM" || unit == "of node") {
    number(text, value * 100);
    return void(text.append(unit == "share" ? " %" : unit == "of node" ? " % of its node" : " % of RAM"));
  }
  if (unit == "bytes/s") {
    bytes(text, value);
    return void(text.append("/s"));
  }
  number(text, value);
  if (unit == "1/s")
    text.append("/s");
  else if (unit == "pages/s" || unit == "ms" || unit == "C")
    text.append(" ").append(unit);
}

const DimensionRow* row_named(std::string_view name) {
  for (const DimensionRow& row : dimension_table())
    if (name == row.dimension.name) return &row;
  return nullptr;
}

// Of the contributions {"name":number,...}, largest first: the first one that speaks for the culprit's resource, since
// it was named for that; else the first.
std::string_view leading(std::string_view contributions, std::string_view resource) {
  std::string_view first;
  for (std::string_view rest = contributions; !rest.empty();) {
    (void)take_until(rest, '"');
    const std::string_view name = take_until(rest, '"');
    const DimensionRow* const row = row_named(name);
    if (row == nullptr) continue;
    if (first.empty()) first = name;
    if (resource == detect::resource_name(row->dimension.resource)) return name;
  }
  return first;
}

// The two numbers of "name":[low,high].
bool range(std::string_view object, std::string_view name, double& low, double& high) {
  std::string_view pair = json_block(object, name);
  if (pair.size() < 5) return false;
  FixedString<80> named("{\"low\":");
  named.append(slice(take_until(pair, ','), 1)).append(",\"high\":").append(take_until(pair, ']')).append("}");
  low = json_number(named.view(), "low", 0);
  high = json_number(named.view(), "high", 0);
  return true;
}

void tell_cause(Sentence& text, std::string_view cause, std::string_view channel) {
  if (cause == "tripwire") return void(text.append("a tripwire in the kernel was crossed"));
  if (cause == "horizon") return void(text.append("memory was running out"));
  if (cause == "score") return void(text.append("the score was high and rose"));
  if (channel == "lasting") return void(text.append("one dimension stayed unusual for a second"));
  if (channel == "drift") return void(text.append("what is normal had crept away from what it was"));
  if (channel == "share") return void(text.append("the largest user of a resource took a share that it never took"));
  text.append("the score rose above its threshold");
}

void tell_dimension(Sentence& text, std::string_view reason) {
  const std::string_view contributions = json_block(reason, "c"),
                         name = leading(contributions, json_value(reason, "resource"));
  const double distance = json_number(reason, "d", 0);
  const DimensionRow* const row = row_named(name);
  if (json_value(reason, "warming") == "true" || row == nullptr || !(distance > 0))
    return void(text.append("; what is normal was still being learned."));
  text.append("; ").append(name).append(" (").append(row->means).append(") stood at ");
  amount(text, json_number(json_block(reason, "x"), name, 0), row->dimension.unit);
  if (double low = 0, high = 0; range(json_block(reason, "calm"), name, low, high)) {
    text.append(", calm is ");
    amount(text, low, row->dimension.unit);
    text.append(" to ");
    amount(text, high, row->dimension.unit);
  }
  text.append(", and made up ");
  percent(text, json_number(contributions, name, 0) / (distance * distance));
  text.append(" of the distance ");
  number(text, distance);
  text.append(" from normal.");
}

void tell_outcome(Sentence& text, std::string_view outcome) {
  if (outcome.empty()) return;
  const std::string_view event = json_value(outcome, "event"), means = json_value(outcome, "means");
  text.append(json_value(outcome, "shadow") == "true" ? "; only watched: " : "; ");
  if (event == "given_back")
    text.append("what was held is given back");
  else if (event == "refused")
    text.append("it was not held: ").append(json_value(outcome, "result"));
  else if (!means.empty() && means != "none" && means != "asked")
    text.append("held by ").append(means);
  else if (event == "insured")
    text.append("insured: a limit that slows nobody who stops in time");
  else
    text.append("held by ").append(json_value(outcome, "action"));
}

void tell_who(Sentence& text, std::string_view reason, std::string_view outcome) {
  const std::string_view event = json_value(reason, "event"), resource = json_value(reason, "resource");
  if (event == "nobody") {
    text.append("Nobody explains more than half of the growth of ").append(resource).append(" (the largest share is ");
    percent(text, json_number(reason, "share", 0));
    return void(text.append("), so nobody is held."));
  }
  if (event == "level") return void(text.append("Nobody was looked for: nothing was in danger."));
  text.append(json_value(reason, "cgroup"));
  if (const std::string_view pid = json_value(reason, "pid"); !pid.empty() && pid != "0")
    text.append(" (process ").append(pid).append(")");
  text.append(" carries it with ");
  percent(text, json_number(reason, "share", 0));
  text.append(" of the growth of ").append(resource).append(" (the next: ");
  percent(text, json_number(reason, "runner_up", 0));
  text.append(")");
  tell_outcome(text, outcome);
  text.append(".");
}

void tell_otherwise(Sentence& text, std::string_view reason) {
  const std::string_view resource = json_value(reason, "resource");
  const double rate = json_number(reason, "growth_per_s", 0), room = json_number(reason, "room", 0);
  const double horizon = json_number(reason, "horizon", 0);
  const bool named = json_value(reason, "event") == "culprit";
  if (named && resource == "memory" && rate > 0 && room > 0) {
    text.append("Left alone, at ");
    bytes(text, rate);
    text.append("/s it would have used up the room of ");
    bytes(text, room);
    text.append(" in ");
    seconds(text, room / rate);
  } else if (named && resource == "tasks") {
    text.append("Left alone, it would have gone on bearing ");
    number(text, rate);
    text.append(" tasks a second until no other could be born");
  } else if (named && resource == "cpu") {
    text.append("Left alone, others would have gone on waiting for a CPU; they waited ");
    percent(text, json_number(reason, "waiting_share", 0));
    text.append(" of the time");
  } else if (horizon > 0 && horizon < 3600) {
    text.append("At that rate memory would have ended in ");
    seconds(text, horizon);
  } else {
    text.append("Nothing was running out");
  }
  text.append(".");
}

}  // namespace

bool is_reason(std::string_view line) {
  const std::string_view event = json_value(line, "event");
  if (event == "culprit" || event == "nobody") return true;
  return event == "level" && json_value(line, "before") == "0" && json_value(line, "level") == "1";
}

bool is_outcome(std::string_view line, std::string_view reason) {
  const std::string_view event = json_value(line, "event");
  if (event != "insured" && event != "act" && event != "given_back" && event != "refused") return false;
  return json_value(reason, "event") == "culprit" && json_value(line, "unit") == json_value(reason, "unit") &&
         json_value(line, "resource") == json_value(reason, "resource");
}

WhySentences why_sentences(std::string_view reason, std::string_view outcome, double now_s) {
  WhySentences said;
  if (const double ago = now_s - json_number(reason, "time", now_s); ago >= 0) seconds(said.what, ago);
  said.what.append(" ago ");
  tell_cause(said.what, json_value(reason, "cause"), json_value(reason, "channel"));
  tell_dimension(said.what, reason);
  tell_who(said.who, reason, outcome);
  tell_otherwise(said.otherwise, reason);
  return said;
}

}  // namespace hosa
