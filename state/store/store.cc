#include "state/store/store.h"

namespace hilo::store {

KeyRange PrefixRange(std::string_view prefix) {
  // The first key behind all keys with the prefix: the last byte that is not 0xff counts up, what
  // follows it goes. A prefix of 0xff only has nothing behind it: no bound.
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return {.begin = std::string(prefix), .end = std::move(end)};
}

std::vector<StatusOr<std::optional<std::string>>> Reader::MultiGet(
    std::span<const std::string> keys) const {
  std::vector<StatusOr<std::optional<std::string>>> values;
  values.reserve(keys.size());
  for (const std::string& key : keys) values.push_back(Get(key));
  return values;
}

Status Store::Checkpoint(const std::string& directory) {
  return Error(StatusCode::kUnimplemented, "checkpoint_unsupported",
               "this store keeps nothing in files; checkpoint a RocksDbStore");
}

}  // namespace hilo::store
