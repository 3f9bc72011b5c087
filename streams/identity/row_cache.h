#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace hilo::identity {

// The rows used last, decoded: at most `slots`, each name in the one slot its hash says, where it
// replaces what was there. It changes how long a look-up takes, never what it answers.
// **Threads**: confined to its partition's thread.
template <typename Name, typename Row, typename SlotOf>
class RowCache {
 public:
  explicit RowCache(size_t slots) : slots_(slots) {}

  // Null when it is not here. Valid until the next Set or Clear.
  const Row* Find(const Name& name) const {
    const std::optional<std::pair<Name, Row>>& slot = slots_[SlotOf{}(name) % slots_.size()];
    return slot && slot->first == name ? &slot->second : nullptr;
  }
  void Set(const Name& name, const Row& row) {
    slots_[SlotOf{}(name) % slots_.size()].emplace(name, row);
  }
  void Clear() {
    for (std::optional<std::pair<Name, Row>>& slot : slots_) slot.reset();
  }

 private:
  std::vector<std::optional<std::pair<Name, Row>>> slots_;
};

}  // namespace hilo::identity
