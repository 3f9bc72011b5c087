#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"

namespace hilo::kit::json {

// Bounds on what a document may hold. Origin: the tracking API's limits and the collector's rules
// for hostile input.
struct Limits {
  size_t max_depth = 16;              // objects and arrays inside one another
  size_t max_keys = 256;              // of one object
  size_t max_string_bytes = 8 << 10;  // of one string, decoded
  size_t max_key_bytes = 256;
  size_t max_values = 200'000;  // of the whole document
  // Names under which a string may be longer, because whoever reads them has a better answer to
  // that: identifiers.
  std::span<const std::string_view> long_names = {};
  size_t max_long_string_bytes = 32 << 10;
};

enum class Type : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

class Document;

// A value inside a document; a null pointer in other words when it is absent. Copy freely.
// **Lifetime**: its document's.
class Value {
 public:
  Value() = default;

  // False: there is no such value.
  explicit operator bool() const { return document_ != nullptr; }
  Type type() const;
  bool IsObject() const { return *this && type() == Type::kObject; }
  bool IsArray() const { return *this && type() == Type::kArray; }
  bool IsString() const { return *this && type() == Type::kString; }
  bool IsNumber() const { return *this && type() == Type::kNumber; }
  bool IsBool() const { return *this && (type() == Type::kTrue || type() == Type::kFalse); }

  // Decoded text of a string, the digits of a number as they stood, "true", "false", "null"; "" for
  // the others.
  std::string_view Text() const;
  // A string's text; nullopt for anything else.
  std::optional<std::string_view> String() const;
  std::optional<bool> Bool() const;
  std::optional<int64_t> Integer() const;
  // Name under which it stands in its object; "" in arrays and for the root.
  std::string_view Key() const;

  // Member of an object; absent for anything else.
  Value operator[](std::string_view key) const;
  // Follows a dotted path of names and array indexes: "products.0.name". A member whose own name
  // has dots is found too.
  Value At(std::string_view path) const;
  size_t size() const;
  // First child, and what follows this value in its parent; absent at the end.
  Value First() const;
  Value Next() const;

  // Writes it as JSON, in the order of the source, leaving out the values in `without`.
  void Write(std::string& out, const std::vector<Value>& without = {}) const;
  // As text: strings as they are, everything else as JSON.
  std::string AsText() const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  friend class Document;
  Value(const Document* document, uint32_t node) : document_(document), node_(node) {}
  const Document* document_ = nullptr;
  uint32_t node_ = 0;
};

// A JSON text that has passed every check, read once into a flat tree. Immutable.
//
// **Guarantees**: valid UTF-8 without U+0000, lone surrogates or byte order mark; no name twice in
// an object; every number fits int64 or double exactly as reliability asks (no -0, no 2^63, no
// 1e999); nothing after the end. Numbers keep their digits, so that amounts stay exact.
// **Errors**: INVALID_ARGUMENT `json_syntax`, `json_depth`, `json_keys`, `json_duplicate`,
// `json_trailing`, `json_number`, `json_utf8`, `property_name`, `property_too_large`; the message
// says at which byte, never what stood there.
// **Threads**: thread-safe once parsed. **Lifetime**: values see its memory.
// **Cost**: one pass; 24 bytes a value beside the text.
// A reader of our own, because simdjson tells neither repeated names nor digits apart; it validates
// UTF-8 for us, and tests hold both to the same answers.
class Document {
 public:
  static StatusOr<std::shared_ptr<const Document>> Parse(std::string text,
                                                         const Limits& limits = {});

  Value root() const { return Value(this, 0); }
  // As it came. A value's part of it is not kept apart.
  size_t text_bytes() const { return text_.size(); }

 private:
  friend class Value;
  friend class Reader;
  struct Node {
    Type type = Type::kNull;
    uint32_t key_bytes = 0;
    uint32_t key_at = 0;
    uint32_t text_at = 0;     // into text_: decoded strings and digits
    uint32_t text_bytes = 0;  // of objects and arrays: how many children
    uint32_t next = 0;        // sibling; 0: none
  };
  std::string text_;         // strings are decoded in place
  std::vector<Node> nodes_;  // a container's first child follows it
};

// The elements of the array named `name` of the root object as separate texts, and the rest of the
// object with that array empty. Finds them by brackets and quotes alone, so that one broken element
// does not spoil its neighbours. nullopt when the text has no such shape.
struct Split {
  std::vector<std::string_view> elements;
  std::string rest;
};
std::optional<Split> SplitArray(std::string_view text, std::string_view name);
// The same for a text that is itself an array; `rest` is empty.
std::optional<Split> SplitArray(std::string_view text);

}  // namespace hilo::kit::json
