#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hilo::expression {

// The shortest decimal that reads back as `value`: "0.1", "1e+21", "NaN", "+Inf".
std::string FormatDouble(double value);

bool IsUtf8(std::string_view text);
// Code points of valid UTF-8.
size_t CodePoints(std::string_view text);
// Appends a code point, which is no surrogate and at most 0x10FFFF, as UTF-8.
void AppendUtf8(std::string& text, uint32_t code_point);

// The candidate closest to `name`, when it is close enough to be a slip of the pen; "" when none
// is.
class Closest {
 public:
  explicit Closest(std::string_view name) : name_(name) {}
  void Offer(std::string_view candidate);
  std::string_view best() const { return best_; }
  // "; did you mean 'orders'?" or "".
  std::string Hint() const;

 private:
  std::string_view name_;
  std::string best_;
  size_t distance_ = SIZE_MAX;
};

}  // namespace hilo::expression
