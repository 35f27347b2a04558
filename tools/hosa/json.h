// JsonLine: one JSON object on one line, built in place without allocation. What does not fit is dropped whole (the
// object stays valid) and `cut` says so. Strings are escaped; a number that is not finite becomes null.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

#include "loader/sys/fixed.h"

namespace hosa {

class JsonLine {
 public:
  static constexpr std::size_t kCapacity = 48 * 1024;  // an audit line has 1-3 KB; `status` lists whom it protects

  JsonLine() { text_.append("{"); }
  JsonLine& text(std::string_view key, std::string_view value);
  JsonLine& number(std::string_view key, double value);
  JsonLine& integer(std::string_view key, int64_t value);
  JsonLine& flag(std::string_view key, bool value);
  JsonLine& open(std::string_view key, char bracket);  // '{' or '['
  JsonLine& close(char bracket);                       // '}' or ']'
  // An object that is JSON already (an audit line); dropped if it is none by its brackets.
  JsonLine& object(std::string_view key, std::string_view json);
  // Array items.
  JsonLine& item(double value);
  // Ends the object with "}\n"; the line may be used until the next change.
  std::string_view finish();
  bool cut() const { return cut_; }

 private:
  bool fits(std::size_t bytes) const { return text_.size() + bytes + 64 < kCapacity; }
  void comma();
  void key(std::string_view name);
  void quoted(std::string_view value);
  void plain(double value);

  // Not a FixedString: that zeroes its capacity, 0.4 ms a line on a 125 MIPS board.
  struct Text {
    Text() {}
    void append(std::string_view piece) {
      const std::size_t take = piece.size() < kCapacity - used ? piece.size() : kCapacity - used;
      if (take > 0) std::memcpy(bytes + used, piece.data(), take);
      used += take;
    }
    std::size_t size() const { return used; }
    std::string_view view() const { return {bytes, used}; }
    std::size_t used = 0;
    char bytes[kCapacity];
  } text_;
  bool first_ = true, cut_ = false;
  int depth_ = 0;
};

}  // namespace hosa
