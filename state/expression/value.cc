#include "state/expression/value.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "state/expression/equality.h"

namespace hilo::expression {
namespace {

struct OwnedText final : Shared {
  explicit OwnedText(std::string text) : text(std::move(text)) {}
  const std::string text;
};

class OwnedList final : public List {
 public:
  explicit OwnedList(std::vector<Value> elements) : elements_(std::move(elements)) {}
  size_t size() const override { return elements_.size(); }
  Value At(size_t index) const override { return elements_[index]; }

 private:
  const std::vector<Value> elements_;
};

// Keys go round in the order in which they were given and are found by a sorted index.
class OwnedMap final : public Map {
 public:
  explicit OwnedMap(std::vector<std::pair<Value, Value>> entries) : entries_(std::move(entries)) {
    for (uint32_t i = 0; i < entries_.size(); ++i) sorted_.push_back(i);
    std::sort(sorted_.begin(), sorted_.end(), [this](uint32_t a, uint32_t b) {
      return OrderKeys(entries_[a].first, entries_[b].first) < 0;
    });
  }
  size_t size() const override { return entries_.size(); }
  Value KeyAt(size_t index) const override { return entries_[index].first; }
  Value Find(const Value& key) const override {
    const std::optional<Value> exact = AsKey(key);
    if (!exact) return Value();
    const auto found = std::lower_bound(
        sorted_.begin(), sorted_.end(), *exact,
        [this](uint32_t at, const Value& k) { return OrderKeys(entries_[at].first, k) < 0; });
    if (found == sorted_.end() || OrderKeys(entries_[*found].first, *exact) != 0) return Value();
    return entries_[*found].second;
  }

 private:
  const std::vector<std::pair<Value, Value>> entries_;
  std::vector<uint32_t> sorted_;
};

template <typename T>
uint64_t Address(const T& object) {
  return reinterpret_cast<uint64_t>(&object);
}

}  // namespace

Value::Value(Kind kind, uint32_t extra, uint64_t bits, const Shared* owner)
    : kind_(kind), extra_(extra), bits_(bits), owner_(owner) {
  owner_->owners_.fetch_add(1, std::memory_order_relaxed);
}

void Value::Release() {
  if (owner_->owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete owner_;
}

Value Value::Double(double value) {
  return Value(Kind::kDouble, 0, std::bit_cast<uint64_t>(value));
}

double Value::AsDouble() const { return std::bit_cast<double>(bits_); }

Value Value::String(std::string text) {
  const auto* owned = new OwnedText(std::move(text));
  return Value(Kind::kString, static_cast<uint32_t>(owned->text.size()),
               reinterpret_cast<uint64_t>(owned->text.data()), owned);
}

Value Value::Bytes(std::string bytes) {
  Value value = String(std::move(bytes));
  value.kind_ = Kind::kBytes;
  return value;
}

Value Value::ListView(const List& list) { return Value(Kind::kList, 0, Address(list)); }
Value Value::MapView(const Map& map) { return Value(Kind::kMap, 0, Address(map)); }
Value Value::StructView(const Struct& fields) { return Value(Kind::kStruct, 0, Address(fields)); }

Value Value::Own(std::unique_ptr<const List> list) {
  const List* owned = list.release();
  return Value(Kind::kList, 0, Address(*owned), owned);
}
Value Value::Own(std::unique_ptr<const Map> map) {
  const Map* owned = map.release();
  return Value(Kind::kMap, 0, Address(*owned), owned);
}
Value Value::Own(std::unique_ptr<const Struct> fields) {
  const Struct* owned = fields.release();
  return Value(Kind::kStruct, 0, Address(*owned), owned);
}

Value Value::ListOf(std::vector<Value> elements) {
  return Own(std::unique_ptr<const List>(std::make_unique<OwnedList>(std::move(elements))));
}
Value Value::MapOf(std::vector<std::pair<Value, Value>> entries) {
  return Own(std::unique_ptr<const Map>(std::make_unique<OwnedMap>(std::move(entries))));
}

Span Value::OfMicros(int64_t micros) {
  int64_t seconds = micros / 1'000'000;
  int64_t rest = micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  return {seconds, static_cast<int32_t>(rest * 1000)};
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kAbsent:
      return "absent";
    case Kind::kNull:
      return "null_type";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kUint:
      return "uint";
    case Kind::kDouble:
      return "double";
    case Kind::kString:
      return "string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTimestamp:
      return "google.protobuf.Timestamp";
    case Kind::kDuration:
      return "google.protobuf.Duration";
    case Kind::kType:
      return "type";
    case Kind::kList:
      return "list";
    case Kind::kMap:
      return "map";
    case Kind::kStruct:
      return "struct";
    case Kind::kError:
      return "error";
  }
  return "";
}

}  // namespace hilo::expression
