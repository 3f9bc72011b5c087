#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "streams/fold/digest.h"

namespace hilo::fold {

// Finds rows by their keys. A place holds a key's hash and where its row is, so that a look-up
// touches one cache line here and the row itself, which is what costs when there are many.
// `Row` has `key` and `hash`, which is HashOf(key), and stays where it is while it is here.
// **Threads**: thread-compatible. **Cost**: 32 bytes a row at most, beside the row.
// **Source**: open addressing with linear probing, at most half full.
template <typename Row>
class RowIndex {
 public:
  static uint64_t HashOf(std::string_view key) { return RowHash(key, {}); }

  // Null when there is none.
  Row* Find(uint64_t hash, std::string_view key) const {
    if (size_ == 0) return nullptr;
    for (size_t at = hash & Mask(); places_[at].row != nullptr; at = (at + 1) & Mask()) {
      if (places_[at].hash == hash && places_[at].row->key == key) return places_[at].row;
    }
    return nullptr;
  }
  // One that is not here.
  void Insert(Row* row) {
    if (2 * (size_ + 1) > places_.size()) Grow();
    Place(row);
    ++size_;
  }
  void Clear() {
    places_.clear();
    size_ = 0;
  }
  // Clear when exactly `rows` are here: costs by their number and not by the room there was once.
  void ClearOf(const std::vector<Row*>& rows) {
    for (const Row* row : rows) {
      size_t at = row->hash & Mask();
      while (places_[at].row != row) at = (at + 1) & Mask();
      places_[at].row = nullptr;
    }
    size_ = 0;
  }

 private:
  static constexpr size_t kFewest = 64;
  struct PlaceOfRow {
    uint64_t hash = 0;
    Row* row = nullptr;
  };
  size_t Mask() const { return places_.size() - 1; }  // a power of two less one
  void Place(Row* row) {
    size_t at = row->hash & Mask();
    while (places_[at].row != nullptr) at = (at + 1) & Mask();
    places_[at] = {row->hash, row};
  }
  void Grow() {
    std::vector<PlaceOfRow> before(places_.empty() ? kFewest : 2 * places_.size());
    before.swap(places_);
    for (const PlaceOfRow& place : before) {
      if (place.row != nullptr) Place(place.row);
    }
  }

  std::vector<PlaceOfRow> places_;
  size_t size_ = 0;
};

}  // namespace hilo::fold
