#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/types/time.h"

namespace hilo::expression {

enum class Kind : uint8_t {
  kAbsent,  // nothing is known: a field that is not set. Never the result of an expression
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kType,
  kList,
  kMap,
  kStruct,
  kError,  // inside the evaluator only
};

// A moment or a span: whole seconds and nanoseconds 0 ... 999,999,999 that are added to them, also
// before 1970 and below zero.
struct Span {
  int64_t seconds = 0;
  int32_t nanos = 0;
  friend auto operator<=>(const Span&, const Span&) = default;
};

// What values may share. Counted by the values that own it; never copied.
class Shared {
 public:
  Shared() = default;
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  virtual ~Shared() = default;

 private:
  friend class Value;
  mutable std::atomic<uint32_t> owners_{0};
};

class List;
class Map;
class Struct;

// One value of the language: 24 bytes, copied freely.
//
// Scalars, moments and spans are held inside. A string, list, map or struct is either *borrowed*
// (a view: whoever made the value keeps the memory alive and unchanged for as long as the value and
// its copies are used) or *owned* (shared by the copies and freed with the last). What an owned
// list, map or struct gives out outlives it: it is owned too, or borrowed from elsewhere.
// Of an absent value only kind() may be asked; each other accessor only of its own kind.
// **Threads** thread-compatible; copies that share memory may live on different threads.
// **Cost** making and copying a scalar or a borrowed value allocates nothing.
class Value {
 public:
  Value() = default;  // absent
  static Value Null() { return Value(Kind::kNull, 0, 0); }
  static Value Bool(bool value) { return Value(Kind::kBool, 0, value ? 1 : 0); }
  static Value Int(int64_t value) { return Value(Kind::kInt, 0, static_cast<uint64_t>(value)); }
  static Value Uint(uint64_t value) { return Value(Kind::kUint, 0, value); }
  static Value Double(double value);
  // Borrowed. `text` is valid UTF-8.
  static Value StringView(std::string_view text) { return Text(Kind::kString, text); }
  static Value BytesView(std::string_view bytes) { return Text(Kind::kBytes, bytes); }
  // Owned.
  static Value String(std::string text);
  static Value Bytes(std::string bytes);
  static Value Timestamp(Span since_1970) { return Moment(Kind::kTimestamp, since_1970); }
  static Value Timestamp(LogTime at) { return Moment(Kind::kTimestamp, OfMicros(at.micros)); }
  static Value Timestamp(EventTime at) { return Moment(Kind::kTimestamp, OfMicros(at.micros)); }
  static Value Duration(Span span) { return Moment(Kind::kDuration, span); }
  static Value Duration(Micros span) { return Moment(Kind::kDuration, OfMicros(span.count())); }
  // The name of a type, borrowed: "int", "list", "Customer".
  static Value Type(std::string_view name) { return Text(Kind::kType, name); }
  // Borrowed.
  static Value ListView(const List& list);
  static Value MapView(const Map& map);
  static Value StructView(const Struct& fields);
  // Owned.
  static Value Own(std::unique_ptr<const List> list);
  static Value Own(std::unique_ptr<const Map> map);
  static Value Own(std::unique_ptr<const Struct> fields);
  // Owned, from values already made. Keys of a map are bool, int, uint or string, each once.
  static Value ListOf(std::vector<Value> elements);
  static Value MapOf(std::vector<std::pair<Value, Value>> entries);

  Value(const Value& other) noexcept
      : kind_(other.kind_), extra_(other.extra_), bits_(other.bits_), owner_(other.owner_) {
    if (owner_ != nullptr) owner_->owners_.fetch_add(1, std::memory_order_relaxed);
  }
  Value(Value&& other) noexcept
      : kind_(other.kind_), extra_(other.extra_), bits_(other.bits_), owner_(other.owner_) {
    other.owner_ = nullptr;
  }
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(extra_, other.extra_);
    std::swap(bits_, other.bits_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~Value() {
    if (owner_ != nullptr) Release();
  }

  Kind kind() const { return kind_; }
  bool absent() const { return kind_ == Kind::kAbsent; }
  bool AsBool() const { return bits_ != 0; }
  int64_t AsInt() const { return static_cast<int64_t>(bits_); }
  uint64_t AsUint() const { return bits_; }
  double AsDouble() const;
  // Of a string, bytes or type. Valid as long as this value (owned) or its source (borrowed).
  std::string_view AsText() const { return {reinterpret_cast<const char*>(bits_), extra_}; }
  // Of a timestamp or duration.
  Span AsSpan() const { return {static_cast<int64_t>(bits_), static_cast<int32_t>(extra_)}; }
  const List& AsList() const { return *reinterpret_cast<const List*>(bits_); }
  const Map& AsMap() const { return *reinterpret_cast<const Map*>(bits_); }
  const Struct& AsStruct() const { return *reinterpret_cast<const Struct*>(bits_); }

 private:
  friend class Evaluation;
  Value(Kind kind, uint32_t extra, uint64_t bits) : kind_(kind), extra_(extra), bits_(bits) {}
  Value(Kind kind, uint32_t extra, uint64_t bits, const Shared* owner);
  static Value Text(Kind kind, std::string_view text) {
    return Value(kind, static_cast<uint32_t>(text.size()), reinterpret_cast<uint64_t>(text.data()));
  }
  static Value Moment(Kind kind, Span span) {
    return Value(kind, static_cast<uint32_t>(span.nanos), static_cast<uint64_t>(span.seconds));
  }
  static Span OfMicros(int64_t micros);
  void Release();

  Kind kind_ = Kind::kAbsent;
  uint32_t extra_ = 0;  // bytes of a text, nanoseconds of a span
  uint64_t bits_ = 0;   // the scalar, the seconds, or the address
  const Shared* owner_ = nullptr;
};

// Elements in order. An implementation may make them when asked; it must answer the same each time.
class List : public Shared {
 public:
  virtual size_t size() const = 0;
  virtual Value At(size_t index) const = 0;  // index < size(); never absent
};

// Entries under keys that are bool, int, uint or string. Numbers that are equal are one key.
class Map : public Shared {
 public:
  virtual size_t size() const = 0;
  virtual Value Find(const Value& key) const = 0;  // absent when it is not there
  // The keys in a fixed order: the macros go through them in it.
  virtual Value KeyAt(size_t index) const = 0;
};

// Named fields, by the number that the schema gave each (their order in StructType::fields).
class Struct : public Shared {
 public:
  // The value of a field, of the kind that the schema declares; absent when it is not known.
  // `has()` is whether it is known; reading what is not known is an error, which `&&` and `||`
  // absorb.
  virtual Value Field(size_t number) const = 0;
  // The schema's name of this struct; outlives it.
  virtual std::string_view type_name() const = 0;
};

// As `==` of the language: numbers by their value across int, uint and double; lists and maps
// deeply; values of different kinds are different. NaN equals nothing.
bool Equal(const Value& a, const Value& b);

// As one would write it in an expression: `"text"`, `[1, 2]`, `timestamp("2026-01-02T03:04:05Z")`.
// At most about `max_bytes`; what is longer ends in "…".
std::string ToText(const Value& value, size_t max_bytes = 200);

// "null_type", "int", ... as `type()` names it.
std::string_view NameOf(Kind kind);

}  // namespace hilo::expression
