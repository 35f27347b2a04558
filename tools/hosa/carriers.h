// Who did most of something, for `hosa sense`: a kind of thing that is done, and the first few who do it.
#pragma once
#include <cstdint>
#include <utility>

#include "tools/hosa/json.h"

namespace hosa {

// amount: where a row of usage keeps it.
template <class Usage, class Amount>
struct CarriedKind {
  const char* resource;
  const char* unit;
  Amount Usage::*amount;
  double least;  // per second: less is not worth a line
};

struct Carrier {
  uint64_t who = 0;
  double per_second = 0;
};

class TopCarriers {
 public:
  static constexpr std::size_t kMost = 3;
  // The largest first; what does not fit falls off the end.
  void add(Carrier fresh) {
    for (Carrier& place : top_)
      if (fresh.per_second > place.per_second) std::swap(place, fresh);
  }
  // {resource, who, amount, unit} each; `describe(line, who)` writes who.
  template <class Kind, class Describe>
  void write(JsonLine& line, const Kind& kind, Describe describe) const {
    for (const Carrier& carrier : top_) {
      if (carrier.per_second < kind.least) break;
      line.open("", '{').text("resource", kind.resource);
      describe(line, carrier.who);
      line.number("amount", carrier.per_second).text("unit", kind.unit).close('}');
    }
  }

 private:
  Carrier top_[kMost];
};

}  // namespace hosa
