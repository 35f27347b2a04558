// Output: text for a descriptor, gathered and written in blocks. (printf would cost this program 12 KB.)
#pragma once
#include "loader/sys/fixed.h"

namespace hosa {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { flush(); }

  Output& text(std::string_view text);
  Output& number(int64_t value);
  Output& hex(uint64_t value, int digits);
  // As a string of JSON, with its quotes.
  Output& quoted(std::string_view words);
  void flush();

 private:
  int fd_;
  std::size_t size_ = 0;
  char buffer_[4096];
};

}  // namespace hosa
