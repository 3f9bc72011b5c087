#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"

namespace hilo::store {

// Changes that will be written together. Later changes of one key win.
// **Threads**: thread-compatible.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
};

// Keys in order from a start to an end. The views are valid until the next call of Next or Seek.
// **Threads**: confined to the thread that made it. Short-lived: it pins memory.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  // The first key >= `key` within the bounds; a key below the range is its begin.
  virtual void Seek(std::string_view key) = 0;
  virtual std::string_view Key() const = 0;
  virtual std::string_view Value() const = 0;
  // Not ok when the iteration ended because of an error and not at the bound.
  virtual Status status() const = 0;
};

// [begin, end): bytewise order; an empty end has no bound.
struct KeyRange {
  std::string begin;
  std::string end;
};
// All keys that start with `prefix`.
KeyRange PrefixRange(std::string_view prefix);

// Something that can be read.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual StatusOr<std::optional<std::string>> Get(std::string_view key) const = 0;
  // What Get would answer for each key, in the order of `keys`; one call is much cheaper than many
  // Gets.
  virtual std::vector<StatusOr<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const;
  // From the range's begin onwards; bounds are always given. A consistent picture of the moment it
  // is made.
  virtual std::unique_ptr<Iterator> NewIterator(const KeyRange& range) const = 0;
};

// A consistent picture of a store at one moment. **Threads**: thread-safe. **Lifetime**: shorter
// than its store's.
class View : public Reader {};

// An ordered map from bytes to bytes that survives the process: one per partition, one column
// family; the first byte of each key is the table's tag (state/store/tables.h).
//
// **Guarantees**: Write is atomic. A killed process loses nothing; a power cut may lose the last
// batches, always a suffix (the log refills them). **Errors**: `state_corrupt` names the file;
// `disk_full`. After an error of Write the store must be closed and reopened.
// **Threads**: thread-safe; one writer at a time.
class Store : public Reader {
 public:
  virtual std::unique_ptr<Batch> NewBatch() = 0;
  // `batch` was made by this store's NewBatch.
  virtual Status Write(std::unique_ptr<Batch> batch) = 0;
  virtual std::unique_ptr<View> NewView() const = 0;
  // Pushes everything to the disk (for a clean stop).
  virtual Status Flush() = 0;
  // A consistent copy of this moment in `directory`, which must not exist yet; it can be opened as
  // a store of its own.
  // **Errors**: `checkpoint_unsupported` from a store that has no files.
  virtual Status Checkpoint(const std::string& directory);
};

}  // namespace hilo::store
