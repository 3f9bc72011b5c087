#pragma once

#include <ostream>
#include <utility>

namespace hilo {

// What every personal value prints as.
inline constexpr char kPiiToken[] = "[pii]";

// A value that belongs to a person and may not be printed: a name, an address, a text, an opened
// identifier.
//
// **Guarantees**: every way of printing it (streams, log fields) gives `[pii]`, whatever is inside;
// reading it takes a call of Reveal(), which a reviewer can search for. It does not wipe its
// memory.
// **Threads**: as T.
template <typename T>
class Pii {
 public:
  Pii() = default;
  explicit Pii(T value) : value_(std::move(value)) {}

  // The value itself, for sending it to whom it is meant for. Never for a log, a label, an error or
  // a URL.
  const T& Reveal() const& { return value_; }
  T Reveal() && { return std::move(value_); }

  friend bool operator==(const Pii&, const Pii&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Pii&) { return out << kPiiToken; }

 private:
  T value_{};
};

}  // namespace hilo
