// Error and Result: how every fallible call of hosa answers.
//
// An Error is a plain value {errno, step, subject}: what failed, on what, why. It prints as
//   open memory.high of /system.slice/x: permission denied (EACCES)
// Result<T> carries the member names of C++23's std::expected (which clang 14 cannot take with -fno-exceptions).
// Nothing here allocates; both are trivially copyable when T is.
#pragma once
#include <cerrno>
#include <type_traits>
#include <utility>

#include "loader/sys/fixed.h"

namespace hosa {

struct Error {
  int code = 0;              // errno value, or 0 when the input itself was wrong
  const char* step = "";     // a literal: "open memory.high of"
  FixedString<120> subject;  // path, name or the offending text; truncated, never overrun

  // Renders "step subject: message (ENAME)" and returns it NUL-terminated.
  FixedString<256> text() const;
};

// The lower-case message and symbolic name of an errno value: {"permission denied", "EACCES"}.
struct ErrnoName {
  const char* message;
  const char* name;
};
ErrnoName errno_name(int code);

Error make_error(int code, const char* step, std::string_view subject = {});
Error errno_error(const char* step, std::string_view subject = {});

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : ok_(true), value_(std::move(value)) {}   // NOLINT: implicit, as in std::expected
  Result(const Error& error) : ok_(false), error_(error) {}  // NOLINT
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_)
      new (&value_) T(std::move(other.value_));
    else
      new (&error_) Error(other.error_);
  }
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (ok_) value_.~T();
  }

  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  const Error& error() const { return error_; }
  T value_or(T other) const { return ok_ ? value_ : std::move(other); }

 private:
  bool ok_;
  union {
    T value_;
    Error error_;
  };
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const Error& error) : ok_(false), error_(error) {}  // NOLINT
  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  bool ok_ = true;
  Error error_{};
};

}  // namespace hosa
